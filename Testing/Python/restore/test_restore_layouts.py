"""Segmentations of data sets find their way back by the names that such data sets have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from data_sets import bids, nnunet
from sample_study import cmrorient, correct, phantom, put

from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.restore.layouts import OtherNames
from CMROrientLib.restore.restore import restore
from CMROrientLib.run.record import Record


def test_predictions_of_nnunet(tmp_path: Path) -> None:
    source, out = nnunet(tmp_path / "in", {"heart_001": 5, "heart_002": 2}), tmp_path / "out"
    correct(source, out)
    # nnU-Net writes its predictions into one folder, named after the case.
    for case in ("heart_001", "heart_002"):
        put(read(out / "labelsTr" / f"{case}.nii.gz"), tmp_path / "predictions" / f"{case}.nii.gz")
    (tmp_path / "predictions" / "dataset.json").write_text("{}")
    done = cmrorient("restore", out, tmp_path / "predictions", "-o", tmp_path / "back")
    assert done.status == 0, done.err
    for case in ("heart_001", "heart_002"):
        back, original = read(tmp_path / "back" / f"{case}.nii.gz"), read(source / "labelsTr" / f"{case}.nii.gz")
        assert back.array.dtype == original.array.dtype
        np.testing.assert_array_equal(back.array, original.array)
        np.testing.assert_allclose(back.grid.affine, original.grid.affine, atol=1e-4)
    # The label maps of the output itself, too.
    done = cmrorient("restore", out, out / "labelsTr", "-o", tmp_path / "labels")
    assert done.status == 0, done.err
    np.testing.assert_array_equal(
        read(tmp_path / "labels" / "heart_002.nii.gz").array, read(source / "labelsTr" / "heart_002.nii.gz").array
    )


def test_segmentations_of_bids(tmp_path: Path) -> None:
    source, out = bids(tmp_path / "ds", {"01": 5}), tmp_path / "out"
    correct(source, out)
    name = "sub-01_acq-sax_desc-mine_dseg.nii.gz"
    label = next((out / "derivatives").rglob("*_dseg.nii.gz"))
    put(read(label), tmp_path / "mine" / "sub-01" / "anat" / name)
    assert cmrorient("restore", out, tmp_path / "mine", "-o", tmp_path / "back").status == 0
    np.testing.assert_array_equal(
        read(tmp_path / "back" / "sub-01" / "anat" / name).array, phantom(5, sequence="T2", with_mask=True)[1].array
    )


def test_sibling_folders(tmp_path: Path) -> None:
    image, mask = phantom(5, with_mask=True)
    put(image, tmp_path / "in" / "images" / "p1" / "sax.nii")
    put(mask, tmp_path / "in" / "labels" / "p1" / "sax.nii")
    correct(tmp_path / "in", tmp_path / "out", orientation=5)
    put(read(tmp_path / "out" / "labels" / "p1" / "sax.nii"), tmp_path / "mine" / "p1" / "sax.nii")
    (done,) = restore(tmp_path / "out", tmp_path / "mine", tmp_path / "back")
    assert done.image == "images/p1/sax.nii"
    np.testing.assert_array_equal(read(tmp_path / "back" / "p1" / "sax.nii").array, mask.array)


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("x", ["imagesTr/x_0000.nii", "imagesTr/x_0001.nii", "imagesTs/x_0000.nii"]),
        ("labelsTs/x", ["imagesTs/x_0000.nii"]),
        ("labelsTr/x", ["imagesTr/x_0000.nii", "imagesTr/x_0001.nii"]),
        ("y", []),
        ("other/x", []),
    ],
)
def test_names_of_cases(key: str, paths: list[str]) -> None:
    records = [Record(f"imagesTr/x_000{n}.nii") for n in (0, 1)] + [Record("imagesTs/x_0000.nii"), Record("y.nii")]
    assert [record.path for record in OtherNames(records).find(key)] == paths


def test_a_case_of_two_parts_that_fit_alike_is_refused(tmp_path: Path) -> None:
    for part in ("Tr", "Ts"):
        put(phantom(5), tmp_path / "in" / f"images{part}" / "x_0000.nii")
    correct(tmp_path / "in", tmp_path / "out", orientation=Orientation.ROTATE_90)
    put(phantom(0, with_mask=True)[1], tmp_path / "predictions" / "x.nii")
    (done,) = restore(tmp_path / "out", tmp_path / "predictions", tmp_path / "back")
    assert "it fits several images of the run" in (done.error or "")
