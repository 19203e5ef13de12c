"""Planes through real stacks, interpolated and sharpened along their axis as super-resolved series are."""

from __future__ import annotations

import numpy as np

from .planes import LONG_AXIS_VIEWS
from .reslices import Picture, Stack, heart_of


def super_resolved_view(random: np.random.Generator, stack: Stack, size: int) -> Picture:
    """A long-axis plane; what lies beyond the stack is mirrored, so that its ends are no edges."""
    from scipy.ndimage import gaussian_filter, gaussian_filter1d, map_coordinates, zoom

    voxel = stack.voxel
    centre = heart_of(stack)
    # As much as the planes can reach, no more.
    reach = np.array([1e9, 85.0, 85.0])
    low = np.maximum(((centre - reach) / voxel).astype(int), 0)
    high = np.minimum(((centre + reach) / voxel).astype(int) + 1, stack.pixels.shape)
    part = np.asarray(stack.pixels[low[0] : high[0], low[1] : high[1], low[2] : high[2]], np.float32)
    finer = int(np.clip(round(voxel[0] / 2.5), 1, 4))
    fine = zoom(part, (finer, 1, 1), order=3, grid_mode=True, mode="nearest")
    amount = random.uniform(0.5, 2.5)
    fine = fine + amount * (fine - gaussian_filter1d(fine, 0.6 * finer, axis=0))
    toward = np.array([random.normal(0, 0.4) - 0.4, 1.0])
    toward /= np.linalg.norm(toward)
    plane = LONG_AXIS_VIEWS[int(random.integers(len(LONG_AXIS_VIEWS)))](random, np.zeros(3), toward)
    points = plane.points(random.uniform(1.2, 2.4) * stack.height, size)
    index = (points + (centre - low * voxel)[:, None, None]) / (voxel / np.array([finer, 1, 1]))[:, None, None]
    picture = map_coordinates(fine, index, order=1, mode="reflect")
    # Grain of the scanner's own size: interpolation has smoothed it away.
    grain = gaussian_filter(random.standard_normal(picture.shape), random.uniform(0.4, 1.2))
    return np.asarray(picture + random.uniform(0, 0.08) * np.ptp(picture) * grain, np.float32)
