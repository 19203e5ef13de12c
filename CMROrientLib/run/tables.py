"""A run's records on disk for people and scripts: JSON lines and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

from ..errors import CMROrientError
from ..io.atomic import write_bytes
from .record import FIELDS, Json, Key, Record

JSONL_NAME = "cmrorient.jsonl"
CSV_NAME = "cmrorient.csv"
HTML_NAME = "cmrorient.html"


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
        raise CMROrientError(f"the record cannot be read ({error})", path) from error
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
    write_bytes(path, "".join(record.to_json() + "\n" for record in records).encode("utf-8"))


def write_csv(path: Path, records: Iterable[Record]) -> None:
    """Write the records as a table (UTF-8 with a mark for spreadsheets), whole or not at all.

    Columns are the fields of the flat form; lists and grids are written as JSON, None as nothing.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(FIELDS)
    for record in records:
        writer.writerow([_cell(value) for value in record.to_dict().values()])
    write_bytes(path, stream.getvalue().encode("utf-8-sig", errors="backslashreplace"))


def _cell(value: Json) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
