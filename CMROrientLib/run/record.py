"""The record: what was found in one image and what was done to it, as JSON lines and CSV.

A run keeps its records in ``cmrorient.jsonl`` (one line as each image finishes, so that a run that
was stopped can go on) and, when it ends, in ``cmrorient.csv`` as well, for people.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..errors import CMROrientError
from ..io.atomic import write_bytes, write_text

JSONL_NAME = "cmrorient.jsonl"
CSV_NAME = "cmrorient.csv"
HTML_NAME = "cmrorient.html"

#: Decisions that are acted on.
ACTED_ON = ("standard", "reoriented")


@dataclass(frozen=True)
class Record:
    """One image of a run. Paths are POSIX style; grids are in LPS and mm, axes in the file's order.

    Parameters
    ----------
    path:
        The image relative to the path that was given; for a DICOM series of several files the
        folder that they share.
    series:
        SeriesInstanceUID of a DICOM series, else None. ``(path, series)`` names a record.
    orientation:
        Class 0 to 7 of the stored pixels; None where there is none (an error, not looked at).
    header_orientation, header_state:
        The class that the header claims (None unless the state is ``known``).
    conflict, mirrored:
        Whether pixels and header tell different stories, and whether they differ by a mirror.
    confidence:
        0 to 1.
    decision:
        ``standard``, ``reoriented``, ``uncertain`` or ``not_short_axis``; None for an error.
    decided_by:
        ``network`` or ``user``.
    votes:
        Eight numbers: for how many slices each class was the most probable.
    slices:
        Number of slices looked at.
    model:
        ``name@checksum`` of the network, None where a user decided.
    geometry, geometry_class, target:
        The mode, the class g whose inverse re-indexed the directions, and the class of the result.
    slice_axis:
        The stored axis 0, 1 or 2 that slices lie along.
    grid_in, grid_out:
        ``Grid.to_json()`` of the image and of the output.
    sha256_in, sha256_out:
        Checksums of the files' bytes; for several files, of their checksums in the order of the names.
    output:
        What was written, relative to the output folder; None where nothing was.
    seconds:
        Time spent on this image.
    error:
        One line, or None.
    note:
        Why nothing was written, or what else there is to know.
    files:
        Every file written for the image itself, relative to the output folder.
    masks:
        For each mask ``path``, ``output``, ``sha256_in``, ``sha256_out`` and ``files``.
    agreement:
        Mean share of the turned copies that agree with their slice.
    slice_votes:
        The most probable class of each slice looked at.
    words:
        The result in a sentence or two.
    network:
        What the network said, ``class decision``: rows of an edited CSV that differ from it are
        the user's decisions.
    settings:
        Digest of everything that the result depends on besides the files.
    kind:
        ``nifti``, ``nrrd``, ``metaimage`` or ``dicom``.
    phases:
        1 for a stack, more for a cine.
    has_geometry:
        False where the file says nothing of its place.
    scanner:
        Manufacturer and model where the file tells them.
    version:
        Of this package.
    """

    path: str
    series: str | None = None
    orientation: int | None = None
    header_orientation: int | None = None
    header_state: str | None = None
    conflict: bool = False
    mirrored: bool = False
    confidence: float | None = None
    decision: str | None = None
    decided_by: str | None = None
    votes: list[int] = field(default_factory=lambda: [0] * 8)
    slices: int = 0
    model: str | None = None
    geometry: str | None = None
    geometry_class: int | None = None
    target: int | None = None
    slice_axis: int | None = None
    grid_in: dict[str, Any] | None = None
    grid_out: dict[str, Any] | None = None
    sha256_in: str | None = None
    sha256_out: str | None = None
    output: str | None = None
    seconds: float | None = None
    error: str | None = None
    note: str | None = None
    files: list[str] = field(default_factory=list)
    masks: list[dict[str, Any]] = field(default_factory=list)
    agreement: float | None = None
    slice_votes: list[int] = field(default_factory=list)
    words: str | None = None
    network: str | None = None
    settings: str | None = None
    kind: str | None = None
    phases: int = 1
    has_geometry: bool = True
    scanner: str | None = None
    version: str | None = None

    @property
    def key(self) -> tuple[str, str | None]:
        """What tells this record from the others of a run."""
        return self.path, self.series

    @property
    def name(self) -> str:
        """The image as people are told of it."""
        return self.path if self.series is None else f"{self.path} (series {self.series})"

    @property
    def failed(self) -> bool:
        """Whether this one makes a run end with status 1."""
        return self.error is not None or self.decision == "uncertain"

    def to_json(self) -> str:
        """One line of JSON without the line's end."""
        line = json.dumps(asdict(self), ensure_ascii=False, allow_nan=False)
        # File names that are not valid UTF-8 reach Python as lone surrogates; JSON can escape them.
        return line if line.isprintable() else json.dumps(asdict(self), allow_nan=False)

    @classmethod
    def from_json(cls, line: str) -> Record:
        """A record from its line; fields that this version does not know are left out.

        Raises
        ------
        ValueError
            Where the line is not a record.
        """
        data = json.loads(line)
        if not isinstance(data, dict) or not isinstance(data.get("path"), str):
            raise ValueError("not a record")
        return cls(**{name: value for name, value in data.items() if name in _FIELDS})


_FIELDS = tuple(entry.name for entry in fields(Record))


def read_records(place: str | os.PathLike[str]) -> list[Record]:
    """The records of a run, in the order of their first lines; of several with one key the last.

    Parameters
    ----------
    place:
        The output folder of a run, or its ``.jsonl`` file.

    Raises
    ------
    CMROrientError
        Where there is no record, or a line in the middle of it is broken. A broken last line is
        what a run leaves that was killed while writing; it is passed over.
    """
    path = Path(place)
    if path.is_dir():
        path = path / JSONL_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CMROrientError(
            f"there is no record of a run ({JSONL_NAME}); give the folder that 'cmrorient correct' wrote", path.parent
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CMROrientError(f"the record cannot be read ({error})", path) from error
    lines = text.split("\n")
    records: dict[tuple[str, str | None], Record] = {}
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


def append_record(path: Path, record: Record) -> None:
    """Add one line to a run's JSON lines, so that it outlives a run that is killed afterwards.

    A line that a killed run left without its end is ended first.
    """
    with path.open("ab+") as stream:
        if stream.seek(0, os.SEEK_END) > 0:
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                _drop_last_line(stream)
        stream.write(record.to_json().encode("utf-8") + b"\n")


def _drop_last_line(stream: Any) -> None:
    stream.seek(0)
    stream.truncate(stream.read().rfind(b"\n") + 1)


def write_jsonl(path: Path, records: Iterable[Record]) -> None:
    """Write all records anew, whole or not at all."""
    write_text(path, "".join(record.to_json() + "\n" for record in records))


def write_csv(path: Path, records: Iterable[Record]) -> None:
    """Write the records as a table (UTF-8 with a mark for spreadsheets), whole or not at all.

    Columns are the fields of ``Record``; lists and grids are written as JSON, None as nothing.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_FIELDS)
    for record in records:
        writer.writerow([_cell(value) for value in asdict(record).values()])
    write_bytes(path, stream.getvalue().encode("utf-8-sig", errors="backslashreplace"))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (list, dict, bool)):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return str(value)
