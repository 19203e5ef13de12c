"""Arguments that several commands have, and the run's options from what was typed."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import fields
from pathlib import Path

from ..orientation import Orientation
from ..recognition.result import LOOKS
from ..run.options import COMPANIONS, RunOptions


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Files and folders."""
    parser.add_argument("inputs", nargs="+", type=Path, metavar="PATH", help="a file, a folder or a DICOM series")


def add_recognition(parser: argparse.ArgumentParser) -> None:
    """How images are recognized, and where the work is done."""
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
        "--looks",
        choices=LOOKS,
        default="auto",
        help="auto: where a look or two at each slice tell enough, look no further; full: always in all turned copies",
    )
    group.add_argument(
        "--slice-axis", type=int, choices=(0, 1, 2), help="the stored axis that slices lie along (found)"
    )
    group.add_argument(
        "--masks",
        type=_endings,
        default=(),
        metavar="SUFFIX,...",
        help="endings of mask names, such as _seg,_gt: case_seg.nii.gz follows case.nii.gz beside it",
    )
    group.add_argument(
        "--companions",
        choices=COMPANIONS,
        default="auto",
        help="auto: find label maps by layout (nnU-Net, BIDS, images/ and labels/) and by content, and decide together "
        "about channels, sequences on one grid and series of one stack; none: only what --masks names",
    )
    group.add_argument(
        "--masks-in",
        type=_endings,
        default=(),
        metavar="FOLDER,...",
        help="folders of masks beside those of the images, such as labels; a mask has its image's name",
    )
    group.add_argument(
        "--mask-names",
        type=_endings,
        default=(),
        metavar="IMAGE=MASK,...",
        help="how masks are called, such as {case}_0000={case}",
    )
    group.add_argument("--jobs", type=int, default=1, metavar="N", help="worker processes (1)")
    group.add_argument("--dask", metavar="ADDRESS", help="work on the Dask cluster with this scheduler instead")


def add_only_problems(parser: argparse.ArgumentParser) -> None:
    """Only what somebody has to look at."""
    parser.add_argument(
        "--only-problems",
        action="store_true",
        help="show only what failed, is uncertain or is wrong; files that are written hold everything",
    )


def add_classes(parser: argparse.ArgumentParser) -> None:
    """What an argument of the type ``orientation`` takes: a part of the help, with no argument of its own."""
    lines = [f"  {k:d}  {k.short_name:<16}  {k.label}" for k in Orientation]
    parser.add_argument_group("classes K, by number or by name", "\n".join(["stored so:", *lines]))


def orientation(text: str) -> Orientation:
    """The type of an argument that takes a class."""
    try:
        return Orientation.of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def add_identifiers(parser: argparse.ArgumentParser) -> None:
    """What records hold only where somebody asks for it."""
    parser.add_argument(
        "--include-identifiers",
        action="store_true",
        help="note in the records what headers tell of the person and the examination (names, identifiers, dates, "
        "free text); without it they hold the scanner's manufacturer and model and the UID of a series",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Records on standard output."""
    parser.add_argument(
        "--json", action="store_true", help="one JSON object a line on standard output, nothing else there"
    )


def run_options(arguments: argparse.Namespace, **more: object) -> RunOptions:
    """The options of a run: each argument is the field of its name.

    Parameters
    ----------
    more:
        Fields that the command itself knows, in place of those that were typed.
    """
    names = {entry.name for entry in fields(RunOptions)}
    typed = {name: value for name, value in vars(arguments).items() if name in names}
    return RunOptions(**{**typed, "command": shlex.join(["cmrorient", *sys.argv[1:]]), **more})


def _endings(text: str) -> tuple[str, ...]:
    return tuple(ending.strip() for ending in text.split(",")) if text else ()
