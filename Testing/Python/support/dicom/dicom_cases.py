"""DICOM files for the tests, made from the two CC0 people: cut small, re-typed, re-encoded, turned.

Where pydicom writes a file the product is not asked, so that it cannot agree with itself.
"""

from __future__ import annotations

import copy
import functools
import subprocess
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import needs_pydicom  # noqa: F401  before what it brings
import numpy as np
import parts
import SimpleITK as sitk
from numpy.typing import NDArray
from pydicom import Dataset, FileDataset, config, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence as ItemSequence
from pydicom.uid import (
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

#: Rectangular, so that a mistaken transposition shows.
ROWS, COLUMNS = 72, 56

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
MULTIFRAME_WORD_CAPTURE = "1.2.840.10008.5.1.4.1.1.7.3"

#: Transfer syntaxes that keep every bit, and what makes them.
LOSSLESS = {
    "implicit": ImplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
    "deflated": "1.2.840.10008.1.2.1.99",
    "big endian": ExplicitVRBigEndian,
    "RLE": RLELossless,
    "JPEG lossless": JPEGLossless,
    "JPEG lossless SV1": JPEGLosslessSV1,
    "JPEG-LS": JPEGLSLossless,
    "JPEG 2000": JPEG2000Lossless,
}

#: What an enhanced image takes over from its slices.
_SHARED_BY_ALL = [
    *("PatientName", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "StudyDate", "StudyTime", "Modality"),
    *("Manufacturer", "ManufacturerModelName", "SeriesNumber", "FrameOfReferenceUID", "PhotometricInterpretation"),
]

#: What describes pixels in a header.
RASTER = ["Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel"]

#: What the eight classes do to a slice, from the table of the design, in numpy's words.
TURNS: dict[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    0: lambda a: a,
    1: np.fliplr,
    2: np.flipud,
    3: lambda a: np.rot90(a, 2),
    4: lambda a: a.T,
    5: lambda a: np.rot90(a, -1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).T,
}
UNDONE_BY = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 5, 7: 7}

_DCMTK = {JPEGLossless: ["dcmcjpeg", "+el"], JPEGLosslessSV1: ["dcmcjpeg", "+e1"]}


def people(
    data_root: Path, part: str = "ed_stack", person: str = "SCD0000201", count: int | None = None
) -> list[FileDataset]:
    """The data sets of one real series, cut to ROWS × COLUMNS with unequal spacing."""
    paths = sorted((data_root / "dicom" / person / part).glob("*.dcm"))[:count]
    return [copy.deepcopy(_cut_file(path)) for path in paths]


@functools.lru_cache(maxsize=64)
def _cut_file(path: Path) -> FileDataset:
    return cut(dcmread(path))


def cut(dataset: FileDataset) -> FileDataset:
    """The part of a slice that shows the heart, small, with rows and columns of unequal distance."""
    row, column = 90, 100
    directions = np.array(dataset.ImageOrientationPatient, float)
    between_rows, between_columns = map(float, dataset.PixelSpacing)
    corner = np.array(dataset.ImagePositionPatient, float)
    corner += directions[:3] * column * between_columns + directions[3:] * row * between_rows
    # The last decimals that 16 characters hold do not matter here.
    dataset.ImagePositionPatient = [f"{value:.6f}" for value in corner]
    dataset.PixelSpacing = [between_rows, round(between_columns * 1.25, 6)]
    put_pixels(dataset, dataset.pixel_array[row : row + ROWS, column : column + COLUMNS])
    return dataset


def put_pixels(dataset: FileDataset, array: NDArray[Any], bits: int | None = None, high: int | None = None) -> None:
    """Native little-endian pixels ``[(frame,) row, column]``, with the header fields that describe them."""
    width = 8 * array.dtype.itemsize
    dataset.Rows, dataset.Columns = array.shape[-2:]
    dataset.SamplesPerPixel, dataset.BitsAllocated = 1, width
    dataset.BitsStored = bits or width
    dataset.HighBit = dataset.BitsStored - 1 if high is None else high
    dataset.PixelRepresentation = int(array.dtype.kind == "i")
    shift = dataset.HighBit + 1 - dataset.BitsStored
    containers = array.view(f"u{width // 8}") << shift if shift else array
    data = containers.astype(containers.dtype.newbyteorder("<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    dataset["PixelData"].VR = "OB" if width == 8 else "OW"
    dataset["PixelData"].is_undefined_length = False
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue"):
        if keyword in dataset:
            del dataset[keyword]


def save(dataset: FileDataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> Path:
    """Write a native little-endian data set in some transfer syntax, with others' encoders where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = copy.deepcopy(dataset)
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    with config.disable_value_validation():
        if syntax in _DCMTK or syntax == ExplicitVRBigEndian:
            dataset.save_as(path, enforce_file_format=True)
            command = _DCMTK.get(syntax, ["dcmconv", "+tb"])
            subprocess.run([parts.need_program(command[0]), *command[1:], path, path], check=True, capture_output=True)
            return path
        if syntax in (RLELossless, JPEGLSLossless, JPEG2000Lossless):
            dataset.compress(syntax, generate_instance_uid=False)
        dataset.file_meta.TransferSyntaxUID = syntax
        dataset.save_as(path, enforce_file_format=True)
    return path


def save_all(datasets: Iterable[FileDataset], folder: Path, syntax: str = ExplicitVRLittleEndian) -> list[Path]:
    """Write a series, with names that are not in the order of the slices."""
    datasets = list(datasets)
    return [save(d, folder / f"im{(7 * n) % 97:02d}.dcm", syntax) for n, d in enumerate(datasets)]


def fresh_series(datasets: Iterable[FileDataset], **attributes: Any) -> list[FileDataset]:
    """Copies with new series and instance UIDs, and some attributes set (None takes one out)."""
    series = generate_uid()
    copies = [copy.deepcopy(dataset) for dataset in datasets]
    for dataset in copies:
        dataset.SeriesInstanceUID, dataset.SOPInstanceUID = series, generate_uid()
        for keyword, value in attributes.items():
            if value is not None:
                setattr(dataset, keyword, value)
            elif keyword in dataset:
                del dataset[keyword]
    return copies


def enhanced(datasets: Sequence[FileDataset], phases: int = 1) -> FileDataset:
    """One Enhanced MR file of some slices, in the order given; place per frame, raster shared.

    Only what the tests need is filled in; ``test_dicom_judges`` has one that follows the standard.
    """
    first = datasets[0]
    new = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    for keyword in _SHARED_BY_ALL:
        setattr(new, keyword, first[keyword].value)
    new.SOPClassUID, new.SOPInstanceUID, new.InstanceNumber = ENHANCED_MR, generate_uid(), 1
    new.ImageType = ["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"]
    new.NumberOfFrames = len(datasets) * phases
    put_pixels(new, np.stack([d.pixel_array for d in datasets for _ in range(phases)]))
    measures = item(PixelSpacing=list(first.PixelSpacing), SliceThickness=first.SliceThickness)
    fov = item(InPlanePhaseEncodingDirection="ROW", PercentPhaseFieldOfView=100.0)
    frame_type = item(FrameType=["ORIGINAL", "PRIMARY", "CARDIAC", "NONE"])
    new.SharedFunctionalGroupsSequence = [
        item(
            PixelMeasuresSequence=[measures],
            PlaneOrientationSequence=[item(ImageOrientationPatient=list(first.ImageOrientationPatient))],
            MRFOVGeometrySequence=[fov],
            MRImageFrameTypeSequence=[frame_type],
        )
    ]
    new.PerFrameFunctionalGroupsSequence = [
        item(
            PlanePositionSequence=[item(ImagePositionPatient=list(d.ImagePositionPatient))],
            CardiacSynchronizationSequence=[item(NominalCardiacTriggerDelayTime=30.0 * phase)],
        )
        for d in datasets
        for phase in range(phases)
    ]
    return new


def item(**attributes: Any) -> Dataset:
    """A sequence item."""
    dataset = Dataset()
    for keyword, value in attributes.items():
        setattr(dataset, keyword, ItemSequence(value) if keyword.endswith("Sequence") else value)
    return dataset


def physical(path: Path) -> Callable[[float, float, int], NDArray[np.float64]]:
    """SimpleITK's word on where (row, column, frame) of a file lies in the patient: LPS, mm."""
    image = sitk.ReadImage(str(path))

    def where(row: float, column: float, frame: int = 0) -> NDArray[np.float64]:
        return np.array(image.TransformContinuousIndexToPhysicalPoint((float(column), float(row), float(frame))))

    return where


def stored_values(path: Path) -> NDArray[Any]:
    """SimpleITK's word on the pixel values of a file: ``[frame, row, column]``."""
    array = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    return array if array.ndim == 3 else array[None]


def turned(dataset: FileDataset, k: int, *, with_header: bool = True) -> FileDataset:
    """A slice stored in class ``k``, made pixel by pixel: where each goes says what the header becomes.

    Without the header only the raster's size and spacing go along, as a careless tool does it.
    """
    new = copy.deepcopy(dataset)
    put_pixels(new, np.ascontiguousarray(TURNS[k](dataset.pixel_array)))
    rows, columns = (TURNS[k](part) for part in np.indices((dataset.Rows, dataset.Columns)))
    down, across = map(float, dataset.PixelSpacing)
    exchanged = rows[0, 0] != rows[0, -1]
    new.PixelSpacing = [across, down] if exchanged else [down, across]
    if with_header and "ImageOrientationPatient" in dataset:
        directions = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
        corner = np.array(dataset.ImagePositionPatient, float)

        def place(row: int, column: int) -> NDArray[np.float64]:
            old = rows[row, column], columns[row, column]
            return corner + old[1] * across * directions[0] + old[0] * down * directions[1]

        first = place(0, 0)
        steps = [place(0, 1) - first, place(1, 0) - first]
        cosines = np.concatenate([step / np.linalg.norm(step) for step in steps])
        new.ImagePositionPatient = [f"{value:.9f}" for value in first]
        new.ImageOrientationPatient = [f"{value:.9f}" for value in cosines]
    return new
