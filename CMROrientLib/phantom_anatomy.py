"""The shapes of a synthetic chest, cut along the short axis of its heart.

Every shape is a signed distance in millimetres (negative inside) on a slice's coordinates: ``x``
grows to the right, ``y`` downwards, both from the centre of the field of view, in the standard
orientation. A slice is a list of layers, each painted over the ones before it. The proportions
are those of an adult lying on the back; a seed draws one person's variation of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import CubicSpline, make_interp_spline
from skimage.draw import polygon2mask

Plane = NDArray[np.float64]
#: A tissue's name and how much of each pixel it covers, 0 to 1, (rows, columns).
Layer = tuple[str, Plane]

# Skin and diaphragm, in mm: at the base of the heart and at its apex.
_SKIN_BASE = [(-6, -230), (-30, -178), (-66, -140), (-96, -92), (-116, -38), (-128, 20), (-134, 90), (-132, 230)]
_SKIN_BASE += [(112, 230), (124, 110), (130, 30), (126, -50), (114, -112), (94, -160), (80, -230)]
_SKIN_APEX = [(40, -230), (12, -178), (-26, -138), (-58, -92), (-82, -38), (-98, 20), (-108, 90), (-112, 230)]
_SKIN_APEX += [(118, 230), (128, 110), (133, 30), (130, -50), (122, -112), (112, -160), (106, -230)]
_DIAPHRAGM_X = (-150, -110, -70, -25, 15, 55, 95, 125, 150)
_DIAPHRAGM_BASE = (130, 98, 68, 50, 48, 52, 62, 86, 120)
_DIAPHRAGM_APEX = (100, 70, 44, 26, 10, -6, 6, 42, 90)


class Waves:
    """A smooth random function of (x, y, z) in mm with zero mean and unit deviation."""

    def __init__(self, rng: np.random.Generator, length: float, terms: int = 10) -> None:
        self._vectors = rng.normal(0, 1 / length, (terms, 3)) * [1, 1, 0.5]
        self._phases = rng.uniform(0, 2 * np.pi, terms)

    def __call__(self, x: Plane, y: Plane, z: float) -> Plane:
        """Its values at (x, y, z), of the shape of ``x``."""
        value = np.zeros_like(x)
        for (kx, ky, kz), phase in zip(self._vectors, self._phases, strict=True):
            value += np.cos(kx * x + ky * y + kz * z + phase)
        return value * np.sqrt(2 / len(self._phases))


@dataclass(frozen=True)
class Person:
    """One person's variation of the standard chest; lengths in mm, angles in degrees.

    Parameters
    ----------
    heart:
        (x, y) of the centre of the left ventricle.
    heart_size, wall:
        Outer radius of the left ventricle at its equator and thickness of its wall, end-diastole.
    tilt:
        Direction of the line from the right ventricle to the left one, positive = downwards.
    fat, muscle:
        Thickness of the layers under the skin.
    diaphragm, stomach:
        How far the diaphragm and the stomach under it are pushed up.
    lesion:
        Middle and half width of the scar's or oedema's sector of the wall.
    """

    heart: tuple[float, float]
    heart_size: float
    wall: float
    right_size: float
    tilt: float
    fat: float
    muscle: float
    diaphragm: float
    stomach: float
    gas: float
    lesion: tuple[float, float]
    edges: tuple[Waves, Waves]
    fine: Waves
    vessels: NDArray[np.float64]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Person:
        """A person from a random generator."""
        return cls(
            heart=(rng.uniform(-10, 12), rng.uniform(-16, -2)),
            heart_size=rng.uniform(32, 38),
            wall=rng.uniform(9, 11.5),
            right_size=rng.uniform(0.92, 1.1),
            tilt=rng.uniform(-34, -14),
            fat=rng.uniform(8, 18),
            muscle=rng.uniform(9, 13),
            diaphragm=rng.uniform(-8, 4),
            stomach=rng.uniform(-6, 6),
            gas=rng.uniform(-0.5, 0.3),
            lesion=(rng.uniform(0, 360), rng.uniform(28, 48)),
            edges=(Waves(rng, 22), Waves(rng, 22)),
            fine=Waves(rng, 7, 16),
            vessels=np.column_stack(
                [
                    rng.uniform(-130, 130, 260),
                    rng.uniform(-180, 110, 260),
                    rng.uniform(0, 1, 260),
                    rng.uniform(0, 1, 260),
                ]
            ),
        )


def cover(distance: Plane, softness: float) -> Plane:
    """How much of each pixel lies inside; ``softness`` is the width of the edge in mm."""
    return np.clip(0.5 - distance / softness, 0.0, 1.0)


def ellipse(x: Plane, y: Plane, centre: tuple[float, float], radii: tuple[float, float], angle: float = 0.0) -> Plane:
    """Signed distance (close to the edge) of an ellipse turned by ``angle`` degrees."""
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    u = (x - centre[0]) * cosine + (y - centre[1]) * sine
    v = (y - centre[1]) * cosine - (x - centre[0]) * sine
    return (np.hypot(u / radii[0], v / radii[1]) - 1) * min(radii)


def between(base: float, apex: float, level: float) -> float:
    """A length at ``level`` (0 base, 1 apex) of the heart."""
    return base + (apex - base) * level


def _smooth_minimum(a: Plane, b: Plane, radius: float) -> Plane:
    """The union of two distances with its corners filled by ``radius`` mm."""
    h = np.clip(0.5 + 0.5 * (b - a) / radius, 0.0, 1.0)
    return b * (1 - h) + a * h - radius * h * (1 - h)


def _skin(x: Plane, y: Plane, level: float) -> Plane:
    """Signed distance to the outline of the body."""
    corners = between(1, 0, level) * np.array(_SKIN_BASE, float) + level * np.array(_SKIN_APEX, float)
    closed = np.vstack([corners, corners[:1]])
    outline = CubicSpline(np.arange(len(closed)), closed, bc_type="periodic")(np.linspace(0, len(corners), 400))
    pixel = float(x[0, 1] - x[0, 0])
    inside = polygon2mask(x.shape, np.column_stack([(outline[:, 1] - y[0, 0]), (outline[:, 0] - x[0, 0])]) / pixel)
    distance = ndimage.distance_transform_edt(~inside) - ndimage.distance_transform_edt(inside)
    return ndimage.gaussian_filter(distance, 1.5) * pixel


def chest(person: Person, x: Plane, y: Plane, level: float) -> list[Layer]:
    """Everything but the heart, from the skin inwards.

    Parameters
    ----------
    x, y:
        (rows, columns) coordinates in mm of an evenly spaced slice in the standard orientation.
    level:
        Where the slice lies: 0 at the base of the heart, 1 at its apex.
    """
    pixel = float(x[0, 1] - x[0, 0])
    z = level * 90
    warped_x = x + 2.5 * person.edges[0](x, y, z)
    warped_y = y + 2.5 * person.edges[1](x, y, z)

    skin = _skin(x, y, level) + 1.5 * person.edges[0](x, y, z)
    # Subcutaneous fat is thick in front and below, thin at the back.
    fat = person.fat * (1 + 0.35 * np.tanh(y / 80) - 0.3 * np.tanh(x / 60)) + person.edges[1](x, y, z)
    wall = skin + fat
    muscle = person.muscle * (1 - 0.25 * np.tanh(x / 60))
    cavity = wall + muscle
    layers = [("fat", cover(skin, pixel)), ("muscle", cover(wall, pixel))]
    layers += _ribs(person, x, y, wall, muscle, pixel)

    heights = between(1, 0, level) * np.array(_DIAPHRAGM_BASE) + level * np.array(_DIAPHRAGM_APEX)
    dome = make_interp_spline(_DIAPHRAGM_X, heights - person.diaphragm, k=3)
    abdomen = np.maximum((dome(np.clip(warped_x, -150, 150)) - warped_y) * 0.8, cavity)
    lung = np.maximum(cavity, -abdomen)
    layers.append(("lung", cover(lung, 1.5 * pixel)))
    layers += _lung_vessels(person, x, y, lung, level, pixel)
    layers.append(("muscle", cover(abdomen, pixel)))
    inner = abdomen + 3.0
    layers.append(("visceral fat", cover(inner, pixel)))
    layers += _abdominal_organs(person, warped_x, warped_y, inner, level, pixel)
    layers += _back(person, warped_x, warped_y, cavity, level, pixel)
    return layers


def _ribs(person: Person, x: Plane, y: Plane, wall: Plane, muscle: Plane, pixel: float) -> list[Layer]:
    """Ribs cut across, in the middle of the muscle layer on both sides of the chest."""
    along = (y + 0.35 * np.abs(x)) / 24 + 0.3 * np.sign(x)
    off = (along - np.round(along)) * 24
    across = wall + muscle * 0.55
    rib = (np.hypot(across / 4.2, off / 7.0) - 1) * 4.2
    rib = np.maximum(rib, y - 120)
    return [("bone", cover(rib, pixel)), ("marrow", cover(rib + 1.8, pixel))]


def _lung_vessels(person: Person, x: Plane, y: Plane, lung: Plane, level: float, pixel: float) -> list[Layer]:
    """Vessels cut across: many and wide near the heart, few and thin near the wall."""
    vessels = np.zeros_like(x)
    left, top = float(x[0, 0]), float(y[0, 0])
    reach = int(np.ceil(6 / pixel))
    for vx, vy, place, width in person.vessels:
        if abs(place - level) > 0.22:
            continue
        radius = (0.6 + 2.4 * width**3) * np.exp(-np.hypot(vx - 20, vy + 60) / 140)
        # A vessel that runs obliquely moves through the slices.
        vx, vy = vx + 60 * (level - place) * (width - 0.5), vy + 40 * (level - place)
        column, row = round((vx - left) / pixel), round((vy - top) / pixel)
        window = np.s_[max(row - reach, 0) : max(row + reach, 0), max(column - reach, 0) : max(column + reach, 0)]
        spot = cover(np.hypot(x[window] - vx, (y[window] - vy) * (0.6 + 0.8 * width)) - radius, 1.5 * pixel)
        vessels[window] = np.maximum(vessels[window], spot)
    return [("vessel", vessels * cover(lung + 4, 2 * pixel) * 0.8)]


def _abdominal_organs(person: Person, x: Plane, y: Plane, inner: Plane, level: float, pixel: float) -> list[Layer]:
    """Liver, stomach and spleen under the diaphragm."""
    layers: list[Layer] = []
    liver = np.maximum(ellipse(x, y, (-72, 118), (between(108, 84, level), 96), -14), inner + 1.5)
    z = level * 90
    layers.append(("liver", cover(liver, pixel)))
    branches = np.abs(person.fine(x * 0.42, y * 0.42, z * 0.5)) * 8 + np.maximum(liver + 9, 0)
    layers.append(("vessel", cover(branches - 1.1, 2 * pixel) * 0.6))
    spleen = np.maximum(ellipse(x, y, (98, between(92, 58, level)), (22, 40), 12), inner + 1.5)
    layers.append(("spleen", cover(spleen, pixel)))
    middle = (between(52, 44, level), between(86, 34, level) - person.stomach)
    stomach = np.maximum(ellipse(x, y, middle, (between(26, 34, level), between(20, 29, level)), -20), inner + 2.5)
    layers.append(("stomach wall", cover(stomach, pixel)))
    layers.append(("stomach fluid", cover(stomach + 3.2, pixel)))
    # The person lies on the back: gas rises to the front, which is the left of the image.
    gas = np.maximum(stomach + 3.2, x - middle[0] - person.gas * 30)
    layers.append(("lung", cover(gas, pixel)))
    bowel = np.maximum(np.maximum(ellipse(x, y, (38, between(160, 128, level)), (62, 36), -8), inner + 4), -liver)
    folds = np.abs(person.fine(x * 0.8, y * 0.8, z)) * 5 - 3
    layers.append(("muscle", cover(np.maximum(bowel, folds), 2 * pixel)))
    return layers


def _back(person: Person, x: Plane, y: Plane, cavity: Plane, level: float, pixel: float) -> list[Layer]:
    """Descending aorta and, in the basal slices, the spine with the canal behind it."""
    layers: list[Layer] = []
    column_x = between(88, 190, level)
    spine = np.abs(x - column_x - 0.12 * (y - 60)) - 17
    if level < 0.5:
        along = (y + 9) / 31
        disc = np.abs(along - np.round(along)) * 31
        column = np.maximum(spine, 35 - y)
        layers.append(("muscle", cover(np.maximum(column - 10, cavity - 2), pixel)))
        layers.append(("bone", cover(np.maximum(column, cavity - 4), pixel)))
        bodies = np.maximum(np.maximum(column + 2, 4.5 - disc), cavity - 2)
        layers.append(("marrow", cover(bodies, pixel)))
    aorta = ellipse(x, y, (between(44, 66, level), between(34, 150, level)), (11, between(11, 15, level)))
    layers.append(("myocardium", cover(np.maximum(aorta - 1.8, cavity), pixel)))
    layers.append(("blood", cover(np.maximum(aorta, cavity + 2), pixel)))
    return layers
