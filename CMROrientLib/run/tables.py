"""A run's records on disk: JSON lines, which hold everything, and a table for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import CMROrientError
from ..io.atomic import replacing
from ..orientation import HeaderState
from .parts import Finding
from .record import Key, Record

JSONL_NAME = "cmrorient.jsonl"
CSV_NAME = "cmrorient.csv"
HTML_NAME = "cmrorient.html"

#: How an orientation is called, in tables, that is none of the eight.
NOT_SHORT_AXIS = "not-short-axis"

#: The column that tells an edit: orientation, decision and who decided, as the run wrote them.
AS_WRITTEN = "as_written"

_HEADER: dict[HeaderState | None, str] = {"none": "says nothing", "other_plane": "other plane"}

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


def read_jsonl(path: Path) -> list[Record]:
    """The records of a ``.jsonl`` file, in the order of their first lines; of several with one key the last.

    Raises
    ------
    CMROrientError
        Where it cannot be read, or a line in the middle is broken. A broken last line is what version
        1.0 left when it was killed while writing; it is passed over.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CMROrientError(
            f"the record cannot be read ({error}); check it, or move it away to start anew", path
        ) from error
    lines = text.split("\n")
    records: dict[Key, Record] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = Record.from_json(line)
        except ValueError as error:
            if number == len(lines):
                continue
            raise CMROrientError(
                f"line {number} of the record is broken ({error}); remove that line, or the whole file to start anew",
                path,
            ) from error
        records[record.key] = record
    return list(records.values())


def write_jsonl(path: Path, records: Iterable[Record]) -> None:
    """Write all records anew, whole or not at all."""
    with replacing([path]) as (stream,):
        stream.writelines((record.to_json() + "\n").encode("utf-8") for record in records)


def write_csv(path: Path, records: Iterable[Record]) -> None:
    """Write the records as a table for people (UTF-8 with a mark for spreadsheets), whole or not at all.

    Columns are ``COLUMNS``; the record's other fields stand in the JSON lines only.
    """
    with replacing([path]) as (binary,):
        binary.write("\N{ZERO WIDTH NO-BREAK SPACE}".encode())
        stream = io.TextIOWrapper(binary, "utf-8", "backslashreplace", newline="")
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        for record in records:
            writer.writerow([_escaped(cell) for cell in _cells(record).values()])
        stream.detach()


def _cells(record: Record) -> dict[str, str]:
    """What people read and edit of a record, by the names of the columns."""
    finding = record.finding
    orientation = "" if record.orientation is None else record.orientation.short_name
    decision = record.decision or ""
    decided_by = "" if finding is None else finding.decided_by or ""
    if decision == "not_short_axis" and decided_by:
        # Pixels of another view have no class that means anything.
        orientation = NOT_SHORT_AXIS
    header, conflict, confidence = "", "", ""
    if finding is not None:
        header = _HEADER.get(finding.header_state, "")
        if finding.header_orientation is not None:
            header = finding.header_orientation.short_name
        if finding.conflict:
            conflict = _conflict(finding)
        if finding.confidence is not None and decided_by == "network":
            confidence = f"{finding.confidence:.3f}"
    # What a sure result without a conflict says in words, the columns say already.
    told = finding.words if finding is not None and (finding.conflict or not finding.acted_on) else None
    return {
        "path": record.path,
        "series": record.series or "",
        "orientation": orientation,
        "decision": decision,
        "decided_by": decided_by,
        "confidence": confidence,
        "group": "" if record.group is None else record.group.name,
        "header_orientation": header,
        "conflict": conflict,
        "note": " ".join(filter(None, (told, record.note))),
        "error": record.error or "",
        "output": record.output or "",
        AS_WRITTEN: " ".join(cell or "-" for cell in (orientation, decision, decided_by)),
    }


def _conflict(finding: Finding) -> str:
    if finding.header_state == "other_plane":
        return "other plane"
    return "mirror" if finding.mirrored else "differs"


#: The columns of the table for people.
COLUMNS = tuple(_cells(Record("")))


def plain(cell: str) -> str:
    """A cell as it was before it was made safe for spreadsheets."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def _escaped(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: names of files come from outside."""
    return f"'{cell}" if _FORMULA.match(cell) else cell
