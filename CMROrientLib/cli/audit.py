"""``cmrorient audit``: hold the headers of an archive against the pixels."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..audit.audit import ReportFiles, audit_line, audit_run
from ..audit.page import KINDS, PROBLEMS
from ..audit.verdict import verdict_of, verdicts_of
from ..run.record import Record
from .arguments import (
    add_identifiers,
    add_inputs,
    add_json,
    add_only_problems,
    add_recognition,
    exit_status,
    run_options,
)
from .output import Reporter, full_name, header, shown_name, stored
from .sums import no_short_axis
from .table import Cell, table
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
    for record in records:
        if record.error is not None:
            say(f"error: {full_name(record, options.inputs)}: {record.error}", sys.stderr)
    if arguments.json:
        for record in records:
            if not only_problems or verdict_of(record).value in _RANKS:
                print(json.dumps(audit_line(record)))
    else:
        tell(records, options.inputs, only_problems=only_problems)
    nothing = no_short_axis(records)
    if nothing:
        say(nothing, sys.stderr)
    print(f"report: {ReportFiles.at(arguments.report).page}", file=sys.stderr)
    return exit_status(records)


def tell(records: Sequence[Record], inputs: Sequence[Path] = (), *, only_problems: bool = False) -> None:
    """What is wrong, the most urgent first, and how much there is of each kind."""
    wrong = [record for record in records if verdict_of(record).value in _RANKS]
    wrong.sort(key=lambda record: _RANKS[verdict_of(record).value])
    if wrong:
        several = Counter(record.path for record in records)
        for line in table(_HEADINGS, [_row(record, inputs, several[record.path] > 1) for record in wrong]):
            print(line)
        print()
    counts = Counter(verdict.value for record in records for verdict in verdicts_of(record))
    for kind in PROBLEMS if only_problems else KINDS:
        if counts[kind.tag]:
            say(f"{counts[kind.tag]:>7}  {kind.label}: {kind.meaning}", sys.stdout)


def _row(record: Record, inputs: Sequence[Path], several: bool) -> list[Cell]:
    finding = record.finding
    return [
        ((full_name if several else shown_name)(record, inputs),),
        (PROBLEMS[_RANKS[verdict_of(record).value]].label.lower(),),
        stored(record.orientation),
        ("",) if finding is None else header(finding),
    ]
