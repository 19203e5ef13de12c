"""The synthetic chest of the demo, cut along other planes than the short axis."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...phantom.phantom import SEQUENCES, make_phantom
from .planes import BODY_VIEWS, LONG_AXIS_VIEWS
from .reslices import Picture, Stack

#: People that cuts are made from; each is painted once.
PEOPLE = 12
#: Direction of the line between the ventricles, as ``Person.tilt`` draws it on average.
_TOWARD = np.array([-0.45, 0.89])


@lru_cache(maxsize=2 * PEOPLE)
def _painted(number: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], float, float]:
    """(slices, rows, columns) from apex to base, and the distances of slices and pixels in mm."""
    volume = make_phantom(SEQUENCES[number % len(SEQUENCES)], size=(128, 128), slices=40, seed=1000 + number)
    return np.asarray(volume.array, np.float32), volume.grid.spacing[2], volume.grid.spacing[0]


def phantom_view(random: np.random.Generator, stacks: Sequence[Stack], size: int) -> Picture:
    """A plane through a synthetic chest; beyond its ends it goes on as it is there."""
    from scipy.ndimage import map_coordinates

    array, thickness, pixel = _painted(int(random.integers(PEOPLE)))
    middle = np.array([44.0, -7.0, -25.0])
    views = LONG_AXIS_VIEWS if random.random() < 0.7 else BODY_VIEWS
    plane = views[int(random.integers(len(views)))](random, middle, _TOWARD)
    points = plane.points(random.uniform(120, 300), size)
    voxel = np.array([thickness, pixel, pixel])
    centre = np.array([0.0, 63.5 * pixel, 63.5 * pixel])
    index = (points + centre[:, None, None]) / voxel[:, None, None]
    return np.asarray(map_coordinates(array, index, order=1, mode="nearest"), np.float32)
