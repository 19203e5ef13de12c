"""``cmrorient audit``: hold the headers of an archive against the pixels."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..audit.audit import ReportFiles, audit_run
from ..audit.page import KINDS
from ..audit.verdict import verdict_of
from ..run.record import Record
from .arguments import add_inputs, add_recognition, exit_status, run_options
from .output import Reporter


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


def run(arguments: argparse.Namespace) -> int:
    """Audit and tell; the exit status: 0 everything was judged, 1 some image failed or is undecided."""
    options = run_options(arguments, pictures=True)
    with Reporter(options, json=False) as reporter:
        records = audit_run(options, arguments.report, progress=reporter.progress, warn=reporter.warn)
    tell(records, ReportFiles.at(arguments.report))
    return exit_status(records)


def tell(records: Sequence[Record], report: ReportFiles) -> None:
    """The sum on standard output, what failed on standard error."""
    for record in records:
        if record.error is not None:
            print(f"error: {record.name}: {record.error}", file=sys.stderr)
    counts = Counter(verdict_of(record).value for record in records)
    for kind in KINDS:
        if counts[kind.tag]:
            print(f"{counts[kind.tag]:>7}  {kind.label}: {kind.meaning}")
    print(f"report: {report.page}", file=sys.stderr)
