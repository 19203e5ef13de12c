"""A small run that a person decided, what it leaves undisturbed, and what must be the same after trouble."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from sample_study import cmrorient, command, environment, phantom, put

#: Whether everything is tried (``make test-long``), or a little of it.
LONG = bool(os.environ.get("CMRORIENT_LONG"))

#: The class of every image: no network is asked, so that a run is short.
DECIDED = ("--orientation", "3")

#: What a record says of one run only.
_OF_ONE_RUN = ("seconds",)


def images_in(folder: Path, count: int, size: tuple[int, int] = (40, 48)) -> Path:
    """So many small images in four formats, each with voxels of its own, in folders of ten."""
    for number in range(count):
        suffix = (".nii.gz", ".nii", ".nrrd", ".mha")[number % 4]
        name = f"{number // 10:02}/{number:04}{suffix}"
        put(phantom(3, seed=number % 16, slices=2, size=size), folder / name)
    return folder


def run(source: Path, output: Path, *more: str) -> tuple[int, str]:
    """Exit status and standard error of the run."""
    done = cmrorient("correct", source, "-o", output, *DECIDED, *more)
    return done.status, done.err


def started(source: Path, output: Path, *more: str) -> subprocess.Popen[bytes]:
    """The run in a process group of its own; nobody waits for it."""
    words = command("correct", source, "-o", output, *DECIDED, *more)
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(words, env=environment(), start_new_session=True, **quiet)


def left_in(output: Path) -> tuple[dict[str, bytes], list[dict[str, Any]], list[str]]:
    """(images by their names, records, names of everything else) of an output folder."""
    images, others = {}, []
    for path in sorted(output.rglob("*")):
        name = path.relative_to(output).as_posix()
        if path.is_file() and name.startswith("cmrorient"):
            others.append(name)
        elif path.is_file():
            images[name] = path.read_bytes()
    lines = (output / "cmrorient.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        for name in _OF_ONE_RUN:
            record.pop(name)
    return images, records, others


def same_as(expected: tuple[Any, ...], output: Path) -> list[str]:
    """What differs from an undisturbed run, in words."""
    images, records, others = left_in(output)
    wrong = [f"image {name}" for name in {**expected[0], **images} if expected[0].get(name) != images.get(name)]
    known = {record["path"]: record for record in expected[1]}
    found = {record["path"]: record for record in records}
    wrong += [f"record {path}" for path in {**known, **found} if known.get(path) != found.get(path)]
    return wrong + [f"file {name}" for name in set(expected[2]) ^ set(others)]


def emptied(folder: Path) -> Path:
    """The folder's name, with nothing there."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder
