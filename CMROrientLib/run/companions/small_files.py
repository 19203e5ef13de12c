"""Small files that describe a data set: how they are read and written, and one on its way into the output."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

#: Larger files are none of those that describe a data set.
LARGEST = 1_000_000


class SmallFile(NamedTuple):
    """A file of the output that is made when its turn comes, so that what goes wrong is its own.

    Parameters
    ----------
    place:
        Where it is to be.
    source:
        What it is made of.
    make:
        What is to be in it; None where there is to be none.
    """

    place: Path
    source: Path
    make: Callable[[], bytes | None]


def as_it_is(path: Path, place: Path) -> SmallFile:
    """A file that is carried over unchanged."""
    return SmallFile(place, path, partial(read_small, path))


def as_json(told: Mapping[str, object]) -> bytes:
    """The bytes of a JSON object, for people too."""
    try:
        text = json.dumps(told, indent=2, ensure_ascii=False)
    except RecursionError:
        # Lines are made in Python, which takes less of what is nested than the reader does.
        text = json.dumps(told, ensure_ascii=False)
    # Half of a pair, which UTF-8 cannot hold, gets the escape of JSON that it came as.
    return f"{text}\n".encode("utf-8", errors="backslashreplace")


def read_object(data: bytes) -> dict[str, object] | None:
    """The object that some bytes hold as JSON; None where they hold none, or one that is nested too deeply."""
    try:
        told = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def read_small(path: Path) -> bytes | None:
    """What is in a file; None where there is none, or a large one. Raises OSError where it cannot be read."""
    return path.read_bytes() if is_small(path) else None


def is_small(path: Path) -> bool:
    """Whether there is such a file, and no large one."""
    return is_there(path) and path.stat().st_size <= LARGEST


def is_there(path: Path) -> bool:
    """Whether there is such a file; a name that no file can have is none."""
    # Path.is_file raises where the name is too long.
    return os.path.isfile(path)  # noqa: PTH113
