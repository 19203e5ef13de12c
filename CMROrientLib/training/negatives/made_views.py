"""Made views of the heart: its three-dimensional shape cut along other planes than the short axis, at full resolution.

One family paints heart and chest from shapes; another sets the cut heart into a real short-axis slice
of the same stack, with that slice's own grey values, so that nothing round the heart gives it away.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .chest_shape import FAT, LEFT, MYOCARDIUM, RIGHT, VESSEL, WALL, ChestShape
from .heart_shape import HeartShape
from .look import Look, smooth
from .planes import BODY_VIEWS, LONG_AXIS_VIEWS, TO_PATIENT, PlaneOfView, View
from .reslices import Picture, Stack


def heart_tissues(heart: HeartShape, points: NDArray[np.float64], uneven: NDArray[np.float64]) -> NDArray[np.int_]:
    """(rows, columns) tissues of the heart and of the fat round it at (3, rows, columns) points; −1 elsewhere."""
    right, outer, left = heart.ventricles(points)
    right, outer, left = right + 0.7 * uneven, outer + 0.3 * uneven, left + uneven
    atria = [ball.distance(points) + uneven for ball in heart.atria]
    vessels = [tube.distance(points) + 0.5 * uneven for tube in heart.vessels]
    found = np.full(points.shape[1:], -1)
    everything = np.maximum.reduce([right + 3, outer, *(one + 2 for one in (*atria, *vessels))])
    found[everything > -6] = FAT
    for vessel in vessels:
        found[vessel > -2] = WALL
    for atrium in atria:
        found[atrium > -2] = WALL
    found[right > -3] = MYOCARDIUM
    found[outer > 0] = MYOCARDIUM
    # Nothing parts a ventricle from its atrium and its vessel but open valves.
    found[(atria[1] > 0) & (outer < 0)] = RIGHT
    found[(vessels[1] > 0) & (outer < 0)] = RIGHT
    found[(right > 0) & (outer < 0)] = RIGHT
    below = points[0] < heart.height - 4
    found[(atria[0] > 0) & ~below] = LEFT
    found[(vessels[0] > 0) & ~below] = LEFT
    found[left > 0] = LEFT
    return found


def whole_scene(
    random: np.random.Generator, heart: HeartShape, plane: PlaneOfView, field: float, size: int
) -> tuple[Picture, NDArray[np.int_]]:
    """A made picture of a plane through heart and chest, and its tissues."""
    points = plane.points(field, size)
    uneven = smooth(random, size, 5) * random.uniform(0.3, 1.5)
    places = np.tensordot(TO_PATIENT, points - heart.middle[:, None, None], 1)
    tissues = ChestShape.drawn(random).tissues(places, 3 * smooth(random, size, 8))
    inner = heart_tissues(heart, points, uneven)
    tissues = np.where(inner >= 0, inner, tissues)
    return Look.drawn(random).picture(random, tissues), tissues


def _made(views: Sequence[View], random: np.random.Generator, stack: Stack, size: int) -> Picture | None:
    heart = HeartShape.of(stack, random)
    if heart is None:
        return None
    plane = views[int(random.integers(len(views)))](random, heart.middle, heart.toward)
    return whole_scene(random, heart, plane, random.uniform(150, 420), size)[0]


def made_long_axis(random: np.random.Generator, stack: Stack, size: int) -> Picture | None:
    """Two-, three- and four-chamber planes through a made chest."""
    return _made(LONG_AXIS_VIEWS, random, stack, size)


def made_body_plane(random: np.random.Generator, stack: Stack, size: int) -> Picture | None:
    """Axial, coronal and sagittal planes, and oblique ones through the outlets, of a made chest."""
    return _made(BODY_VIEWS, random, stack, size)


def set_into_a_slice(random: np.random.Generator, stack: Stack, size: int) -> Picture | None:
    """A long-axis heart in the place of the real one in a short-axis slice, with its grey values."""
    from scipy.ndimage import gaussian_filter, map_coordinates

    heart = HeartShape.of(stack, random)
    if heart is None or stack.mask is None or stack.labels is None:
        return None
    filled = np.flatnonzero((np.asarray(stack.mask) == stack.labels[2]).any(axis=(1, 2)))
    number = int(random.choice(filled))
    real, mask = np.asarray(stack.pixels[number], np.float64), np.asarray(stack.mask[number])
    field = random.uniform(0.6, 1.0) * max(np.array(real.shape) * stack.voxel[1:])
    middle = np.argwhere(mask > 0).mean(0)
    offsets = (np.arange(size) + 0.5) / size * field - field / 2 + random.uniform(-0.15, 0.15, 2)[:, None] * field
    rows, columns = (middle[axis] + offsets[axis] / stack.voxel[1 + axis] for axis in range(2))
    index = np.stack(np.meshgrid(rows, columns, indexing="ij"))
    ground = map_coordinates(real, index, order=1, mode="constant")
    plane = LONG_AXIS_VIEWS[int(random.integers(len(LONG_AXIS_VIEWS)))](random, heart.middle, heart.toward)
    points = (
        plane.centre[:, None, None]
        + plane.down[:, None, None] * offsets[0][:, None]
        + plane.across[:, None, None] * offsets[1][None, :]
    )
    tissues = heart_tissues(heart, points, smooth(random, size, 5) * random.uniform(0.3, 1.5))
    grey = _greys(real, mask, stack.labels)
    signal = np.zeros((size, size))
    for tissue, value in grey.items():
        signal[tissues == tissue] = value
    signal = gaussian_filter(signal * (1 + 0.12 * smooth(random, size, 2.2) + 0.08 * smooth(random, size, 9)), 0.7)
    # The real heart is covered, too, by what lies round it.
    old = map_coordinates((mask > 0).astype(float), index, order=1)
    around = np.where(gaussian_filter(old, 6) > 0.08, grey[FAT] * (1 + 0.3 * smooth(random, size, 4)), ground)
    share = gaussian_filter((tissues >= 0).astype(float), 1.0)
    hidden = gaussian_filter((gaussian_filter(old, 6) > 0.08).astype(float), 1.5)
    ground = ground * (1 - hidden) + around * hidden
    return np.asarray(ground * (1 - share) + signal * share, np.float32)


def _greys(real: NDArray[np.float64], mask: NDArray[np.generic], labels: tuple[int, int, int]) -> dict[int, float]:
    """Grey values of the heart's tissues in a real slice."""
    values = {}
    for tissue, label in zip((RIGHT, MYOCARDIUM, LEFT), labels, strict=True):
        chosen = real[mask == label]
        values[tissue] = float(np.median(chosen)) if chosen.size else float(np.median(real))
    values[FAT] = float(np.percentile(real, 70))
    values[WALL] = 0.5 * (values[MYOCARDIUM] + values[FAT])
    values[VESSEL] = values[LEFT]
    return values
