"""The negatives of a run, drawn once and kept in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...io.atomic import replacing
from ..cases import Case
from ..slices import scaled
from .families import training_negatives
from .reslices import read_stack


def stored_pool(path: Path, count: int, side: int) -> NDArray[np.float16] | None:
    """What an earlier start of the run kept; None where there is nothing or something else."""
    if not path.is_file():
        return None
    with np.load(path) as data:
        pictures = np.asarray(data["pictures"])
    return pictures if pictures.shape == (count, side, side) else None


def draw_pool(
    path: Path,
    count: int,
    side: int,
    seed: int,
    cases: Sequence[Case],
    *,
    without: Sequence[str] = (),
    views: Sequence[Path] = (),
) -> NDArray[np.float16]:
    """Draw the negatives of a run and keep them.

    Parameters
    ----------
    path:
        The file ``negatives.npz`` to write.
    count, side, seed:
        How many, how large, and what decides which.
    cases:
        Of the people trained on, to cut from.
    without, views:
        See ``training_negatives``.
    """
    stacks = [read_stack(case) for case in cases]
    drawn = training_negatives(count, seed, stacks, side, without=without, views=views)
    pictures = np.stack([scaled(picture) for picture in drawn])
    with replacing([path]) as (stream,):
        np.savez(stream, allow_pickle=False, pictures=pictures)
    return pictures
