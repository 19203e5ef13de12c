"""The table of a run as a person edits it."""

from __future__ import annotations

import csv
from pathlib import Path


def edit_table(out: Path, path: str, **cells: str) -> None:
    """Give the row of the image *path* in the table of the run in *out* these cells."""
    table = out / "cmrorient.csv"
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        if row["path"] == path:
            row.update(cells)
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
