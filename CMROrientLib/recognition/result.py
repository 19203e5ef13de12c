"""What recognition finds out about a volume."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..orientation import HeaderState, Orientation
from ..pictures import Preview
from ..slice_order import FoundOrder, SliceOrder
from .wording import words

Decision = Literal["standard", "reoriented", "uncertain", "not_short_axis"]
DecidedBy = Literal["network", "user"]
#: What an image shows: a short axis, something else, or what the model or the doubts leave open.
View = Literal["short_axis", "other", "unknown"]
#: How much is looked at: no more than is needed, or everything.
Looks = Literal["auto", "full"]
LOOKS: tuple[Looks, ...] = get_args(Looks)


@dataclass(frozen=True, eq=False, repr=False)
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
    slice_order, slice_order_confidence:
        Whether the stack runs from base to apex or the other way, and the probability (0 to 1) that this is
        right; ``unknown`` below three slices, where the slices do not agree, and for models that cannot tell.
        Of a single slice in a stack of such the stack's, in the order in which its images are numbered.
    header_slice_order:
        The order that the header claims, None where it says nothing usable.
    angle:
        Degrees of the line from the right to the left ventricle from the centre of its class, −45 to 45,
        positive = clockwise in the standard orientation; None for models that cannot tell.
    margin:
        Degrees from that line to the nearer border of its class; None where ``angle`` is.
    view:
        ``short_axis``, ``other`` where it is none, ``unknown`` where pixels or header leave that open.
    plane_contradicts:
        Whether the pixels look like another view and the header's plane makes that doubtful; it is ``uncertain`` then.
    together:
        How many images were decided on together, this one among them.
    dissent:
        The classes of which images of that group are sure by themselves, where they differ; else none.
    inputs:
        How many inputs the network was shown: slices times copies, those of earlier looks counted; 0 where a
        user decided.
    preview:
        The middle slice as stored, for notebooks; None where nobody looked at the pixels.
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
    slice_order: FoundOrder = "unknown"
    slice_order_confidence: float = 0.0
    angle: float | None = None
    margin: float | None = None
    view: View = "unknown"
    header_slice_order: SliceOrder | None = None
    together: int = 1
    dissent: tuple[Orientation, ...] = ()
    preview: Preview | None = None
    inputs: int = 0
    plane_contradicts: bool = False

    def __repr__(self) -> str:
        from .notebook import line

        return line(self)

    def _repr_html_(self) -> str:
        """For notebooks: the picture, the words and the votes."""
        from .notebook import html

        return html(self)

    @property
    def words(self) -> str:
        """The result in a sentence or two, as panel, report and command line show it."""
        return words(self)

    def to_dict(self) -> dict[str, object]:
        """All that was found, as JSON can hold it; the names are those of the fields."""
        return {entry.name: _plain(self.__dict__[entry.name]) for entry in fields(self) if entry.name != "preview"}

    @property
    def acted_on(self) -> bool:
        """Whether a run corrects this volume."""
        return self.decision in ("standard", "reoriented")


def _plain(value: object) -> object:
    """A field's value as JSON can hold it."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    return int(value) if isinstance(value, Orientation) else value
