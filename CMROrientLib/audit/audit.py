"""The header audit: what the files' geometry claims, held against what their pixels show.

Nothing is written but the report: an HTML page, JSON lines and CSV.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import CMROrientError, UsageError
from ..io.atomic import replacing
from ..io.refused import cannot_write
from ..progress import ItemProgress
from ..report.page import check_further_pages, page_kind, write_report
from ..run.folder import Warn, recognize
from ..run.options import Inputs, RunOptions
from ..run.pictures.thumbnails import Thumbnails
from ..run.record import Json, Record
from ..run.work import Outcome
from .kept import Kept
from .page import AUDIT, by_scanner
from .verdict import explain, verdict_of

_PAGE_SUFFIXES = (".html", ".htm")
_PAGE_NAME = "cmrorient-audit.html"

_COLUMNS = (
    "path",
    "series",
    "scanner",
    "verdict",
    "words",
    "orientation",
    "header_orientation",
    "header_state",
    "decision",
    "confidence",
    "slices",
    "slice_order",
    "header_slice_order",
    "model",
    "note",
    "error",
)


@dataclass(frozen=True)
class ReportFiles:
    """The files of one audit."""

    page: Path
    jsonl: Path
    csv: Path

    @classmethod
    def at(cls, place: str | os.PathLike[str]) -> ReportFiles:
        """From what the user gave: an HTML file, or a folder to put it in. Raises UsageError."""
        page = Path(place)
        if page.is_dir() or not page.suffix:
            page = page / _PAGE_NAME
        if page.suffix.lower() not in _PAGE_SUFFIXES:
            raise UsageError("the report is an HTML file: give a name that ends in .html, or a folder", page)
        return cls(page, page.with_suffix(".jsonl"), page.with_suffix(".csv"))

    @property
    def files(self) -> tuple[Path, Path, Path]:
        """Page, JSON lines and CSV."""
        return self.page, self.jsonl, self.csv

    def check_free(self) -> None:
        """Raise ``UsageError`` where anything but an earlier audit would be replaced."""
        # Other audits may stand beside it; files of a person must not be where its further pages would.
        name = re.compile(rf"{re.escape(self.page.stem)}-[1-9]\d*{re.escape(self.page.suffix)}")
        beside = [path for path in self.page.parent.glob("*") if name.fullmatch(path.name) and page_kind(path) is None]
        for path in beside if page_kind(self.page) == "audit" else (*self.files, *beside):
            if path.exists():
                raise UsageError("this file is in the way and not from an audit; give another name", path)

    def check_pages(self, images: int) -> None:
        """Raise ``UsageError`` where the pages of so many images would replace anything but those of this audit."""
        try:
            check_further_pages(self.page, images, AUDIT.name)
        except CMROrientError as error:
            raise UsageError(error.message, error.path) from error

    def check_writable(self) -> None:
        """Raise ``UsageError`` where the files could not be written, before hours of work; makes their folder."""
        try:
            self.page.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.page.parent).close()
        except OSError as error:
            raise cannot_write(error, self.page.parent, "the report's folder", UsageError) from error


def audit(
    paths: Inputs,
    report: str | os.PathLike[str],
    *,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    **options: Any,
) -> list[Record]:
    """Look at files and folders and write a report on their headers; nothing else is written.

    Parameters
    ----------
    paths:
        Files and folders, NIfTI, NRRD, MetaImage and DICOM.
    report:
        See ``audit_run``.
    progress, warn, options:
        See ``run.folder.recognize`` and the fields of ``RunOptions``.

    Returns
    -------
    What ``audit_run`` does, all of them in memory.
    """
    told = RunOptions(inputs=paths, pictures=True, **options)  # type: ignore[arg-type]
    return list(audit_run(told, report, progress=progress, warn=warn))


def audit_run(
    options: RunOptions,
    report: str | os.PathLike[str],
    *,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
) -> Sequence[Record]:
    """Do what ``audit`` does with options that are made already.

    Parameters
    ----------
    report:
        The HTML page to write, or a folder for it; JSON lines and CSV come beside it under the
        same name. An earlier audit there is replaced, any other file is not.

    Returns
    -------
    The records, in the order of their paths, each read from disk when it is asked for;
    ``verdict.verdict_of`` judges each. Paths are relative to the given ones, which stand before them
    where two images would have one name.

    Raises
    ------
    UsageError
        For a wrong call, before anything is written.
    CMROrientError
        Where there is no image, or the report cannot be written.
    """
    target = ReportFiles.at(report)
    target.check_free()
    # Asked for one by one, so that images of one name in two folders can be told apart. What is
    # wrong with any of them is raised here, before the first image is looked at.
    images: list[int] = []
    runs = {
        os.fspath(root): recognize(replace(options, inputs=(root,)), progress, warn, images.append)
        for root in dict.fromkeys(options.inputs)
    }
    target.check_pages(sum(images))
    target.check_writable()
    # Beside the report, which takes as much room itself.
    kept = Kept(target.page.parent)
    try:
        for root, outcomes in runs.items():
            for outcome in outcomes:
                _keep(kept, root, outcome, target)
    except KeyboardInterrupt:
        # An archive takes hours: what has been looked at is told.
        title = "Header audit (stopped before its end)"
        write_audit(*kept.told_apart(), target, title=title, command=options.command)
        raise
    records, pictures = kept.told_apart()
    write_audit(records, pictures, target, command=options.command)
    return records


def _keep(kept: Kept, root: str, outcome: Outcome, report: ReportFiles) -> None:
    try:
        kept.add(root, outcome)
    except OSError as error:
        raise cannot_write(error, report.page) from error


def audit_line(record: Record) -> dict[str, Json]:
    """The flat form of a record with its ``verdict``, and what that means in ``words``."""
    return {**record.to_dict(), "verdict": verdict_of(record).value, "words": explain(record)}


def write_audit(
    records: Sequence[Record],
    pictures: Mapping[tuple[str, str | None], Thumbnails],
    report: ReportFiles,
    *,
    title: str = "Header audit",
    command: str = "",
) -> None:
    """Write the page, the JSON lines (see ``audit_line``) and the CSV."""
    with replacing([report.jsonl, report.csv]) as (lines, cells):
        cells.write("\N{ZERO WIDTH NO-BREAK SPACE}".encode())
        table = io.TextIOWrapper(cells, "utf-8", "backslashreplace", newline="")
        writer = csv.DictWriter(table, _COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for record in records:
            line = audit_line(record)
            lines.write((json.dumps(line) + "\n").encode("ascii"))
            writer.writerow(line)
        table.detach()
    sums = by_scanner(records)
    write_report(records, report.page, pictures, title=title, command=command, style=AUDIT, sums=sums)
