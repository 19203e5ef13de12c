"""Files that need not be read again: their size and times tell that they are the ones that were hashed.

What is known of files is kept by a stamp, made of each one's name, size, time of change, and where the
system has them the time of change of its entry and its number. On Linux and macOS no program can set the last two, so a
copy that keeps size and time (``rsync -a``, ``cp -p``) has another stamp; Windows has no such time. Two
seconds are the coarsest clock of a file system: a file that was changed within the last two may be changed again and
look the same, so it has no stamp yet.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from .files import checksum, encoded

#: In nanoseconds.
_COARSEST_CLOCK = 2_000_000_000


class NotSeenError(Exception):
    """Files would have to be read, and were not to be."""


class Seen:
    """Checksums of the files of one image, read only where nothing tells that they are as before.

    Parameters
    ----------
    before:
        What an earlier run left here: checksums by stamps.
    verify:
        Read all the same.
    reads:
        Whether files may be read that nothing is known of; ``NotSeenError`` is raised for them otherwise.
    """

    def __init__(self, before: Mapping[str, str] | None = None, *, verify: bool = False, reads: bool = True) -> None:
        self._before = {} if verify else before or {}
        self._reads = reads
        self._found: dict[tuple[str, ...], str] = {}
        #: What the next run may be told.
        self.now: dict[str, str] = {}

    def checksum(self, paths: Iterable[str | Path]) -> str:
        """Of some files, see ``files.checksum``. Raises CMROrientError where one cannot be read."""
        several = tuple(os.fspath(path) for path in paths)
        if several not in self._found:
            # Taken first: a file that changes while it is read has another one afterwards.
            stamp = stamp_of(several)
            found = self._before.get(stamp) if stamp is not None else None
            if found is None and not self._reads:
                raise NotSeenError
            self._found[several] = checksum(tuple(map(Path, several))) if found is None else found
            if stamp is not None:
                self.now[stamp] = self._found[several]
        return self._found[several]

    def written(self, paths: Iterable[Path], found: str) -> None:
        """Take it that these files, which were just put in place, have this checksum."""
        several = tuple(os.fspath(path) for path in paths)
        self._found[several] = found
        stamp = stamp_of(several)
        if stamp is not None:
            self.now[stamp] = found


def stamp_of(paths: Iterable[str | Path]) -> str | None:
    """What files are told by without being read; None where one is missing or was changed just now."""
    latest = time.time_ns() - _COARSEST_CLOCK
    lines = []
    for path in paths:
        try:
            found = os.stat(path)  # noqa: PTH116 (text, many thousand times)
        except (OSError, ValueError):
            return None
        if found.st_mtime_ns > latest:
            return None
        name = os.path.basename(path)  # noqa: PTH119
        lines.append(f"{name} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}\n")
    return hashlib.sha256(encoded("".join(sorted(lines)))).hexdigest()[:32]


def age(path: Path) -> None:
    """Set a new file's time of change back, so that it has a stamp at once: any later change has another time."""
    past = time.time_ns() - _COARSEST_CLOCK - 1_000_000_000
    # Where this is not allowed the next run reads the file once.
    with suppress(OSError):
        os.utime(path, ns=(past, past))
