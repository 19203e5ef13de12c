"""An output folder inside the input, where the walk leaves it out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sample_study import cmrorient, phantom, put, tree


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    image = put(phantom(5), tmp_path / "ds" / "sub-01" / "anat" / "sub-01_cine.nii.gz")
    # A file that was changed just now is read again by the next run, which notes then what it is told by.
    os.utime(image, (0, 0))
    (tmp_path / "ds" / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0"}')
    return tmp_path / "ds"


def test_derivatives_hold_the_output_of_a_data_set(dataset: Path) -> None:
    out = dataset / "derivatives" / "cmrorient"
    first = cmrorient("correct", dataset, "-o", out, "--orientation", 5)
    assert first.status == 0 and "1 image: 1 corrected" in first.err
    before = tree(out)
    again = cmrorient("correct", dataset, "-o", out, "--orientation", 5)
    assert again.status == 0 and "1 image: 1 corrected; 1 of them by an earlier run" in again.err
    assert tree(out) == before
    shown = cmrorient("recognize", dataset, "--min-confidence", 0, "--json")
    assert [record["path"] for record in shown.records] == ["sub-01/anat/sub-01_cine.nii.gz"]


def test_a_hidden_folder_may_hold_it_too(dataset: Path) -> None:
    for _ in range(2):
        assert cmrorient("correct", dataset, "-o", dataset / ".standard", "--orientation", 5).status == 0


@pytest.mark.parametrize(
    ("given", "output"),
    [
        (".", "out"),
        (".", "sub-01/derivatives"),
        (".", "."),
        ("derivatives", "derivatives/cmrorient"),
        ("sub-01", "."),
    ],
)
def test_everywhere_else_inside_is_refused(dataset: Path, given: str, output: str) -> None:
    (dataset / "derivatives").mkdir()
    before = tree(dataset)
    done = cmrorient("correct", dataset / given, "-o", dataset / output, "--orientation", 5)
    assert done.status == 2 and "lies inside" in done.err and tree(dataset) == before
