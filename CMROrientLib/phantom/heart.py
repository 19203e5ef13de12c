"""A synthetic heart cut along its short axis: both ventricles, from base to apex, beating.

Coordinates, levels and layers are those of ``phantom_anatomy``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .anatomy import LONG_AXIS, Person
from .shapes import Layer, Plane, between, cover, ellipse, union

#: No part of the heart or of the fat round it lies farther from its centre than this, in mm.
REACH = 100.0


@dataclass(frozen=True)
class Heart:
    """One slice of the heart.

    Parameters
    ----------
    layers:
        To be painted over the chest.
    mask:
        (rows, columns) uint8: 1 right ventricle, 2 myocardium of the left one, 3 its cavity.
    """

    layers: list[Layer]
    mask: NDArray[np.uint8]


def heart(person: Person, x: Plane, y: Plane, level: float, contraction: float, cavity: Plane, abdomen: Plane) -> Heart:
    """The heart at one level and moment.

    Parameters
    ----------
    x, y:
        (1, columns) and (rows, 1) coordinates in mm.
    level:
        0 at the base, 1 at the apex.
    contraction:
        0 at end-diastole, 1 at end-systole.
    cavity, abdomen:
        (rows, columns) distances of the chest's ``Chest``, for the fat that the heart rests in.
    """
    pixel = float(x[0, 1] - x[0, 0])
    z = level * LONG_AXIS
    uneven_x, uneven_y = person.edges[0](x, y, z), person.edges[1](x, y, z)
    fine, coarse = person.fine(x, y, z), person.fine(x * 0.35, y * 0.35, z)
    # The apex points to the front and the feet.
    off_x = x - person.heart[0] + between(0, 10, level) + 1.6 * uneven_x
    off_y = y - person.heart[1] - between(0, 12, level) + 1.6 * uneven_y
    toward = np.radians(person.tilt)
    # u runs from the right ventricle to the left one, v at right angles, downwards.
    u = off_x * np.cos(toward) + off_y * np.sin(toward)
    v = off_y * np.cos(toward) - off_x * np.sin(toward)

    # The left ventricle is a bullet, widest a little below its base.
    taper = np.sqrt(max(1 - (0.93 * max(level - 0.12, 0.0) / 0.88) ** 2.4, 0.05))
    outer = person.heart_size * taper * (1 - 0.09 * contraction)
    inner = max(outer - person.wall * (0.85 + 0.15 * taper) * (1 + 0.45 * contraction), 2.5)
    left = ellipse(u, v, (0, 0), (outer, outer * 1.05))
    left_cavity = ellipse(u, v, (0, 0), (inner, inner * 1.05)) + 0.9 * fine

    # The right ventricle wraps round the septum: an oval beside the left one, cut by it.
    size = person.right_size * (1 - 0.16 * contraction) * np.sqrt(max(1 - (level / 0.95) ** 2.2, 0.0))
    has_right = size > 0.15
    right_cavity = np.full_like(u, np.inf)
    if has_right:
        right_cavity = ellipse(u, v, (-outer * 0.98 - 3 * size, 5 * size), (29 * size, 41 * size), 8)
        if level < 0.3:
            # Near the base the outflow tract reaches up in front of the left ventricle.
            tract = ellipse(u, v, (-outer * 0.72, -outer * 0.95), (19 * size, 25 * size), 38)
            right_cavity = union(right_cavity, tract + 60 * max(level - 0.15, 0.0), 6.0)
    right = right_cavity - between(3.6, 2.8, level) * (1 + 0.3 * contraction)
    right_cavity = np.maximum(right_cavity, 0.5 - left)
    outside = np.minimum(left, right) if has_right else left

    layers = _surroundings(outside, x, coarse, cavity, abdomen, level, pixel)
    layers += _great_vessels(u, v, outer, level, pixel)
    layers.append(("myocardium", cover(outside, pixel)))
    if has_right:
        trabeculae = cover(0.9 - fine, 0.6) * np.clip(1 + right_cavity / 10, 0.0, 1.0) * cover(right_cavity, pixel)
        layers += [("blood", cover(right_cavity, 1.5 * pixel)), ("myocardium", trabeculae * 0.7)]
    layers += [("myocardium", cover(left, pixel)), ("blood", cover(left_cavity, 1.5 * pixel))]
    layers += [("myocardium", weight) for weight in _papillary_muscles(u, v, inner, level, contraction, pixel)]
    layers.append(("lesion", _lesion(person, u, v, coarse, left_cavity, left, level, pixel)))

    mask = np.zeros(u.shape, np.uint8)
    mask[right_cavity < 0] = 1
    mask[left < 0] = 2
    mask[left_cavity < 0] = 3
    return Heart(layers, mask)


def _surroundings(
    outside: Plane, x: Plane, coarse: Plane, cavity: Plane, abdomen: Plane, level: float, pixel: float
) -> list[Layer]:
    """The fat on the heart, and the pads that fill the corners to the diaphragm and to the chest wall."""
    fat = outside - between(5.0, 3.0, level) - 2.0 * coarse
    # Only the front wall is near: far from it the pad has no wall to reach.
    pad = union(union(fat, abdomen, 26), np.maximum(-cavity, x + 20), 40)
    pad = np.maximum(np.maximum(pad, 1.0 - abdomen), cavity)
    near = outside - 45
    return [
        ("visceral fat", cover(np.maximum(pad + 1.5 * coarse, near), 2 * pixel)),
        ("epicardial fat", cover(np.maximum(fat, cavity), 2 * pixel)),
        ("pericardium", cover(np.abs(outside - between(4.0, 2.5, level)) - 0.6, 1.5 * pixel) * 0.6),
    ]


def _great_vessels(u: Plane, v: Plane, outer: float, level: float, pixel: float) -> list[Layer]:
    """Near the base: the left atrial appendage beside the left ventricle, and coronary vessels in the grooves."""
    layers: list[Layer] = []
    if level < 0.22:
        appendage = ellipse(u, v, (outer * 0.78, -outer * 0.95), (16, 9), 40) + 60 * max(level - 0.1, 0.0)
        layers += [
            ("epicardial fat", cover(appendage - 5, 2 * pixel)),
            ("myocardium", cover(appendage - 1.5, pixel)),
            ("blood", cover(appendage, pixel)),
        ]
    for angle in (-112.0, 118.0, 60.0):
        centre = (outer + 4.5) * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        layers.append(("blood", cover(ellipse(u, v, (centre[0], centre[1]), (1.6, 1.6)), pixel)))
    return layers


def _papillary_muscles(u: Plane, v: Plane, inner: float, level: float, contraction: float, pixel: float) -> list[Plane]:
    """The two papillary muscles, anterolateral and posteromedial, in the middle of the stack."""
    radius = 6.0 * np.sin(np.pi * np.clip((level - 0.2) / 0.62, 0.0, 1.0)) * (1 - 0.1 * contraction)
    if radius < 1.2 or inner < 10:
        return []
    muscles = []
    for angle in (-30.0, 118.0):
        centre = (inner - radius * 1.05) * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        muscles.append(cover(ellipse(u, v, (centre[0], centre[1]), (radius * 1.2, radius * 0.85), angle), 1.5 * pixel))
    return muscles


def _lesion(
    person: Person, u: Plane, v: Plane, coarse: Plane, cavity: Plane, outside: Plane, level: float, pixel: float
) -> Plane:
    """A sector of the inner wall, where a coronary territory was without blood."""
    middle, half = person.lesion
    off = np.abs((np.degrees(np.arctan2(v, u)) - middle + 180) % 360 - 180)
    depth = cavity / np.maximum(cavity - outside, 1e-6)
    fading = np.clip((half - off) / 8, 0.0, 1.0) * np.clip((0.62 + 0.12 * coarse - depth) / 0.15, 0.0, 1.0)
    return fading * cover(-cavity, pixel) * cover(outside, pixel) * float(level > 0.15)
