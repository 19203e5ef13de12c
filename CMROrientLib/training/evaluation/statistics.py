"""Intervals for accuracies, where slices of one person are not independent of each other.

People are what is sampled, so intervals are over people: a bootstrap that draws whole people, and
where nothing went wrong, and a bootstrap would say nothing, the exact binomial interval over people.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...recognition.typed_json import write_object

Method = Literal["bootstrap over subjects", "exact over subjects"]


@dataclass(frozen=True)
class Accuracy:
    """A share of right answers with its 95 % interval; shares to six digits.

    Parameters
    ----------
    value:
        Right answers over answers.
    low, high:
        Ends of the 95 % interval.
    right, count:
        Right answers and answers (slices, or volumes, times stored orientations).
    subjects:
        People that the answers come from.
    method:
        How the interval was found.
    """

    value: float
    low: float
    high: float
    right: int
    count: int
    subjects: int
    method: Method

    def to_json(self) -> dict[str, object]:
        """The fields."""
        return write_object(self)


def clopper_pearson(right: int, count: int, level: float = 0.95) -> tuple[float, float]:
    """The exact binomial interval of a share."""
    from scipy.stats import binomtest

    interval = binomtest(right, count).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)


def cluster_bootstrap(
    right: ArrayLike, subjects: Sequence[Hashable], level: float = 0.95, draws: int = 5000, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval of the mean of ``right`` when whole people are drawn with replacement.

    Parameters
    ----------
    right:
        (N,) 0 or 1, or any share.
    subjects:
        (N,) who each entry belongs to.
    level, draws, seed:
        Coverage, number of bootstrap samples, seed of the drawing.
    """
    sums, counts = _by_subject(right, subjects)
    random = np.random.default_rng(seed)
    times = random.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), size=draws)
    means = (times @ sums) / (times @ counts)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def accuracy(right: ArrayLike, subjects: Sequence[Hashable], level: float = 0.95, seed: int = 0) -> Accuracy:
    """The mean of ``right`` with its interval over subjects.

    Parameters
    ----------
    right:
        (N,) or (N, K) booleans: each row is one slice or volume, columns its stored orientations.
    subjects:
        (N,) who each row belongs to.

    Raises
    ------
    ValueError
        Where there is nothing to count, or the lengths differ.
    """
    rows = np.asarray(right, float)
    if not len(rows) or len(rows) != len(subjects):
        raise ValueError(f"{len(rows)} answers for {len(subjects)} subjects")
    flat = rows.reshape(len(rows), -1)
    people = len(set(subjects))
    hits = round(float(flat.sum()))
    value = round(float(flat.mean()), 6)
    if hits in (0, flat.size):
        low, high = clopper_pearson(people if hits else 0, people, level)
        return Accuracy(value, round(low, 6), round(high, 6), hits, flat.size, people, "exact over subjects")
    low, high = cluster_bootstrap(flat.mean(1), subjects, level, seed=seed)
    return Accuracy(value, round(low, 6), round(high, 6), hits, flat.size, people, "bootstrap over subjects")


def _by_subject(right: ArrayLike, subjects: Sequence[Hashable]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and number of the entries of each person, in the order of first appearance."""
    order: dict[Hashable, int] = {}
    index = np.array([order.setdefault(subject, len(order)) for subject in subjects])
    values = np.asarray(right, float)
    sums = np.bincount(index, values, len(order)).astype(np.float64)
    return sums, np.bincount(index, minlength=len(order)).astype(np.float64)
