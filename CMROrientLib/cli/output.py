"""What the command line shows: a bar while it works, a table or JSON lines, and what is left open."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from ..orientation import Orientation
from ..recognition.wording import confidence_words, orientation_words, slice_order_words
from ..run.options import RunOptions
from ..run.parts import Finding
from ..run.record import Key, Record
from .table import Cell, table, tell

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
        self._kept: set[Key] = set()
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
            self._kept.add(outcome.record.key)
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

    def finish(self, records: Sequence[Record], page: Path | None = None) -> None:
        """Show the table, then what is left open, then the sum."""
        self._close()
        if not self._json:
            several = Counter(record.path for record in records)
            shown = [record for record in records if self._shows(record)]
            rows = [row for record in grouped(shown) for row in self._rows(record, several)]
            if rows or not self._only_problems:
                for line in table(_CORRECTED if self._correcting else _RECOGNIZED, rows):
                    print(line, file=self._output)
        for record in records:
            if record.error is not None:
                _say(f"error: {full_name(record, self._inputs)}: {record.error}")
        for record in records:
            if record.error is None and record.finding is not None and record.decision == "uncertain":
                _say(f"uncertain: {full_name(record, self._inputs)}: {record.finding.words}")
        _say(self._sum(records))
        for line in (_mixed_orders(records), _left_in_order(records, self._inputs), no_short_axis(records)):
            if line:
                _say(line)
        if page is not None:
            _say(f"report: {page}")

    def _shows(self, record: Record) -> bool:
        return not self._only_problems or record.failed or (record.conflict and record.acted_on)

    def _rows(self, entry: Record | list[Record], several: Counter[str]) -> list[list[Cell]]:
        """The row of an image; of a group a heading, and its images below it."""
        if isinstance(entry, Record):
            return [self._row(entry, several[entry.path] > 1)]
        group = entry[0].group
        assert group is not None
        rows = [self._row(record, several[record.path] > 1) for record in entry]
        inside = [[(f"  {name}",), *cells] for (name,), *cells in rows]
        way = _way_of(entry) if group.kind == "stack" else ""
        heading = f"{shown_place(group.name, self._inputs)}: {group.words}{way and f', {way}'}"
        return [[(heading,), *[("",)] * (len(rows[0]) - 1)], *inside]

    def _row(self, record: Record, several: bool) -> list[Cell]:
        name = full_name(record, self._inputs) if several else shown_name(record, self._inputs)
        result = self._result(record)
        short = "left alone" if result.startswith("left alone") else result
        if not self._correcting and record.acted_on and record.orientation is not None:
            # The column of the class says the rest.
            name_of_class = "standard" if record.decision == "standard" else record.orientation.short_name
            short = result.replace(orientation_words(record.orientation), name_of_class)
        return [(name,), *_found(record.finding), (result, short)]

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
        if self._dry_run and record.key not in self._kept:
            done = f"would be {done}"
        return f"{done}{conflict}"

    def _group(self, record: Record) -> str:
        """The result as the sum counts it: eight classes would be no sum."""
        result = self._result(record).partition(" (")[0]
        if not self._correcting and record.decision == "reoriented":
            return "stored in another orientation"
        return result

    def _sum(self, records: Sequence[Record]) -> str:
        results = Counter(self._group(record) for record in records)
        parts = ", ".join(f"{number} {name}" for name, number in sorted(results.items(), key=lambda item: -item[1]))
        conflicts = sum(record.conflict and record.acted_on for record in records)
        kept = f"; {len(self._kept)} of them by an earlier run" if self._kept else ""
        told = f"; {conflicts} with a conflict of pixels and header" if conflicts else ""
        return f"{len(records)} image{'' if len(records) == 1 else 's'}: {parts}{told}{kept}"

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _way_of(stack: Sequence[Record]) -> str:
    """Which way the slices of a stack run that are images of their own; empty where nobody knows."""
    orders = {record.finding.slice_order for record in stack if record.finding is not None and record.acted_on}
    return slice_order_words(orders.pop()) if len(orders) == 1 else ""


def _mixed_orders(records: Sequence[Record]) -> str:
    """A line where the slices of some stacks run against those of others and stay so; else empty."""
    orders = Counter(
        {
            record.stack: record.finding.slice_order
            for record in records
            if record.finding is not None and record.acted_on and (record.action is None or not _brought(record))
        }.values()
    )
    base, apex = orders["base_first"], orders["apex_first"]
    if not (base and apex):
        return ""
    way = [f"{slice_order_words('base_first')} in {base}", f"{slice_order_words('apex_first')} in {apex}"]
    return f"slices run {' and '.join(way)} of the stacks; correct --slice-order base-first brings them into one order"


def _left_in_order(records: Sequence[Record], inputs: Sequence[Path]) -> str:
    """A line where stacks should have been brought to an order and could not; else empty."""
    left = {
        record.stack
        for record in records
        if isinstance(record.stack, str)
        and record.finding is not None
        and record.action is not None
        and record.action.grid is not None
        and record.finding.slice_order not in ("unknown", record.action.slice_order)
        and record.action.slice_order != "keep"
    }
    if not left:
        return ""
    which = shown_place(left.pop(), inputs) if len(left) == 1 else f"{len(left)} stacks"
    return (
        f"the slices of {which} keep their order: each is an image of its own, at its place in the patient, and the "
        "order is that of the numbers of series or files; sort them by place, or join them into one file and correct "
        "that"
    )


def no_short_axis(records: Sequence[Record]) -> str:
    """A line where every image was looked at and none is a short axis, with what to do; else empty."""
    findings = [record.finding for record in records if record.finding is not None]
    if len(findings) < len(records) or any(finding.decision != "not_short_axis" for finding in findings):
        return ""
    if not any(finding.orientation is not None and finding.decided_by != "user" for finding in findings):
        # Nothing was looked at: what was left alone unseen has its own words.
        return ""
    which = "the image is no short-axis image" if len(records) == 1 else "no image here is a short-axis image"
    return (
        f"{which} (long-axis and other views are left alone): give the short-axis series, or decide yourself with "
        "correct --orientation or --decisions"
    )


def _brought(record: Record) -> bool:
    return record.action is not None and record.action.slice_order != "keep"


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


def grouped(records: Sequence[Record]) -> list[Record | list[Record]]:
    """Records in their order; those of a group together, where the first of them stands."""
    entries: list[Record | list[Record]] = []
    groups: dict[str, list[Record]] = {}
    for record in records:
        if record.group is None:
            entries.append(record)
        elif record.group.name in groups:
            groups[record.group.name].append(record)
        else:
            entries.append(groups.setdefault(record.group.name, [record]))
    return entries


def shown_place(path: str, inputs: Sequence[Path]) -> str:
    """A path as people know it: the given folder itself goes by its name."""
    folders = [given for given in inputs if given.is_dir()]
    if path != "." or len(folders) != 1:
        return path
    return folders[0].resolve().name or str(folders[0])


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
