"""Which images are decided on together, by whose they are and where they lie. No files, so that Slicer asks the same.

False groups are worse than none: whoever joins two people's images turns one of them wrongly. So images
are only ever joined within one study, and only where their slices are parts of one frame: the same
matrix, spacing and directions, to rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...orientation import header_state
from ...volume import SAME_DIRECTION, Grid
from ..parts import GroupKind

#: Slices of one stack are shifted along their normal only; tables and rounding move them by less, in mm.
_SHIFT = 1.0
#: Neighbours of one stack lie so far apart at most, in mm: a slice and a gap as long as the ventricles allow.
_LARGEST_GAP = 30.0
#: Slices nearer than this are one slice, looked at again, in mm.
_SAME_SLICE = 0.5

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True)
class Member(Generic[Name]):
    """What tells which images belong together.

    Parameters
    ----------
    name:
        What the caller knows the image by.
    study:
        Whose it is and of which examination, such as (PatientID, StudyInstanceUID). Images of different
        studies are never joined, and one without a study is joined with none.
    grid:
        Its grid, slices along the third axis.
    has_geometry:
        False where the grid is made up.
    """

    name: Name
    study: tuple[str, ...]
    grid: Grid
    has_geometry: bool = True

    @property
    def is_placed(self) -> bool:
        """Whether its directions hold information; those along the axes may be any program's default."""
        column, row, along = self.grid.directions.T
        return self.has_geometry and header_state(row, column, along) != "none"


@dataclass(frozen=True)
class Joined(Generic[Name]):
    """Images that are decided on together, in the order in which they were given or, of a stack, lie."""

    kind: GroupKind
    names: tuple[Name, ...]


def join(members: Iterable[Member[Name]]) -> list[Joined[Name]]:
    """The groups among some images; what is alone is in none of them.

    Images on one grid are sequences of one person. Images of a single slice each, which share matrix, spacing
    and directions and are spread along their normal, are the series of one stack; the same slice may be
    there several times.
    """
    studies: dict[tuple[str, ...], list[Member[Name]]] = defaultdict(list)
    for member in members:
        if any(member.study):
            studies[member.study].append(member)
    groups = []
    for study in studies.values():
        stacks = _stacks([member for member in study if member.grid.size[2] == 1 and member.is_placed])
        taken = {member.name for stack in stacks for member in stack}
        groups += [Joined[Name]("stack", tuple(member.name for member in stack)) for stack in stacks]
        groups += on_one_grid([member for member in study if member.name not in taken])
    return groups


def on_one_grid(members: Sequence[Member[Name]], kind: GroupKind = "sequences") -> list[Joined[Name]]:
    """Groups of images that share a grid; the caller knows that they are of one study."""
    groups: list[list[Member[Name]]] = []
    for member in members:
        fitting = next((group for group in groups if group[0].grid.matches(member.grid)), None)
        if fitting is None:
            groups.append([member])
        else:
            fitting.append(member)
    return [Joined[Name](kind, tuple(m.name for m in group)) for group in groups if len(group) > 1]


def _stacks(slices: Sequence[Member[Name]]) -> list[list[Member[Name]]]:
    """Single slices by the stacks that they make."""
    frames: list[list[Member[Name]]] = []
    for member in slices:
        fitting = next((frame for frame in frames if _in_one_frame(frame[0], member)), None)
        if fitting is None:
            frames.append([member])
        else:
            fitting.append(member)
    return [stack for frame in frames for stack in _without_gaps(frame) if _is_spread(stack)]


def _in_one_frame(first: Member[Name], other: Member[Name]) -> bool:
    """One matrix, spacing and directions, and a way from one to the other along the normal."""
    one, two = first.grid, other.grid
    alike = (
        one.size == two.size
        and np.allclose(one.spacing[:2], two.spacing[:2], rtol=1e-3)
        and np.allclose(one.directions[:, :2], two.directions[:, :2], atol=10 * SAME_DIRECTION)
    )
    if not alike:
        return False
    way = two.centre - one.centre
    return bool(np.linalg.norm(way - (way @ _normal(one)) * _normal(one)) < _SHIFT)


def _without_gaps(frame: Sequence[Member[Name]]) -> list[list[Member[Name]]]:
    """Parallel slices sorted along their normal, parted where nothing lies between them."""
    normal = _normal(frame[0].grid)
    ordered = sorted(frame, key=lambda member: float(member.grid.centre @ normal))
    parts = [[ordered[0]]]
    for before, member in pairwise(ordered):
        if (member.grid.centre - before.grid.centre) @ normal > _LARGEST_GAP:
            parts.append([])
        parts[-1].append(member)
    return parts


def _is_spread(stack: Sequence[Member[Name]]) -> bool:
    if len(stack) < 2:
        return False
    normal = _normal(stack[0].grid)
    return bool((stack[-1].grid.centre - stack[0].grid.centre) @ normal > _SAME_SLICE)


def _normal(grid: Grid) -> NDArray[np.float64]:
    normal: NDArray[np.float64] = np.cross(grid.directions[:, 0], grid.directions[:, 1])
    return normal / np.linalg.norm(normal)
