"""One decision for volumes that belong together: channels of a case, sequences on one grid, series of one stack."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..order_statistics import distinct
from ..pictures import Preview
from ..slice_order import header_slice_order
from ..volume import Grid, Volume
from .measures import weigh_levels, weigh_together
from .result import Recognition
from .slices import SLICES_LOOKED_AT
from .stack_order import Number, count_slices

if TYPE_CHECKING:
    from .inference import Answers
    from .recognizer import Recognizer


@dataclass(frozen=True, eq=False)
class Look:
    """What the network says about the slices of one volume; the voxels are let go.

    Parameters
    ----------
    outline:
        The volume without memory of its own: grid and metadata are its own, all voxels are one zero.
    slices:
        (S, 2) pairs (phase, slice).
    answers:
        Of the network, for each slice.
    preview:
        The middle slice.
    """

    outline: Volume
    slices: NDArray[np.int_]
    answers: Answers
    preview: Preview | None = None

    @classmethod
    def at(cls, volume: Volume, slices: NDArray[np.int_], answers: Answers) -> Look:
        """Of a volume that was looked at."""
        nothing = np.broadcast_to(np.zeros(1, volume.array.dtype), volume.array.shape)
        return cls(replace(volume, array=nothing), slices, answers, volume.preview().small())


def share_of_slices(members: int) -> int:
    """How many slices of each of some volumes are looked at, so that all together are about as many as of one."""
    return max(1, SLICES_LOOKED_AT // members)


def decide_together(recognizer: Recognizer, looks: Sequence[Look], numbers: Sequence[Number] = ()) -> list[Recognition]:
    """One decision from the slices of all volumes; header and votes stay each volume's own.

    Where volumes are sure of different orientations by their own slices, all are ``uncertain``: one
    of them does not belong here, or its pixels were turned apart from the others.

    Parameters
    ----------
    numbers:
        By which the volumes are counted where they are the slices of one stack; they have its order then.
    """
    own = [recognizer.decide(look) for look in looks]
    sure = sorted({found.orientation for found in own if found.acted_on and recognizer.is_sure(found)})
    joint = [replace(recognizer.decide(look, looks), together=len(looks)) for look in looks]
    joint = _on_one_grid(recognizer, looks, joint)
    if numbers:
        joint = _in_one_stack(recognizer, looks, numbers, joint)
    if len(sure) > 1:
        return [replace(found, decision="uncertain", dissent=tuple(sure)) for found in joint]
    return joint


def _in_one_stack(
    recognizer: Recognizer, looks: Sequence[Look], numbers: Sequence[Number], results: list[Recognition]
) -> list[Recognition]:
    """The results with the order of the stack that they are slices of, as pixels and headers tell it."""
    counted = count_slices(looks, numbers)
    measures = [look.answers.measures for look in looks if look.answers.measures is not None]
    if counted is None or any(found.decision == "not_short_axis" for found in results):
        return results
    levels = weigh_levels(np.concatenate(measures), counted.places) if len(measures) == len(looks) else None
    order, sure = recognizer.order_of(levels)
    claimed = header_slice_order(counted.direction)
    return [
        replace(found, slice_order=order, slice_order_confidence=sure, header_slice_order=claimed) for found in results
    ]


def _on_one_grid(recognizer: Recognizer, looks: Sequence[Look], results: list[Recognition]) -> list[Recognition]:
    """The results with the order that volumes on one grid tell together: their slices run one way.

    Where they name different orders by themselves, one was reversed apart from the others: each keeps its own.
    """
    found = []
    for look, result in zip(looks, results, strict=True):
        beside = [n for n, other in enumerate(looks) if other.outline.grid.matches(look.outline.grid)]
        shown = [(m, looks[n].slices[:, 1]) for n in beside if (m := looks[n].answers.measures) is not None]
        named = {results[n].slice_order for n in beside} - {"unknown"}
        if len(shown) > 1 and len(named) < 2 and result.decision != "not_short_axis":
            order, sure = recognizer.order_of(weigh_together(shown), together=True)
            result = replace(result, slice_order=order, slice_order_confidence=sure)
        found.append(result)
    return found


def look_at_all(recognizer: Recognizer, volumes: Iterable[Volume], members: int) -> list[Look]:
    """Look at one volume after the other; none is held longer than its turn.

    Parameters
    ----------
    members:
        How many there are.
    """
    return [recognizer.look(volume, limit=share_of_slices(members)) for volume in volumes]


def count_places(looks: Sequence[Look]) -> int:
    """How many different slices were looked at: phases and sequences show one again."""
    places: set[tuple[float, ...]] = set()
    for look in looks:
        places |= places_of(look.outline, look.slices)
    return len(places)


def places_of(volume: Volume, slices: NDArray[np.int_]) -> frozenset[tuple[float, ...]]:
    """Where slices (phase, slice) of a volume lie, in mm."""
    return _places(volume.grid, tuple(distinct(slices[:, 1]).tolist()))


# One volume after the other is asked about, each some times.
@lru_cache(maxsize=64)
def _places(grid: Grid, numbers: tuple[int, ...]) -> frozenset[tuple[float, ...]]:
    affine = grid.affine
    return frozenset(tuple(np.round(affine @ [0, 0, number, 1], 1)) for number in numbers)
