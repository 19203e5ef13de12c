"""Percentiles and medians by one partition or sort of the values, with numpy's own arithmetic.

``np.percentile``, ``np.median`` and ``np.unique`` give the same numbers; on a slice they take several times as
long, and the first of them that a process calls imports ``numpy.ma``, which is a good part of a start.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


def percentiles(values: NDArray[Any], percents: Sequence[float]) -> NDArray[np.float64]:
    """(P,) percentiles of all values, linear between neighbours: to the last bit those of ``np.percentile``.

    Parameters
    ----------
    values:
        Any shape, at least one; integers or floats, all of them finite.
    percents:
        P numbers from 0 to 100.
    """
    found: NDArray[np.float64] = percentiles_of_rows(values.reshape(1, -1), percents)[0]
    return found


def percentiles_of_rows(rows: NDArray[Any], percents: Sequence[float]) -> NDArray[np.float64]:
    """(N, P) the ``percentiles`` of each of N rows."""
    at = Places.of(rows.shape[1], percents)
    ordered = np.partition(rows, sorted({*at.below, *at.above}), axis=1)
    return at.between(ordered[:, at.below], ordered[:, at.above])


def percentiles_of_counts(counts: NDArray[np.int_], first: int, percents: Sequence[float]) -> NDArray[np.float64]:
    """(P,) the ``percentiles`` of whole numbers, as float64, of which it is known how often each occurs.

    Parameters
    ----------
    counts:
        (K,) how often ``first``, ``first`` + 1, ... occur.
    """
    up_to = counts.cumsum()
    at = Places.of(int(up_to[-1]), percents)
    low, high = (first + up_to.searchsorted(places, side="right") for places in (at.below, at.above))
    return at.between(low.astype(np.float64), high.astype(np.float64))


class Places(NamedTuple):
    """Which of the ordered values percentiles lie between, and how far from the lower one.

    Parameters
    ----------
    below, above:
        P numbers of values, the lowest is 0.
    share:
        (P,) of the step from the one to the other.
    """

    below: list[int]
    above: list[int]
    share: NDArray[np.float64]

    @classmethod
    def of(cls, count: int, percents: Sequence[float]) -> Places:
        """Those of some percentiles of ``count`` values."""
        last = count - 1
        places = [last * (percent / 100) for percent in percents]
        below = [math.floor(place) for place in places]
        return cls(below, [min(number + 1, last) for number in below], np.array(places) - below)

    def between(self, low: NDArray[Any], high: NDArray[Any]) -> NDArray[np.float64]:
        """(..., P) percentiles of the values below and above them, both (..., P)."""
        step = high - low
        # From the nearer neighbour, as numpy does it.
        return np.asarray(np.where(self.share < 0.5, low + step * self.share, high - step * (1 - self.share)))


def median(values: ArrayLike) -> float:
    """The median of at least one number, in float64; NaN where one is."""
    ordered = np.sort(np.asarray(values, np.float64), axis=None)
    if np.isnan(ordered[-1]):
        return float("nan")
    middle = len(ordered) // 2
    return float(ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def distinct(numbers: NDArray[np.integer[Any]]) -> NDArray[np.int_]:
    """The different ones among whole numbers, rising."""
    return np.array(sorted(set(numbers.ravel().tolist())), int)
