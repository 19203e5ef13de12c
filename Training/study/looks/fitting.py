"""The rule that ends early looks, from networks that are judged on what they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from CMROrientLib.recognition.decision import DecisionRule, EarlyLook, confidence
from CMROrientLib.recognition.measures import slice_order
from CMROrientLib.training.evaluation.calibrate import Answers, fit_weights

from .judging import PART_SIZES, Look, Looks, looks_at
from .seen import LOOKS, SeenStack
from .stacks import OTHER, VOLUME

#: Limits that are tried, laxest first.
CONFIDENCES = (0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)
NOT_SHORT_AXIS = (0.4, 0.3, 0.2, 0.15, 0.1, 0.05, 0.02)
ORDERS = (0.9, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995, 0.998, 0.999)
#: No answer that is this many times less sure than a limit asks may contradict all copies either.
RESERVE = 2.0
#: Wrong answers that weights are fitted to at least.
LEAST_WRONG = 20


def fitted(stacks: Sequence[SeenStack], rule: DecisionRule) -> DecisionRule:
    """A rule with that of early looks, which is fitted on stacks, parts of them, changed ones and other pictures."""
    looks = looks_at(stacks, rule.temperature, PART_SIZES)
    early = []
    for index in range(len(LOOKS)):
        seen = [one for one in looks if one.stack.counts and one.stack.truth is not None]
        answers = answers_of([one.early[index] for one in seen])
        # Too few errors teach nothing; what averaged answers are worth is nearer then.
        known = rule.averaged is not None and (~answers.right).sum() < LEAST_WRONG
        weights = dict(rule.averaged or {}) if known else fit_weights(answers)
        early.append(EarlyLook(weights, CONFIDENCES[0], NOT_SHORT_AXIS[0]))
    weighted = replace(rule, early=tuple(early))
    whole = looks_at(stacks, rule.temperature)
    limited = [
        replace(_limited(looks, index, weighted), min_slice_order=_least_order(whole, index, weighted))
        for index in range(len(LOOKS))
    ]
    return replace(rule, early=tuple(limited))


def answers_of(looks: Sequence[Look]) -> Answers:
    """As ``calibrate`` has them."""
    right = np.array([look.right for look in looks], bool)
    return Answers([look.evidence for look in looks], right, [look.stack.subject for look in looks])


def _limited(looks: Sequence[Looks], index: int, rule: DecisionRule) -> EarlyLook:
    """The limits with which most is told early, and nothing that all copies contradict."""
    early = rule.early_look(index + 1)
    sure = np.array([confidence(one.early[index].evidence, rule) for one in looks])
    other = np.array([one.early[index].other(rule) for one in looks])
    agrees = np.array([one.agrees(one.early[index], rule) for one in looks], bool)
    heart = np.array([not one.stack.kind.startswith(OTHER) for one in looks], bool)
    best: tuple[int, float, float] | None = None
    for least, most in product(CONFIDENCES, NOT_SHORT_AXIS):
        told = (sure >= 1 - RESERVE * (1 - least)) & (other <= RESERVE * most)
        if (told & ~agrees).any():
            continue
        count = int((heart & (sure >= least) & (other <= most)).sum())
        if best is None or count > best[0]:
            best = count, least, most
    # Limits that nothing meets where there are none that hold.
    _, least, most = best or (0, 1.0, 0.0)
    return replace(early, min_confidence=least, max_not_short_axis=most)


def _least_order(looks: Sequence[Looks], index: int, rule: DecisionRule) -> float | None:
    """The lowest limit from which no whole stack is given another order than all copies give it, or the true one."""
    stacks = [one for one in looks if one.stack.kind == VOLUME and one.full.levels is not None]
    if rule.slice_order is None or not stacks:
        return None
    odds = []
    for one in stacks:
        order, sure = slice_order(one.early[index].levels, rule.slice_order, 0.0)
        full = one.full.order(rule)
        # Where all copies name none, the truth tells.
        expected = _order_of(one) if full == "unknown" else full
        if expected is not None and order not in (expected, "unknown"):
            odds.append(sure)
    for least in ORDERS:
        if least >= rule.least_slice_order and not (np.array(odds) >= least).any():
            return least
    return 1.0


def _order_of(looks: Looks) -> str | None:
    first = looks.stack.base_first
    return None if first is None else ("base_first" if first else "apex_first")
