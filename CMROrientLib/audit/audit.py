"""The header audit: what the files' geometry claims, held against what their pixels show.

Nothing is written but the report: an HTML page, JSON lines and CSV.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import UsageError
from ..io.atomic import replacing
from ..report.page import page_kind, write_report
from ..report.rows import Kind, Style, count, escape, number
from ..run.folder import Progress, Warn, recognize_folder
from ..run.record import Record
from ..run.thumbnails import Thumbnails
from ..run.work import Outcome
from .verdict import Verdict, explain, verdict_of

_PAGE_SUFFIXES = (".html", ".htm")
_PAGE_NAME = "cmrorient-audit.html"

#: Verdicts that say that pixels and header were compared and contradict each other.
CONTRADICTIONS = (Verdict.MIRRORED, Verdict.HEADER_WRONG, Verdict.NOT_FOLLOWED)

_KINDS = (
    Kind(Verdict.MIRRORED.value, "Mirrored", "alert", "pixels and header differ by a mirror; one of them is wrong"),
    Kind(Verdict.HEADER_WRONG.value, "Header wrong", "alert", "the pixels are standard, the header says otherwise"),
    Kind(
        Verdict.NOT_FOLLOWED.value,
        "Header did not follow",
        "alert",
        "the pixels are turned, and the header says something else",
    ),
    Kind(Verdict.OTHER_PLANE.value, "Other plane", "alert", "the header does not describe a short-axis plane"),
    Kind(Verdict.UNDECIDED.value, "Undecided", "warn", "the network is not sure about the pixels; nothing follows"),
    Kind(Verdict.ERROR.value, "Error", "bad", "the image could not be read"),
    Kind(Verdict.SILENT.value, "Header silent", "good", "the header says nothing that could be compared"),
    Kind(Verdict.CONSISTENT.value, "Consistent", "calm", "pixels and header say the same"),
    Kind(Verdict.LEFT_ALONE.value, "Left alone", "mute", "not a short-axis image"),
)

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
    "model",
    "note",
    "error",
)


def _lead(counts: Mapping[str, int], total: int) -> str:
    agreeing = counts[Verdict.CONSISTENT.value]
    against = sum(counts[verdict.value] for verdict in CONTRADICTIONS)
    compared = agreeing + against
    first = f"<strong>{count(total, 'image')}</strong> looked at; nothing was changed."
    if not compared:
        return f"{first} No header could be held against its pixels."
    share = f"{100 * agreeing / compared:.1f}".removesuffix(".0")
    verb = "agrees" if agreeing == 1 else "agree"
    return (
        f"{first} Of {count(compared, 'header')} that could be held against the pixels, "
        f"<strong>{number(agreeing)} {verb} ({share} %) and {number(against)} "
        f"{'contradicts' if against == 1 else 'contradict'} them.</strong>"
    )


AUDIT = Style(
    name="audit",
    kinds=_KINDS,
    tags=lambda record: [verdict_of(record).value],
    words=explain,
    lead=_lead,
    corrected=False,
)


@dataclass(frozen=True)
class Report:
    """The files of one audit."""

    page: Path
    jsonl: Path
    csv: Path

    @classmethod
    def at(cls, place: str | os.PathLike[str]) -> Report:
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
        if page_kind(self.page) == "audit":
            return
        for path in self.files:
            if path.exists():
                raise UsageError("this file is in the way and not from an audit; give another name", path)

    def check_writable(self) -> None:
        """Raise ``UsageError`` where the files could not be written, before hours of work; makes their folder."""
        try:
            self.page.parent.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=self.page.parent).close()
        except OSError as error:
            raise UsageError(f"the report cannot be written ({error.strerror or error})", self.page) from error


def audit(
    paths: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    report: str | os.PathLike[str],
    *,
    model: str | Path = "universal",
    device: str = "auto",
    averaging: bool = True,
    min_confidence: float | None = None,
    slice_axis: int | None = None,
    masks: Sequence[str] = (),
    jobs: int = 1,
    dask: str | None = None,
    command: str = "",
    progress: Progress | None = None,
    warn: Warn | None = None,
) -> list[Record]:
    """Look at files and folders and write a report on their headers; nothing else is written.

    Parameters
    ----------
    paths:
        Files and folders, NIfTI, NRRD, MetaImage and DICOM.
    report:
        The HTML page to write, or a folder for it; JSON lines and CSV come beside it under the
        same name. An earlier audit there is replaced, any other file is not.
    model, device, averaging, min_confidence, slice_axis, masks, jobs, dask, progress, warn:
        See ``batch.correct_folder``.
    command:
        What was typed, for the page.

    Returns
    -------
    The records, in the order of their paths; ``audit_verdict.verdict_of`` judges each. Paths are
    relative to the given ones, which stand before them where two images would have one name.

    Raises
    ------
    UsageError
        For a wrong call, before anything is written.
    CMROrientError
        Where there is no image, or the report cannot be written.
    """
    target = Report.at(report)
    target.check_free()
    # Asked for one by one, so that images of one name in two folders can be told apart. What is
    # wrong with any of them is raised here, before the first image is looked at.
    given = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    if not given:
        raise UsageError("give at least one file or folder")
    runs = {
        os.fspath(root): recognize_folder(
            root,
            model=model,
            device=device,
            averaging=averaging,
            min_confidence=min_confidence,
            slice_axis=slice_axis,
            masks=masks,
            jobs=jobs,
            dask=dask,
            pictures=True,
            progress=progress,
            warn=warn,
        )
        for root in given
    }
    target.check_writable()
    seen: list[tuple[str, Outcome]] = []
    try:
        for root, outcomes in runs.items():
            for outcome in outcomes:
                seen.append((root, outcome))
    except KeyboardInterrupt:
        # An archive takes hours: what has been looked at is told.
        write_audit(*_told_apart(seen), target, title="Header audit (stopped before its end)", command=command)
        raise
    records, pictures = _told_apart(seen)
    write_audit(records, pictures, target, command=command)
    return records


def _told_apart(
    seen: Sequence[tuple[str, Outcome]],
) -> tuple[list[Record], dict[tuple[str, str | None], Thumbnails]]:
    """Records by name, and their pictures; images of one name get the path that was given before it."""
    names = Counter(outcome.record.key for _, outcome in seen)
    records = []
    pictures = {}
    for root, outcome in seen:
        record = outcome.record
        if names[record.key] > 1:
            record = replace(record, path=(Path(root) / record.path).as_posix())
        records.append(record)
        if outcome.thumbnails is not None:
            pictures[record.key] = outcome.thumbnails
    records.sort(key=lambda record: (record.path, record.series or ""))
    return records, pictures


def write_audit(
    records: Sequence[Record],
    pictures: Mapping[tuple[str, str | None], Thumbnails],
    report: Report,
    *,
    title: str = "Header audit",
    command: str = "",
) -> None:
    """Write the page, the JSON lines (records with ``verdict`` and what it means in ``words``) and the CSV."""
    rows = [{**json.loads(record.to_json()), "verdict": verdict_of(record).value} for record in records]
    for line, record in zip(rows, records, strict=True):
        line["words"] = explain(record)
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with replacing([report.jsonl, report.csv]) as (lines, cells):
        lines.write("".join(json.dumps(line) + "\n" for line in rows).encode("ascii"))
        cells.write(table.getvalue().encode("utf-8-sig", errors="backslashreplace"))
    write_report(
        records, report.page, pictures, title=title, command=command, style=AUDIT, section=_by_scanner(records)
    )


def tell(records: Sequence[Record], report: str | os.PathLike[str]) -> int:
    """Tell an audit on the terminal: the sum on standard output, what failed on standard error.

    Returns
    -------
    The exit status: 0 everything was judged, 1 some image failed or is undecided.
    """
    for record in records:
        if record.error is not None:
            print(f"error: {record.name}: {record.error}", file=sys.stderr)
    counts = Counter(verdict_of(record).value for record in records)
    for kind in _KINDS:
        if counts[kind.tag]:
            print(f"{counts[kind.tag]:>7}  {kind.label}: {kind.meaning}")
    print(f"report: {Report.at(report).page}", file=sys.stderr)
    return 1 if any(record.failed for record in records) else 0


def _by_scanner(records: Iterable[Record]) -> str:
    """A table of verdicts by scanner model; empty where no file tells its scanner."""
    scanners: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        scanners[record.scanner or ""][verdict_of(record).value] += 1
    if not any(scanners):
        return ""
    kinds = [kind for kind in _KINDS if any(counts[kind.tag] for counts in scanners.values())]
    heads = "".join(f'<th scope="col">{escape(kind.label)}</th>' for kind in kinds)
    lines = []
    for name in sorted(scanners, key=lambda name: (-sum(scanners[name].values()), name)):
        counts = scanners[name]
        cells = "".join(_cell(counts[kind.tag]) for kind in kinds)
        label = f"<bdi>{escape(name)}</bdi>" if name else "not told"
        lines.append(f'<tr><th scope="row">{label}</th>{_cell(sum(counts.values()))}{cells}</tr>\n')
    return (
        '<section class="panel scanners" aria-labelledby="by-scanner"><h2 id="by-scanner">By scanner</h2>\n'
        '<div class="scroll" tabindex="0" role="region" aria-label="Table by scanner"><table class="sums">'
        f'<thead><tr><th scope="col">Scanner</th><th scope="col">Images</th>{heads}</tr></thead>\n'
        f"<tbody>\n{''.join(lines)}</tbody></table></div></section>\n"
    )


def _cell(value: int) -> str:
    return f"<td>{number(value)}</td>" if value else '<td class="nil">0</td>'
