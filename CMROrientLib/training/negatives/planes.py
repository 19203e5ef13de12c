"""The planes in which scanners show a heart: along its axis, through its outlets, and those of the body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...orientation import STANDARD_COLUMN_DIRECTION, STANDARD_ROW_DIRECTION

Vector = NDArray[np.float64]


def _standard_frame() -> NDArray[np.float64]:
    """Rows: directions apex to base, down and right of a standard slice, as unit vectors in LPS."""
    column = STANDARD_COLUMN_DIRECTION / np.linalg.norm(STANDARD_COLUMN_DIRECTION)
    row = STANDARD_ROW_DIRECTION - (STANDARD_ROW_DIRECTION @ column) * column
    row = row / np.linalg.norm(row)
    return np.stack([np.cross(column, row), row, column])


#: (3, 3) multiplied by (up, row, column) from the right it gives left, posterior and superior.
TO_PATIENT = _standard_frame().T


@dataclass(frozen=True)
class PlaneOfView:
    """A plane through a heart, in (up, row, column).

    Parameters
    ----------
    centre:
        In mm.
    down, across:
        Unit vectors at right angles: where rows and columns grow.
    """

    centre: Vector
    down: Vector
    across: Vector

    def points(self, field: float, size: int) -> NDArray[np.float64]:
        """(3, size, size) places in mm of the pixels of a square of ``field`` mm."""
        offsets = (np.arange(size) + 0.5) / size * field - field / 2
        return np.asarray(
            self.centre[:, None, None]
            + self.down[:, None, None] * offsets[:, None]
            + self.across[:, None, None] * offsets[None, :]
        )


def _spun(random: np.random.Generator, centre: Vector, normal: Vector) -> PlaneOfView:
    """A plane with this normal, turned in itself by any angle."""
    normal = normal / np.linalg.norm(normal)
    other = np.eye(3)[int(np.abs(normal).argmin())]
    across = np.cross(normal, other)
    across /= np.linalg.norm(across)
    angle = random.uniform(0, 2 * np.pi)
    across = np.cos(angle) * across + np.sin(angle) * np.cross(normal, across)
    return PlaneOfView(centre, np.cross(normal, across), across)


def _along_the_axis(
    random: np.random.Generator, middle: Vector, toward: Vector, degrees: float, spread: float, beside: float
) -> PlaneOfView:
    """A plane that holds the long axis, turned about it from the line between the ventricles."""
    angle = np.arctan2(toward[0], toward[1]) + np.radians(degrees + random.uniform(-spread, spread))
    tilt = np.radians(random.normal(0, 8))
    normal = np.array([np.sin(tilt), np.cos(tilt) * np.cos(angle), -np.cos(tilt) * np.sin(angle)])
    moved = middle + normal * random.normal(0, 5) + np.array([random.uniform(-10, 35), 0, 0])
    moved = moved - beside * np.array([0, toward[0], toward[1]])
    return _spun(random, moved, normal)


def four_chamber(random: np.random.Generator, middle: Vector, toward: Vector) -> PlaneOfView:
    """Both ventricles and atria."""
    return _along_the_axis(random, middle, toward, random.uniform(0, 25), 8, random.uniform(0, 30))


def two_chamber(random: np.random.Generator, middle: Vector, toward: Vector) -> PlaneOfView:
    """Left ventricle and atrium."""
    return _along_the_axis(random, middle, toward, 90, 22, 0)


def three_chamber(random: np.random.Generator, middle: Vector, toward: Vector) -> PlaneOfView:
    """Left ventricle and atrium, and the aorta's root."""
    return _along_the_axis(random, middle, toward, -50, 18, random.uniform(0, 10))


def right_two_chamber(random: np.random.Generator, middle: Vector, toward: Vector) -> PlaneOfView:
    """Right ventricle with its outflow tract or its atrium."""
    return _along_the_axis(random, middle, toward, 90, 30, random.uniform(30, 50))


def outflow(random: np.random.Generator, middle: Vector, toward: Vector) -> PlaneOfView:
    """Oblique through aorta and outflow tracts."""
    centre = middle + np.array([random.uniform(20, 55), random.uniform(-25, 5), random.uniform(-25, 5)])
    return _spun(random, centre, np.array([random.normal(0, 0.25), random.normal(0, 1), random.normal(0, 1)]))


def _of_the_body(axis: int) -> Callable[[np.random.Generator, Vector, Vector], PlaneOfView]:
    def plane(random: np.random.Generator, middle: Vector, toward: Vector) -> PlaneOfView:
        normal = np.eye(3)[axis] + random.normal(0, 0.08, 3)
        offset = random.uniform(-55, 75)
        if axis < 2:
            # Through the ventricles these planes are no farther from the short axis than some people's short axes.
            offset = random.choice([-1.0, 1.0]) * random.uniform(38, 80)
        moved = middle + TO_PATIENT.T @ (np.eye(3)[axis] * offset)
        in_heart = TO_PATIENT.T @ normal
        # As scanners show them, but for a few degrees.
        down = TO_PATIENT.T @ (np.array([0, 1.0, 0]) if axis == 2 else np.array([0, 0, -1.0]))
        down = down - (down @ in_heart) * in_heart / (in_heart @ in_heart)
        down = down / np.linalg.norm(down)
        across = np.cross(down, in_heart / np.linalg.norm(in_heart))
        angle = np.radians(random.normal(0, 8))
        return PlaneOfView(
            moved, np.cos(angle) * down + np.sin(angle) * across, np.cos(angle) * across - np.sin(angle) * down
        )

    return plane


sagittal, coronal, axial = (_of_the_body(axis) for axis in range(3))

#: A plane from random numbers, the centre of the left ventricle, and the direction from right to left.
View = Callable[[np.random.Generator, Vector, Vector], PlaneOfView]
LONG_AXIS_VIEWS: tuple[View, ...] = (four_chamber, two_chamber, three_chamber, right_two_chamber)
BODY_VIEWS: tuple[View, ...] = (axial, coronal, sagittal, outflow)
