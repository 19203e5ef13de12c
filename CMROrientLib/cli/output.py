"""What the command line shows: a bar while it works, a table or JSON lines, and what is left open."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..orientation import Orientation
from ..recognition.wording import confidence_words
from ..run.options import RunOptions
from ..run.record import Finding, Record

if TYPE_CHECKING:
    from tqdm import tqdm

    from ..run.work import Outcome

_HEADINGS = ("image", "stored", "confidence", "slices", "header", "result")


class Reporter:
    """Shows one run.

    Parameters
    ----------
    options:
        What the run is told.
    json:
        Records go to standard output, one a line as they come in; nothing else does.
    """

    def __init__(self, options: RunOptions, *, json: bool) -> None:
        self._json = json
        self._correcting = options.correcting
        self._dry_run = options.dry_run
        self._bar: tqdm[None] | None = None
        self._kept = 0
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
        self._kept += outcome.kept
        if self._json:
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

    def finish(self, records: Sequence[Record], page: Path | None = None) -> None:
        """Show the table, then what is left open, then the sum."""
        self._close()
        if not self._json:
            several = Counter(record.path for record in records)
            rows = [self._row(record, record.path if several[record.path] == 1 else record.name) for record in records]
            for line in table(rows):
                print(line, file=self._output)
        for record in records:
            if record.error is not None:
                _say(f"error: {record.name}: {record.error}")
        for record in records:
            if record.error is None and record.finding is not None and record.decision == "uncertain":
                _say(f"uncertain: {record.name}: {record.finding.words}")
        _say(self._sum(records))
        if page is not None:
            _say(f"report: {page}")

    def _row(self, record: Record, name: str) -> tuple[str, ...]:
        return (name, *_found(record.finding), self._result(record))

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
            return f"{record.decision}{conflict}"
        if record.action is None or record.action.grid is None:
            return "skipped (conflict)"
        done = "copied" if (record.note or "").startswith("copied") else "corrected"
        if self._dry_run:
            done = f"would be {done}"
        return f"{done}{conflict}"

    def _sum(self, records: Sequence[Record]) -> str:
        results = Counter(self._result(record).partition(" (")[0] for record in records)
        parts = ", ".join(f"{number} {name}" for name, number in sorted(results.items(), key=lambda item: -item[1]))
        conflicts = sum(record.conflict and record.acted_on for record in records)
        kept = f"; {self._kept} of them by an earlier run" if self._kept else ""
        told = f"; {conflicts} with a conflict of pixels and header" if conflicts else ""
        return f"{len(records)} image{'' if len(records) == 1 else 's'}: {parts}{told}{kept}"

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table with headings; the first column is shortened where the terminal is narrow."""
    lines = [_HEADINGS, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    if sys.stdout.isatty():
        others = sum(widths[1:]) + 2 * (len(widths) - 1)
        widths[0] = max(20, min(widths[0], shutil.get_terminal_size().columns - others))
    return ["  ".join(_fit(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _fit(cell: str, width: int) -> str:
    return cell.ljust(width) if len(cell) <= width else f"…{cell[-(width - 1) :]}"


def _found(finding: Finding | None) -> tuple[str, str, str, str]:
    """How it is stored, the confidence, the votes and the header."""
    if finding is None:
        return "", "", "", ""
    stored, sure = finding.orientation, finding.confidence
    return (
        "" if stored is None else _class(stored),
        "" if sure is None or finding.decided_by == "user" else confidence_words(sure),
        "" if stored is None or not finding.slices else f"{finding.votes[stored]}/{finding.slices}",
        _header(finding),
    )


def _header(finding: Finding) -> str:
    if finding.header_orientation is not None:
        return _class(finding.header_orientation)
    return {"none": "says nothing", "other_plane": "other plane"}.get(finding.header_state or "", "")


def _class(orientation: Orientation) -> str:
    return f"{orientation:d} {orientation.label}"


def _say(line: str) -> None:
    print(line, file=sys.stderr)
