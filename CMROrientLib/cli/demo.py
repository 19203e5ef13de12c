"""``cmrorient demo``: make a small synthetic study, correct it and show the result."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..demo.study import run as run_demo

_PLACE = Path("cmrorient-demo")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the command's arguments."""
    parser.add_argument("-o", "--output", type=Path, default=_PLACE, metavar="DIR", help=f"where ({_PLACE})")


def run(arguments: argparse.Namespace) -> int:
    """Do it; the exit status."""
    return run_demo(arguments.output)
