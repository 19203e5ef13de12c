"""How sure the order of slices is, and how often it is named and right: fitted and counted on people not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...recognition.measures import SLICE_ORDER_TERMS, SliceOrderEvidence, slice_order, weigh_levels
from .logistic import fit_logistic
from .predictions import Predictions
from .statistics import clopper_pearson

#: Stacks from so many slices on are those of the aim.
WHOLE_STACK = 5
#: Sizes of the parts of stacks that the fit learns from; 0 is the stack.
PARTS = (3, 4, 5, 7, 0)


@dataclass(frozen=True)
class OrderAnswers:
    """What was found about stacks or parts of them.

    Parameters
    ----------
    evidence:
        What each answer rests on.
    right:
        (N,) whether its sign is that of the true order.
    subjects:
        (N,) whose stack it is.
    """

    evidence: list[SliceOrderEvidence]
    right: NDArray[np.bool_]
    subjects: list[str]

    def __add__(self, other: OrderAnswers) -> OrderAnswers:
        return OrderAnswers(
            self.evidence + other.evidence, np.concatenate([self.right, other.right]), self.subjects + other.subjects
        )


def order_answers(predictions: Predictions, sizes: Sequence[int] = (0,), seed: int = 0) -> OrderAnswers:
    """Answers for neighbouring slices of stacks whose order is known.

    Parameters
    ----------
    sizes:
        Slices in a part; a stack that has fewer gives none, 0 is the whole stack.
    """
    if predictions.measures is None:
        return OrderAnswers([], np.zeros(0, bool), [])
    random = np.random.default_rng(seed)
    evidence, right, subjects = [], [], []
    for index, case in enumerate(predictions.cases):
        rows = np.flatnonzero(predictions.case == index)
        rows = rows[predictions.slice_[rows].argsort(kind="stable")]
        for size in sizes:
            if case.base_first is None or size > len(rows):
                continue
            start = int(random.integers(len(rows) - size + 1)) if size else 0
            part = rows[start : start + size] if size else rows
            found = weigh_levels(predictions.measures[part], predictions.slice_[part])
            if found is not None:
                evidence.append(found)
                right.append(found.base_first == case.base_first)
                subjects.append(case.subject)
    return OrderAnswers(evidence, np.array(right, bool), subjects)


def fit_slice_order(data: OrderAnswers, penalty: float = 1e-4) -> dict[str, float]:
    """Logistic weights of ``SLICE_ORDER_TERMS``; all but the intercept at least 0."""
    terms = np.stack([one.terms for one in data.evidence])
    return fit_logistic(SLICE_ORDER_TERMS, terms, data.right, penalty)


def choose_min_slice_order(data: OrderAnswers, weights: Mapping[str, float], least: float = 0.9) -> float:
    """The lowest limit, in hundredths, from which no order of these stacks is named wrongly; at most 0.99."""
    sure = np.array([slice_order(one, weights, 0.0)[1] for one in data.evidence])
    wrong = sure[~data.right]
    for hundredths in range(round(100 * least), 99):
        if not (wrong >= hundredths / 100).any():
            return hundredths / 100
    return 0.99


@dataclass(frozen=True)
class SliceOrders:
    """Stacks whose order is known, by what is said of them.

    Parameters
    ----------
    stacks, people:
        How many there are.
    named, wrong:
        Those with an order, and wrong ones among these.
    named_interval, right_interval:
        Of the share named, and of the share right among these (exact, 95 %).
    """

    stacks: int
    people: int
    named: int
    wrong: int
    named_interval: tuple[float, ...]
    right_interval: tuple[float, ...]

    @classmethod
    def of(cls, data: OrderAnswers, weights: Mapping[str, float] | None, least: float | Sequence[float]) -> SliceOrders:
        """Count by a rule; the least probability is one for all stacks, or one a stack."""
        limits = np.broadcast_to(least, len(data.evidence))
        found = [slice_order(one, weights, float(limit))[0] for one, limit in zip(data.evidence, limits, strict=True)]
        named = np.array(found, str) != "unknown"
        return cls.counted(len(named), len(set(data.subjects)), int(named.sum()), int((named & ~data.right).sum()))

    @classmethod
    def counted(cls, stacks: int, people: int, named: int, wrong: int) -> SliceOrders:
        """From numbers."""
        return cls(stacks, people, named, wrong, _interval(named, stacks), _interval(named - wrong, named))

    @classmethod
    def together(cls, rows: Sequence[SliceOrders]) -> SliceOrders:
        """The sum of several, of different people."""
        return cls.counted(
            sum(row.stacks for row in rows),
            sum(row.people for row in rows),
            sum(row.named for row in rows),
            sum(row.wrong for row in rows),
        )

    def as_text(self) -> str:
        """In a line for a terminal."""
        return (
            f"Slice order of {self.stacks} stacks of {WHOLE_STACK} slices or more: "
            f"{self.named} named, {self.wrong} of these wrongly."
        )


def whole_stacks(predictions: Predictions) -> OrderAnswers:
    """Answers for stacks of at least ``WHOLE_STACK`` slices."""
    data = order_answers(predictions)
    kept = np.array([one.slices >= WHOLE_STACK for one in data.evidence], bool)
    return OrderAnswers(
        [one for one, keep in zip(data.evidence, kept, strict=True) if keep],
        data.right[kept],
        [who for who, keep in zip(data.subjects, kept, strict=True) if keep],
    )


def _interval(count: int, whole: int) -> tuple[float, ...]:
    if not whole:
        return ()
    low, high = clopper_pearson(count, whole)
    return round(low, 5), round(high, 5)
