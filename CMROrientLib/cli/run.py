"""The commands that work on images: recognize, correct, audit, restore and demo."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import Any

from ..correction import GEOMETRY_MODES
from ..errors import UsageError
from ..run.record import HTML_NAME, Record
from .output import Reporter

_DEMO = Path("cmrorient-demo")


def add_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    """Define the arguments of one command."""
    if command == "demo":
        parser.add_argument("-o", "--output", type=Path, default=_DEMO, metavar="DIR", help=f"where ({_DEMO})")
        return
    if command == "restore":
        _add_restore(parser)
        return
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, a folder or a DICOM series")
    if command == "correct":
        _add_correct(parser)
    elif command == "audit":
        parser.add_argument(
            "-o", "--output", type=Path, required=True, metavar="REPORT", help="the report: an HTML file or a folder"
        )
    _add_recognition(parser)
    if command != "audit":
        parser.add_argument(
            "--json", action="store_true", help="one JSON object a line on standard output, nothing else there"
        )


def _add_recognition(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("recognition")
    group.add_argument("--model", default="universal", metavar="M", help="a bundled model or a path (universal)")
    group.add_argument(
        "--device", default="auto", metavar="D", help="auto, cpu, cuda or cuda:N (auto: CUDA when available)"
    )
    group.add_argument(
        "--min-confidence", type=float, metavar="P", help="below it an image is uncertain (the model's own limit)"
    )
    group.add_argument(
        "--no-averaging",
        dest="averaging",
        action="store_false",
        help="look at each slice once, not twice in eight turned copies: faster, less sure",
    )
    group.add_argument(
        "--slice-axis", type=int, choices=(0, 1, 2), help="the stored axis that slices lie along (found)"
    )
    group.add_argument(
        "--masks",
        default="",
        metavar="SUFFIX,...",
        help="endings of mask names, such as _seg,_gt: case_seg.nii.gz follows case.nii.gz",
    )
    group.add_argument("--jobs", type=int, default=1, metavar="N", help="worker processes (1)")
    group.add_argument("--dask", metavar="ADDRESS", help="work on the Dask cluster with this scheduler instead")


def _add_correct(parser: argparse.ArgumentParser) -> None:
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
        "--target", type=int, choices=range(8), default=0, metavar="K", help="write in class K, 0 to 7 (0: standard)"
    )
    group.add_argument(
        "--skip-conflicts", action="store_true", help="leave images alone whose header contradicts their pixels"
    )
    decided = group.add_mutually_exclusive_group()
    decided.add_argument(
        "--orientation",
        type=int,
        choices=range(8),
        metavar="K",
        help="all images are stored in class K: no network is asked",
    )
    decided.add_argument(
        "--decisions",
        type=Path,
        metavar="FILE.csv",
        help="the CSV of a run, edited: rows whose orientation or decision was changed (or that have decided_by set "
        "to user) override the network",
    )
    group.add_argument("--dry-run", action="store_true", help="tell what would be done and write nothing")
    group.add_argument("--overwrite", action="store_true", help="do everything anew, not only what is missing")


def _add_restore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="OUT", help="the folder that 'correct' wrote")
    parser.add_argument(
        "segmentations", type=Path, metavar="SEGMENTATIONS", help="segmentations of the corrected images"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the folder to write to")
    parser.add_argument("--suffix", default="", metavar="S", help="ending of their names, such as _seg")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there already")


def run(arguments: argparse.Namespace, command: str) -> int:
    """Do one command; returns the exit status."""
    if command == "demo":
        from ..demo.study import run as run_demo

        return run_demo(arguments.output)
    if command == "restore":
        from ..restore.restore import run as run_restore

        return run_restore(
            arguments.run, arguments.segmentations, arguments.output, arguments.suffix, overwrite=arguments.overwrite
        )
    if command == "audit":
        return _audit(arguments)
    return _recognize(arguments) if command == "recognize" else _correct(arguments)


def _recognize(arguments: argparse.Namespace) -> int:
    from ..run.folder import recognize_folder

    with Reporter(json=arguments.json, correcting=False) as reporter:
        outcomes = recognize_folder(
            arguments.paths, **_recognition(arguments), progress=reporter.progress, warn=reporter.warn
        )
        records = sorted((outcome.record for outcome in outcomes), key=lambda r: (r.path, r.series or ""))
        reporter.finish(records)
    return _status(records)


def _audit(arguments: argparse.Namespace) -> int:
    from ..audit.audit import audit, tell

    with Reporter(json=False, correcting=False) as reporter:
        records = audit(
            arguments.paths,
            arguments.output,
            **_recognition(arguments),
            command=_typed(),
            progress=reporter.progress,
            warn=reporter.warn,
        )
    return tell(records, arguments.output)


def _correct(arguments: argparse.Namespace) -> int:
    from ..run.folder import correct_folder

    with Reporter(json=arguments.json, correcting=True, dry_run=arguments.dry_run) as reporter:
        records = correct_folder(
            arguments.paths,
            arguments.output,
            **_recognition(arguments),
            geometry=arguments.geometry,
            target=arguments.target,
            skip_conflicts=arguments.skip_conflicts,
            orientation=arguments.orientation,
            decisions=arguments.decisions,
            dry_run=arguments.dry_run,
            overwrite=arguments.overwrite,
            command=_typed(),
            progress=reporter.progress,
            warn=reporter.warn,
        )
        reporter.finish(records, None if arguments.dry_run else arguments.output / HTML_NAME)
    return _status(records)


def _recognition(arguments: argparse.Namespace) -> dict[str, Any]:
    masks = [ending.strip() for ending in arguments.masks.split(",")] if arguments.masks else []
    if arguments.dask and arguments.jobs != 1:
        raise UsageError("give --jobs or --dask, not both: the cluster has its own workers")
    return {
        "model": arguments.model,
        "device": arguments.device,
        "averaging": arguments.averaging,
        "min_confidence": arguments.min_confidence,
        "slice_axis": arguments.slice_axis,
        "masks": masks,
        "jobs": arguments.jobs,
        "dask": arguments.dask,
    }


def _status(records: list[Record]) -> int:
    return 1 if any(record.failed for record in records) else 0


def _typed() -> str:
    return shlex.join(["cmrorient", *sys.argv[1:]])
