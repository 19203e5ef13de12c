"""Fit the decision section of a card: confidence, and the limits from which a volume is acted on.

Fitted on slices and parts of stacks of people and sources that the network was not trained on, so
that it knows what one slice alone is worth, and on slices made harder, so that there are errors to
learn from. See ``CMROrientLib.recognition.decision`` for the formula.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...orientation import Orientation
from ...recognition.decision import TERMS, DecisionRule, Evidence, confidence, log_probabilities, weigh
from .logistic import fit_logistic
from .predictions import Predictions, slice_log_probabilities
from .scoring import counts

#: Slices in the parts of stacks that are drawn; 0 stands for the whole stack.
PART_SIZES = (1, 1, 2, 3, 5, 0)


@dataclass(frozen=True)
class Answers:
    """Answers for volumes or parts of volumes, with the truth.

    Parameters
    ----------
    evidence:
        What each answer rests on.
    right:
        (N,) whether it names the class.
    subjects:
        (N,) whose volume it is.
    """

    evidence: list[Evidence]
    right: NDArray[np.bool_]
    subjects: list[str]

    def __add__(self, other: Answers) -> Answers:
        return Answers(
            self.evidence + other.evidence, np.concatenate([self.right, other.right]), self.subjects + other.subjects
        )

    def confidences(self, rule: DecisionRule) -> NDArray[np.float64]:
        """(N,) what the rule says."""
        return np.array([confidence(evidence, rule) for evidence in self.evidence])


def _parts(
    predictions: Predictions, sizes: Sequence[int], random: np.random.Generator
) -> Iterator[tuple[int, NDArray[np.int_]]]:
    for index, case in enumerate(predictions.cases):
        rows = np.flatnonzero(predictions.case == index)
        if not len(rows) or not counts(case):
            continue
        for size in sizes:
            if size < len(rows):
                yield index, random.choice(rows, size, replace=False) if size else rows


def answers(
    predictions: Predictions,
    rule: DecisionRule,
    *,
    averaged: bool = True,
    sizes: Sequence[int] = PART_SIZES,
    seed: int = 0,
) -> Answers:
    """Answers for random parts of the stacks of ``predictions``, border cases left out.

    Parameters
    ----------
    rule:
        Only its temperature is used here.
    averaged:
        Over the eight copies; otherwise a single pass of one random stored orientation.
    sizes:
        Slices in the parts; a size that a stack does not have is left out for it, 0 is the stack.
    """
    random = np.random.default_rng(seed)
    copies = slice_log_probabilities(predictions.logits, rule.temperature)
    evidence, right, subjects = [], [], []
    for index, rows in _parts(predictions, sizes, random):
        stored = int(random.integers(8))
        found = weigh(
            copies[rows] if averaged else log_probabilities(predictions.logits[rows, stored], rule.temperature)[:, None]
        )
        evidence.append(found)
        right.append(found.orientation == (Orientation.IDENTITY if averaged else stored))
        subjects.append(predictions.cases[index].subject)
    return Answers(evidence, np.array(right, bool), subjects)


def fit_temperature(predictions: Predictions) -> float:
    """The temperature at which single passes over hard-countable slices have the least log loss."""
    from scipy.optimize import minimize_scalar

    hard = predictions.of(counts)
    stored = np.arange(8)

    def loss(log_temperature: float) -> float:
        every = log_probabilities(hard.logits, float(np.exp(log_temperature)))
        return float(-every[:, stored, stored].mean())

    found = minimize_scalar(loss, bounds=(np.log(0.25), np.log(8)), method="bounded")
    return round(float(np.exp(found.x)), 3)


def fit_weights(data: Answers, penalty: float = 1e-3) -> dict[str, float]:
    """Logistic weights of ``TERMS``; all but the intercept at least 0, so that more evidence never lowers it.

    Parameters
    ----------
    penalty:
        Of the squared weights, against perfect separation.
    """
    terms = np.stack([evidence.terms for evidence in data.evidence])
    return fit_logistic(TERMS, terms, data.right, penalty)


def expected_calibration_error(confidences: NDArray[np.floating], right: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance of confidence and accuracy over ten bins of equal width, weighted by count."""
    index = np.minimum((np.asarray(confidences) * bins).astype(int), bins - 1)
    gaps = [
        abs(float(np.mean(confidences[index == b]) - np.mean(right[index == b]))) * float(np.mean(index == b))
        for b in range(bins)
        if np.any(index == b)
    ]
    return float(sum(gaps))


def choose_min_confidence(
    confidences: NDArray[np.floating],
    right: NDArray[np.bool_],
    whole: NDArray[np.bool_] | None = None,
    least: float = 0.95,
    tolerated: float = 0.005,
) -> float:
    """The lowest limit, in hundredths, at which few enough wrong answers are acted on; at most 0.99.

    Parameters
    ----------
    confidences, right:
        (N,) of answers for stacks and parts of stacks.
    whole:
        (N,) which of them are whole stacks: of these none may be acted on and wrong. All where None.
    least:
        The limit is not below this: an answer that is wrong once in twenty times is not worth acting on.
    tolerated:
        Largest share of wrong ones among all answers acted on.
    """
    strict = np.ones(len(right), bool) if whole is None else whole
    for hundredths in range(round(100 * least), 99):
        acted = confidences >= hundredths / 100
        wrong = acted & ~right
        if not (wrong & strict).any() and wrong.sum() <= tolerated * acted.sum():
            return hundredths / 100
    return 0.99


def fit_rule(
    predictions: Predictions,
    harder: Sequence[Predictions] = (),
    seed: int = 0,
    *,
    alone: Predictions | None = None,
) -> DecisionRule:
    """Temperature and both sets of weights, from predictions on people not trained on.

    Parameters
    ----------
    predictions:
        Of unchanged slices.
    harder:
        Of slices made harder (crops, noise, …); they enter with parts of stacks as well.
    alone:
        Of the same slices, each looked at alone: for the answers that rest on one slice.
    """
    rule = DecisionRule(temperature=fit_temperature(predictions))
    weights: list[dict[str, float]] = []
    for averaged in (True, False):
        several = tuple(size for size in PART_SIZES if size != 1)
        data = answers(predictions, rule, averaged=averaged, sizes=several, seed=seed)
        data += answers(alone or predictions, rule, averaged=averaged, sizes=(1, 1), seed=seed)
        for number, more in enumerate(harder):
            data += answers(more, rule, averaged=averaged, seed=seed + 1 + number)
        weights.append(fit_weights(data))
    return replace(rule, averaged=weights[0], single=weights[1])
