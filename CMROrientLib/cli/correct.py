"""``cmrorient correct``: write images in standard orientation into another folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..correction import GEOMETRY_MODES, WANTED_ORDERS
from ..folders import correct
from ..run.tables import HTML_NAME
from .arguments import (
    add_classes,
    add_identifiers,
    add_inputs,
    add_json,
    add_only_problems,
    add_recognition,
    orientation,
    run_options,
)
from .output import Reporter


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    add_inputs(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="the folder to write to, with the record as cmrorient.jsonl and .csv and the report as cmrorient.html",
    )
    group = parser.add_argument_group("correction")
    group.add_argument(
        "--geometry",
        choices=GEOMETRY_MODES,
        default="auto",
        help="what happens to the directions: auto corrects the header by its own error, follow keeps every voxel "
        "at its place in the patient, keep leaves the directions as they are",
    )
    group.add_argument(
        "--target", type=orientation, default=0, metavar="K", help="write in class K, see below (0 identity: standard)"
    )
    group.add_argument(
        "--slice-order",
        choices=[order.replace("_", "-") for order in WANTED_ORDERS],
        default="keep",
        help="bring the slices of each stack into this order where the pixels tell theirs (keep); DICOM instances are "
        "renumbered and keep their places",
    )
    group.add_argument(
        "--skip-conflicts", action="store_true", help="leave images alone whose header contradicts their pixels"
    )
    decided = group.add_mutually_exclusive_group()
    decided.add_argument(
        "--orientation",
        type=orientation,
        metavar="K",
        help="all images are stored in class K, see below: no network is asked",
    )
    decided.add_argument(
        "--decisions",
        type=Path,
        action="append",
        default=[],
        metavar="FILE.csv",
        help="the CSV of a run, edited, or any table with the columns path, series and orientation: a class, or "
        "not-short-axis for what is left alone; may be given several times, or name a folder of such tables",
    )
    group.add_argument(
        "--reset-decisions", action="store_true", help="take back what a person decided in earlier runs into OUT"
    )
    group.add_argument("--dry-run", action="store_true", help="tell what would be done and write nothing")
    group.add_argument(
        "--overwrite", action="store_true", help="do everything anew, and replace files that were changed since"
    )
    group.add_argument(
        "--verify",
        action="store_true",
        help="read every file that an earlier run has done, also where its size and times say that it is as it was",
    )
    add_recognition(parser)
    add_identifiers(parser)
    add_json(parser)
    add_only_problems(parser)
    add_classes(parser)


def run(arguments: argparse.Namespace) -> int:
    """Correct and show; the exit status."""
    options = run_options(arguments)
    with Reporter(options, json=arguments.json, only_problems=arguments.only_problems) as reporter:
        records = correct(options, reporter.progress, reporter.warn, reporter.fail)
        return reporter.finish(records, arguments.output / HTML_NAME if options.writing else None)
