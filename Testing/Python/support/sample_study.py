"""What the tests of runs share: a small study on disk, and the command line as a process."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parts import REPOSITORY

from CMROrientLib.folders import correct_folder
from CMROrientLib.io import write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.run.record import Record
from CMROrientLib.volume import Volume

#: Small enough to be quick, large enough to be recognized.
SIZE = (104, 128)
SLICES = 4

MODEL = "universal"

#: These tests are about runs: how sure the network is of a coarse phantom is not their business.
MIN_CONFIDENCE = 0.3
NETWORK = ("--model", MODEL, "--min-confidence", str(MIN_CONFIDENCE))


@dataclass(frozen=True)
class Finished:
    """A process that has ended."""

    status: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines; raises where any line is something else."""
        return [json.loads(line) for line in self.out.splitlines()]


def phantom(orientation: int = 0, seed: int = 0, **settings: Any) -> Volume:
    """A small phantom."""
    given = {"size": SIZE, "slices": SLICES, **settings}
    return make_phantom(orientation=Orientation(orientation), seed=seed, **given)


def put(volume: Volume, path: Path) -> Path:
    """Write a volume, and make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(volume, path)
    return path


def cmrorient(*arguments: str | Path, cwd: Path | None = None) -> Finished:
    """Run the command line in a process of its own."""
    done = subprocess.run(
        command(*arguments), cwd=cwd, env=environment(), capture_output=True, text=True, encoding="utf-8", timeout=300
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def command(*arguments: str | Path) -> list[str]:
    """The words of a call."""
    return [sys.executable, "-m", "CMROrientLib", *map(str, arguments)]


def environment() -> dict[str, str]:
    """This process's environment with the checkout on the path."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8"}


def make_study(source: Path) -> Path:
    """Four images: turned with a true header, turned with an empty one, standard, and no image."""
    put(phantom(5), source / "turned.nii.gz")
    put(phantom(2, header="empty"), source / "sub" / "empty.mha")
    put(phantom(0), source / "standard.nrrd")
    (source / "text.nii").write_text("this is no image")
    return source


def correct(source: Path, output: Path, **settings: Any) -> dict[str, Record]:
    """A run that the user decided, or with ``model`` the network's; records by path."""
    if "model" not in settings and "orientation" not in settings:
        settings = {"model": MODEL, "min_confidence": MIN_CONFIDENCE, **settings}
    return {record.path: record for record in correct_folder(source, output, **settings)}


def counting(counts: list[bool]) -> Any:
    return lambda outcome, done, total: counts.append(outcome.kept)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
