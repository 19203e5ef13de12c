"""The families of other pictures that only the test shows: so it says how a network treats what it has not met."""

from __future__ import annotations

import numpy as np

from CMROrientLib.training.negatives.family import Picture, families_of
from CMROrientLib.training.negatives.reslices import Stack, cut, heart_of

from .images import TEST_IMAGES
from .patterns import TEST_PATTERNS


def orthogonal_cut(random: np.random.Generator, stack: Stack, size: int) -> Picture:
    """A plane of constant row or constant column, as a viewer's other two windows show it."""
    axis = int(random.integers(1, 3))
    across = np.eye(3)[3 - axis]
    centre = heart_of(stack) + random.uniform(-35, 35) * np.eye(3)[axis]
    extent = float(stack.pixels.shape[3 - axis] * stack.voxel[3 - axis])
    field = random.uniform(stack.height * 0.6, max(extent * 0.8, stack.height))
    return cut(stack, centre, np.array([1.0, 0, 0]), across, field, size)


#: What only the test may show.
TEST_FAMILIES = families_of(
    {"row and column cuts of left-out stacks": (16.0, orthogonal_cut)}, TEST_IMAGES, TEST_PATTERNS
)
