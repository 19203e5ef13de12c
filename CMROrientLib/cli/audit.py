"""``cmrorient audit``: hold the headers of an archive against the pixels."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..audit.audit import ReportFiles, audit_line, audit_run
from ..audit.page import KINDS, PROBLEMS
from ..audit.verdict import verdict_of, verdicts_of
from ..report.style import Kind
from ..run.record import Record
from .arguments import (
    add_identifiers,
    add_inputs,
    add_json,
    add_only_problems,
    add_recognition,
    run_options,
)
from .output import Reporter, full_name, header, shown_name, stored
from .rows import Row, Rows
from .sums import Sums
from .table import Cell, lines
from .table import tell as say

_HEADINGS: list[Cell] = [("image",), ("what is wrong",), ("pixels",), ("header",)]

#: The problems by urgency.
_RANKS = {kind.tag: rank for rank, kind in enumerate(PROBLEMS)}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    add_inputs(parser)
    parser.add_argument(
        "-o",
        "--output",
        dest="report",
        type=Path,
        required=True,
        metavar="REPORT",
        help="the report: an HTML file or a folder",
    )
    add_recognition(parser)
    add_identifiers(parser)
    add_json(parser)
    add_only_problems(parser)


def run(arguments: argparse.Namespace) -> int:
    """Audit and tell; the exit status: 0 everything was judged, 1 some image failed or is undecided."""
    options = run_options(arguments, pictures=True)
    only_problems: bool = arguments.only_problems
    with Reporter(options, json=arguments.json, at_once=False) as reporter:
        records = audit_run(options, arguments.report, progress=reporter.progress, warn=reporter.warn)
    # Each reading of the records is one from disk.
    sums = Sums()
    for record in records:
        sums.add(record)
        if record.error is not None:
            say(f"error: {full_name(record, options.inputs)}: {record.error}", sys.stderr)
    if arguments.json:
        for record in records:
            if not only_problems or verdict_of(record).value in _RANKS:
                print(json.dumps(audit_line(record)))
    else:
        tell(records, options.inputs, only_problems=only_problems)
    nothing = sums.no_short_axis()
    if nothing:
        say(nothing, sys.stderr)
    print(f"report: {ReportFiles.at(arguments.report).page}", file=sys.stderr)
    return int(sums.failed > 0)


def tell(records: Iterable[Record], inputs: Sequence[Path] = (), *, only_problems: bool = False) -> None:
    """What is wrong, the most urgent first, and how much there is of each kind."""
    rows = Rows()
    counts: Counter[str] = Counter()
    for record in records:
        found = [verdict.value for verdict in verdicts_of(record)]
        counts.update(found)
        rows.count(record.path)
        if found[0] in _RANKS:
            rows.add(_row(record, inputs, PROBLEMS[_RANKS[found[0]]]), rank=_RANKS[found[0]])
    if len(rows):
        for line in lines(_HEADINGS, rows):
            print(line)
        print()
    for kind in PROBLEMS if only_problems else KINDS:
        if counts[kind.tag]:
            say(f"{counts[kind.tag]:>7}  {kind.label}: {kind.meaning}", sys.stdout)


def _row(record: Record, inputs: Sequence[Path], problem: Kind) -> Row:
    finding = record.finding
    names = shown_name(record, inputs), full_name(record, inputs)
    claimed = ("",) if finding is None else header(finding)
    return Row(record.path, *names, [(problem.label.lower(),), stored(record.orientation), claimed])
