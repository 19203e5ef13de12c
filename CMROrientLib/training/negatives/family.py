"""Families of pictures that are not short-axis slices, and mixed draws from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .images import PackagedImage
from .patterns import Pattern
from .reslices import Stack

Picture = NDArray[np.float32]
#: A plane of a stack, or None where there is no room.
Cut = Callable[[np.random.Generator, Stack, int], Picture | None]


@dataclass(frozen=True)
class Family:
    """Pictures of one kind.

    Parameters
    ----------
    name:
        As the tables of results show it.
    weight:
        Its share of a mixed draw, relative to the others.
    draw:
        ``draw(random, stacks, size)`` gives one (size, size) picture, or None where it cannot
        (no stacks, no package).
    """

    name: str
    weight: float
    draw: Callable[[np.random.Generator, Sequence[Stack], int], Picture | None]


def _pattern(function: Pattern, random: np.random.Generator, stacks: Sequence[Stack], size: int) -> Picture:
    return function(random, size)


def _packaged(
    images: Sequence[PackagedImage], random: np.random.Generator, stacks: Sequence[Stack], size: int
) -> Picture | None:
    """A random square of a random file, so that a file with many slices does not outweigh the others."""
    from skimage.transform import resize

    slices: list[NDArray[np.float32]] = []
    for index in random.permutation(len(images)):
        slices = images[index].pixels()
        if slices:
            break
    if not slices:
        return None
    plane = slices[int(random.integers(len(slices)))]
    side = max(8, int(random.uniform(0.45, 1.0) * min(plane.shape)))
    row, column = (int(random.integers(0, length - side + 1)) for length in plane.shape)
    part = plane[row : row + side, column : column + side]
    if np.ptp(part) == 0:
        part = plane
    return np.asarray(resize(part, (size, size), order=1, anti_aliasing=True, preserve_range=True), np.float32)


def _from_stack(
    cut: Cut,
    random: np.random.Generator,
    stacks: Sequence[Stack],
    size: int,
) -> Picture | None:
    usable = [stack for stack in stacks if stack.can_be_resliced]
    for _ in range(10 if usable else 0):
        picture = cut(random, usable[int(random.integers(len(usable)))], size)
        # A cut that misses the body shows nothing.
        if picture is not None and np.mean(picture > picture.min()) > 0.25:
            return picture
    return None


def families_of(
    cuts: Mapping[str, tuple[float, Cut]],
    images: Mapping[str, Sequence[PackagedImage]],
    patterns: Mapping[str, Pattern],
) -> dict[str, Family]:
    """Families by name: cuts of stacks with their weights, packaged images, drawn patterns."""
    found = [Family(name, weight, partial(_from_stack, cut)) for name, (weight, cut) in cuts.items()]
    found += [Family(name, 6.0, partial(_packaged, files)) for name, files in images.items()]
    found += [Family(name, 1.5, partial(_pattern, function)) for name, function in patterns.items()]
    return {family.name: family for family in found}


def pictures_of(
    families: Sequence[Family], count: int, seed: int, stacks: Sequence[Stack] = (), size: int = 192
) -> Iterator[tuple[str, Picture]]:
    """Draw pictures from families by their weights.

    Parameters
    ----------
    families:
        Where to draw from; one that cannot give a picture (no stacks, package missing) is dropped.
    count:
        How many pictures.
    seed:
        Same seed, same pictures, for the same packages.
    stacks:
        Short-axis stacks to cut from: those of training for training, of left-out people for a test.
    size:
        Side length in pixels.

    Yields
    ------
    (name of the family, (size, size) float32 picture of any value range).

    Raises
    ------
    ValueError
        Where no family can give a picture.
    """
    random = np.random.default_rng(seed)
    left = list(families)
    given = 0
    while given < count:
        if not left:
            raise ValueError("none of the families can give a picture here")
        weights = np.array([family.weight for family in left])
        family = left[int(random.choice(len(left), p=weights / weights.sum()))]
        picture = family.draw(random, stacks, size)
        if picture is None:
            left.remove(family)
            continue
        given += 1
        yield family.name, picture
