"""What a DICOM file says of itself, as far as finding, sorting and reading need it.

Attribute names are the keywords of DICOM PS3.6. Positions and directions are in LPS, in mm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset
from pydicom.dataset import Dataset

from ...errors import CMROrientError
from ...volume import Vector
from .attributes import directions_of, functional_group, number, position_of, spacing_of, values
from .dataset import naming, read_without_pixels

#: More frames than any scanner makes: a file that claims them is damaged.
_MAX_FRAMES = 100_000

#: What tells whose image it is, or when and why it was made; in records where a run is told so.
IDENTIFIERS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "AccessionNumber",
    "StudyInstanceUID",
    "StudyID",
    "StudyDate",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "AcquisitionDate",
    "InstitutionName",
    "StationName",
)
#: Free text that is looked at here, and handed on.
_TEXT = (*IDENTIFIERS, "Manufacturer", "ManufacturerModelName")

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
    study: str = ""
    patient: str = ""
    series_number: int = 0
    # Copies of an instance are told by their image, not by what is written beside it.
    identifiers: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def has_pixels(self) -> bool:
        """Whether the file describes an image at all, be it a damaged one."""
        return self.bits_allocated > 0

    @property
    def normal(self) -> NDArray[np.float64] | None:
        """(3,) unit normal of the slices, row direction × column direction; None without directions."""
        if self.directions is None:
            return None
        normal: NDArray[np.float64] = np.cross(self.directions[:3], self.directions[3:])
        normal /= np.linalg.norm(normal)
        return normal


def read_header(path: Path) -> InstanceHeader:
    """The header of a file; pixels are not read.

    Raises
    ------
    CMROrientError
        Where the file cannot be read or is no DICOM file.
    """
    return header_of(read_without_pixels(path), path)


def header_of(dataset: FileDataset, path: Path) -> InstanceHeader:
    """What finding, sorting and reading need of a data set, which stays as it was read."""
    with naming(path, "read"), _text_as_read(dataset):
        count = max(int(number(dataset, "NumberOfFrames") or 1), 1)
        if count > _MAX_FRAMES:
            raise CMROrientError(f"claims {count} frames: the file is damaged; copy or export it anew", path)
        places = [directions_of(dataset, index) for index in range(count)]
        return InstanceHeader(
            path=path,
            sop_class=str(dataset.get("SOPClassUID") or dataset.file_meta.get("MediaStorageSOPClassUID") or ""),
            instance=str(dataset.get("SOPInstanceUID") or ""),
            series=str(dataset.get("SeriesInstanceUID") or "") or None,
            modality=str(dataset.get("Modality") or "").strip().upper(),
            image_type=tuple(str(value).upper() for value in values(dataset, "ImageType")),
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
            study=str(dataset.get("StudyInstanceUID") or ""),
            patient=str(dataset.get("PatientID") or "").strip(),
            series_number=int(number(dataset, "SeriesNumber") or 0),
            identifiers=tuple((name, " ".join(str(dataset.get(name) or "").split())) for name in IDENTIFIERS),
        )


@contextmanager
def _text_as_read(dataset: Dataset) -> Iterator[None]:
    """pydicom decodes an element where it is asked for it, and would write what it made of broken text."""
    raw = [dataset.get_item(keyword) for keyword in _TEXT if keyword in dataset]
    yield
    for element in raw:
        dataset[element.tag] = element


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
    pointers = {int(value) for value in values(dataset, "FrameIncrementPointer")}
    return bool(pointers & _TIME_POINTERS) or position_of(dataset, 0) is not None


def _scanner(dataset: Dataset) -> str | None:
    words = [str(dataset.get(keyword) or "").strip() for keyword in ("Manufacturer", "ManufacturerModelName")]
    return " ".join(word for word in words if word) or None
