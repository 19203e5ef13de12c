"""Runs over many tiny images: the memory of the parent, and the time of a second run.

``python Testing/scale/measure.py 200 20000`` makes so many images, corrects them in a process of its own,
does the same again, and prints for each the processor's seconds and the peak memory of the parent (its
workers are not counted). ``--command`` does another command's work once. ``--again`` fails above so many seconds
of the second run, ``--growth`` above so many megabytes between the smallest and the largest number. No network is
asked, but by ``recognize``: that costs the same for each image.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]

#: Different images; the others are further names of theirs, or copies where there are no links.
_KINDS = 8

_COMMAND = ("-m", "CMROrientLib")

#: The same for an audit, which has no option for it: all are taken for standard, so that each is listed as wrong.
_AUDIT = (
    "-c",
    "import functools, sys; from CMROrientLib.cli import audit; from CMROrientLib.cli.main import main; "
    "audit.run_options = functools.partial(audit.run_options, orientation=0); sys.exit(main(sys.argv[1:]))",
)


class Run(NamedTuple):
    """What a process took: seconds of the processor and by the clock, megabytes at most, exit status."""

    cpu: float
    wall: float
    peak: float
    status: int


def make_images(place: Path, count: int) -> Path:
    """A tree of ``count`` tiny images, a folder a person."""
    sys.path.insert(0, str(REPOSITORY))
    from CMROrientLib.io import write
    from CMROrientLib.orientation import Orientation
    from CMROrientLib.phantom.phantom import make_phantom

    models = []
    for seed in range(_KINDS):
        models.append(place / f"model_{seed}.nii")
        place.mkdir(parents=True, exist_ok=True)
        write(make_phantom(orientation=Orientation.ROTATE_90, seed=seed, size=(32, 40), slices=2), models[-1])
    for number in range(count):
        folder = place / "in" / f"centre_{number // 500:03d}" / f"patient_{number:06d}"
        folder.mkdir(parents=True)
        try:
            os.link(models[number % _KINDS], folder / "cine_short_axis.nii")
        except OSError:
            shutil.copyfile(models[number % _KINDS], folder / "cine_short_axis.nii")
    return place / "in"


def run(*arguments: str | Path) -> Run:
    """One call of the command line."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    begun, peak = time.monotonic(), 0.0
    # Sentences on each image would fill a pipe.
    with tempfile.TemporaryFile() as told:
        child = subprocess.Popen(
            [sys.executable, *(_AUDIT if arguments[0] == "audit" else _COMMAND), *map(str, arguments)],
            env=environment,
            stdout=told,
            stderr=told,
        )
        while True:
            # Read before it ends: the mark is the highest so far, and goes with the process.
            peak = max(peak, _high_water(child.pid))
            pid, status, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(0.02)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            told.seek(max(0, told.tell() - 2000))
            print(told.read().decode(errors="replace"), file=sys.stderr)
    return Run(used.ru_utime + used.ru_stime, time.monotonic() - begun, peak, child.returncode)


def _high_water(pid: int) -> float:
    try:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in text.splitlines() if line.startswith("VmHWM:")), 0.0)


def main() -> int:
    """Measure; the exit status is 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("images", nargs="+", type=int)
    parser.add_argument("--command", choices=("correct", "recognize", "audit"), default="correct")
    parser.add_argument("--jobs", default="1")
    parser.add_argument("--again", type=float, default=float("inf"), metavar="S")
    parser.add_argument("--growth", type=float, default=float("inf"), metavar="MB")
    parser.add_argument("--keep", type=Path, help="use and keep this folder")
    asked = parser.parse_args()
    peaks: dict[str, list[float]] = {}
    slow = False
    print(f"{'images':>8} {'run':>9} {'CPU s':>8} {'wall s':>8} {'peak MB':>8}")
    for count in asked.images:
        with tempfile.TemporaryDirectory() as elsewhere:
            place = (asked.keep or Path(elsewhere)) / str(count)
            source = place / "in" if (place / "in").is_dir() else make_images(place, count)
            words: list[str | Path] = [asked.command, source, "--jobs", asked.jobs]
            words += {"correct": ["-o", place / "out", "--orientation", "5"], "audit": ["-o", place / "report"]}.get(
                asked.command, []
            )
            for name in ("first", "second") if asked.command == "correct" else ("first",):
                done = run(*words)
                print(f"{count:>8} {name:>9} {done.cpu:>8.2f} {done.wall:>8.2f} {done.peak:>8.1f}", flush=True)
                peaks.setdefault(name, []).append(done.peak)
                slow |= done.status != 0 or (name == "second" and done.cpu > asked.again)
    growth = max(max(some) - min(some) for some in peaks.values())
    print(f"the parent grew by {growth:.1f} MB from {min(asked.images)} to {max(asked.images)} images")
    return int(slow or growth > asked.growth)


if __name__ == "__main__":
    sys.exit(main())
