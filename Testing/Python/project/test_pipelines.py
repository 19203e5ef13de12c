"""Each example of the page on pipelines runs as a process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import parts
import pytest

from CMROrientLib.io import write
from CMROrientLib.phantom.phantom import make_phantom

_PAGE = (parts.REPOSITORY / "Documentation" / "pipelines.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## (.*?)\n.*?```python\n(.*?)```", _PAGE, flags=re.DOTALL | re.MULTILINE))


def test_there_is_an_example_for_each_heading() -> None:
    assert list(EXAMPLES) == re.findall(r"^## (.*)$", _PAGE, flags=re.MULTILINE) and len(EXAMPLES) >= 5


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    code = EXAMPLES[name]
    for package in ("monai", "torchio", "torch"):
        if package in code:
            pytest.importorskip(package)
    image, mask = make_phantom(slices=4, orientation=5, header="true", with_mask=True)
    write(image, tmp_path / "case.nii.gz")
    write(mask, tmp_path / "case_seg.nii.gz")
    (tmp_path / "example.py").write_text(code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(parts.REPOSITORY), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
