"""The tests of DICOM name the pydicom that they need: Slicer 5.10 brings an older one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import parts
import pytest

#: A pydicom as Slicer 5.10 has it: by its version, and without what came with 3.0.
OLD = """
import importlib.metadata, sys
real = importlib.metadata.version
importlib.metadata.version = lambda name: "2.4.4" if name == "pydicom" else real(name)
sys.modules["pydicom.pixels"] = None
"""

TESTS = [
    *sorted(
        path.relative_to(parts.REPOSITORY).as_posix() for path in Path(__file__).parents[1].glob("io/dicom/test_*.py")
    ),
    "Testing/Python/io/test_find.py",
    "Testing/Python/run/test_dicom_batch.py",
    "Testing/Python/run/test_falling_slope.py",
]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    (tmp_path / "old_pydicom.py").write_text(OLD, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if name not in parts.ASKED_FOR}
    return {**kept, "PYTHONPATH": str(tmp_path)}


def run(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "old_pydicom", "-p", "no:cacheprovider", *TESTS]
    return subprocess.run(command, cwd=parts.REPOSITORY, env=environment, capture_output=True, encoding="utf-8")


def test_they_are_left_out_with_the_reason_where_it_is_older(environment: dict[str, str]) -> None:
    done = run(environment)
    assert done.returncode == 5, done.stdout[-3000:]  # nothing was left to run
    assert f"{len(TESTS)} skipped" in done.stdout and "failed" not in done.stdout
    assert "needs pydicom>=3.0: pydicom 2.4.4 is too old" in done.stdout


@pytest.mark.parametrize("name", parts.ASKED_FOR)
def test_they_fail_where_everything_is_asked_for(environment: dict[str, str], name: str) -> None:
    done = run({**environment, name: "1"})
    assert done.returncode not in (0, 5), done.stdout[-3000:]
    assert f"{len(TESTS)} errors" in done.stdout and "pydicom 2.4.4 is too old" in done.stdout
