"""A synthetic chest, cut along the short axis of its heart: everything but the heart itself.

``x`` and ``y`` are millimetres from the centre of the field of view, in the standard orientation;
``level`` runs from 0 at the base of the heart to 1 at its apex. A slice is a list of layers, each
painted over those before it. The proportions are those of an adult lying on the back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from .shapes import Layer, Plane, Waves, between, cover, ellipse, overlap

#: Length of the heart from its base to its apex, in mm.
LONG_AXIS = 88.0

# Heights, then where the skin lies on the left (front) and on the right (back) of the image, at the
# base of the heart and at its apex.
_SKIN_Y = (-240, -178, -140, -92, -38, 20, 90, 160, 240)
_FRONT_BASE = (-10, -40, -72, -100, -119, -129, -134, -134, -132)
_FRONT_APEX = (36, 4, -34, -66, -89, -104, -112, -114, -114)
_BACK_BASE = (78, 92, 105, 119, 127, 130, 126, 121, 116)
_BACK_APEX = (104, 110, 116, 124, 130, 133, 129, 124, 118)
# The diaphragm rises early on the right of the image, where the stomach lies under it.
_DIAPHRAGM_X = (-150, -110, -70, -25, 15, 55, 95, 125, 150)
_DIAPHRAGM_BASE = (120, 84, 58, 44, 40, 42, 58, 86, 120)
_DIAPHRAGM_APEX = (96, 70, 46, 28, 14, -14, -8, 28, 80)


@dataclass(frozen=True)
class Person:
    """One person's variation of the standard chest; lengths in mm, angles in degrees.

    Parameters
    ----------
    heart:
        (x, y) of the centre of the left ventricle.
    heart_size, wall, right_size:
        Outer radius of the left ventricle at its widest, thickness of its wall at end-diastole, and
        the size of the right ventricle relative to the usual one.
    tilt:
        Direction of the line from the right ventricle to the left one, positive = downwards.
    dome:
        Height of the lung's top above the centre of the field of view.
    fat, muscle:
        Thickness of the layers under the skin.
    diaphragm, stomach, gas:
        How far the diaphragm is pushed up, the size of the stomach relative to the usual one, and
        where gas and fluid meet in it (share of its radius).
    lesion:
        Middle and half width of the sector of the wall that has a scar or an oedema.
    edges, fine:
        Random functions that make outlines and textures uneven.
    lung_vessels:
        (n, 6): x, y, level, radius (mm), elongation, angle (degrees).
    """

    heart: tuple[float, float]
    heart_size: float
    wall: float
    right_size: float
    tilt: float
    dome: float
    fat: float
    muscle: float
    diaphragm: float
    stomach: float
    gas: float
    lesion: tuple[float, float]
    edges: tuple[Waves, Waves]
    fine: Waves
    lung_vessels: NDArray[np.float64]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Person:
        """A person from a random generator."""
        return cls(
            heart=(rng.uniform(-34, -16), rng.uniform(-14, 0)),
            heart_size=rng.uniform(32, 38),
            wall=rng.uniform(9, 11.5),
            right_size=rng.uniform(0.92, 1.1),
            tilt=rng.uniform(-38, -16),
            dome=rng.uniform(100, 140),
            fat=rng.uniform(8, 17),
            muscle=rng.uniform(9, 13),
            diaphragm=rng.uniform(-6, 4),
            stomach=rng.uniform(0.85, 1.15),
            gas=rng.uniform(-0.6, 0.7),
            lesion=(rng.uniform(0, 360), rng.uniform(28, 48)),
            edges=(Waves(rng, 22), Waves(rng, 22)),
            fine=Waves(rng, 7, 16),
            lung_vessels=_drawn_vessels(rng, 700),
        )


@dataclass(frozen=True)
class Chest:
    """A slice of the chest, and the distances that the heart's surroundings need.

    Parameters
    ----------
    layers:
        From the skin inwards.
    cavity, abdomen:
        (rows, columns) signed distances in mm of the room inside the chest wall and of the part of
        it that lies under the diaphragm.
    """

    layers: list[Layer]
    cavity: Plane
    abdomen: Plane


def chest(person: Person, x: Plane, y: Plane, level: float) -> Chest:
    """The chest at one level of the heart.

    Parameters
    ----------
    x, y:
        (1, columns) and (rows, 1) coordinates in mm, evenly spaced with the same step.
    """
    pixel = float(x[0, 1] - x[0, 0])
    z = level * LONG_AXIS
    uneven_x, uneven_y = person.edges[0](x, y, z), person.edges[1](x, y, z)
    skin = _skin(x, y, level) + 1.5 * uneven_x
    # Fat under the skin is thick in front and towards the feet, thin at the back.
    wall = skin + person.fat * (1 + 0.35 * np.tanh(y / 80) - 0.3 * np.tanh(x / 60)) + uneven_y
    muscle = person.muscle * (1 - 0.25 * np.tanh(x / 60))
    # Above the heart the ribs close to a dome; shoulder and breast muscle fill what is left.
    dome = ellipse(x, y, (12, 30), (130, person.dome + 30), 0) + 3 * uneven_x
    cavity = overlap(wall + muscle, dome, 18.0)
    layers = [
        ("skin", cover(skin, pixel)),
        ("fat", cover(skin + 2.0, pixel)),
        ("muscle", cover(np.abs(person.fine(x * 0.35, y * 0.35, z)) * 9 - 0.25, pixel) * cover(skin + 4, pixel) * 0.3),
        ("muscle", cover(wall, pixel)),
        # Fat between the muscles of the ribs and those of breast and shoulder.
        ("fat", cover(np.maximum(np.abs(cavity - 12.5 - 2 * uneven_y) - 1.6, wall + 1), pixel) * 0.8),
        ("fat", cover(np.maximum(np.abs(cavity - 30 - 4 * uneven_x) - 2.2, wall + 3), pixel) * 0.8),
        *_ribs(x, y, cavity, pixel),
    ]

    low = make_interp_spline(_DIAPHRAGM_X, np.array(_DIAPHRAGM_BASE, float), k=3)
    high = make_interp_spline(_DIAPHRAGM_X, np.array(_DIAPHRAGM_APEX, float), k=3)
    rise = np.sqrt(np.clip(level, 0, 1)) * (1 / (1 + np.exp(-x / 15))) + level * (1 / (1 + np.exp(x / 15)))
    height = low(np.clip(x, -150, 150)) * (1 - rise) + high(np.clip(x, -150, 150)) * rise
    abdomen = np.maximum((height - person.diaphragm - y - 2 * uneven_y) * 0.85, cavity)
    lung = np.maximum(cavity, -abdomen)
    layers += [("lung", cover(lung, 1.5 * pixel)), ("vessel", _lung_vessels(person, x, y, lung, level, pixel))]
    layers += [("muscle", cover(abdomen, pixel)), ("visceral fat", cover(abdomen + 3.0, pixel))]
    layers += _abdominal_organs(person, x + 2.5 * uneven_x, y + 2.5 * uneven_y, x, y, abdomen + 3.0, level, pixel)
    layers += _back(x + 2 * uneven_x, y + 2 * uneven_y, cavity, level, pixel)
    return Chest(layers, cavity, abdomen)


def _skin(x: Plane, y: Plane, level: float) -> Plane:
    """The outline of the body: a front and a back that run from the neck to the feet."""
    sides = []
    for base, apex, sign in ((_FRONT_BASE, _FRONT_APEX, -1), (_BACK_BASE, _BACK_APEX, 1)):
        edge = make_interp_spline(_SKIN_Y, (1 - level) * np.array(base, float) + level * np.array(apex, float), k=3)
        height = np.clip(y, _SKIN_Y[0], _SKIN_Y[-1])
        sides.append(sign * (x - edge(height)) / np.hypot(1, edge.derivative()(height)))
    front, back = sides
    outline: Plane = np.maximum(front, back)
    return outline


def _ribs(x: Plane, y: Plane, cavity: Plane, pixel: float) -> list[Layer]:
    """Ribs cut across, round the room inside them, down to the edge of the rib cage."""
    along = np.arctan2(y - 10, x - 8) * 115 / 27
    off = (along - np.round(along)) * 27
    rib = np.maximum((np.hypot((cavity - 4.8) / 4.2, off / 7.0) - 1) * 4.2, y - 120)
    return [("bone", cover(rib, pixel)), ("marrow", cover(rib + 1.7, pixel))]


def _drawn_vessels(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Vessels of the lung: dense and wide round the hilum, thin and sparse at the wall."""
    angle = rng.uniform(0, 360, count)
    reach = np.abs(rng.normal(0, 80, count)) + 8
    x = 15 + reach * np.cos(np.radians(angle))
    y = -45 + reach * np.sin(np.radians(angle)) * 1.2
    radius = (0.5 + 2.2 * rng.uniform(0, 1, count) ** 4) * np.exp(-reach / 130)
    elongation = 1 + 5 * rng.uniform(0, 1, count) ** 3
    return np.column_stack([x, y, rng.uniform(-0.1, 1.1, count), radius, elongation, angle + rng.normal(0, 30, count)])


def _lung_vessels(person: Person, x: Plane, y: Plane, lung: Plane, level: float, pixel: float) -> Plane:
    """How much of each pixel the vessels cover; each is seen over a few slices and moves through them."""
    covered = np.zeros_like(lung)
    left, top = float(x[0, 0]), float(y[0, 0])
    for vessel_x, vessel_y, place, radius, elongation, angle in person.lung_vessels:
        if abs(place - level) > 0.12:
            continue
        vessel_x += 90 * (level - place) * np.cos(np.radians(angle))
        vessel_y += 90 * (level - place) * np.sin(np.radians(angle))
        reach = int(np.ceil((radius * elongation + 2 * pixel) / pixel))
        column, row = round((vessel_x - left) / pixel), round((vessel_y - top) / pixel)
        if column + reach < 0 or row + reach < 0:
            continue
        rows, columns = slice(max(row - reach, 0), row + reach + 1), slice(max(column - reach, 0), column + reach + 1)
        spot = ellipse(x[:, columns], y[rows], (vessel_x, vessel_y), (radius * elongation, radius), angle)
        covered[rows, columns] = np.maximum(covered[rows, columns], cover(spot, 2 * pixel))
    return covered * cover(lung + 5, 2 * pixel) * 0.8


def _abdominal_organs(
    person: Person, x: Plane, y: Plane, plain_x: Plane, plain_y: Plane, inner: Plane, level: float, pixel: float
) -> list[Layer]:
    """Liver, stomach, spleen and bowel; ``x`` and ``y`` are uneven, the plain ones are for textures."""
    z = level * LONG_AXIS
    early = np.sqrt(level)
    bowel = np.maximum(ellipse(x, y, (44, between(165, 112, early)), (70, 44), -8), inner + 4)
    folds = np.abs(person.fine(plain_x * 0.6, plain_y * 0.6, z)) * 6 - 2.6
    liver = np.maximum(ellipse(x, y, (-78, 118), (between(112, 92, level), 98), -14), inner + 1.5)
    branches = np.abs(person.fine(plain_x * 0.3, plain_y * 0.3, z * 0.6)) * 14 + np.maximum(liver + 12, 0)
    thin = person.fine(plain_x * 0.9, plain_y * 0.9, z) - 1.7
    middle = (between(66, 60, level), between(86, 22, early))
    radii = (between(22, 36, early) * person.stomach, between(18, 27, early) * person.stomach)
    stomach = np.maximum(ellipse(x, y, middle, radii, -28), inner + 2.5)
    lumen = stomach + 3.2 + np.maximum(person.fine(plain_x, plain_y, z), 0) * 1.2
    # The person lies on the back: gas rises to the front, which is the left of the image.
    gas = np.maximum(lumen, x + 0.25 * y - middle[0] - 0.25 * middle[1] - person.gas * radii[0])
    spleen = np.maximum(ellipse(x, y, (106, between(96, 52, early)), (20, 40), 10), inner + 1.5)
    return [
        ("bowel", cover(np.maximum(bowel, folds), 2 * pixel) * 0.8),
        ("liver", cover(liver, pixel)),
        ("vessel", cover(branches - 1.0, 2 * pixel) * cover(-thin - 1.2, 1.0) * 0.55),
        ("vessel", cover(-thin * 3, 2 * pixel) * cover(liver + 8, pixel) * 0.5),
        ("spleen", cover(spleen, pixel)),
        ("stomach wall", cover(stomach, pixel)),
        ("stomach fluid", cover(lumen, pixel)),
        ("lung", cover(gas, 2 * pixel)),
    ]


def _back(x: Plane, y: Plane, cavity: Plane, level: float, pixel: float) -> list[Layer]:
    """The spine with its canal in the basal slices, and the descending aorta."""
    layers: list[Layer] = []
    if level < 0.55:
        off = x - between(80, 190, level) - 0.1 * (y - 60)
        along = (y + 9) / 30
        disc = np.abs(along - np.round(along)) * 30
        # Bodies are waisted, discs bulge a little.
        column = np.maximum(np.abs(off) - 15 - 1.6 * np.cos(2 * np.pi * along), 44 - y)
        layers += [
            ("muscle", cover(np.maximum(np.maximum(np.abs(off - 12) - 40, 38 - y), cavity - 1), pixel)),
            ("disc", cover(np.maximum(column, cavity - 1), pixel)),
            ("bone", cover(np.maximum(np.maximum(column, 3.6 - disc), cavity - 1), pixel)),
            ("marrow", cover(np.maximum(np.maximum(column + 1.8, 5.2 - disc), cavity), 1.5 * pixel)),
            ("fluid", cover(np.maximum(np.maximum(np.abs(off - 25) - 6, 40 - y), cavity - 1), 2 * pixel) * 0.9),
            ("disc", cover(np.maximum(np.maximum(np.abs(off - 25) - 3, 40 - y), cavity - 1), 2 * pixel) * 0.8),
        ]
    centre = (between(33, 44, level), between(42, 160, level))
    aorta = ellipse(x, y, centre, (11, between(11, 15, level)))
    layers += [
        ("visceral fat", cover(np.maximum(aorta - 5, cavity), 2 * pixel)),
        ("myocardium", cover(np.maximum(aorta - 1.8, cavity), pixel)),
        ("blood", cover(np.maximum(aorta, cavity + 2), pixel)),
    ]
    return layers
