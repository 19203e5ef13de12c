"""The order of a stack whose slices are images of their own: which end of the heart is counted first.

Scanners store short-axis cines as one series a slice. Where the slices lie is in their headers, how they are
counted in the numbers of the series (or of the files); the order is that of the numbers, as people see it in a list.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .measures import LEAST_SLICES

if TYPE_CHECKING:
    from .together import Look

#: What a slice is counted by, compared from the left.
Number = tuple[int, ...]

#: Slices nearer than this are one slice, looked at again, in mm.
_SAME_SLICE = 0.5


@dataclass(frozen=True, eq=False)
class Counted:
    """The slices of a stack as they are counted.

    Parameters
    ----------
    places:
        (S,) of each slice that was looked at, from 0, images one after the other.
    direction:
        (3,) the way that the count goes, LPS.
    """

    places: NDArray[np.int_]
    direction: NDArray[np.float64]


def count_slices(looks: Sequence[Look], numbers: Sequence[Number]) -> Counted | None:
    """How the single slices of a stack are counted.

    Returns
    -------
    None where there are too few of them, where an image has several slices, and where the numbers do not follow
    the places (slices that were acquired in turns, say): no end comes first then.
    """
    grids = [look.outline.grid for look in looks]
    if len(looks) < LEAST_SLICES or any(grid.size[2] != 1 for grid in grids):
        return None
    column, row, _ = grids[0].directions.T
    normal = np.cross(column, row)
    heights = np.array([float(grid.centre @ normal) for grid in grids])
    # A slice that is there twice counts where it comes first.
    first: dict[int, Number] = {}
    slices = _slices_of(heights)
    for place, number in zip(slices, numbers, strict=True):
        first[place] = min(number, first.get(place, number))
    order = sorted(first, key=lambda place: first[place])
    rising, falling = order == sorted(order), order == sorted(order, reverse=True)
    if len(order) < LEAST_SLICES or len(set(first.values())) < len(first) or not (rising or falling):
        return None
    places = np.array([order.index(place) for place in slices])
    return Counted(np.repeat(places, [len(look.slices) for look in looks]), normal if rising else -normal)


def _slices_of(heights: NDArray[np.float64]) -> list[int]:
    """Which slice each image shows, counted along the normal."""
    found = np.empty(len(heights), int)
    slice_, before = -1, -np.inf
    for index in heights.argsort(kind="stable"):
        if heights[index] - before > _SAME_SLICE:
            slice_, before = slice_ + 1, heights[index]
        found[index] = slice_
    return [int(place) for place in found]
