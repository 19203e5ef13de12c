"""The decision rule from networks that are judged on what they were not trained on.

No source is judged by a rule that was fitted on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.slices import central_slice
from CMROrientLib.training.evaluation.calibrate import answers, choose_min_confidence, fit_rule
from CMROrientLib.training.evaluation.out_of_distribution import OutOfDistributionTerms, fit_out_of_distribution
from CMROrientLib.training.evaluation.predictions import Predictions
from CMROrientLib.training.evaluation.slice_orders import (
    PARTS,
    OrderAnswers,
    choose_min_slice_order,
    fit_slice_order,
    order_answers,
    whole_stacks,
)

from .measured import Measured

#: Least probability of an order that several images on one grid tell together: as of the class that is acted on.
ON_ONE_GRID = 0.95


def fitted(measured: Sequence[Measured]) -> DecisionRule:
    """The rule from all of these.

    The weights come from changed and unchanged slices, the limit of the confidence from unchanged
    ones, what is no short axis from real volumes, changed slices and other pictures.
    """
    together = reduce(Predictions.joined, [one.predictions for one in measured])
    alone = reduce(Predictions.joined, [one.alone for one in measured])
    rule = fit_rule(together, [found for one in measured for found in one.harder], alone=alone)
    stacks = answers(together, rule, sizes=(0,))
    plain = stacks + answers(together, rule, sizes=(2, 3, 5)) + answers(alone, rule, sizes=(1,))
    whole = np.arange(len(plain.right)) < len(stacks.right)
    rule = replace(rule, min_confidence=choose_min_confidence(plain.confidences(rule), plain.right, whole))
    if together.logits.shape[-1] == len(Orientation):
        # Without an out-of-distribution output nothing is taken for no short axis.
        return rule
    rule = fit_out_of_distribution(real_terms(measured, rule), others_terms(measured, rule), rule)
    return with_slice_order(measured, rule)


def with_slice_order(measured: Sequence[Measured], rule: DecisionRule) -> DecisionRule:
    """The rule with the weights that tell how sure an order of slices is."""
    found = [order_answers(one.predictions, PARTS) for one in measured if one.predictions.measures is not None]
    if not found:
        return rule
    weights = fit_slice_order(reduce(OrderAnswers.__add__, found))
    stacks = reduce(OrderAnswers.__add__, [whole_stacks(one.predictions) for one in measured])
    return replace(
        rule,
        slice_order=weights,
        min_slice_order=choose_min_slice_order(stacks, weights),
        min_slice_order_together=ON_ONE_GRID,
    )


def cross_fitted(measured: Sequence[Measured]) -> dict[str, DecisionRule]:
    """For each source the rule that was fitted on the other sources."""
    return {one.name: fitted([other for other in measured if other is not one]) for one in measured}


def without_each_family(measured: Sequence[Measured], rule: DecisionRule) -> dict[str, DecisionRule]:
    """For each family of other pictures the rule that was fitted without it."""
    families = np.concatenate([shown.families[~shown.blank] for one in measured for shown in (one.others, one.views)])
    real, others = real_terms(measured, rule), others_terms(measured, rule)
    names = sorted({str(name) for one in measured for shown in (one.others, one.views) for name in shown.families})
    return {name: fit_out_of_distribution(real, others.where(families != name), rule) for name in names}


def real_terms(measured: Sequence[Measured], rule: DecisionRule) -> OutOfDistributionTerms:
    """Left-out volumes, their central slices alone, and changed slices.

    A source may be so easy that its unchanged slices teach nothing about the next.
    """
    volumes = [logits for one in measured for logits in one.predictions.by_volume()]
    volumes += [logits[[central_slice(len(logits))]] for one in measured for logits in one.alone.by_volume()]
    volumes += [logits[None] for one in measured for found in one.harder for logits in found.logits[::3]]
    return OutOfDistributionTerms.of(volumes, rule)


def others_terms(measured: Sequence[Measured], rule: DecisionRule) -> OutOfDistributionTerms:
    shown = (pictures for one in measured for pictures in (one.others, one.views))
    pictures = (picture[None] for some in shown for picture in some.logits[~some.blank])
    return OutOfDistributionTerms.of(pictures, rule)
