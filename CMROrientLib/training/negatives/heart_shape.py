"""The heart in three dimensions: ventricles between the slices of a mask, and atria and great vessels added to them.

Coordinates are (up, row, column) in mm: from apex to base, downwards and to the right of a standard
short-axis slice, from the centre of the left ventricle. Distances are positive inside.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .reslices import Stack

Points = NDArray[np.float64]
Distances = NDArray[np.float64]

#: Where a slice has none of a tissue, it is as far away as this (mm).
_FAR = 25.0
#: Pixels round the heart that distances are known for.
_AROUND = 12


@dataclass(frozen=True)
class Ball:
    """An ellipsoid: centre and radii in mm."""

    centre: NDArray[np.float64]
    radii: NDArray[np.float64]

    def distance(self, points: Points) -> Distances:
        """About how far inside points (3, …) lie."""
        scaled = (points - _column(self.centre, points)) / _column(self.radii, points)
        return np.asarray((1 - np.sqrt((scaled**2).sum(0))) * self.radii.min())


@dataclass(frozen=True)
class Tube:
    """A vessel that starts at a point, with a unit direction, a radius and a length in mm."""

    start: NDArray[np.float64]
    direction: NDArray[np.float64]
    radius: float
    length: float

    def distance(self, points: Points) -> Distances:
        """How far inside points (3, …) lie."""
        way = points - _column(self.start, points)
        along = (way * _column(self.direction, points)).sum(0)
        beside = way - np.clip(along, 0, self.length) * _column(self.direction, points)
        return np.asarray(self.radius - np.sqrt((beside**2).sum(0)))


@dataclass(frozen=True)
class HeartShape:
    """One person's heart.

    Parameters
    ----------
    right, outer, left:
        (slices, rows, columns) in-plane distances of right ventricle, of left ventricle with its wall,
        and of its cavity, from the apex on.
    voxel:
        Distance of slices, rows and columns in mm.
    origin:
        Of the first voxel, (up, row, column) in mm.
    atria, vessels:
        What was added: left and right atrium; aorta and pulmonary artery.
    toward:
        Unit vector (row, column) from the right ventricle to the left one.
    """

    right: Distances
    outer: Distances
    left: Distances
    voxel: NDArray[np.float64]
    origin: NDArray[np.float64]
    atria: tuple[Ball, Ball]
    vessels: tuple[Tube, Tube]
    toward: NDArray[np.float64]

    @property
    def height(self) -> float:
        """From the first labelled slice to the last one, in mm."""
        return float((len(self.outer) - 1) * self.voxel[0])

    @property
    def middle(self) -> NDArray[np.float64]:
        """The centre of the left ventricle."""
        return np.array([self.height / 2, 0.0, 0.0])

    @classmethod
    def of(cls, stack: Stack, random: np.random.Generator) -> HeartShape | None:
        """From a stack with mask and known slice order; None without these, or with too few labelled slices."""
        from scipy.ndimage import distance_transform_edt

        if stack.mask is None or stack.base_first is None or stack.labels is None:
            return None
        right, muscle, left = (np.asarray(stack.mask) == value for value in stack.labels)
        outer = muscle | left
        labelled = np.flatnonzero(outer.any(axis=(1, 2)))
        if len(labelled) < 4 or not right.any() or not left.any():
            return None
        chosen = labelled[::-1] if stack.base_first else labelled
        touched = np.argwhere((outer | right).any(axis=0))
        low = np.maximum(touched.min(0) - _AROUND, 0)
        high = touched.max(0) + _AROUND + 1
        inside = (chosen, slice(low[0], high[0]), slice(low[1], high[1]))
        voxel = stack.voxel

        def distances(tissue: NDArray[np.bool_]) -> Distances:
            found = np.empty(tissue.shape)
            for plane, into in zip(tissue, found, strict=True):
                if not plane.any():
                    into[...] = -_FAR
                else:
                    away = distance_transform_edt(~plane, sampling=tuple(voxel[1:]))
                    into[...] = distance_transform_edt(plane, sampling=tuple(voxel[1:])) - away
            return np.maximum(found, -_FAR)

        centres = [
            (np.argwhere(tissue[labelled].any(axis=0)).mean(0) - low) * voxel[1:] if tissue.any() else np.zeros(2)
            for tissue in (left, right)
        ]
        toward = (centres[0] - centres[1]) / max(float(np.linalg.norm(centres[0] - centres[1])), 1e-6)
        origin = np.array([0.0, -centres[0][0], -centres[0][1]])
        atria, vessels = _added(random, (len(chosen) - 1) * voxel[0], centres[1] - centres[0])
        return cls(
            distances(right[inside]), distances(outer[inside]), distances(left[inside]), voxel, origin, atria, vessels,
            toward,
        )  # fmt: skip

    def ventricles(self, points: Points) -> tuple[Distances, Distances, Distances]:
        """How far inside right ventricle, left one with its wall, and its cavity points (3, …) lie."""
        from scipy.ndimage import map_coordinates

        up = points[0]
        index = (points - _column(self.origin, points)) / _column(self.voxel, points)
        index[0] = np.clip(up / self.voxel[0], 0, len(self.outer) - 1)
        below, above = np.maximum(-up, 0), np.maximum(up - self.height, 0)
        found = []
        # Towards the apex everything closes, cavities first; at the base valves and septum end.
        for field, at_apex, at_base in ((self.right, 1.3, 1.5), (self.outer, 0.9, 1.6), (self.left, 1.4, 2.5)):
            sampled = map_coordinates(field, index, order=1, cval=-_FAR)
            found.append(np.asarray(sampled - at_apex * below - at_base * above))
        return found[0], found[1], found[2]


def _added(
    random: np.random.Generator, height: float, right: NDArray[np.float64]
) -> tuple[tuple[Ball, Ball], tuple[Tube, Tube]]:
    """Atria and great vessels above the base; ``right`` is the right ventricle's centre, (row, column) in mm."""

    def place(up: float, row: float, column: float) -> NDArray[np.float64]:
        return np.array([height + up, row, column]) + random.normal(0, 3, 3)

    size = random.uniform(0.75, 1.25)
    left = Ball(place(22 * size, 6, 4), size * random.uniform(18, 29, 3))
    size = random.uniform(0.75, 1.25)
    other = Ball(place(20 * size, right[0] + 16, right[1] * 0.85), size * random.uniform(18, 28, 3))
    toward = right / max(float(np.linalg.norm(right)), 1e-6)
    aorta = Tube(
        place(-4, 9 * toward[0] - 4, 9 * toward[1]), _unit(random, 0.75, -0.6, -0.1), random.uniform(11, 17), 130
    )
    artery = Tube(
        place(-8, 0.45 * right[0] - 24, 0.45 * right[1]), _unit(random, 0.85, -0.35, 0.3), random.uniform(9, 14), 70
    )
    return (left, other), (aorta, artery)


def _unit(random: np.random.Generator, *direction: float) -> NDArray[np.float64]:
    vector = np.array(direction) + random.normal(0, 0.12, 3)
    return np.asarray(vector / np.linalg.norm(vector))


def _column(vector: NDArray[np.float64], points: Points) -> NDArray[np.float64]:
    return vector.reshape(3, *(1,) * (points.ndim - 1))
