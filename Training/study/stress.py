"""Slices made harder in one way at a time, to see where a network begins to fail.

The middle slices of each stack are cropped, padded, rotated, coarsened, drowned in noise or
inverted. A rotation moves the line between the ventricles; the right answer is then what the
anatomy says, and a slice that comes to lie within 10° of a class border is not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from CMROrientLib.orientation import Orientation
from CMROrientLib.progress import Progress
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.preprocessing import is_blank
from CMROrientLib.recognition.slices import middle_slices
from CMROrientLib.training.cases import Case
from CMROrientLib.training.evaluation.predictions import Predictions
from CMROrientLib.training.evaluation.scoring import HARD_MARGIN, averaged_right, counts, single_pass_right
from CMROrientLib.training.evaluation.statistics import Accuracy, accuracy
from CMROrientLib.training.slices import read_mask, read_slices

Image = NDArray[np.float32]

#: Class 0 spans these angles of the line from right to left ventricle (degrees, positive = downwards).
LOWEST_ANGLE, HIGHEST_ANGLE = -68.0, 22.0


@dataclass(frozen=True)
class Change:
    """What is done to a slice.

    Parameters
    ----------
    apply:
        ``apply(slice, centre, random)``: (rows, columns) float32 in and out; ``centre`` is (row,
        column) of the heart, or of the slice where that is not known.
    rotation:
        Degrees clockwise by which the anatomy is turned.
    """

    apply: Callable[[Image, tuple[float, float], np.random.Generator], Image]
    rotation: float = 0.0


def cropped(image: Image, centre: tuple[float, float], random: np.random.Generator, share: float) -> Image:
    """The crop of ``share`` times each side that is nearest to being centred on the heart."""
    sides = [max(8, round(length * share)) for length in image.shape]
    starts = [
        int(np.clip(round(middle - side / 2), 0, length - side))
        for middle, side, length in zip(centre, sides, image.shape, strict=True)
    ]
    return image[starts[0] : starts[0] + sides[0], starts[1] : starts[1] + sides[1]]


def padded(image: Image, centre: tuple[float, float], random: np.random.Generator, share: float) -> Image:
    """A frame of faint noise (so that it cannot be trimmed) up to ``share`` times each side."""
    before = [int(length * (share - 1) / 2) for length in image.shape]
    lowest, spread = float(image.min()), float(np.ptp(image))
    frame = np.pad(image, [(width, width) for width in before], constant_values=lowest)
    outside = np.ones(frame.shape, bool)
    outside[before[0] : before[0] + image.shape[0], before[1] : before[1] + image.shape[1]] = False
    frame[outside] += np.abs(random.normal(0, 0.01 * spread, int(outside.sum()))).astype(np.float32)
    return frame


def rotated(image: Image, centre: tuple[float, float], random: np.random.Generator, degrees: float) -> Image:
    """Turned clockwise about the slice's centre, the field of view kept, corners dark."""
    from skimage.transform import rotate

    return np.asarray(rotate(image, -degrees, order=1, cval=float(image.min()), preserve_range=True), dtype=np.float32)


def coarse(image: Image, centre: tuple[float, float], random: np.random.Generator, pixels: int) -> Image:
    """Resampled so that the longer side has ``pixels`` pixels."""
    from skimage.transform import resize

    scale = pixels / max(image.shape)
    shape = [max(8, round(length * scale)) for length in image.shape]
    return np.asarray(resize(image, shape, order=1, anti_aliasing=True, preserve_range=True), dtype=np.float32)


def noisy(image: Image, centre: tuple[float, float], random: np.random.Generator, level: float) -> Image:
    """The magnitude after complex normal noise of ``level`` times the 99th percentile (Rician)."""
    image = image - image.min()
    sigma = level * float(np.percentile(image, 99))
    real, imaginary = random.normal(0, sigma, (2, *image.shape))
    return np.asarray(np.hypot(image + real, imaginary), np.float32)


def inverted(image: Image, centre: tuple[float, float], random: np.random.Generator) -> Image:
    """Bright made dark."""
    return np.asarray(image.max() - image)


def unchanged(image: Image, centre: tuple[float, float], random: np.random.Generator) -> Image:
    """The slice itself."""
    return image


def _levels(apply: Callable[..., Image], keyword: str, levels: Sequence[float]) -> dict[float, Change]:
    return {level: Change(partial(apply, **{keyword: level}) if level != 1 else unchanged) for level in levels}


#: The curves of the picture: name → level → change.
CURVES: dict[str, dict[float, Change]] = {
    "crop, share of the field of view": _levels(cropped, "share", (1.0, 0.9, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5)),
    "padding, share of the field of view": _levels(padded, "share", (1.0, 1.15, 1.3, 1.5)),
    "extra rotation, degrees": {
        float(angle): Change(partial(rotated, degrees=float(angle)) if angle else unchanged, float(angle))
        for angle in range(-30, 31, 10)
    },
    "resolution, pixels on the longer side": _levels(coarse, "pixels", (128, 96, 64, 48)),
    "noise, share of the 99th percentile": {
        level: Change(partial(noisy, level=level) if level else unchanged) for level in (0.0, 0.05, 0.1, 0.2)
    },
    "inverted contrast": {0.0: Change(unchanged), 1.0: Change(inverted)},
}


def expected_class(case: Case, rotation: float) -> Orientation | None:
    """The class of a standard slice after turning it clockwise; None where that is not certain.

    Rotations of slices whose angle is not known are not counted.
    """
    if not rotation:
        return Orientation.IDENTITY if counts(case) else None
    if case.angle is None:
        return None
    # Quarter turns past class 0, and the distance to the nearer border of the class reached.
    quarters, beyond = divmod(case.angle + rotation - LOWEST_ANGLE, HIGHEST_ANGLE - LOWEST_ANGLE)
    if min(beyond, HIGHEST_ANGLE - LOWEST_ANGLE - beyond) < HARD_MARGIN:
        return None
    turns = (Orientation.IDENTITY, Orientation.ROTATE_90, Orientation.ROTATE_180, Orientation.ROTATE_270)
    return turns[int(quarters) % 4]


@dataclass(frozen=True)
class MiddleSlice:
    """A middle slice of a stack, with what is needed to change and judge it."""

    image: Image
    spacing: tuple[float, float]
    centre: tuple[float, float]
    case: int
    number: int
    slices: int


def middle_slices_of(cases: Sequence[Case], each: int = 3) -> list[MiddleSlice]:
    """At most ``each`` evenly spread middle slices of each case."""
    found = []
    for index, case in enumerate(cases):
        stack, spacing = read_slices(case)
        mask = read_mask(case)
        middle = middle_slices(np.arange(len(stack)), len(stack))
        inside = [int(n) for n in np.flatnonzero(middle) if not is_blank(stack[n])]
        chosen = sorted({inside[int(n)] for n in np.linspace(0, len(inside) - 1, each).round()}) if inside else []
        heart = None if mask is None or not mask.any() else np.argwhere(mask.any(0)).mean(0)
        row, column = (np.array(stack.shape[1:]) - 1) / 2 if heart is None else heart
        found += [MiddleSlice(stack[n], spacing, (float(row), float(column)), index, n, len(stack)) for n in chosen]
    return found


def stressed(inference: Inference, cases: Sequence[Case], slices: Sequence[MiddleSlice], change: Change) -> Predictions:
    """Predictions for changed slices whose right answer is certain.

    The slices are turned on to class 0 where the change made them something else, so that
    ``Predictions`` keeps its meaning.
    """
    random = np.random.default_rng(0)
    outputs, kept = [], []
    for slice_ in slices:
        truth = expected_class(cases[slice_.case], change.rotation)
        if truth is None:
            continue
        image = change.apply(np.asarray(slice_.image, np.float32), slice_.centre, random)
        across = truth.inverse.exchanges_axes
        outputs.append(inference([truth.inverse.apply(image)], slice_.spacing[::-1] if across else slice_.spacing))
        kept.append(slice_)
    counts_of = np.ones(len(cases), int)
    for slice_ in kept:
        counts_of[slice_.case] = slice_.slices
    return Predictions(
        np.concatenate(outputs) if outputs else np.zeros((0, 8, 8), np.float32),
        np.array([slice_.case for slice_ in kept], int),
        np.array([slice_.number for slice_ in kept], int),
        tuple(cases),
        counts_of,
    )


@dataclass(frozen=True)
class StressRow:
    """How right a network is at one level of a change, in one pass and averaged over the turned copies."""

    level: float
    single: Accuracy
    averaged: Accuracy


def stress(
    inference: Inference,
    cases: Sequence[Case],
    each: int = 3,
    progress: Progress | None = None,
    keep: Callable[[str, float, Predictions], None] | None = None,
) -> dict[str, tuple[StressRow, ...]]:
    """The accuracy on middle slices: curve → a row for each level.

    Parameters
    ----------
    inference:
        The network. It is shown each slice alone.
    cases:
        Volumes in the standard orientation that it was not trained on.
    each:
        Slices of each stack.
    progress:
        Called with (levels done, levels).
    keep:
        Called with (curve, level, predictions), for who wants them for calibration.
    """
    slices = middle_slices_of(cases, each)
    steps = [(curve, level, change) for curve, levels in CURVES.items() for level, change in levels.items()]
    result: dict[str, list[StressRow]] = {curve: [] for curve in CURVES}
    for done, (curve, level, change) in enumerate(steps):
        found = stressed(inference, cases, slices, change)
        if len(found.logits):
            people = found.subjects
            single = accuracy(single_pass_right(found.logits), people)
            result[curve].append(StressRow(level, single, accuracy(averaged_right(found.logits), people)))
            if keep is not None:
                keep(curve, level, found)
        if progress is not None:
            progress(done + 1, len(steps))
    return {curve: tuple(rows) for curve, rows in result.items()}
