"""The slices of cases, read once: in memory as squares, and in a cache folder so that the next run starts at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from ..io import read
from ..io.atomic import replacing
from ..progress import Progress
from ..recognition.preprocessing import Preprocessing, is_blank, kept
from ..recognition.slices import middle_slices
from .cases import Case

#: Of the arrays that ``load_slices`` keeps.
_CACHE_FORMAT = 3


def read_slices(case: Case) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """All slices of a case: float32 (slices, rows, columns) and the spacing (row, column) in mm.

    Of a cine every phase is taken.
    """
    volume = read(case.path)
    array = np.asarray(volume.array, np.float32)
    return array.reshape(-1, *array.shape[-2:]), (volume.grid.spacing[1], volume.grid.spacing[0])


def read_mask(case: Case) -> NDArray[np.uint8] | None:
    """The mask of a case: (slices, rows, columns), 1 right ventricle, 2 myocardium, 3 left ventricle.

    Of a cine every phase is taken. None where no mask is known.

    Raises
    ------
    CMROrientError
        Where none of the values occurs in it: then they are not those of this mask.
    """
    if case.mask is None or case.mask_values is None:
        return None
    stored = np.asarray(read(case.mask).array)
    stored = stored.reshape(-1, *stored.shape[-2:])
    mask = np.zeros(stored.shape, np.uint8)
    for meaning, value in enumerate(case.mask_values, start=1):
        mask[stored == value] = meaning
    if stored.any() and not mask.any():
        raise CMROrientError(f"none of the values {case.mask_values} occurs in this mask", case.mask)
    return mask


@dataclass(frozen=True)
class Slices:
    """Slices of many cases as squares.

    Parameters
    ----------
    squares:
        (N, size, size) float16, each slice scaled to 0…1 between its extremes.
    masks:
        (N, size, size) uint8 as ``read_mask``; 0 everywhere where there is none.
    case:
        (N,) index of each slice's case in ``cases``.
    middle:
        (N,) whether each is one of the middle slices of its stack (``recognition.slices``).
    levels:
        (N, 2) float32 level between apex (0) and base (1), and how much that counts (``slice_levels``).
    hearts:
        (cases, 3) centre (column, row) and diameter of each case's heart as shares of the side;
        nan where no mask tells.
    cases:
        The cases, in order.
    """

    squares: NDArray[np.float16]
    masks: NDArray[np.uint8]
    case: NDArray[np.int_]
    middle: NDArray[np.bool_]
    levels: NDArray[np.float32]
    hearts: NDArray[np.float32]
    cases: tuple[Case, ...]

    def __len__(self) -> int:
        return len(self.squares)

    def of(self, chosen: Callable[[Case], bool]) -> Slices:
        """Those of the chosen cases; ``cases`` stays, so that indices keep their meaning."""
        keep = np.array([chosen(case) for case in self.cases], bool)[self.case]
        return Slices(
            self.squares[keep],
            self.masks[keep],
            self.case[keep],
            self.middle[keep],
            self.levels[keep],
            self.hearts,
            self.cases,
        )

    def joined(self, other: Slices) -> Slices:
        """Both, the other's after these."""
        return Slices(
            np.concatenate([self.squares, other.squares]),
            np.concatenate([self.masks, other.masks]),
            np.concatenate([self.case, other.case + len(self.cases)]),
            np.concatenate([self.middle, other.middle]),
            np.concatenate([self.levels, other.levels]),
            np.concatenate([self.hearts, other.hearts]),
            self.cases + other.cases,
        )


#: What a level counts that is told by the place in the stack alone: where stacks end is their makers' choice.
_BY_PLACE = 0.3
#: Labelled slices from which on a mask is taken to reach from apex to base.
_WHOLE = 6


def slice_levels(case: Case, mask: NDArray[np.uint8] | None, count: int) -> NDArray[np.float32]:
    """(count, 2) levels of a case's slices, and how much they count; nan and 0 where nothing tells.

    The first and the last slice with a left ventricle are the apex, 0, and the base, 1; beyond them it goes
    on to −0.3 and 1.3. Without a mask they are the first and the last slice.
    """
    found = np.tile(np.array([np.nan, 0], np.float32), (count, 1))
    labelled = np.arange(count) if mask is None else np.flatnonzero((mask > 1).any(axis=(1, 2)))
    if case.base_first is None or len(labelled) < 3:
        return found
    first, last = labelled[0], labelled[-1]
    level = (np.arange(count) - first) / (last - first)
    found[:, 0] = np.clip(1 - level if case.base_first else level, -0.3, 1.3)
    whole = mask is not None and (len(labelled) >= _WHOLE or len(labelled) < count)
    found[:, 1] = 1 if whole else _BY_PLACE
    return found


def scaled(square: NDArray[np.float32]) -> NDArray[np.float16]:
    """A square between its extremes: 0…1; zeros where it is constant."""
    lowest, highest = float(square.min()), float(square.max())
    return ((square - lowest) / ((highest - lowest) or 1)).astype(np.float16)


def load_slices(
    cases: Sequence[Case],
    preprocessing: Preprocessing,
    size: int,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> Slices:
    """Read all slices of the cases as squares of side ``size``; blank slices are left out.

    Parameters
    ----------
    preprocessing:
        Its geometry makes the squares; contrast comes later, after augmentation.
    size:
        Larger than the network's input, so that augmentation can zoom in.
    cache:
        Folder that keeps what was read. It is looked up by paths, sizes and times of the files.
    progress:
        Called with the number of cases done and in all.
    """
    stored = None if cache is None else cache / f"slices-{_fingerprint(cases, preprocessing, size)}.npz"
    if stored is not None and stored.is_file():
        with np.load(stored) as data:
            return _with_hearts(data["squares"], data["masks"], data["case"], data["middle"], data["levels"], cases)
    squares, masks, owners, middle, levels = [], [], [], [], []
    for number, case in enumerate(cases):
        array, spacing = read_slices(case)
        mask = read_mask(case)
        if mask is not None and mask.shape != array.shape:
            raise CMROrientError(f"the mask's size {mask.shape} is not the image's, {array.shape}", case.mask)
        of_case = slice_levels(case, mask, len(array))
        for k, image in enumerate(array):
            if is_blank(image):
                continue
            squares.append(scaled(preprocessing.square(image, spacing, size)))
            masks.append(_mask_square(image, None if mask is None else mask[k], spacing, preprocessing, size))
            owners.append(number)
            middle.append(bool(middle_slices(k, len(array))))
            levels.append(of_case[k])
        if progress is not None:
            progress(number + 1, len(cases))
    if not squares:
        raise CMROrientError("none of the volumes holds a slice that shows anything", cases[0].path.parent)
    result = _with_hearts(
        np.stack(squares), np.stack(masks), np.array(owners), np.array(middle), np.stack(levels), cases
    )
    if stored is not None:
        _save(
            stored,
            squares=result.squares,
            masks=result.masks,
            case=result.case,
            middle=result.middle,
            levels=result.levels,
        )
    return result


def _with_hearts(
    squares: NDArray[np.float16],
    masks: NDArray[np.uint8],
    owner: NDArray[np.int_],
    middle: NDArray[np.bool_],
    levels: NDArray[np.float32],
    cases: Sequence[Case],
) -> Slices:
    hearts = np.full((len(cases), 3), np.nan, np.float32)
    side = masks.shape[1]
    for number in range(len(cases)):
        inside = masks[owner == number] > 0
        if inside.any():
            _, rows, columns = np.nonzero(inside)
            # As wide as a disc of the largest slice's area.
            diameter = 2 * np.sqrt(inside.sum(axis=(1, 2)).max() / np.pi)
            hearts[number] = np.array([columns.mean() + 0.5, rows.mean() + 0.5, diameter]) / side
    return Slices(squares, masks, owner, middle, levels, hearts, tuple(cases))


def _mask_square(
    image: NDArray[np.float32],
    mask: NDArray[np.uint8] | None,
    spacing: tuple[float, float],
    preprocessing: Preprocessing,
    size: int,
) -> NDArray[np.uint8]:
    if mask is None or not mask.any():
        return np.zeros((size, size), np.uint8)
    if preprocessing.trim:
        mask = mask[kept(image)]
    untrimmed = replace(preprocessing, trim=False)
    shares = np.stack([untrimmed.square(mask == value, spacing, size) for value in range(4)])
    # Outside the slice every share is as low as inside; that is background.
    return np.where(shares.max(axis=0) > 0, shares.argmax(axis=0), 0).astype(np.uint8)


def _fingerprint(cases: Iterable[Case], preprocessing: Preprocessing, size: int) -> str:
    paths = [path for case in cases for path in (case.path, case.mask if case.drawn else None) if path is not None]
    files = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in paths]
    values = [[case.mask_values, case.base_first] for case in cases]
    text = json.dumps([_CACHE_FORMAT, files, values, preprocessing.fit, preprocessing.trim, size])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _save(path: Path, **arrays: NDArray[np.generic]) -> None:
    with replacing([path]) as (stream,):
        np.savez(stream, allow_pickle=False, **arrays)
