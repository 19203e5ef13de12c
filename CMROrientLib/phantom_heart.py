"""The shapes of a synthetic heart cut along its short axis: both ventricles, from base to apex.

Coordinates and layers are those of ``phantom_anatomy``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .phantom_anatomy import Layer, Person, Plane, between, cover, ellipse


@dataclass(frozen=True)
class Heart:
    """Signed distances in mm (negative inside) of one slice, (rows, columns) each."""

    left_cavity: Plane
    left_outside: Plane
    right_cavity: Plane
    right_outside: Plane
    layers: list[Layer]

    def labels(self) -> np.ndarray:
        """(rows, columns) uint8 mask: 1 right ventricle, 2 myocardium of the left one, 3 its cavity."""
        mask = np.zeros(self.left_cavity.shape, np.uint8)
        mask[(self.right_cavity < 0) & (self.left_outside >= 0)] = 1
        mask[self.left_outside < 0] = 2
        mask[self.left_cavity < 0] = 3
        return mask


def heart(person: Person, x: Plane, y: Plane, level: float, contraction: float = 0.0) -> Heart:
    """The heart of a slice, to be painted over the chest.

    Parameters
    ----------
    x, y:
        (rows, columns) coordinates in mm, in the standard orientation.
    level:
        0 at the base, 1 at the apex.
    contraction:
        0 at end-diastole, 1 at end-systole.
    """
    pixel = float(x[0, 1] - x[0, 0])
    z = level * 90
    x = x - person.heart[0] + 1.6 * person.edges[0](x, y, z)
    y = y - person.heart[1] + 1.6 * person.edges[1](x, y, z)
    toward = np.radians(person.tilt)
    # u runs from the right ventricle to the left one, v at right angles, downwards.
    u = x * np.cos(toward) + y * np.sin(toward)
    v = y * np.cos(toward) - x * np.sin(toward)

    # The left ventricle is a bullet, widest below its base.
    taper = np.sqrt(max(1 - (0.93 * max(level - 0.12, 0.0) / 0.88) ** 2.4, 0.05))
    outer = person.heart_size * taper * (1 - 0.09 * contraction)
    wall = person.wall * (0.85 + 0.15 * taper) * (1 + 0.45 * contraction)
    inner = max(outer - wall, 2.5)
    left_outside = ellipse(u, v, (0, 0), (outer, outer * 1.04))
    left_cavity = ellipse(u, v, (0, 0), (inner, inner * 1.04)) + 0.9 * person.fine(x, y, z)

    # The right ventricle wraps round the septum: an oval beside the left one, cut by it.
    size = person.right_size * (1 - 0.16 * contraction) * np.sqrt(max(1 - (level / 0.93) ** 2.2, 0.0))
    long, wide = 40 * size + 1e-3, 30 * size + 1e-3
    middle = (-outer - 3 * size, 4 * size)
    right = ellipse(u, v, middle, (wide, long), 8)
    if level < 0.3:
        # Near the base the outflow tract reaches up in front of the left ventricle.
        tract = ellipse(u, v, (-outer * 0.78, -outer * 0.95), (19 * size, 24 * size), 38)
        right = np.minimum(right, tract + 40 * max(level - 0.18, 0.0))
    right_wall = between(3.6, 2.8, level) * (1 + 0.3 * contraction)
    right_outside = right if size < 0.15 else right - right_wall
    right_cavity = np.maximum(right, -left_outside + 0.5)

    outside = np.minimum(left_outside, right_outside)
    layers: list[Layer] = [
        (
            "epicardial fat",
            cover(outside - between(6.5, 4.0, level) - 2.2 * person.fine(x * 0.35, y * 0.35, z), 2 * pixel),
        ),
        ("pericardium", cover(np.abs(outside - 1.0) - 0.6, 1.5 * pixel) * 0.7),
        ("myocardium", cover(outside, pixel)),
        ("blood", cover(right_cavity, 1.5 * pixel) if size > 0.15 else np.zeros_like(u)),
        ("myocardium", _trabeculae(person, x, y, z, right_cavity, pixel)),
        ("myocardium", cover(left_outside, pixel)),
        ("blood", cover(left_cavity, 1.5 * pixel)),
    ]
    layers += [("myocardium", weight) for weight in _papillary_muscles(u, v, inner, level, contraction, pixel)]
    layers.append(("lesion", _lesion(person, u, v, left_cavity, left_outside, level, pixel)))
    return Heart(left_cavity, left_outside, right_cavity, right_outside, layers)


def _trabeculae(person: Person, x: Plane, y: Plane, z: float, cavity: Plane, pixel: float) -> Plane:
    """Muscle bundles at the inside of the right ventricle's wall."""
    near_wall = np.clip(1 + cavity / 8, 0.0, 1.0)
    return cover(1.3 - person.fine(x, y, z), 0.6) * near_wall * cover(cavity, pixel) * 0.7


def _papillary_muscles(u: Plane, v: Plane, inner: float, level: float, contraction: float, pixel: float) -> list[Plane]:
    """The two papillary muscles: anterolateral and posteromedial, in the middle of the stack."""
    radius = 5.4 * np.sin(np.pi * np.clip((level - 0.2) / 0.62, 0.0, 1.0)) * (1 - 0.1 * contraction)
    if radius < 1.2 or inner < 10:
        return []
    muscles = []
    for angle in (-30.0, 118.0):
        direction = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        centre = direction * (inner - radius * 1.05)
        muscles.append(cover(ellipse(u, v, (centre[0], centre[1]), (radius * 1.2, radius * 0.85), angle), 1.5 * pixel))
    return muscles


def _lesion(person: Person, u: Plane, v: Plane, cavity: Plane, outside: Plane, level: float, pixel: float) -> Plane:
    """A sector of the inner wall, where a coronary territory was without blood."""
    middle, half = person.lesion
    angle = np.degrees(np.arctan2(v, u))
    off = np.abs((angle - middle + 180) % 360 - 180)
    depth = cavity / np.maximum(cavity - outside, 1e-6)
    ragged = 0.62 + 0.12 * person.fine(u, v, level * 90)
    fading = np.clip((half - off) / 8, 0.0, 1.0) * np.clip((ragged - depth) / 0.15, 0.0, 1.0)
    return fading * cover(-cavity, pixel) * cover(outside, pixel) * float(level > 0.15)
