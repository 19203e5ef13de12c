"""Shapes as signed distances in millimetres, negative inside, on the coordinates of a slice.

``x`` grows to the right and has the shape (1, columns), ``y`` grows downwards and has the shape
(rows, 1), so that what depends on one of them costs one line.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
#: A tissue's name and how much of each pixel it covers, 0 to 1, (rows, columns).
Layer = tuple[str, Plane]


class Waves:
    """A smooth random function of (x, y, z) in mm with zero mean and unit deviation.

    Parameters
    ----------
    rng:
        Draws the directions and phases of the waves.
    length:
        The scale of the waves in mm (their wavelength is about six times that).
    terms:
        The number of waves.
    """

    def __init__(self, rng: np.random.Generator, length: float, terms: int = 10) -> None:
        self._x, self._y, self._z = rng.normal(0, 1 / length, (3, terms)) * [[1], [1], [0.5]]
        self._phases = rng.uniform(0, 2 * np.pi, terms)

    def __call__(self, x: Plane, y: Plane, z: float) -> Plane:
        """(rows, columns) values for ``x`` (1, columns), ``y`` (rows, 1) and one ``z``."""
        across = np.outer(self._x, x) + (self._z * z + self._phases)[:, None]
        down = np.outer(y, self._y)
        # cos(a + b) taken apart: a product of matrices in place of a cosine a pixel and wave.
        value: Plane = np.cos(down) @ np.cos(across) - np.sin(down) @ np.sin(across)
        value *= np.sqrt(2 / len(self._phases))
        return value


def cover(distance: Plane, softness: float) -> Plane:
    """How much of each pixel lies inside; ``softness`` is the width of the edge in mm."""
    return np.clip(0.5 - distance / softness, 0.0, 1.0)


def ellipse(x: Plane, y: Plane, centre: tuple[float, float], radii: tuple[float, float], angle: float = 0.0) -> Plane:
    """An ellipse turned clockwise by ``angle`` degrees; the distance is good near its edge."""
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u = (x - centre[0]) * cosine + (y - centre[1]) * sine
    v = (y - centre[1]) * cosine - (x - centre[0]) * sine
    distance: Plane = (np.hypot(u / radii[0], v / radii[1]) - 1) * min(radii)
    return distance


def union(a: Plane, b: Plane, fillet: float) -> Plane:
    """Both shapes, the corner between them filled with about ``fillet`` mm."""
    share = np.clip(0.5 + 0.5 * (b - a) / fillet, 0.0, 1.0)
    return b * (1 - share) + a * share - fillet * share * (1 - share)


def overlap(a: Plane, b: Plane, rounding: float) -> Plane:
    """What lies in both shapes, its corners rounded with about ``rounding`` mm."""
    return -union(-a, -b, rounding)


def between(base: float, apex: float, level: float) -> float:
    """A quantity at ``level`` of the heart: 0 = base, 1 = apex."""
    return base + (apex - base) * level
