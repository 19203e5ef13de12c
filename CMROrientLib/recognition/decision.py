"""How far an answer can be trusted: from the network's outputs to a confidence and a decision.

A model's card holds the parameters under ``decision``; they are fitted on data that training has
not seen (``training.evaluation.calibrate``). The same functions serve recognition and calibration.

The confidence is a logistic function of four things that can be seen without knowing the truth::

    margin      mean log-probability of the best class minus that of the second, over the slices
    votes       share of the slices whose most probable class is the best one
    agreement   share of all turned copies of all slices that name the best one
    slices      how many slices were looked at

``log(1 + margin)`` and ``log(slices)`` enter, so that ten slices that agree weigh more than one,
and one slice alone does not get the confidence of a stack.

Whether it is a short-axis image at all is another logistic function: of the network's
out-of-distribution output (the ninth, behind the eight classes), and again of margin and agreement,
because about anything else the turned copies disagree::

    ninth       log-odds of the out-of-distribution output, median over the slices
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..order_statistics import median
from ..orientation import Orientation
from .measures import SLICE_ORDER_TERMS
from .typed_json import in_json, read_object, write_object

#: The order of the logistic function's terms in a card.
TERMS = ("intercept", "margin", "votes", "agreement", "slices")
#: The same for the function that tells short-axis images from others.
OUT_OF_DISTRIBUTION_TERMS = ("intercept", "ninth", "margin", "agreement")

#: The limits of a model that nobody has calibrated.
DEFAULT_MIN_CONFIDENCE = 0.9
DEFAULT_MAX_NOT_SHORT_AXIS = 0.5
DEFAULT_MIN_SLICE_ORDER = 0.98

#: Permutations that carry the classes of a turned copy back: row g, column k is g.after(k).
_BACK = np.array([[g.after(k) for k in Orientation] for g in Orientation])


@dataclass(frozen=True)
class EarlyLook:
    """When an answer that rests on an early look (``inference``) is acted on; else more is looked at.

    Parameters
    ----------
    confidence:
        Weights of ``TERMS`` for it.
    min_confidence, max_not_short_axis:
        The limits. Whether it is a short axis is weighed as for averaged answers.
    min_slice_order:
        The least probability from which an order of slices is named; the usual one where None. Where no order
        is named, more is looked at.
    """

    confidence: Mapping[str, float]
    min_confidence: float
    max_not_short_axis: float
    min_slice_order: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError on what cannot be a rule, with the card's key."""
        _check_limit("min_confidence", self.min_confidence)
        _check_limit("max_not_short_axis", self.max_not_short_axis)
        _check_limit("min_slice_order", self.min_slice_order or 0.0)
        _check_weights("confidence", self.confidence, TERMS)


@dataclass(frozen=True)
class DecisionRule:
    """The ``decision`` section of a card.

    Parameters
    ----------
    temperature:
        Logits are divided by it.
    min_confidence:
        Below it an answer is ``uncertain``.
    max_not_short_axis:
        A volume whose ``not_short_axis`` is above it is decided to be that, unless its header's plane makes that
        doubtful (``header_plane``).
    max_not_short_axis_alone:
        One slice (or one that beats) is not acted on above this either, but ``uncertain``: other views come
        as single slices, and nothing beside them tells. None where nobody fitted it.
    averaged, single:
        Weights of ``TERMS`` for answers averaged over the eight turned copies and for single
        passes; None where nobody calibrated them, and the confidence is then the softmax of the
        mean log-probabilities.
    out_of_distribution_averaged, out_of_distribution_single:
        Weights of ``OUT_OF_DISTRIBUTION_TERMS`` for the two; None where nobody fitted them, and the
        out-of-distribution output then stands for itself.
    slice_order, min_slice_order:
        Weights of ``measures.SLICE_ORDER_TERMS``, and the least probability from which an order is named;
        None for networks that cannot tell, and for the usual one.
    min_slice_order_together:
        The same for the levels of several images on one grid, never laxer: those of one heart err together, and
        count as if they did not. None where nobody chose one.
    early:
        For the first early look and, where there is one, the second; None where nobody fitted them, and all
        that can be looked at is looked at.
    """

    temperature: float = 1.0
    min_confidence: float = DEFAULT_MIN_CONFIDENCE
    max_not_short_axis: float = DEFAULT_MAX_NOT_SHORT_AXIS
    averaged: Mapping[str, float] | None = None
    single: Mapping[str, float] | None = None
    out_of_distribution_averaged: Mapping[str, float] | None = field(
        default=None, metadata=in_json("outsider_averaged")
    )
    out_of_distribution_single: Mapping[str, float] | None = field(default=None, metadata=in_json("outsider_single"))
    slice_order: Mapping[str, float] | None = None
    min_slice_order: float | None = None
    max_not_short_axis_alone: float | None = None
    early: tuple[EarlyLook, ...] | None = None
    min_slice_order_together: float | None = None

    def __post_init__(self) -> None:
        """Raise ValueError on what cannot be a rule, with the card's key."""
        if self.temperature <= 0:
            raise ValueError(f"temperature is {self.temperature:g}, not above 0")
        for key, limit in (
            ("min_confidence", self.min_confidence),
            ("max_not_short_axis", self.max_not_short_axis),
            ("min_slice_order", self.least_slice_order),
            ("min_slice_order_together", self.min_slice_order_together or 0.0),
            ("max_not_short_axis_alone", self.most_alone),
        ):
            _check_limit(key, limit)
        for key, weights, terms in (
            ("averaged", self.averaged, TERMS),
            ("single", self.single, TERMS),
            ("outsider_averaged", self.out_of_distribution_averaged, OUT_OF_DISTRIBUTION_TERMS),
            ("outsider_single", self.out_of_distribution_single, OUT_OF_DISTRIBUTION_TERMS),
            ("slice_order", self.slice_order, SLICE_ORDER_TERMS),
        ):
            if weights is not None:
                _check_weights(key, weights, terms)

    @property
    def most_alone(self) -> float:
        """The largest ``not_short_axis`` of one slice that is acted on."""
        return self.max_not_short_axis if self.max_not_short_axis_alone is None else self.max_not_short_axis_alone

    @property
    def least_slice_order(self) -> float:
        """The probability from which an order of slices is named."""
        return DEFAULT_MIN_SLICE_ORDER if self.min_slice_order is None else self.min_slice_order

    @property
    def least_slice_order_together(self) -> float:
        """The same for the levels of several images on one grid."""
        return max(self.least_slice_order, self.min_slice_order_together or 0.0)

    @classmethod
    def from_card(cls, decision: Mapping[str, object] | None) -> DecisionRule:
        """The rule of a card's ``decision`` section; defaults for what it does not say.

        Raises ValueError with the key that is wrong.
        """
        return read_object(cls, decision or {}, "decision")

    def early_look(self, look: int) -> EarlyLook:
        """That of a look, 1 or 2. Raises ValueError where nobody fitted it."""
        if self.early is None or not 1 <= look <= len(self.early):
            raise ValueError(f"there is no rule for look {look}")
        return self.early[look - 1]

    def at(self, look: int) -> DecisionRule:
        """The rule with the limits of an early look, which are never laxer; the rule itself for look 0."""
        if not look:
            return self
        early = self.early_look(look)
        return replace(
            self,
            min_confidence=max(self.min_confidence, early.min_confidence),
            max_not_short_axis=min(self.max_not_short_axis, early.max_not_short_axis),
            min_slice_order=max(self.least_slice_order, early.min_slice_order or 0.0),
        )

    def to_card(self) -> dict[str, object]:
        """The ``decision`` section."""
        return write_object(self)


def _check_limit(key: str, limit: float) -> None:
    if not 0 <= limit <= 1:
        raise ValueError(f"{key} is {limit:g}, not from 0 to 1")


def _check_weights(key: str, weights: Mapping[str, float], terms: tuple[str, ...]) -> None:
    missing = [term for term in terms if term not in weights]
    if missing:
        raise ValueError(f"{key} lacks {', '.join(missing)}")


@dataclass(frozen=True)
class Evidence:
    """What the answer for a volume rests on.

    Parameters
    ----------
    orientation:
        The class with the highest mean log-probability.
    mean_log_probabilities:
        (8,) over slices and turned copies.
    margin, votes, agreement, slices:
        See the module's text.
    copies:
        Turned copies of each slice: 8, 16 with a crop round the heart, or 1 for single passes.
    look:
        1 or 2 for an early look (``inference``), else 0.
    """

    orientation: Orientation
    mean_log_probabilities: NDArray[np.float64]
    margin: float
    votes: float
    agreement: float
    slices: int
    copies: int
    look: int = 0

    @property
    def terms(self) -> NDArray[np.float64]:
        """(5,) what the weights of ``TERMS`` multiply."""
        return np.array([1.0, np.log1p(self.margin), self.votes, self.agreement, np.log(self.slices)])


def log_probabilities(logits: NDArray[np.floating], temperature: float = 1.0) -> NDArray[np.float64]:
    """(..., 8) log-probabilities of the eight classes, given that the slice is a short-axis one.

    Parameters
    ----------
    logits:
        (..., 8) or (..., 9); an out-of-distribution output is left out before normalizing.
    """
    eight = np.asarray(logits, np.float64)[..., :8] / temperature
    eight = eight - eight.max(-1, keepdims=True)
    return np.asarray(eight - np.log(np.exp(eight).sum(-1, keepdims=True)))


def out_of_distribution_outputs(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """(...) probability of the out-of-distribution output against the eight classes; zeros where there is none."""
    outputs = np.asarray(logits, np.float64)
    if outputs.shape[-1] < 9:
        return np.zeros(outputs.shape[:-1])
    outputs = np.exp(outputs - outputs.max(-1, keepdims=True))
    return np.asarray(outputs[..., 8] / outputs.sum(-1))


def out_of_distribution_output(logits: NDArray[np.floating]) -> float:
    """Probability of the out-of-distribution output for a volume: 0 to 1; 0 for networks that have none.

    The median over the slices, because the ends of true stacks show great vessels or the abdomen
    only and may look like something else.

    Parameters
    ----------
    logits:
        (S, G, outputs) of S ≥ 1 slices in G turned copies.
    """
    return median(out_of_distribution_outputs(logits).mean(1))


def carried_back(turned: NDArray[np.floating], turns: NDArray[np.int_] | None = None) -> NDArray[np.floating]:
    """Give the classes of turned copies their meaning for the slice itself.

    Parameters
    ----------
    turned:
        (..., 8 or 16 copies, 8 classes): entry [g, j] is class j of the copy turned by g % 8. Class k
        of the slice is class ``g.after(k)`` of that copy.
    turns:
        (..., copies) the classes that turned the copies, where they are others.
    """
    if turns is not None:
        return np.take_along_axis(turned, _BACK[turns], axis=-1)
    back = np.tile(_BACK, (turned.shape[-2] // len(_BACK), 1))
    return np.take_along_axis(turned, back.reshape((1,) * (turned.ndim - 2) + back.shape), axis=-1)


def weigh(copies: NDArray[np.floating], look: int = 0) -> Evidence:
    """Put the slices of a volume together.

    Parameters
    ----------
    copies:
        (S, G, 8) log-probabilities of S ≥ 1 slices in G copies, classes carried back.
    look:
        1 or 2 for those of an early look.
    """
    slices = copies.mean(1)
    mean = slices.mean(0)
    best = int(mean.argmax())
    second = np.delete(mean, best).max()
    return Evidence(
        orientation=Orientation(best),
        mean_log_probabilities=np.asarray(mean, np.float64),
        margin=float(mean[best] - second),
        votes=float((slices.argmax(-1) == best).mean()),
        agreement=float((copies.argmax(-1) == best).mean()),
        slices=len(copies),
        copies=copies.shape[1],
        look=look,
    )


def confidence(evidence: Evidence, rule: DecisionRule) -> float:
    """The probability that the orientation is right, 0 to 1."""
    if evidence.look:
        weights: Mapping[str, float] | None = rule.early_look(evidence.look).confidence
    else:
        weights = rule.averaged if evidence.copies > 1 else rule.single
    if weights is None:
        return float(np.exp(log_probabilities(evidence.mean_log_probabilities)[evidence.orientation]))
    return _logistic(evidence.terms, [weights[term] for term in TERMS])


def out_of_distribution(output: float, evidence: Evidence, rule: DecisionRule) -> float:
    """The probability that a volume is no short-axis image, 0 to 1.

    Parameters
    ----------
    output:
        What ``out_of_distribution_output`` gave for it; 0 for networks that cannot tell, and 0 it stays.
    evidence:
        Of the same logits.
    """
    averaged = evidence.copies > 1 or evidence.look > 0
    weights = rule.out_of_distribution_averaged if averaged else rule.out_of_distribution_single
    if weights is None or output == 0:
        return output
    return _logistic(out_of_distribution_terms(output, evidence), [weights[term] for term in OUT_OF_DISTRIBUTION_TERMS])


def out_of_distribution_terms(output: float, evidence: Evidence) -> NDArray[np.float64]:
    """(4,) what the weights of ``OUT_OF_DISTRIBUTION_TERMS`` multiply."""
    odds = np.log(np.clip(output, 1e-6, 1 - 1e-6) / np.clip(1 - output, 1e-6, 1 - 1e-6))
    return np.array([1.0, odds, np.log1p(evidence.margin), evidence.agreement])


def _logistic(terms: NDArray[np.float64], weights: list[float]) -> float:
    return float(1 / (1 + np.exp(-np.clip(terms @ np.array(weights), -30, 30))))
