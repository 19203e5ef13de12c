"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from ..errors import CMROrientError

#: Names of unfinished files start with this: hidden, so that no walk takes them for images.
UNFINISHED = ".cmrorient-"


@contextlib.contextmanager
def replacing(paths: Sequence[Path]) -> Iterator[list[IO[bytes]]]:
    """Open one stream for each path; the files get their names together, in this order, at the end.

    On any failure nothing new is left behind, and files that were there before are as they were
    unless their replacement had already been put in place.

    Raises
    ------
    CMROrientError
        Where the folder cannot be written or the disk is full.
    """
    streams: list[IO[bytes]] = []
    temporary: list[Path] = []
    placed: list[Path] = []
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.append(path.parent / f"{UNFINISHED}{secrets.token_hex(8)}.tmp")
            # Not tempfile: its files are closed to everyone but the owner, whatever the umask says.
            streams.append(temporary[-1].open("xb"))
        yield streams
        for stream in streams:
            stream.close()
        for unfinished, path in zip(temporary, paths, strict=True):
            unfinished.replace(path)
            placed.append(path)
    except BaseException as error:
        # Interruptions too must leave nothing half done.
        for stream in streams:
            with contextlib.suppress(OSError):
                stream.close()
        for leftover in (*temporary, *placed):
            with contextlib.suppress(OSError):
                leftover.unlink()
        if isinstance(error, OSError):
            reason = (error.strerror or str(error)).rstrip(".")
            raise CMROrientError(f"cannot be written ({reason})", paths[-1]) from error
        raise
