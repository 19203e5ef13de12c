"""Label maps told from images by their voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...volume import Volume

#: A label map has at most so many values; an image of the body has hundreds.
MOST_LABELS = 16

#: Voxels that are looked at first: an image has more values than a label map in a few of them.
_SAMPLE = 4096


def is_label_map(volume: Volume) -> bool:
    """Whether a volume holds a few whole values, none below zero, and more than one of them."""
    values = few_values(volume)
    return values is not None and len(values) > 1


def few_values(volume: Volume) -> tuple[int, ...] | None:
    """The values of a volume where they are whole, not negative and at most ``MOST_LABELS``; else None.

    One value only may be an empty label map, or a blank image: what lies beside it has to tell.
    """
    array = volume.array
    if array.dtype.kind not in "buif" or volume.metadata.scaling != (1.0, 0.0):
        return None
    flat = array.reshape(-1)
    for part in (flat[:: max(1, flat.size // _SAMPLE)], flat):
        values = _distinct(part)
        whole = np.isfinite(values).all() and (values == np.floor(values.astype(float))).all()
        if len(values) > MOST_LABELS or not whole or values[0] < 0:
            return None
    return tuple(int(value) for value in values)


def _distinct(values: NDArray[np.generic]) -> NDArray[Any]:
    """The values in order, each once. (numpy's own function imports its masked arrays first, 10 ms of a cold start.)"""
    ordered = np.sort(values)
    distinct: NDArray[Any] = ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])]
    return distinct
