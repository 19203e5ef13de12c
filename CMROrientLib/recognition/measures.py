"""What a network measures in slices, put together for a volume: the order of the slices, and the ventricles' angle.

The level of a slice between apex (0) and base (1) does not change when the slice is turned; the
direction from the right to the left ventricle turns with it. So levels are averaged over the turned
copies, directions are turned back first.

Which end of a stack comes first is told by the levels of all its slices. How sure that is, is a
logistic function of three things, fitted on stacks of sources that the network had not seen::

    rise         how much the level changes from the first slice to the last along the best line
    correlation  of the levels' ranks with the slices' numbers
    slices       logarithm of how many slices there are
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..order_statistics import distinct, median
from ..orientation import Orientation
from ..slice_order import FoundOrder

#: The order of the logistic function's terms in a card.
SLICE_ORDER_TERMS = ("intercept", "rise", "correlation", "slices")
#: Below so many slices no order is named.
LEAST_SLICES = 3
#: Centre of class 0 (degrees, positive = downwards) and half its width.
CENTRE, HALF_WIDTH = -23.0, 45.0

#: Matrices that turn directions and offsets (row, column) in the copy of each class back.
TURNED_BACK = np.array([g.inverse.matrix for g in Orientation], np.float64)


@dataclass(frozen=True)
class SliceOrderEvidence:
    """What an order rests on.

    Parameters
    ----------
    base_first:
        Whether the levels fall.
    rise, correlation:
        See the module's text; not negative.
    slices:
        Places of slices.
    """

    base_first: bool
    rise: float
    correlation: float
    slices: int

    @property
    def terms(self) -> NDArray[np.float64]:
        """(4,) what the weights of ``SLICE_ORDER_TERMS`` multiply."""
        return np.array([1.0, self.rise, self.correlation, np.log(self.slices)])


def weigh_levels(measures: NDArray[np.floating], slice_numbers: NDArray[np.int_]) -> SliceOrderEvidence | None:
    """What the levels of a volume's slices say about their order; None below three places.

    Parameters
    ----------
    measures:
        (S, G, 3) see ``inference.Answers``.
    slice_numbers:
        (S,) place of each slice in the stack; the phases of a cine share theirs.
    """
    return weigh_together([(measures, slice_numbers)])


def weigh_together(
    shown: Sequence[tuple[NDArray[np.floating], NDArray[np.int_]]],
) -> SliceOrderEvidence | None:
    """The same of volumes on one grid, each with its measures and slice numbers.

    Sequences show one heart at one place with different contrast: the level of a place is the mean of theirs.
    """
    found: dict[int, list[float]] = {}
    for measures, slice_numbers in shown:
        of_slices = np.asarray(measures[..., 0], np.float64).mean(axis=1)
        for place in distinct(slice_numbers):
            found.setdefault(int(place), []).append(median(of_slices[slice_numbers == place]))
    if len(found) < LEAST_SLICES:
        return None
    places = np.array(sorted(found))
    levels = np.array([np.mean(found[place]) for place in sorted(found)])
    centred = places - places.mean()
    slope = float(centred @ levels / (centred @ centred))
    # Equal levels share their rank: slices that show one thing again tell no order.
    above = levels[:, np.newaxis] - levels
    ranks = np.sign(above).sum(axis=1) / 2
    order = np.arange(len(places)) - (len(places) - 1) / 2
    correlation = float(ranks @ order / (order @ order))
    rise = slope * float(places[-1] - places[0])
    # Both have to say the same.
    agreed = correlation if rise >= 0 else -correlation
    return SliceOrderEvidence(rise < 0, abs(rise), max(agreed, 0.0), len(places))


def slice_order(
    evidence: SliceOrderEvidence | None, weights: Mapping[str, float] | None, least: float
) -> tuple[FoundOrder, float]:
    """The order of a stack, and the probability that it is right.

    Parameters
    ----------
    weights:
        Of ``SLICE_ORDER_TERMS``; without them no order is named.
    least:
        Below this probability the order is unknown.
    """
    if evidence is None or weights is None:
        return "unknown", 0.0
    score = float(evidence.terms @ np.array([weights[term] for term in SLICE_ORDER_TERMS]))
    sure = float(1 / (1 + np.exp(-np.clip(score, -30, 30))))
    if sure < least:
        return "unknown", sure
    return "base_first" if evidence.base_first else "apex_first", sure


def angle_of(measures: NDArray[np.floating], orientation: Orientation, turns: NDArray[np.int_] | None = None) -> float:
    """Degrees of the line from right to left ventricle from the centre of its class, −45 to 45, positive = clockwise.

    Parameters
    ----------
    measures:
        (S, G, 3) see ``inference.Answers``; of a slice as it is, or of its 8 or 16 copies.
    orientation:
        How the volume is stored: the angle is that of the standard orientation.
    turns:
        (S, G) the classes that turned the copies, where they are others.
    """
    directions = np.asarray(measures[..., [2, 1]], np.float64)
    copies = directions.shape[1]
    if turns is None:
        in_order = [Orientation(g % len(Orientation)) for g in range(copies)] if copies > 1 else [Orientation.IDENTITY]
        back: NDArray[np.float64] = np.stack(
            [directions[:, g] @ turn.inverse.matrix.T for g, turn in enumerate(in_order)], axis=1
        )
    else:
        back = (TURNED_BACK[turns] @ directions[..., np.newaxis])[..., 0]
    row, column = orientation.inverse.matrix @ back.sum(axis=(0, 1))
    off = (np.degrees(np.arctan2(row, column)) - CENTRE + 180) % 360 - 180
    return float(np.clip(off, -HALF_WIDTH, HALF_WIDTH))


def margin_of(angle: float) -> float:
    """Degrees from an angle to the nearer border of its class."""
    return HALF_WIDTH - abs(angle)


def beyond_the_border(orientation: Orientation, angle: float) -> Orientation:
    """The class on the other side of the nearer border: how the volume would be stored if its heart lay further round.

    Parameters
    ----------
    angle:
        See ``angle_of``.
    """
    return orientation.after(Orientation.ROTATE_90 if angle > 0 else Orientation.ROTATE_270)
