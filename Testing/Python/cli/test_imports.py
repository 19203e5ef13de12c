"""What a command does not need it does not import: that is most of what a short call costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from sample_study import environment, phantom, put

#: Packages that no command needs for images in NIfTI files.
NEVER = {
    "nibabel", "pydicom", "gdcm", "scipy", "torch", "monai", "torchio", "skimage", "matplotlib", "dask", "distributed",
    "qt", "slicer", "vtk", "pydantic", "sklearn", "onnx", "SimpleITK",
}  # fmt: skip
NETWORK, PROCESSES, PAGE = {"onnxruntime"}, {"multiprocessing"}, {"jinja2"}
PICTURES, NUMBERS = {"PIL"}, {"numpy"}

CODE = """
import sys
from CMROrientLib.cli.main import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
print(status, *sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported(*words: object) -> set[str]:
    """The packages that a process has when it has done a command."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, *map(str, words)], env=environment(), capture_output=True, encoding="utf-8"
    )
    status, *names = done.stderr.splitlines()[-1].split()
    assert status == "0", done.stderr
    return set(names)


@pytest.fixture
def one(tmp_path: Path) -> Path:
    return put(phantom(5), tmp_path / "one.nii.gz")


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_help_and_version_import_no_package_at_all(words: str) -> None:
    assert not imported(words) & (NEVER | NETWORK | PROCESSES | PAGE | PICTURES | NUMBERS)


@pytest.mark.parametrize("command", ["recognize", "correct", "audit", "restore"])
def test_a_commands_help_needs_no_network(command: str) -> None:
    assert not imported(command, "--help") & (NEVER | NETWORK | PROCESSES | PICTURES)


def test_recognizing_one_file_needs_the_network_only(one: Path) -> None:
    names = imported("recognize", one)
    assert not names & (NEVER | PROCESSES | PAGE | PICTURES)
    assert names >= NETWORK


def test_a_run_needs_the_network_when_it_looks_at_an_image(one: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    names = imported("correct", one, "-o", output, "--dry-run")
    assert not names & (NEVER | PROCESSES | PICTURES) and names >= NETWORK
    names = imported("correct", one, "-o", output)
    assert not names & (NEVER | PROCESSES) and names >= NETWORK
    again = imported("correct", one, "-o", output)
    assert not again & (NEVER | PROCESSES | NETWORK | PICTURES)


def test_a_person_who_says_the_orientation_needs_no_network(one: Path, tmp_path: Path) -> None:
    assert not imported("correct", one, "-o", tmp_path / "out", "--orientation", 3) & (NEVER | PROCESSES | NETWORK)


def test_the_way_back_and_an_audit_import_what_they_need(one: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert not imported("audit", one, "-o", tmp_path / "audit.html") & (NEVER | PROCESSES)
    imported("correct", one, "-o", output)
    back = imported("restore", output, output, "-o", tmp_path / "back")
    assert not back & (NEVER | PROCESSES | NETWORK | PICTURES | PAGE)
