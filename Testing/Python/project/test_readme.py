"""What the README promises: its links lead somewhere, its commands exist and its Python runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys

import pytest

from CMROrientLib.cli.main import COMMANDS, build_parser
from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.run.store import read_records


@pytest.fixture(scope="module")
def readme(repository):
    return (repository / "README.md").read_text(encoding="utf-8")


def test_links_lead_somewhere(readme, repository):
    targets = re.findall(r"\]\(([^)#\s]+)\)|src=\"([^\"]+)\"", readme)
    local = [a or b for a, b in targets if not (a or b).startswith("https://")]
    assert len(local) >= 4
    assert [target for target in local if not (repository / target).exists()] == []


def test_commands_exist(readme, repository):
    training = (repository / "Training" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"^cmrorient (\w+)(.*?)(?:#.*)?$", readme + training, flags=re.MULTILINE)
    assert len(named) >= 5 and {name for name, _ in named} <= set(COMMANDS)
    for name, arguments in named:
        if "--help" not in arguments:
            build_parser(name).parse_args([name, *arguments.split()])


def test_commands_of_the_layouts_exist(repository):
    text = (repository / "Documentation" / "datasets.md").read_text(encoding="utf-8")
    named = re.findall(r"^\$ cmrorient (\w+) (.*)$", text, flags=re.MULTILINE)
    assert len(named) >= 8
    for name, arguments in named:
        build_parser(name).parse_args([name, *shlex.split(arguments)])


def test_recipes_of_the_training_guide_exist(repository):
    text = (repository / "Training" / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"Training/(?:recipes|splits)/[\w./-]*\w", text)
    assert len(named) >= 4
    assert [name for name in named if not (repository / name).exists()] == []


def test_make_targets_exist(readme, repository):
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`?make ([a-z-]+)", readme))
    assert {"demo", "test"} <= named
    for target in named - {"what"}:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target


def test_the_table_of_orientations_is_right(readme):
    rows = re.findall(r"\| (\d) \| ([^|]+) \| (\d) \|", readme)
    assert {int(k): (label.strip(), int(inverse)) for k, label, inverse in rows} == {
        int(k): (k.label, int(k.inverse)) for k in Orientation
    }


def test_the_python_example_runs(readme, repository, tmp_path):
    # The one for Slicer's console runs in test_widget_headless.py.
    example, *more = [
        code for code in re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL) if "slicer" not in code
    ]
    (tmp_path / "study").mkdir()
    image, mask = make_phantom(slices=5, orientation=Orientation.ROTATE_90, with_mask=True)
    write(image, tmp_path / "case.nii.gz")
    write(image, tmp_path / "study" / "case.nii.gz")
    write(mask, tmp_path / "study" / "case_seg.nii.gz")
    script = tmp_path / "example.py"
    script.write_text(example, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(repository), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert "turned by 90° clockwise" in done.stdout and "reoriented" in done.stdout
    assert (tmp_path / "case_standard.nii.gz").is_file()
    (record,) = read_records(tmp_path / "standard")
    assert record.orientation == 5 and len(record.files.masks) == 1
    # What follows goes on with the names of the first.
    goes_on = tmp_path / "more.py"
    goes_on.write_text("".join([example.partition("if __name__")[0], *more]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, goes_on], cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    segmentation = read(tmp_path / "case_seg.nii.gz")
    assert segmentation.array.shape == image.array.shape
    assert (segmentation.array == (image.array > 100)).all()


def test_all_exit_statuses_are_told(readme):
    [line] = [line for line in readme.splitlines() if line.startswith("- **The exit status**")]
    assert set(re.findall(r"\d+", line)) == {"0", "1", "2", "130", "143"}
