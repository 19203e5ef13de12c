"""Volumes to learn from: all of them stored in the standard orientation (class 0).

A data set is a folder of volumes, with an optional CSV that says whose they are. Slices are kept
in memory as squares, and in a cache folder so that the next run starts at once.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from ..io import SUFFIXES, read, without_suffix
from ..io.atomic import replacing
from ..progress import Progress
from ..recognition.preprocessing import Preprocessing, is_blank, kept
from ..recognition.slices import middle_slices

#: Meaning of mask values, by data set, as (right ventricle, myocardium, left ventricle).
MASK_VALUES: dict[str, tuple[int, int, int]] = {
    "ACDC": (1, 2, 3),
    "M&Ms vendor A": (3, 2, 1),
    "MyoPS 2020": (1, 2, 3),
}

#: Data sets that show the same people under the same subject names.
_SAME_PEOPLE = {"MyoPS 2020": "MyoPS", "MSCMR": "MyoPS"}

#: Of the arrays that ``load_slices`` keeps.
_CACHE_FORMAT = 2


@dataclass(frozen=True)
class Case:
    """One volume in standard orientation.

    Parameters
    ----------
    path, mask:
        The image, and its mask where there is one.
    dataset, subject:
        Where it comes from and whose it is; ``subject`` is unique over all data sets, so that
        splits by subject are splits by person.
    sequence:
        ``bSSFP``, ``LGE``, ``T2`` or what the CSV says.
    vendor:
        Maker of the scanner, "" where unknown.
    angle:
        In-plane angle in degrees of the line from the right to the left ventricle, 0 = along the
        columns' growing index, positive = downwards; None where unknown.
    margin:
        Degrees between ``angle`` and the nearer class border; None where unknown.
    mask_values:
        Values of right ventricle, myocardium and left ventricle in the mask; None where unknown.
    """

    path: Path
    mask: Path | None = None
    dataset: str = ""
    subject: str = ""
    sequence: str = ""
    vendor: str = ""
    angle: float | None = None
    margin: float | None = None
    mask_values: tuple[int, int, int] | None = None

    @property
    def drawn(self) -> bool:
        """Whether a mask says where right ventricle, myocardium and left ventricle are."""
        return self.mask is not None and self.mask_values is not None


def read_cases(root: Path, index: Path | None = None) -> list[Case]:
    """The volumes of a data folder, sorted by path.

    Parameters
    ----------
    root:
        Folder with volumes in standard orientation, at any depth.
    index:
        CSV with the columns ``path`` (relative to ``root``), ``subject`` and, if known, ``mask``,
        ``mask_values`` (right ventricle, myocardium, left ventricle: "1 2 3"), ``dataset``,
        ``modality`` (or ``sequence``), ``vendor``, ``rv_to_lv_angle_deg`` and ``margin_deg``.
        ``root/index.csv`` where not given; without one every volume that is no
        mask (``*_seg``, ``*_gt``) is taken, its name being its subject.

    Raises
    ------
    CMROrientError
        Where the folder holds no volume, or the CSV names a file that is not there.
    """
    root = Path(root)
    table = root / "index.csv" if index is None else Path(index)
    cases = _indexed(root, table) if index is not None or table.is_file() else _found(root)
    if not cases:
        raise CMROrientError("no volumes here; expected NIfTI, NRRD or MetaImage files in standard orientation", root)
    return sorted(_registered(cases), key=lambda case: str(case.path))


def _indexed(root: Path, table: Path) -> list[Case]:
    if not table.is_file():
        raise CMROrientError("the index does not exist", table)
    cases = []
    with table.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if "path" not in row:
                raise CMROrientError("the index needs a column 'path'", table)
            path = root / row["path"]
            if not path.is_file():
                raise CMROrientError(f"the index {table.name} names this file, which does not exist", path)
            dataset = row.get("dataset") or root.name
            subject = f"{_SAME_PEOPLE.get(dataset, dataset)}/{row.get('subject') or without_suffix(path).name}"
            mask = root / row["mask"] if row.get("mask") else None
            if mask is not None and not mask.is_file():
                raise CMROrientError(f"the index {table.name} names this mask, which does not exist", mask)
            angle, margin = (_number(row.get(key)) for key in ("rv_to_lv_angle_deg", "margin_deg"))
            sequence = row.get("modality") or row.get("sequence") or ""
            values = _mask_values(row["mask_values"], table) if row.get("mask_values") else MASK_VALUES.get(dataset)
            vendor = row.get("vendor") or ""
            cases.append(Case(path, mask, dataset, subject, sequence, vendor, angle, margin, values))
    return cases


def _mask_values(text: str, table: Path) -> tuple[int, int, int]:
    try:
        right, muscle, left = (int(value) for value in text.split())
    except ValueError:
        raise CMROrientError(f"mask_values is three numbers, as '1 2 3', not {text!r}", table) from None
    return right, muscle, left


def _found(root: Path) -> list[Case]:
    paths = sorted(p for p in root.rglob("*") if p.name.lower().endswith(SUFFIXES) and not p.name.startswith("."))
    names = [without_suffix(path).name for path in paths]
    return [
        Case(path, dataset=root.name, subject=f"{root.name}/{name}")
        for path, name in zip(paths, names, strict=True)
        if not name.endswith(("_seg", "_gt"))
    ]


def _registered(cases: list[Case]) -> list[Case]:
    # The sequences of one person in one study lie on the same frame: the angle that the mask of one
    # gives holds for the others. MyoPS registered them to one grid, so that the mask itself does.
    known = {case.subject: case for case in cases if case.angle is not None and case.subject.startswith("MyoPS/")}
    return [_told_by(case, known[case.subject]) if case.subject in known else case for case in cases]


def _told_by(case: Case, other: Case) -> Case:
    if case.angle is None:
        case = replace(case, angle=other.angle, margin=other.margin)
    if case.mask is None and case.dataset == other.dataset == "MyoPS 2020":
        case = replace(case, mask=other.mask)
    return case


def _number(text: str | None) -> float | None:
    return float(text) if text else None


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
    hearts: NDArray[np.float32]
    cases: tuple[Case, ...]

    def __len__(self) -> int:
        return len(self.squares)

    def of(self, chosen: Callable[[Case], bool]) -> Slices:
        """Those of the chosen cases; ``cases`` stays, so that indices keep their meaning."""
        keep = np.array([chosen(case) for case in self.cases], bool)[self.case]
        return Slices(self.squares[keep], self.masks[keep], self.case[keep], self.middle[keep], self.hearts, self.cases)


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
            return _with_hearts(data["squares"], data["masks"], data["case"], data["middle"], cases)
    squares, masks, owners, middle = [], [], [], []
    for number, case in enumerate(cases):
        array, spacing = read_slices(case)
        mask = read_mask(case)
        if mask is not None and mask.shape != array.shape:
            raise CMROrientError(f"the mask's size {mask.shape} is not the image's, {array.shape}", case.mask)
        for k, image in enumerate(array):
            if is_blank(image):
                continue
            squares.append(scaled(preprocessing.square(image, spacing, size)))
            masks.append(_mask_square(image, None if mask is None else mask[k], spacing, preprocessing, size))
            owners.append(number)
            middle.append(bool(middle_slices(k, len(array))))
        if progress is not None:
            progress(number + 1, len(cases))
    if not squares:
        raise CMROrientError("none of the volumes holds a slice that shows anything", cases[0].path.parent)
    result = _with_hearts(np.stack(squares), np.stack(masks), np.array(owners), np.array(middle), cases)
    if stored is not None:
        _save(stored, squares=result.squares, masks=result.masks, case=result.case, middle=result.middle)
    return result


def _with_hearts(
    squares: NDArray[np.float16],
    masks: NDArray[np.uint8],
    owner: NDArray[np.int_],
    middle: NDArray[np.bool_],
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
    return Slices(squares, masks, owner, middle, hearts, tuple(cases))


def _mask_square(
    image: NDArray[Any],
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
    values = [case.mask_values for case in cases]
    text = json.dumps([_CACHE_FORMAT, files, values, preprocessing.fit, preprocessing.trim, size])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _save(path: Path, **arrays: NDArray[Any]) -> None:
    with replacing([path]) as (stream,):
        np.savez(stream, allow_pickle=False, **arrays)
