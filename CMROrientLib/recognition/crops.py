"""The crop round the heart: which part of a square a network is shown again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .resampling import Window

#: Sides of the squares that a crop is cut from, as a multiple of the network's input.
FINER = 2
#: Crops are never smaller than this share of a slice.
SMALLEST_CROP = 0.3


class Crop(NamedTuple):
    """A crop that is the same for all slices of a stack.

    Parameters
    ----------
    heart:
        Its column, row and diameter, shares of the slice's side.
    diameters:
        The crop's side in the heart's diameters.
    """

    heart: tuple[float, float, float]
    diameters: float

    def window(self, side: int) -> Window:
        """The rows and columns of a square (side, side) round the heart; never beyond the square's edges.

        Turning the square and the heart's place turns the crop.
        """
        width = int(np.clip(self.diameters * self.heart[2], SMALLEST_CROP, 1) * side) // 2 * 2
        left, top = (int(np.clip(round(middle * side - width / 2), 0, side - width)) for middle in self.heart[:2])
        return slice(top, top + width), slice(left, left + width)
