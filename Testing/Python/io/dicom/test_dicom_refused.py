"""Derived series that are not written, and what is left behind then: nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import dicom_cases as cases
import numpy as np
import pytest

import CMROrientLib as cmr
from CMROrientLib.errors import CMROrientError
from CMROrientLib.io.dicom.read import read_dicom
from CMROrientLib.io.dicom.write import write_dicom
from CMROrientLib.orientation import Orientation

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@pytest.fixture
def stack(data_root: Path) -> list:
    return cases.people(data_root, count=3)


def test_other_formats_cannot_become_dicom(tmp_path: Path) -> None:
    volume = cmr.Volume(np.zeros((2, 4, 4), np.int16), cmr.Grid((4, 4, 2)))
    with pytest.raises(CMROrientError, match="only images read from DICOM"):
        cmr.write(volume, tmp_path / "a.dcm")
    assert not list(tmp_path.iterdir())


def test_changed_values_are_refused(stack: list, tmp_path: Path) -> None:
    volume = read_dicom(cases.save_all(stack, tmp_path / "in"))
    volume.array[1, 0, 0] += 1
    with pytest.raises(CMROrientError, match="other pixel values"):
        write_dicom(volume.reindexed(Orientation(1), Orientation(1)), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"], "something was left behind"


def test_changed_geometry_is_refused(stack: list, tmp_path: Path) -> None:
    volume = read_dicom(cases.save_all(stack, tmp_path / "in"))
    moved = replace(volume, grid=replace(volume.grid, origin=(0.0, 0.0, 0.0)))
    with pytest.raises(CMROrientError, match="lies elsewhere"):
        write_dicom(moved.reindexed(Orientation(1), Orientation(1)), tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_changed_sources_are_refused(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path / "in")
    volume = read_dicom(paths).reindexed(Orientation(1), Orientation(1))
    stack[2].PatientID = "somebody else"
    cases.save_all(stack, tmp_path / "in")
    with pytest.raises(CMROrientError, match="has changed since"):
        write_dicom(volume, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_sources_are_never_written_over(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path / "in")
    before = [path.read_bytes() for path in paths]
    volume = read_dicom(paths).reindexed(Orientation(1), Orientation(1))
    with pytest.raises(CMROrientError, match="source files"):
        write_dicom(volume, tmp_path / "in")
    assert [path.read_bytes() for path in paths] == before and len(list((tmp_path / "in").iterdir())) == 3


def test_a_series_does_not_go_into_a_file(stack: list, tmp_path: Path) -> None:
    volume = read_dicom(cases.save_all(stack, tmp_path / "in"))
    (tmp_path / "out").write_text("", encoding="utf-8")
    with pytest.raises(CMROrientError, match="give a folder"):
        write_dicom(volume, tmp_path / "out")


def test_all_files_appear_or_none(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path / "in")
    volume = read_dicom(paths).reindexed(Orientation(1), Orientation(1))
    # A folder in the place of the last file makes the last move fail.
    blocked = tmp_path / "out" / paths[-1].name
    (blocked / "something").mkdir(parents=True)
    with pytest.raises(CMROrientError, match="cannot be written"):
        write_dicom(volume, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == [blocked.name]


def test_a_place_where_nothing_can_be_written(stack: list, tmp_path: Path) -> None:
    volume = read_dicom(cases.save_all(stack, tmp_path / "in"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CMROrientError, match="cannot be written"):
        write_dicom(volume, tmp_path / "file" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "in"]
