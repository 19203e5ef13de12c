"""Pictures that are not short-axis slices, for the out-of-distribution output and for its test.

Families for training and families for the test are disjoint: other files, other generators, and
cuts from the stacks of other people. So the test says how the network treats what it has not met.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from .images import TEST_IMAGES, TRAIN_IMAGES, PackagedImage
from .patterns import TEST_PATTERNS, TRAIN_PATTERNS, Pattern
from .reslices import Stack, beside_the_heart, long_axis_cut, orthogonal_cut, shuffled

__all__ = ["TEST_FAMILIES", "TRAIN_FAMILIES", "Family", "Stack", "negatives_of", "training_negatives"]

Picture = NDArray[np.float32]


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
    cut: Callable[[np.random.Generator, Stack, int], Picture | None],
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


def _families(
    cuts: dict[str, tuple[float, Callable[[np.random.Generator, Stack, int], Picture | None]]],
    images: dict[str, list[PackagedImage]],
    patterns: dict[str, Pattern],
) -> dict[str, Family]:
    found = [Family(name, weight, partial(_from_stack, cut)) for name, (weight, cut) in cuts.items()]
    found += [Family(name, 6.0, partial(_packaged, files)) for name, files in images.items()]
    found += [Family(name, 1.5, partial(_pattern, function)) for name, function in patterns.items()]
    return {family.name: family for family in found}


#: What training may show as class 8.
TRAIN_FAMILIES = _families(
    {
        "long-axis cuts of stacks": (16.0, long_axis_cut),
        "squares beside the heart": (3.0, beside_the_heart),
        "shuffled tiles of slices": (3.0, shuffled),
    },
    TRAIN_IMAGES,
    TRAIN_PATTERNS,
)

#: What only the test may show.
TEST_FAMILIES = _families(
    {"row and column cuts of left-out stacks": (16.0, orthogonal_cut)}, TEST_IMAGES, TEST_PATTERNS
)


def negatives_of(
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


def training_negatives(count: int, seed: int = 0, stacks: Sequence[Stack] = (), size: int = 192) -> Picture:
    """(count, size, size) float32 raw pictures of the training families, in random order.

    Parameters
    ----------
    count, seed, size:
        See ``negatives_of``.
    stacks:
        The stacks of the *training* people; without them there are no cuts.
    """
    drawn = [picture for _, picture in negatives_of(list(TRAIN_FAMILIES.values()), count, seed, stacks, size)]
    return np.stack(drawn) if drawn else np.zeros((0, size, size), np.float32)
