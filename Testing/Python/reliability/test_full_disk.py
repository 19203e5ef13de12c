"""A disk that is full after any number of bytes: what is there is whole, and with room the same command completes it.

The disk is a small tmpfs, which only root may mount. A full disk under a single file is `io/test_bad_files.py`'s.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from parts import missing
from undisturbed import LONG, images_in, left_in, run, same_as

#: Sizes of the disk, in parts of what an undisturbed run needs.
SIZES = [share / 40 for share in range(1, 41)] if LONG else [0.02, 0.2, 0.45, 0.7, 0.9]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Any, ...], int]:
    """(the inputs, what an undisturbed run leaves, how many bytes that is)."""
    folder = tmp_path_factory.mktemp("full")
    source = images_in(folder / "in", 12)
    status, err = run(source, folder / "out")
    assert status == 0, err
    size = sum(path.stat().st_size for path in (folder / "out").rglob("*") if path.is_file())
    return source, left_in(folder / "out"), size


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder to mount on; what is mounted there goes afterwards."""
    if sys.platform != "linux" or os.geteuid() != 0:
        missing("root on Linux, who may mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()
    yield place
    subprocess.run(["umount", place], check=False, capture_output=True)


def _mount(place: Path, size: int, *more: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", ",".join([*more, f"size={size}"]), "tmpfs", place],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        missing(f"a machine that lets a test mount a small disk ({done.stderr.strip()})")


@pytest.mark.parametrize("share", SIZES)
def test_what_is_there_is_whole_and_room_completes_it(
    share: float, study: tuple[Path, tuple[Any, ...], int], disk: Path
) -> None:
    source, expected, needed = study
    _mount(disk, int(needed * share))
    out = disk / "out"
    status, err = run(source, out)
    # 2 where there is no room for the store: then nothing was begun.
    assert status == 1 or (status == 2 and "full" in err), err
    assert "Traceback" not in err
    # Whatever has an image's name is that image.
    for path in sorted(out.rglob("*")) if out.exists() else ():
        name = path.relative_to(out).as_posix()
        if path.is_file() and not name.startswith((".", "cmrorient")) and "/.cmrorient-" not in name:
            assert path.read_bytes() == expected[0][name], name
    _mount(disk, needed * 4 + (1 << 20), "remount")
    status, err = run(source, out)
    assert status == 0, err
    assert same_as(expected, out) == []
