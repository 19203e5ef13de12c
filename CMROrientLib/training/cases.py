"""Volumes to learn from: all of them stored in the standard orientation (class 0).

A data set is a folder of volumes, with an optional CSV that says whose they are.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..io import SUFFIXES, without_suffix

#: Meaning of mask values, by data set, as (right ventricle, myocardium, left ventricle).
MASK_VALUES: dict[str, tuple[int, int, int]] = {
    "ACDC": (1, 2, 3),
    "M&Ms vendor A": (3, 2, 1),
    "MyoPS 2020": (1, 2, 3),
}

#: Data sets that show the same people under the same subject names.
_SAME_PEOPLE = {"MyoPS 2020": "MyoPS", "MSCMR": "MyoPS"}


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
    base_first:
        Whether the slices run from the base of the heart to its apex; None where unknown.
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
    base_first: bool | None = None

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
        ``modality`` (or ``sequence``), ``vendor``, ``rv_to_lv_angle_deg``, ``margin_deg`` and
        ``slice_order`` (``base_first`` or ``apex_first``).
        ``root/index.csv`` where not given; without one every volume that is no
        mask (``*_seg``, ``*_gt``) is taken, its name being its subject.

    Raises
    ------
    UsageError
        Where there is no such folder or index.
    CMROrientError
        Where the folder holds no volume, or the CSV names a file that is not there.
    """
    root = Path(root)
    if not root.is_dir():
        raise UsageError("there is no such folder; give the one that holds the volumes", root)
    table = root / "index.csv" if index is None else Path(index)
    cases = _indexed(root, table) if index is not None or table.is_file() else _found(root)
    if not cases:
        raise CMROrientError(
            "no volumes here; give a folder of NIfTI, NRRD or MetaImage files in standard orientation", root
        )
    return sorted(_registered(cases), key=lambda case: str(case.path))


def _indexed(root: Path, table: Path) -> list[Case]:
    if not table.is_file():
        raise UsageError("the index does not exist; give the CSV that names the volumes, or leave --index out", table)
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
            order = _base_first(row.get("slice_order"), table)
            cases.append(Case(path, mask, dataset, subject, sequence, vendor, angle, margin, values, order))
    return cases


def _base_first(text: str | None, table: Path) -> bool | None:
    if text in (None, ""):
        return None
    if text not in ("base_first", "apex_first"):
        raise CMROrientError(f"slice_order is base_first or apex_first, not {text!r}", table)
    return text == "base_first"


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
