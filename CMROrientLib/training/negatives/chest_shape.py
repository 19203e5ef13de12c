"""A simple chest round a heart: body wall, lungs, liver, spine and great vessels as shapes, drawn anew each time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: What a place can be, in the order of ``Look.signals``.
TISSUES = (
    "air", "fat", "muscle", "lung", "liver", "stomach", "bone", "marrow", "vessel", "blood of the right heart",
    "blood of the left heart", "myocardium", "wall",
)  # fmt: skip
AIR, FAT, MUSCLE, LUNG, LIVER, STOMACH, BONE, MARROW, VESSEL, RIGHT, LEFT, MYOCARDIUM, WALL = range(len(TISSUES))

Field = NDArray[np.float64]


@dataclass(frozen=True)
class ChestShape:
    """One chest. Lengths in mm; places are left, posterior and superior of the heart's centre.

    Parameters
    ----------
    centre:
        (left, posterior) of the body's axis.
    half:
        Half width and half depth of the body.
    fat, wall:
        Thickness of the fat under the skin, and of ribs and muscle under it.
    diaphragm:
        Height of its domes: right, left.
    mediastinum:
        Half width and half depth of what lies between the lungs.
    spine:
        (left, posterior) of its axis.
    """

    centre: tuple[float, float]
    half: tuple[float, float]
    fat: float
    wall: float
    diaphragm: tuple[float, float]
    mediastinum: tuple[float, float]
    spine: tuple[float, float]

    @classmethod
    def drawn(cls, random: np.random.Generator) -> ChestShape:
        """Another person."""
        half = (random.uniform(140, 195), random.uniform(90, 130))
        centre = (random.uniform(-50, -20), random.uniform(0, 0.45) * half[1])
        return cls(
            centre=centre,
            half=half,
            fat=random.uniform(5, 30),
            wall=random.uniform(14, 28),
            diaphragm=(random.uniform(-50, -15), random.uniform(-60, -30)),
            mediastinum=(random.uniform(28, 48), random.uniform(40, 70)),
            spine=(centre[0] + random.normal(0, 4), centre[1] + half[1] * random.uniform(0.5, 0.62)),
        )

    def tissues(self, places: NDArray[np.float64], uneven: Field) -> NDArray[np.int_]:
        """(rows, columns) indices of ``TISSUES`` at (3, rows, columns) places, the heart left out.

        Parameters
        ----------
        uneven:
            (rows, columns) mm by which outlines are off.
        """
        left, back, up = places
        x, y = (left - self.centre[0]) / self.half[0], (back - self.centre[1]) / self.half[1]
        skin = (1 - (np.abs(x) ** 2.4 + np.abs(y) ** 2.4) ** (1 / 2.4)) * min(self.half) + 0.5 * uneven
        found = np.full(left.shape, AIR)
        found[skin > 0] = FAT
        found[skin > self.fat] = MUSCLE
        inner = skin - self.fat - self.wall
        ribs = np.abs((up + 0.35 * back + 4 * np.sin(left / 40)) % 24 - 12)
        found[(inner > -10) & (inner < -3) & (ribs < 5)] = BONE
        found[inner > 0] = LUNG
        found[(inner > 0) & (np.abs(left - self.centre[0] - 8) < self.mediastinum[0] + uneven)
              & (back > -0.3 * self.mediastinum[1])] = FAT  # fmt: skip
        self._abdomen(found, left, back, up, inner, uneven)
        spine = np.hypot(left - self.spine[0], back - self.spine[1])
        found[(spine < 42) & (back > self.spine[1] - 12) & (inner > -10)] = MUSCLE
        found[spine < 19] = MARROW
        found[(spine < 20) & (np.abs(up % 31 - 15) > 12)] = BONE
        found[np.hypot(left - self.spine[0], back - self.spine[1] - 27) < 8] = STOMACH  # as bright as fluid
        for place, radius, inside in (
            ((self.spine[0] + 24, self.spine[1] - 20), 12.0, True),
            ((self.spine[0] - 28, self.spine[1] - 52), 10.0, up > 0),
            ((self.spine[0] - 24, self.spine[1] - 42), 12.0, up < 10),
        ):
            distance = np.hypot(left - place[0], back - place[1])
            found[(distance < radius + 2) & inside] = WALL
            found[(distance < radius) & inside] = VESSEL
        return found

    def _abdomen(
        self, found: NDArray[np.int_], left: Field, back: Field, up: Field, inner: Field, uneven: Field
    ) -> None:
        """Liver and stomach under the diaphragm."""
        for side, height in zip((-1, 1), self.diaphragm, strict=True):
            middle = self.centre[0] + side * self.half[0] * 0.42
            dome = height - ((left - middle) ** 2 + (back - self.centre[1]) ** 2) / 240 + uneven
            below = (up < dome) & (inner > 0)
            found[below] = LIVER if side < 0 else FAT
            if side > 0:
                stomach = np.hypot((left - middle) / 48, (up - height + 45) / 36) + 0.02 * uneven
                found[below & (stomach < 1)] = STOMACH
