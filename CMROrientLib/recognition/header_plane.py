"""The plane that a header names, as evidence: it never changes a class, and may only add doubt.

Headers of published sets lie, and true short axes lie up to some 40° from the mean plane. So the
header is weighed: how far its plane is from the mean short axis changes the odds that an image is no
short axis, by the likelihoods of that angle for short axes (normal about the mean plane), for other
views (any plane) and for headers that say anything (a share of both)::

    odds that it is another view = odds by the pixels · L(angle)

A short-axis plane never makes an image acted on that would not be by its pixels. Where they look like
another view it adds doubt to that: they contradict each other, and the image is left to a person.

A header that names another plane (``other_plane``) asks for more: one slice is then not acted on
unless a person decides, and a stack only where its pixels are beyond doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..orientation import HeaderState, Orientation
from .result import View

#: Deviation of true short axes from the mean plane, in degrees (8 on average in MyoPS and MSCMR, up to 40 in M&Ms-2).
SPREAD = 14.0
#: Share of headers that say anything.
LYING = 0.05
#: Where the header names another plane: most probable "no short axis" and least confidence of what is acted on.
BEYOND_DOUBT = 0.02
SURE = 0.99
#: And so many places of slices at least.
LEAST_SLICES = 3


@dataclass(frozen=True)
class HeaderPlane:
    """What a header says about the plane.

    Parameters
    ----------
    state:
        What its directions are worth.
    cosine:
        Between its plane's normal and that of the mean short axis, 0 to 1; None where it says nothing.
    nearest:
        The class that its directions are nearest to, whatever the plane; None where it says nothing.
    """

    state: HeaderState
    cosine: float | None
    nearest: Orientation | None

    @property
    def likelihood(self) -> float:
        """How many times more probable its angle is for another view than for a short axis."""
        if self.cosine is None:
            return 1.0
        angle, spread = np.arccos(np.clip(self.cosine, 0, 1)), np.radians(SPREAD)
        # Densities of normals over the half sphere, that of any plane being 1.
        short_axis = float(np.exp(-(angle**2) / (2 * spread**2)) / spread**2)
        other = 1 - LYING + LYING * short_axis
        return other / ((1 - LYING) * short_axis + LYING)

    def joined(self, not_short_axis: float) -> float:
        """The probability that it is no short axis, by pixels and header."""
        odds = not_short_axis / max(1 - not_short_axis, 1e-9) * self.likelihood
        return odds / (1 + odds)

    def contradicts(self, not_short_axis: float, limit: float) -> bool:
        """Whether the plane makes it doubtful that an image is no short axis although its pixels look like that.

        Parameters
        ----------
        not_short_axis:
            By the pixels.
        limit:
            From which an image is taken for no short axis.
        """
        return self.joined(not_short_axis) <= limit < not_short_axis

    def forbids(
        self, not_short_axis: float | None, limit: float, confidence: float, slices: int, p: Orientation
    ) -> bool:
        """Whether an image that the pixels alone would be acted on has to be left to a person.

        Parameters
        ----------
        not_short_axis:
            By the pixels; None for models that cannot tell.
        limit:
            From which an image is taken for no short axis.
        confidence, slices, p:
            Of the class, places of slices that it rests on, and the class.
        """
        if self.state == "none":
            return False
        joined = None if not_short_axis is None else self.joined(not_short_axis)
        if self.state == "known":
            return joined is not None and joined > limit
        # A mirror that the header contradicts may be the other plane's doing: seen from behind.
        mirrored = self.nearest is None or p.after(self.nearest.inverse).mirrors
        doubtful = joined is None or joined > BEYOND_DOUBT
        return slices < LEAST_SLICES or confidence < SURE or doubtful or mirrored


def view_of(decision: str, not_short_axis: float | None, forbidden: bool) -> View:
    """What an image shows, as far as it can be told."""
    if decision == "not_short_axis":
        return "other"
    return "unknown" if not_short_axis is None or forbidden else "short_axis"
