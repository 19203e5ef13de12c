"""Short axes of made chests, to be learned from like real ones.

The shapes that make other views (``negatives.made_views``) are cut along the short axis as well, so
that a network cannot tell other planes by their being made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from .cases import Case
from .negatives.heart_shape import HeartShape
from .negatives.made_views import whole_scene
from .negatives.planes import PlaneOfView
from .negatives.reslices import read_stack
from .slices import Slices, scaled


def made_short_axes(cases: Sequence[Case], count: int, size: int, seed: int) -> Slices:
    """Made short-axis slices with the hearts of people trained on.

    Parameters
    ----------
    cases:
        Of these the ones with mask, slice order and angle give hearts.
    count:
        How many slices; each is a case of its own.
    size:
        Side of the squares.

    Raises
    ------
    CMROrientError
        Where none of the cases gives a heart.
    """
    random = np.random.default_rng([seed, 7])
    usable = [case for case in cases if case.drawn and case.base_first is not None and case.angle is not None]
    squares: list[NDArray[np.float16]] = []
    masks, levels, hearts, made = [], [], [], []
    for _ in range(20 * count if usable else 0):
        if len(squares) == count:
            break
        case = usable[int(random.integers(len(usable)))]
        heart = HeartShape.of(read_stack(case), random)
        if heart is None:
            continue
        level = float(random.uniform(0.12, 0.95))
        field = float(random.uniform(130, 400))
        shift = random.uniform(-0.12, 0.12, 2) * field
        plane = PlaneOfView(np.array([level * heart.height, *shift]), np.eye(3)[1], np.eye(3)[2])
        picture, _ = whole_scene(random, heart, plane, field, size)
        right, outer, left = heart.ventricles(plane.points(field, size))
        mask = np.where(left > 0, 3, np.where(outer > 0, 2, np.where(right > 0, 1, 0))).astype(np.uint8)
        rows, columns = np.nonzero(mask)
        if len(rows) == 0:
            continue
        squares.append(scaled(picture))
        masks.append(mask)
        levels.append([level, 1.0])
        diameter = 2 * np.sqrt(len(rows) / np.pi)
        hearts.append(np.array([columns.mean() + 0.5, rows.mean() + 0.5, diameter]) / size)
        made.append(replace(case, dataset=f"{case.dataset}, made"))
    if len(squares) < count:
        raise CMROrientError("made short axes need cases with mask, slice order and angle")
    return Slices(
        np.stack(squares),
        np.stack(masks),
        np.arange(count),
        np.ones(count, bool),
        np.array(levels, np.float32),
        np.array(hearts, np.float32),
        tuple(made),
    )
