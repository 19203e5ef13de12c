"""What the command line shows: a bar while it works, a table or JSON lines, and what is left open."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..orientation import Orientation
from ..recognition.wording import confidence_words, orientation_words
from ..run.options import RunOptions
from ..run.parts import Finding
from ..run.record import Key, Record
from .rows import Heading, Row, Rows
from .sums import Sums, shown_place
from .table import Cell, lines, tell

if TYPE_CHECKING:
    from tqdm import tqdm

    from ..run.work import Outcome

_CORRECTED: list[Cell] = [("image",), ("stored",), ("confidence", "sure"), ("slices",), ("header",), ("result",)]
_RECOGNIZED: list[Cell] = [("image",), ("class",), ("confidence", "sure"), ("slices",), ("header",), ("result",)]


class Reporter:
    """Shows one run.

    Parameters
    ----------
    options:
        What the run is told.
    json:
        Records go to standard output, one a line as they come in; nothing else does.
    only_problems:
        Show only what failed, is uncertain, or has pixels and header that contradict each other.
    at_once:
        Whether records go out as they come in; otherwise the command writes lines of its own in the end.
    """

    def __init__(self, options: RunOptions, *, json: bool, only_problems: bool = False, at_once: bool = True) -> None:
        self._json = json
        self._only_problems = only_problems
        self._at_once = at_once
        self._inputs = options.inputs
        self._correcting = options.correcting
        self._dry_run = options.dry_run
        self._bar: tqdm[None] | None = None
        self._kept = 0
        self._failed = False
        #: In a dry run, by their keys, what would not be done anew.
        self._done_before: set[Key] = set()
        self._output = sys.stdout
        if json and hasattr(self._output, "reconfigure"):
            self._output.reconfigure(encoding="utf-8")

    def __enter__(self) -> Reporter:
        if self._json:
            # A library that prints must not get between the records.
            sys.stdout = sys.stderr
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.stdout = self._output
        self._close()

    def progress(self, outcome: Outcome, done: int, total: int) -> None:
        """Show that one more image is done."""
        if outcome.kept:
            self._kept += 1
            if self._dry_run:
                self._done_before.add(outcome.record.key)
        if self._json and self._at_once and self._shows(outcome.record):
            self._output.write(outcome.record.to_json() + "\n")
            self._output.flush()
        if self._bar is None and sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit="image", file=sys.stderr, leave=False, dynamic_ncols=True)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)

    def warn(self, line: str) -> None:
        """Show something that people should know."""
        _say(f"warning: {line}")

    def fail(self, line: str) -> None:
        """Show what could not be done although no image failed; the exit status is 1 then."""
        self._failed = True
        self.warn(line)

    def finish(self, records: Iterable[Record], page: Path | None = None) -> int:
        """Show the table, then what is left open, then the sum.

        The records are gone through once: those of an archive lie on disk.

        Returns
        -------
        The exit status: 0 where all is done, 1 where some image failed or is uncertain, or ``fail`` was called.
        """
        self._close()
        rows, sums = Rows(), Sums()
        errors, uncertain = [], []
        for record in records:
            sums.add(record, self._group(record))
            if record.error is not None:
                errors.append(f"error: {full_name(record, self._inputs)}: {record.error}")
            elif record.finding is not None and record.decision == "uncertain":
                uncertain.append(f"uncertain: {full_name(record, self._inputs)}: {record.finding.words}")
            if not self._json:
                rows.count(record.path)
                if self._shows(record):
                    rows.add(self._row(record), self._heading(record))
        if not self._json and (len(rows) or not self._only_problems):
            for line in lines(_CORRECTED if self._correcting else _RECOGNIZED, rows):
                print(line, file=self._output)
        for line in (*errors, *uncertain, sums.words(self._kept), *sums.advice(self._inputs)):
            _say(line)
        if page is not None:
            _say(f"report: {page}")
        return int(sums.failed > 0 or self._failed)

    def _shows(self, record: Record) -> bool:
        return not self._only_problems or record.failed or (record.conflict and record.acted_on)

    def _heading(self, record: Record) -> Heading | None:
        """What stands above the images of a group."""
        group, finding = record.group, record.finding
        if group is None:
            return None
        # Of a stack whose slices are images of their own it is told which way they run.
        known = group.kind == "stack" and finding is not None and record.acted_on
        order = finding.slice_order if known and finding is not None else None
        return Heading(group.name, f"{shown_place(group.name, self._inputs)}: {group.words}", order)

    def _row(self, record: Record) -> Row:
        result = self._result(record)
        short = "left alone" if result.startswith("left alone") else result
        if not self._correcting and record.acted_on and record.orientation is not None:
            # The column of the class says the rest.
            name_of_class = "standard" if record.decision == "standard" else record.orientation.short_name
            short = result.replace(orientation_words(record.orientation), name_of_class)
        names = shown_name(record, self._inputs), full_name(record, self._inputs)
        return Row(record.path, *names, [*_found(record.finding), (result, short)])

    def _result(self, record: Record) -> str:
        if record.error is not None:
            return "error"
        if record.decision == "uncertain":
            return "uncertain"
        if record.orientation is None:
            reason = (record.note or "").removeprefix("left alone: ")
            return f"left alone ({reason})" if reason else "left alone"
        if not record.acted_on:
            return "not short-axis"
        conflict = " (conflict)" if record.conflict else ""
        if not self._correcting:
            return f"stored {orientation_words(record.orientation)}{conflict}"
        if record.action is None or record.action.grid is None:
            return "skipped (conflict)"
        done = "copied" if (record.note or "").startswith("copied") else "corrected"
        if self._dry_run and record.key not in self._done_before:
            done = f"would be {done}"
        return f"{done}{conflict}"

    def _group(self, record: Record) -> str:
        """The result as the sum counts it: eight classes would be no sum."""
        result = self._result(record).partition(" (")[0]
        if not self._correcting and record.decision == "reoriented":
            return "stored in another orientation"
        return result

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def stored(orientation: Orientation | None) -> Cell:
    """A class: in words, by its name, by its number."""
    if orientation is None:
        return ("",)
    return f"{orientation:d} {orientation.label}", f"{orientation:d} {orientation.short_name}", f"{orientation:d}"


def header(finding: Finding) -> Cell:
    """What the header says."""
    if finding.header_orientation is None:
        return {"none": ("says nothing", "silent"), "other_plane": ("other plane", "other plane", "other")}.get(
            finding.header_state or "", ("",)
        )
    words, name, number = stored(finding.header_orientation)
    if finding.header_orientation == finding.orientation and finding.decision != "not_short_axis":
        return words, "same", "same"
    return words, name, number


def shown_name(record: Record, inputs: Sequence[Path]) -> str:
    """The path by which people know an image: a series of the given folder itself goes by the folder's name."""
    if record.path != ".":
        return record.path
    folders = [path for path in inputs if path.is_dir()]
    if len(folders) != 1:
        return f"series {record.series}"
    return folders[0].resolve().name or str(folders[0])


def full_name(record: Record, inputs: Sequence[Path]) -> str:
    """The same with its series, which tells it from the others of its folder."""
    name = shown_name(record, inputs)
    if name == record.path:
        return record.name
    return name if name == f"series {record.series}" else replace(record, path=name).name


def _found(finding: Finding | None) -> tuple[Cell, Cell, Cell, Cell]:
    """The class, the confidence, the votes and the header; no class where it is no short axis."""
    if finding is None:
        return ("",), ("",), ("",), ("",)
    orientation = None if finding.decision == "not_short_axis" else finding.orientation
    if orientation is None:
        return ("",), ("",), ("",), header(finding)
    sure = "" if finding.confidence is None or finding.decided_by == "user" else confidence_words(finding.confidence)
    return (
        stored(orientation),
        (sure, sure.replace("over ", ">")),
        (f"{finding.votes[orientation]}/{finding.slices}" if finding.slices else "",),
        header(finding),
    )


def _say(line: str) -> None:
    tell(line, sys.stderr)
