"""Attributes of a data set, wherever it keeps them, as numbers and places.

Attribute names are the keywords of DICOM PS3.6. Positions and directions are in LPS, in mm.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from ...volume import Vector

#: How far lengths and the angle of the two direction cosines may be from 1 and from 90°.
_ORTHONORMAL = 1e-2


def numbers(dataset: Dataset, keyword: str) -> tuple[float, ...] | None:
    """All values of an attribute as finite numbers; None where it is missing, empty or anything else."""
    try:
        found = tuple(float(value) for value in values(dataset, keyword))
    except (TypeError, ValueError):
        return None
    return found if found and all(map(math.isfinite, found)) else None


def number(dataset: Dataset, keyword: str) -> float | None:
    """The first value of an attribute as a number, None where there is none."""
    found = numbers(dataset, keyword)
    return None if found is None else found[0]


def values(dataset: Dataset, keyword: str) -> Sequence[str | bytes | float]:
    """All values of an attribute, none where it is missing."""
    value: Sequence[str | bytes | float] | str | bytes | float | None = dataset.get(keyword)
    if value is None or value == "":
        return ()
    return value if isinstance(value, Sequence) and not isinstance(value, str | bytes) else (value,)


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
    cosines = numbers(
        functional_group(dataset, index, "PlaneOrientationSequence") or dataset, "ImageOrientationPatient"
    )
    return cosines if cosines is not None and _orthonormal(cosines) else None


def position_of(dataset: Dataset, index: int) -> Vector | None:
    """ImagePositionPatient of a frame (LPS, mm), None where it is not said."""
    place = numbers(functional_group(dataset, index, "PlanePositionSequence") or dataset, "ImagePositionPatient")
    return None if place is None or len(place) != 3 else (place[0], place[1], place[2])


def spacing_of(dataset: Dataset, index: int) -> tuple[float, float]:
    """Distance of the rows and of the columns of a frame, in mm; 1 where nothing is said of it."""
    measures = functional_group(dataset, index, "PixelMeasuresSequence") or dataset
    for holder, keyword in (
        (measures, "PixelSpacing"),
        (dataset, "ImagerPixelSpacing"),
        (dataset, "NominalScannedPixelSpacing"),
        (dataset, "PixelAspectRatio"),
    ):
        steps = numbers(holder, keyword)
        if steps is not None and len(steps) == 2 and min(steps) > 0:
            # An aspect ratio has no unit: the columns then count as 1 mm apart.
            return (steps[0] / steps[1], 1.0) if keyword == "PixelAspectRatio" else (steps[0], steps[1])
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


def _orthonormal(cosines: Sequence[float]) -> bool:
    if len(cosines) != 6:
        return False
    row, column = np.array(cosines).reshape(2, 3)
    deviations = (row @ row - 1, column @ column - 1, row @ column)
    return bool(np.max(np.abs(deviations)) < _ORTHONORMAL)
