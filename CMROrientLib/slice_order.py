"""The order of a stack's slices: from base to apex or the other way, and what a header says of it."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from .orientation import STANDARD_COLUMN_DIRECTION, STANDARD_ROW_DIRECTION

#: Which end of the heart slice 0 lies at.
SliceOrder = Literal["base_first", "apex_first"]
#: The same as the pixels tell it.
FoundOrder = Literal["base_first", "apex_first", "unknown"]
SLICE_ORDERS: tuple[SliceOrder, ...] = get_args(SliceOrder)

#: Below this |cosine| between the way of the slices and that from apex to base a header names neither.
_LEAST_COSINE = 0.5


def header_slice_order(slice_direction: ArrayLike) -> SliceOrder | None:
    """The order that a header of a short-axis stack claims.

    The way from apex to base, R × D, is nearly the same in everybody: (−0.64, 0.68, 0.36) in LPS.

    Parameters
    ----------
    slice_direction:
        (3,) direction of growing slice index, in patient coordinates (LPS).

    Returns
    -------
    None where the slices run across that way.
    """
    direction = np.asarray(slice_direction, float)
    to_base = np.cross(STANDARD_COLUMN_DIRECTION, STANDARD_ROW_DIRECTION)
    cosine = direction @ to_base / (np.linalg.norm(direction) * np.linalg.norm(to_base) or 1.0)
    if not abs(cosine) >= _LEAST_COSINE:
        return None
    return "apex_first" if cosine > 0 else "base_first"
