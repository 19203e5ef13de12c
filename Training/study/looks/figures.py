"""``looks.json``: how much is looked at, what is told early, and how that agrees with all copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from CMROrientLib.recognition.decision import DecisionRule, EarlyLook, confidence

from ..left_out import Calibrated
from .fitting import fitted
from .judging import PART_SIZES, Look, Looks, looks_at
from .seen import LOOKS, SeenStack
from .stacks import HARDER, OTHER, VOLUME


@dataclass(frozen=True)
class LooksFigures:
    """Stacks by where looking ends; volumes are counted once for each of the eight classes that they are stored in.

    Parameters
    ----------
    stacks, people:
        How many there are.
    acted_on_in_full, wrong_in_full:
        Those that all copies lead to acting on, and wrong ones among these (border cases not counted).
    first, second:
        Those told at the first and at the second early look.
    otherwise:
        Those of them that all copies do not lead to acting on, or with another class.
    order_otherwise:
        Those of them whose slices are said to run the other way than all copies say.
    acted_on, wrong:
        Those acted on when looking ends where it is sure, and wrong ones among these.
    inputs, median_inputs:
        How many inputs the network is shown for one, mean and median.
    inputs_in_full:
        The mean where everything is looked at.
    """

    stacks: int
    people: int
    acted_on_in_full: int
    wrong_in_full: int
    first: int
    second: int
    otherwise: int
    order_otherwise: int
    acted_on: int
    wrong: int
    inputs: float
    median_inputs: float
    inputs_in_full: float

    @classmethod
    def of(cls, looks: Sequence[Looks], rule: DecisionRule) -> LooksFigures:
        """Count by a rule."""
        ends = [one.end(rule) for one in looks]
        inputs = np.array([count for _, count in ends])
        early = [(one, look) for one, (look, _) in zip(looks, ends, strict=True) if look.number]
        acted = [look for look, _ in ends if look.acts(rule)]
        acted_in_full = [one.full for one in looks if one.full.acts(rule)]
        return cls(
            stacks=len(looks),
            people=len({one.stack.subject for one in looks if one.stack.subject}),
            acted_on_in_full=len(acted_in_full),
            wrong_in_full=_wrong(acted_in_full),
            first=sum(look.number == 1 for _, look in early),
            second=sum(look.number == LOOKS[-1] for _, look in early),
            otherwise=sum(not one.agrees(look, rule) for one, look in early),
            order_otherwise=sum(_contradicts(look.order(rule), one.full.order(rule)) for one, look in early),
            acted_on=len(acted),
            wrong=_wrong(acted),
            inputs=round(float(inputs.mean()), 2),
            median_inputs=float(np.median(inputs)),
            inputs_in_full=round(float(np.mean([one.stack.full.inputs for one in looks])), 2),
        )


def _wrong(looks: Sequence[Look]) -> int:
    return sum(not look.right for look in looks if look.stack.counts)


def _contradicts(order: str, other: str) -> bool:
    return "unknown" not in (order, other) and order != other


@dataclass(frozen=True)
class LooksMetrics:
    """``looks.json``.

    Parameters
    ----------
    sources:
        Volumes of people that a network was not trained on, by a rule that was fitted on other people and networks.
    changed:
        The same, made harder.
    others:
        Stacks of what is no short axis.
    calibration:
        Confidences of what is told early, and of all answers of the first and of the second look about whole
        stacks, parts of them and changed ones, told or not.
    final:
        The rule that was fitted on all.
    """

    sources: Mapping[str, LooksFigures]
    changed: LooksFigures
    others: LooksFigures
    calibration: Mapping[str, Calibrated]
    final: tuple[EarlyLook, ...]


def assemble(sources: Mapping[str, Sequence[SeenStack]], rule: DecisionRule) -> LooksMetrics:
    """Judge each source by a rule that was fitted on the others and on other people, and fit the final one.

    Parameters
    ----------
    sources:
        What a network that was not trained on them saw.
    rule:
        The decision of the card; its rule of early looks is made anew.
    """
    rows: dict[str, LooksFigures] = {}
    changed: list[tuple[list[Looks], DecisionRule]] = []
    others: list[tuple[list[Looks], DecisionRule]] = []
    told: dict[str, list[tuple[float, bool]]] = {"told early": [], "first look": [], "second look": []}
    for name, stacks in sources.items():
        own = {stack.subject for stack in stacks if stack.subject}
        rest = [stack for other, some in sources.items() if other != name for stack in some if stack.subject not in own]
        fit = fitted(rest, rule)
        looks = looks_at([stack for stack in stacks if stack.kind == VOLUME], rule.temperature)
        rows[name] = LooksFigures.of(looks, fit)
        ends = [one.end(fit)[0] for one in looks if one.stack.counts]
        told["told early"] += _answers([look for look in ends if look.number], fit)
        hearts = [stack for stack in stacks if stack.counts and stack.truth is not None]
        parts = looks_at(hearts, rule.temperature, PART_SIZES, seed=7)
        for index, kind in enumerate(("first look", "second look")):
            told[kind] += _answers([one.early[index] for one in parts], fit)
        for start, kept in ((HARDER, changed), (OTHER, others)):
            some = [stack for stack in stacks if stack.kind.startswith(start)]
            kept.append((looks_at(some, rule.temperature), fit))
    final = fitted([stack for stacks in sources.values() for stack in stacks], rule)
    return LooksMetrics(
        rows,
        _summed([LooksFigures.of(*one) for one in changed]),
        _summed([LooksFigures.of(*one) for one in others]),
        {kind: _calibrated(answers) for kind, answers in told.items() if answers},
        final.early or (),
    )


def _answers(looks: Sequence[Look], rule: DecisionRule) -> list[tuple[float, bool]]:
    return [(confidence(look.evidence, rule), look.right) for look in looks]


def _calibrated(answers: Sequence[tuple[float, bool]]) -> Calibrated:
    confidences, right = (np.array(column) for column in zip(*answers, strict=True))
    return Calibrated.of(confidences, right.astype(bool))


def _summed(rows: Sequence[LooksFigures]) -> LooksFigures:
    """Several together; the median is the largest of theirs."""
    counted = {
        name: sum(getattr(row, name) for row in rows)
        for name in vars(rows[0])
        if name not in ("inputs", "median_inputs", "inputs_in_full")
    }
    stacks = counted["stacks"]
    means = {
        name: round(sum(getattr(row, name) * row.stacks for row in rows) / stacks, 2)
        for name in ("inputs", "inputs_in_full")
    }
    return LooksFigures(**counted, **means, median_inputs=max(row.median_inputs for row in rows))
