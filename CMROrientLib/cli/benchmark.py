"""The command ``benchmark``: how fast this machine starts, recognizes and corrects."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of ``benchmark``."""
    parser.add_argument("--model", default="universal", metavar="M", help="a bundled model or a path (universal)")
    parser.add_argument("--volumes", type=int, default=12, metavar="N", help="images that runs are made over (12)")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FOLDER",
        help="measure on copies of images of this folder, not on synthetic hearts",
    )
    parser.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="PYTHON",
        help="an interpreter that has another version, to be measured side by side; may be given again",
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the network for a warm volume (1)")
    parser.add_argument("--starts", type=int, default=15, metavar="N", help="how often each start is timed (15)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often each run is timed (3)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE.json", help="write the figures there")
    parser.add_argument("--page", type=Path, metavar="FILE.md", help="write a page of them there")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Measure, write and print; returns the exit status."""
    from ..benchmark.measure import BenchmarkOptions, benchmark
    from ..benchmark.page import page
    from ..io.atomic import write_text

    options = BenchmarkOptions(
        arguments.volumes,
        arguments.model,
        arguments.data,
        arguments.against,
        arguments.threads,
        arguments.starts,
        arguments.rounds,
    )
    for place in (arguments.output, arguments.page):
        if place is not None:
            _check_place(place)
    found = benchmark(options, lambda part: print(f"measuring: {part}", file=sys.stderr))
    # They took minutes: a disk that is full meanwhile must not cost them.
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, allow_nan=False), flush=True)
    else:
        _print(found)
    if arguments.output is not None:
        write_text(arguments.output, json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    if arguments.page is not None:
        write_text(arguments.page, page(found, _call(arguments)))
    return 0


def _check_place(place: Path) -> None:
    """Raise ``UsageError`` where a file could not be written; nothing is made."""
    if place.is_dir():
        raise UsageError("this is a folder; give the name of a file to write", place)
    try:
        above = next((folder for folder in place.absolute().parents if folder.exists()), place.parent)
        tempfile.TemporaryFile(dir=above).close()
    except OSError as error:
        raise UsageError(f"it cannot be written ({error.strerror or error}); give another place", place) from error


def _call(arguments: argparse.Namespace) -> str:
    """The call, without places of this machine."""
    words = ["cmrorient benchmark", f"--volumes {arguments.volumes}"]
    if arguments.model != "universal":
        words.append(f"--model {shlex.quote(Path(arguments.model).name)}")
    words += ["--data FOLDER"] * (arguments.data is not None) + ["--against PYTHON"] * len(arguments.against)
    words += [f"--threads {arguments.threads}"] * (arguments.threads != 1)
    words += [f"--starts {arguments.starts}", f"--rounds {arguments.rounds}"]
    return " ".join([*words, f"--page {arguments.page.name}"])


def _print(figures: Mapping[str, Any], above: str = "") -> None:
    for name, value in figures.items():
        if isinstance(value, Mapping):
            _print(value, f"{above}{name}: ".replace("_", " "))
        elif value is not None and value != "":
            shown = f"{value:.4g}" if isinstance(value, float) else value
            print(f"{above}{name.replace('_', ' ')}: {shown}")
