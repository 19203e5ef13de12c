"""The families that training shows as "out of distribution".

Those that a network is tested with are others: other files, other generators, and cuts from the
stacks of other people (``Training/study/other_pictures``).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .family import Picture, families_of, pictures_of
from .images import TRAIN_IMAGES
from .patterns import TRAIN_PATTERNS
from .reslices import Stack, beside_the_heart, long_axis_cut, shuffled

#: What training may show as class 8.
TRAIN_FAMILIES = families_of(
    {
        "long-axis cuts of stacks": (16.0, long_axis_cut),
        "squares beside the heart": (3.0, beside_the_heart),
        "shuffled tiles of slices": (3.0, shuffled),
    },
    TRAIN_IMAGES,
    TRAIN_PATTERNS,
)


def training_negatives(count: int, seed: int = 0, stacks: Sequence[Stack] = (), size: int = 192) -> Picture:
    """(count, size, size) float32 raw pictures of the training families, in random order.

    Parameters
    ----------
    count, seed, size:
        See ``negatives_of``.
    stacks:
        The stacks of the *training* people; without them there are no cuts.
    """
    drawn = [picture for _, picture in pictures_of(list(TRAIN_FAMILIES.values()), count, seed, stacks, size)]
    return np.stack(drawn) if drawn else np.zeros((0, size, size), np.float32)
