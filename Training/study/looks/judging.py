"""What a rule makes of stacks that a network saw: at each look, and where looking ends as ``Recognizer`` ends it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from CMROrientLib.recognition.decision import (
    DecisionRule,
    Evidence,
    carried_back,
    confidence,
    log_probabilities,
    out_of_distribution,
    out_of_distribution_output,
    weigh,
)
from CMROrientLib.recognition.inference import Answers
from CMROrientLib.recognition.measures import SliceOrderEvidence, slice_order, weigh_levels
from CMROrientLib.recognition.recognizer import LEAST_PLACES
from CMROrientLib.slice_order import FoundOrder

from .seen import LOOKS, SeenStack

#: Slices in the parts of stacks that are drawn; 0 stands for the whole stack.
PART_SIZES = (3, 5, 0)


@dataclass(frozen=True, eq=False)
class Look:
    """What one look at a stack says, before any limit.

    Parameters
    ----------
    stack:
        What was seen.
    number:
        1 or 2, or 0 for all copies.
    evidence:
        Of the class.
    ninth:
        What ``out_of_distribution_output`` says.
    levels:
        Of the order of the slices.
    """

    stack: SeenStack
    number: int
    evidence: Evidence
    ninth: float
    levels: SliceOrderEvidence | None

    @classmethod
    def of(cls, stack: SeenStack, number: int, temperature: float) -> Look:
        """At a stack."""
        answers = stack.answers(number)
        levels = None if answers.measures is None else weigh_levels(answers.measures, stack.numbers)
        ninth = out_of_distribution_output(answers.logits)
        return cls(stack, number, evidence_of(answers, temperature), ninth, levels)

    @property
    def right(self) -> bool:
        """Whether it names the class."""
        return self.evidence.orientation == self.stack.truth

    def other(self, rule: DecisionRule) -> float:
        """The probability that it is no short axis."""
        return out_of_distribution(self.ninth, self.evidence, rule)

    def acts(self, rule: DecisionRule) -> bool:
        """Whether it is acted on; where it is an early look, as the rule has it for that."""
        limits = rule.at(self.number)
        sure = confidence(self.evidence, rule) >= limits.min_confidence
        return sure and self.other(rule) <= limits.max_not_short_axis

    def order(self, rule: DecisionRule) -> FoundOrder:
        """The order of the slices that is named."""
        limits = rule.at(self.number)
        return slice_order(self.levels, rule.slice_order, limits.least_slice_order)[0]


def evidence_of(answers: Answers, temperature: float) -> Evidence:
    """What an answer rests on."""
    single = log_probabilities(answers.logits, temperature)
    return weigh(carried_back(single, None if answers.copies is None else answers.turns), answers.look)


@dataclass(frozen=True, eq=False)
class Looks:
    """All looks at a stack: the early ones, and that at all copies."""

    early: tuple[Look, ...]
    full: Look

    @classmethod
    def at(cls, stack: SeenStack, temperature: float) -> Looks:
        """A stack."""
        early = tuple(Look.of(stack, number, temperature) for number in LOOKS)
        return cls(early, Look.of(stack, 0, temperature))

    @property
    def stack(self) -> SeenStack:
        """What was looked at."""
        return self.full.stack

    def agrees(self, look: Look, rule: DecisionRule) -> bool:
        """Whether all copies lead to acting on the same class."""
        return self.full.acts(rule) and self.full.evidence.orientation == look.evidence.orientation

    def end(self, rule: DecisionRule) -> tuple[Look, int]:
        """Where looking ends, and how many inputs that took."""
        slices = len(self.stack.numbers)
        inputs = 0
        if rule.early and len(np.unique(self.stack.numbers)) >= LEAST_PLACES:
            for look in self.early:
                inputs = look.number * slices
                tells_order = look.levels is not None and rule.slice_order is not None
                if look.acts(rule) and not (tells_order and look.order(rule) == "unknown"):
                    return look, inputs
        return self.full, inputs + self.stack.full.inputs


def looks_at(
    stacks: Sequence[SeenStack], temperature: float, sizes: Sequence[int] = (0,), seed: int = 0
) -> list[Looks]:
    """Looks at stacks, or at random parts of them; a size that a stack does not have is left out for it."""
    return [Looks.at(part, temperature) for part in parts_of(stacks, sizes, seed)]


def parts_of(stacks: Sequence[SeenStack], sizes: Sequence[int], seed: int = 0) -> Iterator[SeenStack]:
    """Random parts of stacks, their slices in order."""
    random = np.random.default_rng(seed)
    for stack in stacks:
        count = len(stack.numbers)
        for size in sizes:
            if not size:
                yield stack
            elif size < count:
                yield stack.part(np.sort(random.choice(count, size, replace=False)))
