"""What is no short-axis image: how a rule judges volumes, and how it is fitted on real ones and other pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ...recognition.decision import (
    OUT_OF_DISTRIBUTION_TERMS,
    DecisionRule,
    out_of_distribution,
    out_of_distribution_output,
    out_of_distribution_terms,
    weigh,
)
from .predictions import Predictions, slice_log_probabilities


def volumes_out_of_distribution(predictions: Predictions, rule: DecisionRule) -> NDArray[np.float64]:
    """(cases,) the probability that each volume is no short-axis stack."""
    return out_of_distribution_of(predictions.by_volume(), rule)


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
