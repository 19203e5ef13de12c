"""The way back to DICOM series: onto the series sorted along its normal, as NIfTI."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import parts
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from CMROrientLib.folders import correct_folder
from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.restore.restore import restore
from CMROrientLib.run.store import read_records
from CMROrientLib.volume import Volume


@pytest.fixture(scope="module")
def stack(data_root: Path) -> Path:
    """A CC0 short-axis stack, one file a slice."""
    return parts.need_path(data_root / "dicom" / "SCD0000301" / "ed_stack", "needs the CC0 DICOM series")


@pytest.fixture(scope="module")
def cine(data_root: Path) -> Path:
    """A CC0 cine of one slice."""
    return parts.need_path(data_root / "dicom" / "SCD0000301" / "cine_one_slice", "needs the CC0 DICOM series")


def series(folder: Path) -> sitk.Image:
    """A series as ITK reads it: sorted by position along the normal."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return reader.Execute()


def labels(image: sitk.Image) -> sitk.Image:
    return sitk.Cast(sitk.Clamp(image / 8, sitk.sitkFloat32, 0, 250), sitk.sitkUInt8)


def values(image: sitk.Image) -> NDArray[np.uint8]:
    return sitk.GetArrayFromImage(image)


@pytest.mark.parametrize(
    ("k", "geometry"),
    [
        (Orientation.ROTATE_90, "follow"),
        (Orientation.ROTATE_180, "keep"),
        (Orientation.FLIP_VERTICAL, "follow"),
        (Orientation.ANTI_TRANSPOSE, "auto"),
        (Orientation.IDENTITY, "keep"),
    ],
)
@pytest.mark.parametrize("suffix", [".nrrd", ".nii.gz"])
def test_a_segmentation_of_a_series(stack: Path, tmp_path: Path, k: Orientation, geometry: str, suffix: str) -> None:
    shutil.copytree(stack, tmp_path / "in" / "patient" / "series.3")
    (record,) = correct_folder(tmp_path / "in", tmp_path / "out", orientation=k, geometry=geometry)  # type: ignore[arg-type]
    assert record.error is None
    corrected = labels(series(tmp_path / "out" / "patient" / "series.3"))
    (tmp_path / "seg" / "patient").mkdir(parents=True)
    sitk.WriteImage(corrected, str(tmp_path / "seg" / "patient" / f"series.3{suffix}"))
    (entry,) = restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")
    assert (entry.error, entry.output) == (None, "patient/series.3.nii.gz")
    original = series(stack)
    restored = sitk.ReadImage(str(tmp_path / "back" / "patient" / "series.3.nii.gz"))
    np.testing.assert_array_equal(values(restored), values(labels(original)))
    assert restored.GetSize() == original.GetSize()
    for index in (
        [0, 0, 0],
        [original.GetSize()[0] - 1, 0, 0],
        [0, original.GetSize()[1] - 1, original.GetSize()[2] - 1],
    ):
        moved = np.subtract(
            restored.TransformIndexToPhysicalPoint(index), original.TransformIndexToPhysicalPoint(index)
        )
        assert np.linalg.norm(moved) < 1e-3


def test_one_frame_of_a_cine_series(cine: Path, tmp_path: Path) -> None:
    shutil.copytree(cine, tmp_path / "in" / "cine")
    correct_folder(tmp_path / "in", tmp_path / "out", orientation=Orientation.ROTATE_270)
    shown = read(tmp_path / "out" / "cine")
    assert shown.array.shape[0] == 20
    frame = Volume((shown.array[7] // 8).astype(np.uint8), shown.grid, shown.slice_axis)
    write(frame, tmp_path / "seg" / "cine.nii.gz")
    (entry,) = restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")
    assert entry.error is None
    expected = (read(cine).array[7] // 8).astype(np.uint8)
    np.testing.assert_array_equal(read(tmp_path / "back" / "cine.nii.gz").array, expected)


def test_series_that_share_a_folder_are_told_apart(stack: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "in" / "patient"
    mixed.mkdir(parents=True)
    other = stack.parents[1] / "SCD0000201" / "ed_stack"
    for number, path in enumerate([*sorted(stack.iterdir()), *sorted(other.iterdir())]):
        shutil.copy(path, mixed / f"image{number:03d}.dcm")
    records = correct_folder(tmp_path / "in", tmp_path / "out", orientation=Orientation.ROTATE_180)
    written = [record for record in records if record.output is not None]
    assert len(written) == 2
    for record in written:
        assert record.path == "patient" and record.series is not None
    by_series = {record.series: record for record in read_records(tmp_path / "out")}
    for name, record in by_series.items():
        grid = record.action.grid
        assert grid is not None and name is not None
        shape = grid.size[::-1]
        image = sitk.GetImageFromArray(np.ones(shape, np.uint8))
        image.SetSpacing(grid.spacing)
        image.SetOrigin(grid.origin)
        image.SetDirection(grid.direction)
        (tmp_path / "seg" / "patient").mkdir(parents=True, exist_ok=True)
        sitk.WriteImage(image, str(tmp_path / "seg" / "patient" / f"{name}.nii.gz"))
    entries = restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")
    assert [entry.error for entry in entries] == [None] * len(written)


def test_a_single_file(stack: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = sorted(stack.iterdir())[4]
    shutil.copy(source, tmp_path / "in" / "slice.dcm")
    correct_folder(tmp_path / "in", tmp_path / "out", orientation=Orientation.ROTATE_90)
    corrected = labels(sitk.ReadImage(str(tmp_path / "out" / "slice.dcm")))
    (tmp_path / "seg").mkdir()
    sitk.WriteImage(corrected, str(tmp_path / "seg" / "slice_seg.mha"))
    (entry,) = restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back", "_seg")
    assert (entry.error, entry.output) == (None, "slice_seg.nii.gz")
    expected = values(labels(sitk.ReadImage(str(source))))
    np.testing.assert_array_equal(values(sitk.ReadImage(str(tmp_path / "back" / "slice_seg.nii.gz"))), expected)


def test_the_folder_itself_as_the_series(stack: Path, tmp_path: Path) -> None:
    correct_folder(stack, tmp_path / "fixed", orientation=Orientation.ROTATE_180)
    (record,) = read_records(tmp_path / "fixed")
    assert record.output == "."
    corrected = labels(series(tmp_path / "fixed"))
    (tmp_path / "seg").mkdir()
    for name in ("fixed", stack.name, record.series):
        sitk.WriteImage(corrected, str(tmp_path / "seg" / f"{name}.nii.gz"))
    entries = restore(tmp_path / "fixed", tmp_path / "seg", tmp_path / "back")
    assert [entry.error for entry in entries] == [None, None, None]
    assert {(entry.image, entry.image_name) for entry in entries} == {(".", stack.name)}
    for entry in entries:
        restored = sitk.ReadImage(str(tmp_path / "back" / str(entry.output)))
        np.testing.assert_array_equal(values(restored), values(labels(series(stack))))
