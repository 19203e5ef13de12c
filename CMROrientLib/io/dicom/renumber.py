"""Number the instances of a series from the other end, slices staying where they are in the patient.

InstanceNumber (PS3.3 C.7.6.1) is the order in which viewers show a series. In a file of several
frames the order of the frames is, with their index values (PS3.3 C.7.6.16, C.7.6.17).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset

from ...errors import CMROrientError
from .frames import FrameLayout
from .header import InstanceHeader
from .metadata import DicomMetadata

#: The phase and slice of a frame in the volume that was read.
Place = tuple[int, int]

#: What tells a frame's place among the others, rather than what it shows.
_INDEX_VALUES = ("DimensionIndexValues", "InStackPositionNumber")


def numbers_fall(headers: Sequence[InstanceHeader], layout: FrameLayout) -> bool:
    """Whether the numbers of instances and frames mostly fall along the volume's slices."""
    along = [
        (k, frame.number)
        for header, places in zip(headers, layout.places, strict=True)
        for frame, (phase, k) in zip(header.frames, places, strict=True)
        if phase == 0
    ]
    numbers = [number for _, number in sorted(along)]
    steps = [later > earlier for earlier, later in itertools.pairwise(numbers)]
    return 2 * sum(steps) < len(steps)


def new_numbers(metadata: DicomMetadata, slices: int) -> list[int]:
    """The InstanceNumber of each file, counted from the other end of the stack.

    Parameters
    ----------
    slices:
        How many the volume has.

    Raises
    ------
    CMROrientError
        Where some files hold parts of several slices, so that no numbering says their order.
    """
    places = metadata.places
    if all(_mirrored(file, slices) for file in places):
        # Each file is the whole stack: its frames change places, see ``new_order``.
        return list(metadata.numbers)
    if any(len({k for _, k in file}) > 1 for file in places):
        raise CMROrientError(
            "its slices are spread over files of several frames, which cannot be renumbered; keep the slice order, or "
            "write it as .nii.gz",
            metadata.files[0],
        )
    first = [file[0] for file in places]
    at = dict(zip(first, metadata.numbers, strict=True))
    opposite = [at.get((phase, slices - 1 - k)) for phase, k in first]
    found = [number for number in opposite if number is not None]
    if len(set(metadata.numbers)) == len(found) == len(first):
        return found
    # Numbers that are missing or used twice, or slices of unequal numbers of phases: count anew, from
    # the end that is to be first.
    falling = metadata.numbers_fall
    order = sorted(range(len(first)), key=lambda n: (first[n][1] if falling else -first[n][1], first[n][0]))
    fresh = [0] * len(first)
    for number, n in enumerate(order, start=1):
        fresh[n] = number
    return fresh


def new_order(places: Sequence[Place], slices: int) -> list[int]:
    """For each frame of a file the one that takes its place; as they are where the file holds one slice."""
    if not _mirrored(places, slices):
        return list(range(len(places)))
    at = {place: index for index, place in enumerate(places)}
    return [at[phase, slices - 1 - k] for phase, k in places]


def reorder_groups(dataset: Dataset, order: Sequence[int]) -> None:
    """Bring the functional groups of the frames into a new order, in place; index values stay with the places."""
    groups = list(dataset.get("PerFrameFunctionalGroupsSequence") or ())
    if len(groups) != len(order):
        return
    contents = [(group.get("FrameContentSequence") or [None])[0] for group in groups]
    values = [
        {name: content[name].value for name in _INDEX_VALUES if name in content} if content else {}
        for content in contents
    ]
    dataset.PerFrameFunctionalGroupsSequence = [groups[index] for index in order]
    for place, index in enumerate(order):
        content = contents[index]
        for name, value in values[place].items():
            if content is not None and name in content:
                content[name].value = value


def _mirrored(places: Sequence[Place], slices: int) -> bool:
    """Whether a file holds several slices, and the opposite one of each."""
    known = set(places)
    several = len(known) == len(places) and np.ptp([k for _, k in places]) > 0
    return bool(several) and all((phase, slices - 1 - k) in known for phase, k in known)
