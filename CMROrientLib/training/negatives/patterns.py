"""Drawn pictures that are no short-axis slices: noise, patterns, writing, phantoms of other things.

Every function takes a random generator and the side length in pixels and returns a float32
(size, size) picture of arbitrary value range.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from .drawing import axes, ellipse

Picture = NDArray[np.float32]
Pattern = Callable[[np.random.Generator, int], Picture]


def smooth_noise(random: np.random.Generator, size: int) -> Picture:
    """White noise, blurred by nothing up to a tenth of the picture."""
    from scipy.ndimage import gaussian_filter

    width = random.choice([0.0, random.uniform(0.5, 4), size * random.uniform(0.02, 0.1)])
    noise = random.standard_normal((size, size))
    return np.asarray(gaussian_filter(noise, width) if width else noise, np.float32)


def gradient(random: np.random.Generator, size: int) -> Picture:
    """A linear or radial ramp with a little noise."""
    y, x = axes(size)
    if random.random() < 0.5:
        angle = random.uniform(0, 2 * np.pi)
        ramp = np.cos(angle) * x + np.sin(angle) * y
    else:
        ramp = np.hypot(y - random.uniform(-0.5, 0.5), x - random.uniform(-0.5, 0.5))
    return np.asarray(ramp + random.uniform(0, 0.1) * random.standard_normal((size, size)), np.float32)


def nearly_blank(random: np.random.Generator, size: int) -> Picture:
    """Zeros with a few set pixels, as an empty phase or a failed export leaves."""
    picture = np.zeros((size, size), np.float32)
    for _ in range(int(random.integers(1, 6))):
        picture[tuple(random.integers(0, size, 2))] = random.uniform(1, 1000)
    return picture


def shapes(random: np.random.Generator, size: int) -> Picture:
    """Ellipses, rings and boxes of random grey anywhere."""
    y, x = axes(size)
    picture = np.full((size, size), random.random(), np.float32)
    for _ in range(int(random.integers(2, 14))):
        centre = (random.uniform(-1, 1), random.uniform(-1, 1))
        radii = (random.uniform(0.03, 0.6), random.uniform(0.03, 0.6))
        angle = random.uniform(0, np.pi)
        kind = random.integers(3)
        if kind == 0:
            inside = ellipse(size, centre, radii, angle)
        elif kind == 1:
            smaller = random.uniform(0.5, 0.9)
            hole = ellipse(size, centre, (radii[0] * smaller, radii[1] * smaller), angle)
            inside = ellipse(size, centre, radii, angle) & ~hole
        else:
            inside = (np.abs(y - centre[0]) < radii[0]) & (np.abs(x - centre[1]) < radii[1])
        picture[inside] = random.random()
    return np.asarray(picture + random.uniform(0, 0.1) * random.standard_normal((size, size)), np.float32)


def stripes(random: np.random.Generator, size: int) -> Picture:
    """One or two gratings, as a spike in k-space leaves them."""
    y, x = axes(size)
    picture = np.zeros((size, size))
    for _ in range(int(random.integers(1, 3))):
        angle, frequency = random.uniform(0, np.pi), random.uniform(2, 60)
        picture = picture + np.sin(frequency * (np.cos(angle) * x + np.sin(angle) * y) + random.uniform(0, 6))
    return picture.astype(np.float32)


def head(random: np.random.Generator, size: int) -> Picture:
    """A made-up head in cross-section: skull, brain with folds, ventricles."""
    picture = np.zeros((size, size), np.float32)
    long, wide = random.uniform(0.6, 0.95), random.uniform(0.5, 0.8)
    angle = random.uniform(0, np.pi)
    picture[ellipse(size, (0, 0), (wide, long), angle)] = random.uniform(0.5, 1)
    picture[ellipse(size, (0, 0), (wide * 0.93, long * 0.93), angle)] = random.uniform(0, 0.2)
    brain = ellipse(size, (0, 0), (wide * 0.85, long * 0.87), angle)
    folds = smooth_noise(random, size)
    picture[brain] = random.uniform(0.4, 0.8) + 0.2 * np.sign(folds[brain]) * random.random()
    for side in (-1, 1):
        offset = side * random.uniform(0.06, 0.12)
        centre = (offset * np.cos(angle), -offset * np.sin(angle))
        picture[ellipse(size, centre, (random.uniform(0.03, 0.1), random.uniform(0.15, 0.35)), angle)] = random.random()
    return np.asarray(picture + random.uniform(0, 0.08) * random.standard_normal((size, size)), np.float32)


def writing(random: np.random.Generator, size: int) -> Picture:
    """Lines of letters, as in a scanned page or a burnt-in protocol."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("F", (size, size), float(random.random() < 0.5))
    ink = 1.0 - float(image.getpixel((0, 0)))  # type: ignore[arg-type]
    draw = ImageDraw.Draw(image)
    height = int(random.integers(8, 40))
    font = ImageFont.load_default(height)
    letters = np.array(list("ABCDEFGHIKLMNOPRSTUVabcdefghiklmnoprstuv .,:-"))
    for top in range(int(random.integers(0, height)), size, int(height * random.uniform(1.1, 2))):
        line = "".join(random.choice(letters, 60))
        draw.text((-int(random.integers(0, height)), top), line, fill=ink, font=font)
    return np.asarray(image, np.float32)


def _blob(
    random: np.random.Generator, size: int, centre: tuple[float, float], radius: float, rough: float
) -> NDArray[np.bool_]:
    """A closed curve whose radius wavers round a mean."""
    y, x = axes(size)
    y, x = y - centre[0], x - centre[1]
    angle = np.arctan2(y, x)
    edge = np.full((size, size), radius)
    for wave in range(1, 6):
        edge += radius * rough / wave * random.normal() * np.cos(wave * angle + random.uniform(0, 6))
    return np.asarray(np.hypot(y, x) < edge)


def lumps(random: np.random.Generator, size: int) -> Picture:
    """Tissue of no organ in particular: an outline, a rind and lumps of any shape, grain and grey."""
    picture = np.zeros((size, size), np.float32)
    outline = _blob(random, size, (0, 0), random.uniform(0.6, 1.1), 0.12)
    picture[outline] = random.random()
    if random.random() < 0.6:
        picture[outline & _blob(random, size, (0, 0), random.uniform(0.5, 0.8), 0.08)] = random.uniform(0, 0.4)
    for _ in range(int(random.integers(3, 22))):
        centre = (random.uniform(-0.8, 0.8), random.uniform(-0.8, 0.8))
        lump = outline & _blob(random, size, centre, random.uniform(0.04, 0.35), random.uniform(0, 0.4))
        picture[lump] = random.random() + random.uniform(0, 0.3) * smooth_noise(random, size)[lump]
    return np.asarray(picture + random.uniform(0, 0.08) * random.standard_normal((size, size)), np.float32)


def ripples(random: np.random.Generator, size: int) -> Picture:
    """Circular waves from several points, or spirals."""
    y, x = axes(size)
    picture = np.zeros((size, size))
    for _ in range(int(random.integers(1, 5))):
        dy, dx = y - random.uniform(-1, 1), x - random.uniform(-1, 1)
        arms = int(random.integers(0, 7)) * random.integers(2)
        picture = picture + np.sin(random.uniform(4, 60) * np.hypot(dy, dx) + arms * np.arctan2(dy, dx))
    return np.asarray(picture > 0 if random.random() < 0.4 else picture, np.float32)


TRAIN_PATTERNS: dict[str, Pattern] = {
    "smooth noise": smooth_noise,
    "ramps": gradient,
    "nearly blank": nearly_blank,
    "ellipses, rings and boxes": shapes,
    "stripes": stripes,
    "drawn heads": head,
    "letters": writing,
    "lumps": lumps,
    "ripples and spirals": ripples,
}
