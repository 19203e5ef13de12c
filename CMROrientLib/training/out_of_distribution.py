"""How well a network with an out-of-distribution output tells short-axis slices from other pictures.

Other pictures are volumes of one slice, from the families that training has never shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..recognition.decision import (
    OUT_OF_DISTRIBUTION_TERMS,
    DecisionRule,
    confidence,
    out_of_distribution,
    out_of_distribution_output,
    out_of_distribution_terms,
    weigh,
)
from ..recognition.inference import Inference
from ..recognition.preprocessing import is_blank
from ..recognition.slices import central_slice
from .negatives.families import TEST_FAMILIES, Stack, negatives_of
from .predictions import Predictions, slice_log_probabilities
from .statistics import clopper_pearson


def volumes_out_of_distribution(predictions: Predictions, rule: DecisionRule) -> NDArray[np.float64]:
    """(cases,) the probability that each volume is no short-axis stack."""
    return out_of_distribution_of([predictions.logits[rows] for rows in _rows(predictions)], rule)


def central_slices(predictions: Predictions) -> list[NDArray[np.float32]]:
    """The logits (1, copies, outputs) of the central slice of each case."""
    return [predictions.logits[rows[[central_slice(len(rows))]]] for rows in _rows(predictions)]


def out_of_distribution_of(volumes: Iterable[NDArray[np.floating]], rule: DecisionRule) -> NDArray[np.float64]:
    """The probability that each volume (slices, copies, outputs) is no short-axis image."""
    found = []
    for logits in volumes:
        evidence = weigh(slice_log_probabilities(logits, rule.temperature))
        found.append(out_of_distribution(out_of_distribution_output(logits), evidence, rule))
    return np.array(found)


@dataclass(frozen=True)
class OutOfDistributionTerms:
    """What the rule looks at in N volumes: (N, 3) each, averaged over the copies and in one pass."""

    averaged: NDArray[np.float64]
    single: NDArray[np.float64]

    @classmethod
    def of(cls, volumes: Iterable[NDArray[np.floating]], rule: DecisionRule, seed: int = 0) -> OutOfDistributionTerms:
        """The terms of volumes (slices, 8 or 16 copies, 9); the one pass is of a random stored class."""
        random = np.random.default_rng(seed)
        averaged, single = [], []
        for logits in volumes:
            copies = slice_log_probabilities(logits, rule.temperature)
            stored = int(random.integers(8))
            one = slice(stored, stored + 1)
            averaged.append(out_of_distribution_terms(out_of_distribution_output(logits), weigh(copies))[1:])
            single.append(
                out_of_distribution_terms(out_of_distribution_output(logits[:, one]), weigh(copies[:, one]))[1:]
            )
        return cls(np.array(averaged), np.array(single))

    def where(self, kept: NDArray[np.bool_]) -> OutOfDistributionTerms:
        """Those of some volumes."""
        return OutOfDistributionTerms(self.averaged[kept], self.single[kept])


def fit_out_of_distribution(
    real: OutOfDistributionTerms, others: OutOfDistributionTerms, rule: DecisionRule
) -> DecisionRule:
    """The rule with the weights that tell real volumes from other pictures, both not trained on.

    Both kinds weigh the same, so that a probability over 0.5 says "rather something else".
    """
    from sklearn.linear_model import LogisticRegression

    weights = []
    for ours, theirs in ((real.averaged, others.averaged), (real.single, others.single)):
        truth = np.arange(len(ours) + len(theirs)) >= len(ours)
        model = LogisticRegression(class_weight="balanced", max_iter=1000).fit(np.concatenate([ours, theirs]), truth)
        values = [float(model.intercept_[0]), *map(float, model.coef_[0])]
        weights.append({term: round(value, 4) for term, value in zip(OUT_OF_DISTRIBUTION_TERMS, values, strict=True)})
    return replace(
        rule, max_not_short_axis=0.5, out_of_distribution_averaged=weights[0], out_of_distribution_single=weights[1]
    )


def _rows(predictions: Predictions) -> list[NDArray[np.int_]]:
    """The slices of each case; none of the cases is without one."""
    return [np.flatnonzero(predictions.case == index) for index in range(len(predictions.cases))]


def other_pictures(
    inference: Inference, stacks: Sequence[Stack], count: int = 1500, seed: int = 1
) -> tuple[list[str], NDArray[np.bool_], NDArray[np.float32]]:
    """Show a network pictures of the test families.

    Parameters
    ----------
    stacks:
        Stacks of people that it was not trained on, to cut from.

    Returns
    -------
    (N,) family names, (N,) whether a picture is blank (refused before any network sees it), and
    (N, 8 or 16, outputs) logits.
    """
    drawn = list(negatives_of(list(TEST_FAMILIES.values()), count, seed, stacks))
    return (
        [family for family, _ in drawn],
        np.array([is_blank(picture) for _, picture in drawn]),
        np.concatenate([inference([picture]) for _, picture in drawn]),
    )


def rejection(
    families: Sequence[str], blank: NDArray[np.bool_], logits: NDArray[np.floating], rule: DecisionRule
) -> dict[str, dict[str, Any]]:
    """For each family and ``all``: pictures, how many are rejected, uncertain, and acted on.

    ``rejected`` counts blank pictures and those whose ``not_short_axis`` passes the limit;
    ``uncertain`` those of the rest whose confidence is too low; ``interval`` is that of the share
    rejected (exact, 95 %).
    """
    not_short = blank | (out_of_distribution_of(logits[:, None], rule) > rule.max_not_short_axis)
    copies = slice_log_probabilities(logits, rule.temperature)
    unsure = np.array([confidence(weigh(one[None]), rule) < rule.min_confidence for one in copies])
    names = np.array(families)
    result = {}
    for name in [*sorted(set(families)), "all"]:
        inside = names == name if name != "all" else np.ones(len(names), bool)
        count, rejected = int(inside.sum()), int((inside & not_short).sum())
        uncertain = int((inside & ~not_short & unsure).sum())
        result[name] = {
            "pictures": count,
            "rejected": rejected,
            "uncertain": uncertain,
            "acted_on": count - rejected - uncertain,
            "interval": [round(end, 5) for end in clopper_pearson(rejected, count)],
        }
    return result
