"""What a DICOM file says of itself, as far as finding, sorting and reading need it.

Attribute names are the keywords of DICOM PS3.6. Positions and directions are in LPS, in mm.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset, config, dcmread
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ...errors import CMROrientError

Vector = tuple[float, float, float]

#: More frames than any scanner makes: a file that claims them is damaged.
MAX_FRAMES = 100_000

#: How far lengths and the angle of the two direction cosines may be from 1 and from 90°.
_ORTHONORMAL = 1e-2

#: Frames of one file are parallel where their direction cosines differ by less than this.
PARALLEL = 1e-3

#: Ways in which a file without functional groups says that its frames follow each other in time.
_TIME_POINTERS = frozenset({0x00181063, 0x00181065, 0x00200100, 0x00540070})


@dataclass(frozen=True)
class Frame:
    """One slice as a file describes it.

    Parameters
    ----------
    position:
        ImagePositionPatient: centre of the first pixel (LPS, mm), None where it is not said.
    location:
        SliceLocation in mm, None where it is not said.
    trigger:
        Time after the R wave in ms, None where it is not said.
    number:
        InstanceNumber and index of the frame: the order where nothing else tells one.
    """

    position: Vector | None
    location: float | None
    trigger: float | None
    number: tuple[int, int]


@dataclass(frozen=True)
class InstanceHeader:
    """What finding, sorting and reading need of one file; see ``header_of``."""

    path: Path
    sop_class: str
    instance: str
    series: str | None
    modality: str
    image_type: tuple[str, ...]
    description: str
    protocol: str
    rows: int
    columns: int
    samples: int
    photometric: str
    bits_allocated: int
    signed: bool
    spacing: tuple[float, float]
    distance: float
    directions: tuple[float, ...] | None
    parallel: bool
    frames: tuple[Frame, ...]
    in_time: bool
    scanner: str | None

    @property
    def has_pixels(self) -> bool:
        """Whether the file describes an image at all, be it a damaged one."""
        return self.bits_allocated > 0

    @property
    def normal(self) -> NDArray[np.float64] | None:
        """(3,) unit normal of the slices, row direction × column direction; None without directions."""
        if self.directions is None:
            return None
        normal = np.cross(self.directions[:3], self.directions[3:])
        return normal / np.linalg.norm(normal)


@contextlib.contextmanager
def naming(path: Path, doing: str) -> Iterator[None]:
    """Turn whatever pydicom and its decoders raise on damaged files into one sentence about ``path``."""
    try:
        # Values that break the standard are common in real files; they are kept as they are.
        with config.disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CMROrientError:
        raise
    except OSError as error:
        raise CMROrientError(f"cannot be {doing} ({error.strerror or error})", path) from error
    except Exception as error:  # decoders raise anything on damaged files: ValueError, TypeError, struct.error …
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise CMROrientError(f"cannot be {doing} as DICOM: {reason}", path) from error


def read_dataset(path: Path) -> tuple[FileDataset, str]:
    """The whole file and the SHA-256 of its bytes.

    Raises
    ------
    CMROrientError
        Where the file cannot be read, is no DICOM file, or is cut off.
    """
    with naming(path, "read"):
        data = path.read_bytes()
        dataset = dcmread(io.BytesIO(data), force=True)
        _check_content(dataset, path)
        complete_meta(dataset)
        return dataset, hashlib.sha256(data).hexdigest()


def read_header(path: Path) -> InstanceHeader:
    """The header of a file; pixels are not read.

    Raises
    ------
    CMROrientError
        Where the file cannot be read or is no DICOM file.
    """
    with naming(path, "read"):
        dataset = dcmread(path, stop_before_pixels=True, force=True)
        _check_content(dataset, path)
    return header_of(dataset, path)


def _check_content(dataset: Dataset, path: Path) -> None:
    if "SOPClassUID" not in dataset and "Rows" not in dataset and "DirectoryRecordSequence" not in dataset:
        raise CMROrientError("is not a DICOM file, or has lost its beginning", path)


def complete_meta(dataset: FileDataset) -> None:
    """Name the transfer syntax of a file that came without File Meta Information."""
    if dataset.file_meta.get("TransferSyntaxUID"):
        return
    implicit, little = dataset.original_encoding
    syntax = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else syntax


def transfer_syntax(dataset: FileDataset) -> UID:
    """How the file is encoded."""
    return UID(dataset.file_meta.TransferSyntaxUID)


def header_of(dataset: Dataset, path: Path) -> InstanceHeader:
    """What finding, sorting and reading need of a data set."""
    with naming(path, "read"):
        count = max(int(number(dataset, "NumberOfFrames") or 1), 1)
        if count > MAX_FRAMES:
            raise CMROrientError(f"claims {count} frames: the file is damaged", path)
        meta = getattr(dataset, "file_meta", {})
        places = [directions_of(dataset, index) for index in range(count)]
        return InstanceHeader(
            path=path,
            sop_class=str(dataset.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID") or ""),
            instance=str(dataset.get("SOPInstanceUID") or ""),
            series=str(dataset.get("SeriesInstanceUID") or "") or None,
            modality=str(dataset.get("Modality") or "").strip().upper(),
            image_type=tuple(str(value).upper() for value in _values(dataset, "ImageType")),
            description=str(dataset.get("SeriesDescription") or "").strip(),
            protocol=str(dataset.get("ProtocolName") or "").strip(),
            rows=int(number(dataset, "Rows") or 0),
            columns=int(number(dataset, "Columns") or 0),
            samples=int(number(dataset, "SamplesPerPixel") or 1),
            photometric=str(dataset.get("PhotometricInterpretation") or "").strip().upper(),
            bits_allocated=int(number(dataset, "BitsAllocated") or 0),
            signed=number(dataset, "PixelRepresentation") == 1,
            spacing=spacing_of(dataset, 0),
            distance=_distance(dataset),
            directions=places[0],
            parallel=_all_parallel(places),
            frames=tuple(_frame(dataset, index) for index in range(count)),
            in_time=_follows_in_time(dataset, count),
            scanner=_scanner(dataset),
        )


def functional_group(dataset: Dataset, index: int, keyword: str) -> Dataset | None:
    """The item of a functional group that holds for a frame: its own, or the one that all share."""
    for groups, n in (("PerFrameFunctionalGroupsSequence", index), ("SharedFunctionalGroupsSequence", 0)):
        sequence = dataset.get(groups)
        if sequence and n < len(sequence) and sequence[n].get(keyword):
            item: Dataset = sequence[n][keyword].value[0]
            return item
    return None


def directions_of(dataset: Dataset, index: int) -> tuple[float, ...] | None:
    """ImageOrientationPatient of a frame: six cosines, None where missing or meaningless."""
    values = numbers(functional_group(dataset, index, "PlaneOrientationSequence") or dataset, "ImageOrientationPatient")
    return values if values is not None and _orthonormal(values) else None


def position_of(dataset: Dataset, index: int) -> Vector | None:
    """ImagePositionPatient of a frame (LPS, mm), None where it is not said."""
    values = numbers(functional_group(dataset, index, "PlanePositionSequence") or dataset, "ImagePositionPatient")
    return None if values is None or len(values) != 3 else (values[0], values[1], values[2])


def spacing_of(dataset: Dataset, index: int) -> tuple[float, float]:
    """Distance of the rows and of the columns of a frame, in mm; 1 where nothing is said of it."""
    measures = functional_group(dataset, index, "PixelMeasuresSequence") or dataset
    for holder, keyword in (
        (measures, "PixelSpacing"),
        (dataset, "ImagerPixelSpacing"),
        (dataset, "NominalScannedPixelSpacing"),
        (dataset, "PixelAspectRatio"),
    ):
        values = numbers(holder, keyword)
        if values is not None and len(values) == 2 and min(values) > 0:
            # An aspect ratio has no unit: the columns then count as 1 mm apart.
            return (values[0] / values[1], 1.0) if keyword == "PixelAspectRatio" else (values[0], values[1])
    return 1.0, 1.0


def sequences(dataset: Dataset) -> list[DataElement]:
    """The public sequences of a data set.

    Other elements are not touched: what pydicom has not looked into is written back byte for byte,
    texts in broken character sets among it.
    """
    found = []
    for tag in list(dataset.keys()):
        if tag.is_private or tag.element == 0:
            continue
        vr = dataset.get_item(tag).VR or (dictionary_VR(tag) if dictionary_has_tag(tag) else "UN")
        if vr == "SQ":
            found.append(dataset[tag])
    return found


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...] | None:
    """All values of an attribute as finite numbers; None where it is missing, empty or anything else."""
    try:
        values = tuple(float(value) for value in _values(dataset, keyword))
    except (TypeError, ValueError):
        return None
    return values if values and all(map(math.isfinite, values)) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of an attribute as a number, None where there is none."""
    values = numbers(dataset, keyword)
    return None if values is None else values[0]


def _values(dataset: Dataset, keyword: str) -> Sequence[str | bytes | float]:
    value: Sequence[str | bytes | float] | str | bytes | float | None = dataset.get(keyword)
    if value is None or value == "":
        return ()
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else (value,)


def _orthonormal(values: Sequence[float]) -> bool:
    if len(values) != 6:
        return False
    row, column = np.array(values).reshape(2, 3)
    deviations = (row @ row - 1, column @ column - 1, row @ column)
    return bool(np.max(np.abs(deviations)) < _ORTHONORMAL)


def _all_parallel(places: Sequence[tuple[float, ...] | None]) -> bool:
    first = places[0]
    if first is None:
        return all(place is None for place in places)
    return all(place is not None and np.abs(np.subtract(place, first)).max() < PARALLEL for place in places)


def _frame(dataset: Dataset, index: int) -> Frame:
    synchronized = functional_group(dataset, index, "CardiacSynchronizationSequence")
    delay = number(dataset if synchronized is None else synchronized, "NominalCardiacTriggerDelayTime")
    trigger = number(dataset, "TriggerTime") if synchronized is None else None
    return Frame(
        position=position_of(dataset, index),
        location=number(dataset, "SliceLocation"),
        trigger=delay if trigger is None else trigger,
        number=(int(number(dataset, "InstanceNumber") or 0), index),
    )


def _distance(dataset: Dataset) -> float:
    measures = functional_group(dataset, 0, "PixelMeasuresSequence") or dataset
    for keyword in ("SpacingBetweenSlices", "SliceThickness"):
        distance = abs(number(measures, keyword) or 0.0)
        if distance > 0:
            return distance
    return 1.0


def _follows_in_time(dataset: Dataset, count: int) -> bool:
    if count == 1 or len(dataset.get("PerFrameFunctionalGroupsSequence") or ()) >= count:
        return False
    pointers = {int(value) for value in _values(dataset, "FrameIncrementPointer")}
    return bool(pointers & _TIME_POINTERS) or position_of(dataset, 0) is not None


def _scanner(dataset: Dataset) -> str | None:
    words = [str(dataset.get(keyword) or "").strip() for keyword in ("Manufacturer", "ManufacturerModelName")]
    return " ".join(word for word in words if word) or None
