"""Real volumes, scrambled and corrected: what has to come back is the volume that went in."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.record import Record

#: Volumes nearer to the border of two classes than this, in degrees, are a matter of taste.
CLEAR = 10.0


@dataclass(frozen=True)
class Case:
    """One volume of the real data, in standard orientation, and how it is scrambled.

    Parameters
    ----------
    path, mask:
        Relative to the data's folder, and to the scrambled one.
    dataset, sequence, subject:
        From the index.
    true_header:
        Whether the original says rightly where it lies in the patient.
    margin:
        Degrees to the border of the class; None where nobody measured it.
    stored:
        The class that it is turned into.
    turned_along:
        Whether its header is turned with it, or left behind.
    """

    path: str
    mask: str | None
    dataset: str
    sequence: str
    subject: str
    true_header: bool
    margin: float | None
    stored: Orientation
    turned_along: bool

    @property
    def clear(self) -> bool:
        """Whether nobody can argue about its class."""
        return self.margin is None or self.margin >= CLEAR


@dataclass(frozen=True)
class Judged:
    """What came back for one case: each is False where it should have been right and is not."""

    case: Case
    image: bool
    mask: bool
    place: bool
    decision: str | None
    error: str | None

    @property
    def right(self) -> bool:
        """Whether everything came back."""
        return self.image and self.mask and self.place


def read_cases(data: Path, seed: int) -> list[Case]:
    """All volumes of the index in random orientations, half of the headers left behind."""
    rng = np.random.default_rng(seed)
    with (data / "index.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    along = rng.permutation(len(rows)) % 2 == 0
    return [
        Case(
            path=row["path"],
            mask=row["mask"] or None,
            dataset=row["dataset"],
            sequence=row["modality"],
            subject=row["subject"],
            true_header=row["header"] == "true",
            margin=float(row["margin_deg"]) if row["margin_deg"] else None,
            stored=Orientation(int(rng.integers(8))),
            turned_along=bool(turned),
        )
        for row, turned in zip(rows, along, strict=True)
    ]


def scramble(data: Path, cases: Iterable[Case], folder: Path) -> None:
    """Write the scrambled volumes with their masks beside them."""
    for case in cases:
        directions = case.stored if case.turned_along else Orientation.IDENTITY
        for name in filter(None, (case.path, case.mask)):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            write(read(data / name).reindexed(case.stored, directions), target)


def judge(data: Path, cases: Sequence[Case], out: Path, records: Iterable[Record]) -> list[Judged]:
    """Hold what a run wrote against the originals."""
    by_path = {record.path: record for record in records}
    return [_judge(data, case, out, by_path.get(case.path)) for case in cases]


def _judge(data: Path, case: Case, out: Path, record: Record | None) -> Judged:
    if record is None or record.output is None:
        reason = "there is no record" if record is None else record.error
        return Judged(case, False, False, False, record.decision if record else None, reason)
    original, result = read(data / case.path), read(out / case.path)
    image = original.array.dtype == result.array.dtype and np.array_equal(original.array, result.array)
    # Where the original's header is true, both ways of scrambling come back to its own grid: a header
    # that was turned along is turned back, one that was left behind was right for the standard pixels.
    place = not case.true_header or np.allclose(original.grid.affine, result.grid.affine, atol=1e-4)
    mask = True
    if case.mask is not None:
        before, after = read(data / case.mask), read(out / case.mask)
        mask = np.array_equal(before.array, after.array)
        place = place and (not case.true_header or np.allclose(before.grid.affine, after.grid.affine, atol=1e-4))
    return Judged(case, bool(image), bool(mask), bool(place), record.decision, record.error)


def summary(judged: Sequence[Judged]) -> list[str]:
    """Lines with the figures: for all, by data set and sequence, and what went wrong."""
    lines = [_line("all", judged), _line(f"at least {CLEAR:g}° from a border", [j for j in judged if j.case.clear])]
    for group in sorted({(j.case.dataset, j.case.sequence) for j in judged}):
        lines.append(_line(" ".join(group), [j for j in judged if (j.case.dataset, j.case.sequence) == group]))
    true_headers = [j for j in judged if j.case.true_header]
    lines.append(f"places right where the header was true: {sum(j.place for j in true_headers)} of {len(true_headers)}")
    masks = [j for j in judged if j.case.mask]
    lines.append(f"masks right: {sum(j.mask for j in masks)} of {len(masks)}")
    lines.append(f"decisions: {dict(Counter(str(j.decision) for j in judged))}")
    for j in judged:
        if not j.right:
            margin = "" if j.case.margin is None else f", {j.case.margin:.0f}° from a border"
            lines.append(
                f"not right: {j.case.path} stored as {int(j.case.stored)}: {j.decision}{margin} {j.error or ''}"
            )
    return lines


def _line(name: str, judged: Sequence[Judged]) -> str:
    right = sum(j.right for j in judged)
    return f"{name}: {right} of {len(judged)} ({100 * right / max(1, len(judged)):.2f} %)"
