"""Drawn pictures that only the test shows; the functions of training are others."""

from __future__ import annotations

import numpy as np

from CMROrientLib.training.negatives.drawing import axes, ellipse
from CMROrientLib.training.negatives.patterns import Pattern, Picture


def blank(random: np.random.Generator, size: int) -> Picture:
    """One value everywhere."""
    return np.full((size, size), random.choice([0.0, random.uniform(-1000, 1000)]), np.float32)


def fractal_noise(random: np.random.Generator, size: int) -> Picture:
    """Noise whose spectrum falls with frequency as that of natural pictures does."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :])
    frequency[0, 0] = 1
    spectrum = frequency ** -random.uniform(0.8, 1.8) * np.exp(2j * np.pi * random.random(frequency.shape))
    spectrum[0, 0] = 0
    return np.asarray(np.fft.irfft2(spectrum, (size, size)), np.float32)


def cells(random: np.random.Generator, size: int) -> Picture:
    """Voronoi cells of random grey."""
    from scipy.spatial import cKDTree

    count = int(random.integers(5, 120))
    points = random.uniform(0, size, (count, 2))
    pixels = np.stack(np.meshgrid(np.arange(size), np.arange(size), indexing="ij"), -1).reshape(-1, 2)
    nearest = cKDTree(points).query(pixels)[1]
    return np.asarray(random.random(count)[nearest].reshape(size, size), np.float32)


def spokes(random: np.random.Generator, size: int) -> Picture:
    """A resolution star with concentric circles."""
    y, x = axes(size)
    y, x = y - random.uniform(-0.4, 0.4), x - random.uniform(-0.4, 0.4)
    star = np.sin(int(random.integers(3, 40)) * np.arctan2(y, x))
    circles = np.sin(random.uniform(3, 40) * np.hypot(y, x))
    return np.asarray(np.sign(star * circles) if random.random() < 0.5 else star + circles, np.float32)


def abdomen(random: np.random.Generator, size: int) -> Picture:
    """A made-up abdomen in cross-section: wall, liver, spine, aorta, two kidneys, bowel loops."""
    picture = np.zeros((size, size), np.float32)
    tall, wide = random.uniform(0.5, 0.7), random.uniform(0.75, 0.95)
    picture[ellipse(size, (0, 0), (tall, wide))] = random.uniform(0.6, 1)
    inside = ellipse(size, (0, 0), (tall * 0.85, wide * 0.88))
    picture[inside] = random.uniform(0.1, 0.3)
    organs = [
        ((-0.1, -0.4), (0.35, 0.4)),
        ((0.3, 0.0), (0.12, 0.14)),
        ((0.12, 0.06), (0.06, 0.06)),
        ((0.25, -0.35), (0.13, 0.09)),
        ((0.25, 0.35), (0.13, 0.09)),
        ((-0.05, 0.5), (0.2, 0.15)),
    ]
    organs += [((random.uniform(-0.4, 0.1), random.uniform(0, 0.5)), (0.08, 0.1)) for _ in range(5)]
    for (row, column), radii in organs:
        centre = (row + random.normal(0, 0.03), column + random.normal(0, 0.03))
        scale = random.uniform(0.8, 1.2)
        organ = ellipse(size, centre, (radii[0] * scale, radii[1] * scale), random.uniform(-0.3, 0.3))
        picture[organ & inside] = random.random()
    return np.asarray(picture + random.uniform(0, 0.08) * random.standard_normal((size, size)), np.float32)


def speckled(random: np.random.Generator, size: int) -> Picture:
    """Salt and pepper on an even ground."""
    picture = np.full((size, size), 0.5, np.float32)
    chance = random.random((size, size))
    share = random.uniform(0.01, 0.3)
    picture[chance < share] = 0
    picture[chance > 1 - share] = 1
    return picture


def digit_sheet(random: np.random.Generator, size: int) -> Picture:
    """Handwritten digits in a grid (those that scikit-learn ships)."""
    from skimage.transform import resize
    from sklearn.datasets import load_digits

    digits = load_digits().images
    across = int(random.integers(1, 7))
    rows = [np.concatenate(list(digits[random.integers(0, len(digits), across)]), axis=1) for _ in range(across)]
    return np.asarray(resize(np.concatenate(rows), (size, size), order=1), np.float32)


def blocks(random: np.random.Generator, size: int) -> Picture:
    """A matrix bar code."""
    cells_across = int(random.integers(8, 40))
    code = (random.random((cells_across, cells_across)) < 0.5).astype(np.float32)
    index = np.arange(size) * cells_across // size
    return np.asarray(code[np.ix_(index, index)], np.float32)


TEST_PATTERNS: dict[str, Pattern] = {
    "blank": blank,
    "fractal noise": fractal_noise,
    "cells": cells,
    "star and circles": spokes,
    "drawn abdomens": abdomen,
    "salt and pepper": speckled,
    "handwritten digits": digit_sheet,
    "matrix codes": blocks,
}
