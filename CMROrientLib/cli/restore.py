"""``cmrorient restore``: bring segmentations of corrected images back onto the original grids."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..restore.restore import Restored, restore
from .table import tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder that 'correct' wrote")
    parser.add_argument(
        "segmentations", type=Path, metavar="SEGMENTATIONS", help="segmentations of the corrected images"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the folder to write to")
    parser.add_argument("--suffix", default="", metavar="S", help="ending of their names, such as _seg")
    parser.add_argument("--overwrite", action="store_true", help="replace files that are there already")


def run(arguments: argparse.Namespace) -> int:
    """Restore and tell: written files on standard output, refusals and the sum on standard error."""
    entries = restore(
        arguments.out,
        arguments.segmentations,
        arguments.output,
        arguments.suffix,
        overwrite=arguments.overwrite,
        progress=_tell,
    )
    refused = sum(entry.error is not None for entry in entries)
    print(f"{len(entries) - refused} restored, {refused} refused", file=sys.stderr)
    return 1 if refused else 0


def _tell(entry: Restored, done: int, total: int) -> None:
    if entry.error is None:
        tell(f"{entry.path} -> {entry.output} (grid of {entry.image_name})", sys.stdout)
    else:
        tell(f"error: {entry.path}: {entry.error}", sys.stderr)
