"""Which slices of a stack count: those that recognition looks at, the middle ones, the central one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..volume import Volume

#: At most about this many slices of a volume are looked at; a stack has 5 to 20, a cine 20 to 500.
SLICES_LOOKED_AT = 60

#: Share of a stack beyond its middle slices, at either end.
ENDS = 0.15


def middle_slices(numbers: ArrayLike, counts: ArrayLike, ends: float = ENDS) -> NDArray[np.bool_]:
    """Whether slices are middle ones: their centres lie in the middle 70 % of their stacks.

    Parameters
    ----------
    numbers:
        Indices of slices, from 0.
    counts:
        Slices of their stacks, blank ones counted.
    ends:
        Share of a stack that is left out at either end.
    """
    place = (np.asarray(numbers) + 0.5) / np.asarray(counts)
    return np.asarray((place >= ends) & (place <= 1 - ends))


def central_slice(count: int) -> int:
    """The one slice that stands for a stack of ``count``, as in its picture."""
    return count // 2


def choose_slices(volume: Volume, limit: int = SLICES_LOOKED_AT) -> NDArray[np.int_]:
    """(S, 2) pairs (phase, slice) worth looking at; blank slices are left out.

    All slices at as many evenly spread phases as the limit allows. Of a single phase with more
    slices than that, an even spread that leaves out up to a tenth at either end, where the heart is not.
    """
    from .preprocessing import is_blank

    stack = volume.array if volume.array.ndim == 4 else volume.array[np.newaxis]
    phases, slices = stack.shape[:2]
    if slices > limit:
        margin = min(slices // 10, (slices - limit) // 2)
        chosen = margin + _spread(slices - 2 * margin, limit)
    else:
        chosen = np.arange(slices)
    pairs = [(p, s) for p in _spread(phases, max(1, limit // len(chosen))) for s in chosen]
    seen = [pair for pair in pairs if not is_blank(stack[pair])]
    return np.array(seen, int).reshape(-1, 2)


def _spread(count: int, wanted: int) -> NDArray[np.int_]:
    wanted = min(count, wanted)
    return ((np.arange(wanted) + 0.5) * count / wanted).astype(int)
