"""The families that training shows as "out of distribution".

Those that a network is tested with are others: other files, other generators, and cuts from the
stacks of other people (``Training/study/other_pictures``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from ...errors import CMROrientError
from .family import Family, Picture, families_of, pictures_of
from .images import TRAIN_IMAGES
from .made_bodies import body_without_heart, organs_of_nobody
from .made_views import made_body_plane, made_long_axis, set_into_a_slice
from .patterns import TRAIN_PATTERNS
from .phantom_views import phantom_view
from .real_views import real_view
from .reslices import Stack, beside_the_heart, long_axis_cut, shuffled
from .super_resolved import super_resolved_view

#: Other views of the heart, made: a recipe may keep one for judging (``without_negatives``).
MADE_VIEWS: dict[str, Family] = {
    **families_of(
        {
            "made long axes": (9.0, made_long_axis),
            "made body planes": (6.0, made_body_plane),
            "long axes set into short-axis slices": (15.0, set_into_a_slice),
            "super-resolved long axes": (4.0, super_resolved_view),
        },
        {},
        {},
    ),
    "phantom in other planes": Family("phantom in other planes", 6.0, phantom_view),
}

#: What training may show as class 8.
TRAIN_FAMILIES: dict[str, Family] = {
    **families_of(
        {
            "long-axis cuts of stacks": (12.0, long_axis_cut),
            "squares beside the heart": (3.0, beside_the_heart),
            "shuffled tiles of slices": (3.0, shuffled),
        },
        TRAIN_IMAGES,
        TRAIN_PATTERNS,
    ),
    **MADE_VIEWS,
    "organs of nobody": Family("organs of nobody", 4.0, organs_of_nobody),
    "bodies without a heart": Family("bodies without a heart", 3.0, body_without_heart),
}

#: Share of real views of other planes, where a recipe names some.
_REAL_WEIGHT = 8.0


def training_negatives(
    count: int,
    seed: int = 0,
    stacks: Sequence[Stack] = (),
    size: int = 192,
    *,
    without: Sequence[str] = (),
    views: Sequence[Path] = (),
) -> Picture:
    """(count, size, size) float32 raw pictures of the training families, in random order.

    Parameters
    ----------
    count, seed, size:
        See ``negatives_of``.
    stacks:
        The stacks of the *training* people; without them there are no cuts.
    without:
        Families that are left out.
    views:
        Files with real images that are no short axis.

    Raises
    ------
    CMROrientError
        Where there is no family of a name.
    """
    unknown = sorted(set(without) - set(TRAIN_FAMILIES))
    if unknown:
        raise CMROrientError(f"there is no family of negatives {', '.join(unknown)}")
    families = [family for name, family in TRAIN_FAMILIES.items() if name not in without]
    if views:
        families.append(real_views(views))
    drawn = [picture for _, picture in pictures_of(families, count, seed, stacks, size)]
    return np.stack(drawn) if drawn else np.zeros((0, size, size), np.float32)


def real_views(files: Sequence[Path]) -> Family:
    """The family of real images that are no short axis."""
    return Family("real views", _REAL_WEIGHT, partial(_real, list(files)))


def _real(files: list[Path], random: np.random.Generator, stacks: Sequence[Stack], size: int) -> Picture:
    return real_view(random, files, size)
