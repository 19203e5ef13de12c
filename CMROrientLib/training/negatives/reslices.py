"""Planes cut out of short-axis stacks that are not short-axis slices themselves.

A stack is interpolated between its slices, so the cuts are coarse along one direction, as
reformatted series are. They stand in for long-axis, coronal and sagittal series, which the public
sets used here do not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...io import read
from ..cases import Case

Picture = NDArray[np.float32]

#: Distance of slices over distance of pixels in a usual short-axis stack.
_USUAL_RATIO = 7.0


@dataclass(frozen=True)
class Stack:
    """A short-axis stack.

    Parameters
    ----------
    pixels:
        ``[slice, row, column]``, raw values.
    spacing:
        Distance of slices, rows and columns in mm.
    mask:
        Labels of the heart on the same grid, 0 outside; None where there are none.
    labels:
        Values of right ventricle, myocardium and left ventricle in the mask; None where unknown.
    base_first:
        Whether slices run from base to apex; None where unknown.
    """

    pixels: NDArray[np.generic]
    spacing: tuple[float, float, float]
    mask: NDArray[np.generic] | None = None
    labels: tuple[int, int, int] | None = None
    base_first: bool | None = None

    @property
    def voxel(self) -> NDArray[np.float64]:
        """Spacing in mm; where a file has lost it (slices as close as pixels), a usual ratio in its place."""
        across, row, column = self.spacing
        return np.array([across if across > 1.5 * row else _USUAL_RATIO * row, row, column])

    @property
    def height(self) -> float:
        """Extent along the stack's axis in mm."""
        return float(len(self.pixels) * self.voxel[0])

    @property
    def can_be_resliced(self) -> bool:
        """Whether there are slices and millimetres enough to show something across."""
        return len(self.pixels) >= 6 and self.height >= 45


def heart_of(stack: Stack) -> NDArray[np.float64]:
    """Centre of the heart in mm from the first voxel (slice, row, column); of the stack without a mask."""
    if stack.mask is not None and np.any(stack.mask):
        return np.asarray(np.argwhere(stack.mask).mean(0) * stack.voxel)
    return (np.array(stack.pixels.shape) - 1) / 2 * stack.voxel


def cut(
    stack: Stack,
    centre: NDArray[np.float64],
    down: NDArray[np.float64],
    across: NDArray[np.float64],
    field: float,
    size: int,
) -> Picture:
    """Sample a square of ``field`` mm: rows along ``down``, columns along ``across`` (unit vectors)."""
    from scipy.ndimage import map_coordinates

    offsets = (np.arange(size) + 0.5) / size * field - field / 2
    points = centre[:, None, None] + down[:, None, None] * offsets[:, None] + across[:, None, None] * offsets[None, :]
    index = points / stack.voxel[:, None, None]
    return np.asarray(map_coordinates(np.asarray(stack.pixels, np.float32), index, order=1, cval=0.0), np.float32)


def long_axis_cut(random: np.random.Generator, stack: Stack, size: int) -> Picture:
    """A plane near the stack's axis at any angle round it, tilted by up to 30°, near the heart."""
    azimuth, tilt = random.uniform(0, 2 * np.pi), np.radians(random.uniform(-30, 30))
    across = np.array([0, np.sin(azimuth), np.cos(azimuth)])
    beside = np.array([0, np.cos(azimuth), -np.sin(azimuth)])
    down = np.cos(tilt) * np.array([1.0, 0, 0]) + np.sin(tilt) * beside
    centre = heart_of(stack) + random.uniform(-25, 25) * beside + random.uniform(-20, 20) * across
    field = stack.height * random.uniform(0.5, 1.6)
    if random.random() < 0.5:
        down, across = across, down
    return cut(stack, centre, down, across, field, size)


def beside_the_heart(random: np.random.Generator, stack: Stack, size: int) -> Picture | None:
    """A square of one slice that does not touch the heart's bounding box; None where there is no room."""
    from skimage.transform import resize

    if stack.mask is None or not np.any(stack.mask):
        return None
    touched = np.argwhere(np.any(stack.mask, axis=0))
    margin = 12 / stack.voxel[1:]
    low, high = touched.min(0) - margin, touched.max(0) + margin
    shape = np.array(stack.pixels.shape[1:])
    for _ in range(20):
        side = int(random.uniform(0.3, 0.55) * shape.min())
        corner = random.integers(0, shape - side + 1)
        if np.any(corner > high) or np.any(corner + side < low):
            plane = stack.pixels[int(random.integers(len(stack.pixels)))]
            part = plane[corner[0] : corner[0] + side, corner[1] : corner[1] + side].astype(np.float32)
            if part.std() > 0.15 * plane.std():
                return np.asarray(resize(part, (size, size), order=1, preserve_range=True), np.float32)
    return None


def shuffled(random: np.random.Generator, stack: Stack, size: int) -> Picture:
    """The tiles of a slice in another order, each turned: the look of the modality without its anatomy."""
    from skimage.transform import resize

    across = int(random.integers(2, 7))
    plane = np.asarray(stack.pixels[int(random.integers(len(stack.pixels)))], np.float32)
    side = size // across * across
    square = resize(plane, (side, side), order=1, preserve_range=True)
    tiles = square.reshape(across, side // across, across, side // across).swapaxes(1, 2)
    tiles = random.permutation(tiles.reshape(-1, side // across, side // across))
    turned = [np.rot90(tile[:, :: random.choice([-1, 1])], int(random.integers(4))) for tile in tiles]
    rows = [np.concatenate(turned[n : n + across], axis=1) for n in range(0, len(turned), across)]
    return np.asarray(resize(np.concatenate(rows), (size, size), order=1, preserve_range=True), np.float32)


def read_stack(case: Case) -> Stack:
    """The stack of a case, with its mask where there is one. Of a cine the first phase."""
    volume = read(case.path)
    columns, rows, slices = volume.grid.spacing
    mask = None if case.mask is None else _first_phase(read(case.mask).array)
    return Stack(_first_phase(volume.array), (slices, rows, columns), mask, case.mask_values, case.base_first)


def _first_phase(array: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.asarray(array.reshape(-1, *array.shape[-3:])[0])
