"""What drawn pictures are made of: coordinates and ellipses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def axes(size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Row and column coordinates from −1 to 1."""
    line = np.linspace(-1, 1, size)
    return line[:, None], line[None, :]


def ellipse(
    size: int, centre: tuple[float, float], radii: tuple[float, float], angle: float = 0.0
) -> NDArray[np.bool_]:
    """Whether each pixel lies inside."""
    y, x = axes(size)
    y, x = y - centre[0], x - centre[1]
    along = np.cos(angle) * x + np.sin(angle) * y
    across = np.cos(angle) * y - np.sin(angle) * x
    return np.asarray((along / radii[1]) ** 2 + (across / radii[0]) ** 2 <= 1)
