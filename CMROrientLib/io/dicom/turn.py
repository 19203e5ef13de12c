"""Turn the attributes of a DICOM data set along with its pixels.

Whatever DICOM PS3.3 ties to rows and columns follows the pixels; what says how rows and columns
lie in the patient follows the direction cosines. The centre of each slice stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from ...orientation import Orientation
from .attributes import directions_of, functional_group, number, numbers, position_of, sequences, spacing_of

#: Values for the vertical and for the horizontal direction (rows, columns): they change places.
_ROW_COLUMN_PAIRS = (
    "PixelSpacing",
    "PixelAspectRatio",
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "DetectorElementSpacing",
    "DetectorElementPhysicalSize",
    "ReconstructionPixelSpacing",
    "ReconstructionFieldOfView",
    "ObjectPixelSpacingInCenterOfBeam",
    "FieldOfViewDimensions",
    "FieldOfViewDimensionsInFloat",
    "PresentationPixelSpacing",
    "PresentationPixelAspectRatio",
    "ZoomFactor",
)

#: Edges given as one number: (lowest row, highest row, lowest column, highest column).
_EDGES = (
    (
        "ShutterUpperHorizontalEdge",
        "ShutterLowerHorizontalEdge",
        "ShutterLeftVerticalEdge",
        "ShutterRightVerticalEdge",
    ),
    (
        "CollimatorUpperHorizontalEdge",
        "CollimatorLowerHorizontalEdge",
        "CollimatorLeftVerticalEdge",
        "CollimatorRightVerticalEdge",
    ),
)

#: Points as row\column, one or many, counted from 1.
_POINTS = (
    "CenterOfCircularShutter",
    "VerticesOfThePolygonalShutter",
    "CenterOfCircularCollimator",
    "VerticesOfThePolygonalCollimator",
    "ZoomCenter",
)

_OPPOSITE = str.maketrans("LRAPHF", "RLPAFH")

#: What the sequences with these names hold belongs to another image or to the past.
_NOT_THIS_IMAGE = frozenset(
    {"OriginalAttributesSequence", "IconImageSequence", "PerFrameFunctionalGroupsSequence", "ReferencedImageSequence"}
)


@dataclass(frozen=True)
class Turn:
    """What is done to the pixels and to the directions of images of ``rows`` × ``columns`` pixels.

    ``renumbered`` says that the slices are numbered from the other end, too.
    """

    pixels: Orientation
    directions: Orientation
    rows: int
    columns: int
    renumbered: bool = False

    @property
    def changes_nothing(self) -> bool:
        """Whether the source file is the result."""
        return self.pixels is self.directions is Orientation.IDENTITY and not self.renumbered

    def axes(self) -> Iterator[tuple[int, bool]]:
        """For new rows and new columns: the old axis (0 = rows) that they come from, and whether reversed."""
        for line in self.pixels.matrix:
            axis = int(np.abs(line).argmax())
            yield axis, bool(line[axis] < 0)

    def point(self, row: float, column: float) -> tuple[float, float]:
        """Where a pixel, counted from 1, lies afterwards."""
        old, size = (row, column), (self.rows, self.columns)
        new = [size[axis] + 1 - old[axis] if reverse else old[axis] for axis, reverse in self.axes()]
        return new[0], new[1]

    def patient_orientation(self, values: list[str]) -> list[str] | None:
        """PatientOrientation afterwards; None where its words cannot be reversed."""
        if len(values) != 2 or not all(value and set(value) <= set("LRAPHF") for value in values):
            return None
        # DICOM names the direction along a row first; the group's order is (row index, column index).
        old = (values[1], values[0])
        new = []
        for line in self.directions.matrix:
            axis = int(np.abs(line).argmax())
            new.append(old[axis].translate(_OPPOSITE) if line[axis] < 0 else old[axis])
        return [new[1], new[0]]


def turn_attributes(dataset: Dataset, turn: Turn) -> list[str]:
    """Turn everything but pixels and overlays, in place.

    Returns
    -------
    Names of attributes that had to be emptied since their words cannot be turned.
    """
    _turn_geometry(dataset, turn)
    enhanced = "SharedFunctionalGroupsSequence" in dataset
    emptied = _turn_plane(dataset, turn, "COLUMN" if enhanced else "COL")
    for item in dataset.get("PerFrameFunctionalGroupsSequence") or ():
        emptied += _turn_plane(item, turn, "COLUMN")
    if turn.pixels.exchanges_axes:
        dataset.Rows, dataset.Columns = turn.columns, turn.rows
    return sorted(set(emptied))


def _turn_geometry(dataset: Dataset, turn: Turn) -> None:
    """ImagePositionPatient and ImageOrientationPatient, wherever they are kept."""
    count = max(int(number(dataset, "NumberOfFrames") or 1), 1)
    moved: dict[int, tuple[Dataset, list[DSfloat]]] = {}
    oriented: dict[int, Dataset] = {}
    for index in range(count):
        holder = functional_group(dataset, index, "PlaneOrientationSequence") or dataset
        oriented[id(holder)] = holder
        holder = functional_group(dataset, index, "PlanePositionSequence") or dataset
        position = None if id(holder) in moved else _new_position(dataset, index, turn)
        if position is not None:
            moved[id(holder)] = holder, _decimals(position)
    # All places are worked out before any direction changes.
    for holder, value in moved.values():
        holder.ImagePositionPatient = value
    for holder in oriented.values():
        values = numbers(holder, "ImageOrientationPatient")
        if values is not None and len(values) == 6:
            down, across = turn.directions.apply_to_directions(values[3:], values[:3])
            holder.ImageOrientationPatient = _decimals(np.concatenate([across, down]))


def _new_position(dataset: Dataset, index: int, turn: Turn) -> NDArray[np.float64] | None:
    """(3,) centre of the first pixel afterwards (LPS, mm), such that the centre of the slice stays."""
    position = position_of(dataset, index)
    if position is None:
        return None
    # Readers take a missing orientation for the axes of the patient, and so does this.
    across, down = np.array(directions_of(dataset, index) or (1, 0, 0, 0, 1, 0), float).reshape(2, 3)
    across, down = across / np.linalg.norm(across), down / np.linalg.norm(down)
    between_rows, between_columns = spacing_of(dataset, index)
    half = np.array([(turn.rows - 1) * between_rows, (turn.columns - 1) * between_columns]) / 2
    centre = np.array(position) + half @ [down, across]
    new_half = half[::-1] if turn.pixels.exchanges_axes else half
    moved: NDArray[np.float64] = centre - new_half @ np.array(turn.directions.apply_to_directions(down, across))
    return moved


def _decimals(values: NDArray[np.float64]) -> list[DSfloat]:
    # Adding 0 makes "0" of what would be written as "-0.0".
    return [DSfloat(float(value) + 0.0, auto_format=True) for value in values]


def _turn_plane(dataset: Dataset, turn: Turn, column_word: str) -> list[str]:
    """Attributes that live in the plane of the image, here and in nested items."""
    emptied = []
    if turn.pixels.exchanges_axes:
        _exchange(dataset, column_word)
    for keyword in _POINTS:
        _turn_points(dataset, keyword, turn)
    for keywords in _EDGES:
        _turn_edges(dataset, keywords, turn)
    _turn_displayed_area(dataset, turn)
    if dataset.get("PatientOrientation"):
        turned = turn.patient_orientation([str(value) for value in dataset.PatientOrientation])
        dataset.PatientOrientation = turned
        emptied += [] if turned else ["PatientOrientation"]
    for sequence in sequences(dataset):
        if sequence.keyword not in _NOT_THIS_IMAGE:
            for item in sequence.value:
                emptied += _turn_plane(item, turn, column_word)
    return emptied


def _exchange(dataset: Dataset, column_word: str) -> None:
    for keyword in _ROW_COLUMN_PAIRS:
        value = dataset.get(keyword)
        if value is not None and not isinstance(value, str) and len(np.atleast_1d(value)) == 2:
            setattr(dataset, keyword, [value[1], value[0]])
    matrix = dataset.get("AcquisitionMatrix")
    if matrix is not None and len(np.atleast_1d(matrix)) == 4:
        # Frequency rows, frequency columns, phase rows, phase columns.
        dataset.AcquisitionMatrix = [matrix[1], matrix[0], matrix[3], matrix[2]]
    direction = str(dataset.get("InPlanePhaseEncodingDirection") or "")
    if direction == "ROW":
        dataset.InPlanePhaseEncodingDirection = column_word
    elif direction in ("COL", "COLUMN"):
        dataset.InPlanePhaseEncodingDirection = "ROW"


def _turn_points(dataset: Dataset, keyword: str, turn: Turn) -> None:
    values = numbers(dataset, keyword)
    if values is None or len(values) % 2:
        return
    turned = [turn.point(row, column) for row, column in zip(values[::2], values[1::2], strict=True)]
    setattr(dataset, keyword, [round(value) for point in turned for value in point])


def _turn_edges(dataset: Dataset, keywords: tuple[str, str, str, str], turn: Turn) -> None:
    pairs = (keywords[:2], keywords[2:])
    old = [[number(dataset, keyword) for keyword in pair] for pair in pairs]
    size = (turn.rows, turn.columns)
    for pair, (axis, reverse) in zip(pairs, turn.axes(), strict=True):
        edges = old[axis]
        if reverse:
            edges = [None if edge is None else size[axis] + 1 - edge for edge in reversed(edges)]
        for keyword, edge in zip(pair, edges, strict=True):
            if edge is not None:
                setattr(dataset, keyword, round(edge))
            elif keyword in dataset:
                del dataset[keyword]


def _turn_displayed_area(dataset: Dataset, turn: Turn) -> None:
    """Two corners as column\\row."""
    keywords = ("DisplayedAreaTopLeftHandCorner", "DisplayedAreaBottomRightHandCorner")
    corners = [numbers(dataset, keyword) for keyword in keywords]
    if any(corner is None or len(corner) != 2 for corner in corners):
        return
    points = sorted(turn.point(corner[1], corner[0]) for corner in corners if corner is not None)
    rows, columns = zip(*points, strict=True)
    for keyword, row, column in zip(keywords, sorted(rows), sorted(columns), strict=True):
        setattr(dataset, keyword, [round(column), round(row)])
