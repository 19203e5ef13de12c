"""What recognition finds out about a volume."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..orientation import HeaderState, Orientation

Decision = Literal["standard", "reoriented", "uncertain", "not_short_axis"]
DecidedBy = Literal["network", "user"]


@dataclass(frozen=True, eq=False)
class Recognition:
    """What was found out about a volume with S slices looked at.

    Parameters
    ----------
    orientation:
        The class with the highest mean log-probability over the slices.
    votes:
        (8,) for how many slices each class was the most probable one.
    slice_probabilities:
        (S, 8) probabilities of the classes.
    slice_indices:
        (S, 2) pairs (phase, slice) that the rows belong to.
    agreement:
        (S,) share of the turned copies that name the slice's class; 1 without averaging.
    confidence:
        0 to 1.
    decision:
        ``standard`` and ``reoriented`` are acted on, ``uncertain`` and ``not_short_axis`` not.
    header_orientation, header_state:
        What the header claims; the class is None unless the state is ``known``.
    conflict:
        Pixels and header tell different stories.
    mirrored:
        They differ by a reflection.
    not_short_axis:
        Probability that it is no short-axis image; 0 for models that cannot tell.
    decided_by:
        ``network``, or ``user`` where somebody overrode it.
    """

    orientation: Orientation
    votes: NDArray[np.int_]
    slice_probabilities: NDArray[np.float64]
    slice_indices: NDArray[np.int_]
    agreement: NDArray[np.float64]
    confidence: float
    decision: Decision
    header_orientation: Orientation | None
    header_state: HeaderState
    conflict: bool
    mirrored: bool
    not_short_axis: float = 0.0
    decided_by: DecidedBy = "network"

    @property
    def acted_on(self) -> bool:
        """Whether a run corrects this volume."""
        return self.decision in ("standard", "reoriented")
