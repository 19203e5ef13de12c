"""Made bodies without a heart: random organs with the looks of a scanner, and the chest where the heart is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .chest_shape import TISSUES, ChestShape
from .drawing import axes
from .look import Look, smooth
from .planes import BODY_VIEWS, TO_PATIENT
from .reslices import Picture, Stack


def organs_of_nobody(random: np.random.Generator, stacks: Sequence[Stack], size: int) -> Picture:
    """Lumps of tissue in a body's outline, as a head, a limb or a belly might look to who knows none."""
    y, x = axes(size)
    tall, wide = random.uniform(0.4, 1.1), random.uniform(0.4, 1.1)
    uneven = smooth(random, size, size / 8) * random.uniform(0, 0.1)
    inside = 1 - np.hypot((y + random.normal(0, 0.1)) / tall, (x + random.normal(0, 0.1)) / wide) + uneven
    lumps = np.argmax([smooth(random, size, random.uniform(4, 22)) for _ in range(int(random.integers(2, 7)))], axis=0)
    tissues = random.permutation(np.arange(1, len(TISSUES)))[lumps]
    rim = random.uniform(0.02, 0.15)
    tissues = np.where(inside < rim, 1, tissues)
    if random.random() < 0.5:
        # A skull, or the fascia of a limb.
        tissues = np.where((inside > rim) & (inside < 1.4 * rim), 6, tissues)
    return Look.drawn(random).picture(random, np.where(inside < 0, 0, tissues))


def body_without_heart(random: np.random.Generator, stacks: Sequence[Stack], size: int) -> Picture:
    """A plane of the body above or below the heart."""
    away = TO_PATIENT.T @ np.array([random.normal(0, 20), random.normal(0, 20), random.choice([-110.0, 95.0])])
    view = BODY_VIEWS[int(random.integers(len(BODY_VIEWS)))]
    plane = view(random, away + random.normal(0, 10, 3), np.array([0.0, 1.0]))
    places = np.tensordot(TO_PATIENT, plane.points(random.uniform(160, 420), size), 1)
    return Look.drawn(random).picture(random, ChestShape.drawn(random).tissues(places, 3 * smooth(random, size, 8)))
