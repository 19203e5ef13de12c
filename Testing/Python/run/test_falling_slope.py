"""One image, stored with values that fall where the picture gets brighter, looks the same in every format."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import needs_pydicom  # noqa: F401  before what it brings
import nibabel
import numpy as np
import parts
import pytest
from numpy.typing import NDArray
from pydicom import FileDataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from sample_study import MIN_CONFIDENCE, MODEL, phantom, put

from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.recognition.result import Recognition
from CMROrientLib.run.pictures.thumbnails import picture
from CMROrientLib.volume import Volume

Image = parts.need_module("PIL.Image")

#: What is stored is this less what is meant.
TOP = 4095


@pytest.fixture(scope="module")
def shown() -> Volume:
    return phantom(int(Orientation.ROTATE_90))


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(MODEL, device="cpu", min_confidence=MIN_CONFIDENCE)


@pytest.fixture(scope="module")
def expected(shown: Volume, recognizer: Recognizer) -> Recognition:
    return recognizer.recognize(shown)


def fallen(shown: Volume) -> NDArray[np.int16]:
    """The values that a slope of −1 turns into those of ``shown``."""
    return np.asarray(TOP - np.minimum(shown.array, TOP), np.int16)


def to_nifti(shown: Volume, path: Path) -> Path:
    put(Volume(fallen(shown), shown.grid), path.with_suffix(".nii"))
    data = bytearray(path.with_suffix(".nii").read_bytes())
    header = nibabel.Nifti1Header(bytes(data[:348]))
    header["scl_slope"], header["scl_inter"] = -1, TOP
    data[:348] = header.binaryblock
    path.with_suffix(".nii").write_bytes(data)
    return path.with_suffix(".nii")


def to_metaimage(shown: Volume, path: Path) -> Path:
    put(Volume(fallen(shown), shown.grid), path.with_suffix(".mha"))
    lines = f"ElementToIntensityFunctionSlope = -1\nElementToIntensityFunctionOffset = {TOP}\n".encode()
    data = path.with_suffix(".mha").read_bytes()
    path.with_suffix(".mha").write_bytes(data.replace(b"ElementType", lines + b"ElementType", 1))
    return path.with_suffix(".mha")


def to_dicom(shown: Volume, path: Path, photometric: str = "MONOCHROME2", slope: int = -1) -> Path:
    path.mkdir()
    directions = shown.grid.directions
    for k, pixels in enumerate(fallen(shown) if slope < 0 else shown.array):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        dataset = FileDataset(str(path / f"{k}.dcm"), {}, preamble=b"\0" * 128, file_meta=meta)
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", f"2.25.{k + 1}"
        dataset.SeriesInstanceUID, dataset.InstanceNumber, dataset.Modality = "2.25.9", k + 1, "MR"
        dataset.Rows, dataset.Columns = pixels.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, photometric
        dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
        dataset.RescaleSlope, dataset.RescaleIntercept = slope, TOP if slope < 0 else 0
        dataset.PixelSpacing = [shown.grid.spacing[1], shown.grid.spacing[0]]
        dataset.ImageOrientationPatient = [*directions[:, 0].round(8), *directions[:, 1].round(8)]
        dataset.ImagePositionPatient = [*(shown.grid.affine @ [0, 0, k, 1])[:3].round(6)]
        dataset.PixelData = np.ascontiguousarray(pixels).tobytes()
        dcmwrite(path / f"{k}.dcm", dataset, enforce_file_format=True)
    return path


def check(volume: Volume, shown: Volume, expected: Recognition, recognizer: Recognizer) -> None:
    result = recognizer.recognize(volume)
    assert (result.orientation, result.decision) == (expected.orientation, expected.decision)
    np.testing.assert_allclose(result.slice_probabilities, expected.slice_probabilities, atol=1e-3)
    np.testing.assert_allclose(decoded(picture(volume)), decoded(picture(shown)), atol=12)


def decoded(data: bytes) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image, np.int16)


@pytest.mark.parametrize("store", [to_nifti, to_metaimage, to_dicom])
def test_a_falling_slope_is_seen_as_it_is_meant(
    store: Callable[[Volume, Path], Path], shown: Volume, expected: Recognition, recognizer: Recognizer, tmp_path: Path
) -> None:
    volume = read(store(shown, tmp_path / "a"))
    assert volume.array.max() == TOP - shown.array.min()  # as stored
    check(volume, shown, expected, recognizer)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("store", [to_nifti, to_metaimage, to_dicom])
def test_it_still_is_in_another_format(
    store: Callable[[Volume, Path], Path],
    suffix: str,
    shown: Volume,
    expected: Recognition,
    recognizer: Recognizer,
    tmp_path: Path,
) -> None:
    write(read(store(shown, tmp_path / "a")), tmp_path / f"b{suffix}")
    check(read(tmp_path / f"b{suffix}"), shown, expected, recognizer)


def test_monochrome1_turns_the_sense_of_a_slope(
    shown: Volume, expected: Recognition, recognizer: Recognizer, tmp_path: Path
) -> None:
    fallen_twice = read(to_dicom(Volume(fallen(shown), shown.grid), tmp_path / "a", "MONOCHROME1"))
    check(fallen_twice, shown, expected, recognizer)
