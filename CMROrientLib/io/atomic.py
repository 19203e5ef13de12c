"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import io
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, cast

from .refused import cannot_write

#: Names of unfinished files start with this: hidden, so that no walk takes them for images.
UNFINISHED = ".cmrorient-"


#: Where ``hashing`` collects.
_DIGESTS: ContextVar[dict[Path, str] | None] = ContextVar("digests", default=None)


@contextlib.contextmanager
def hashing() -> Iterator[dict[Path, str]]:
    """The SHA-256 of each file that ``replacing`` writes meanwhile, taken on the way: none is read for it."""
    found: dict[Path, str] = {}
    token = _DIGESTS.set(found)
    try:
        yield found
    finally:
        _DIGESTS.reset(token)


class _Hashed(io.RawIOBase):
    """A file that is written from its beginning to its end, and hashed on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()

    def write(self, data: Any, /) -> int:
        """Hash and write."""
        self._hash.update(data)
        return self._stream.write(data)

    def flush(self) -> None:
        """Hand on what is held back."""
        if not self._stream.closed:
            self._stream.flush()

    def close(self) -> None:
        """End it."""
        self._stream.close()
        super().close()

    def hexdigest(self) -> str:
        """Of what was written so far."""
        return self._hash.hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write one file, whole or not at all; see ``replacing``."""
    with replacing([path]) as (stream,):
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Write one file in UTF-8, lines ended as they are in ``text``; see ``replacing``."""
    write_bytes(path, text.encode("utf-8"))


@contextlib.contextmanager
def replacing(paths: Sequence[Path]) -> Iterator[list[IO[bytes]]]:
    """Open one stream for each path; the files get their names together, in this order, at the end.

    Folders that are missing are made.

    On any failure nothing new is left behind, and files that were there before are as they were
    unless their replacement had already been put in place.

    Raises
    ------
    CMROrientError
        Where the folder cannot be written or the disk is full; see ``refused.cannot_write``.
    """
    streams: list[IO[bytes]] = []
    digests = _DIGESTS.get()
    temporary: list[Path] = []
    placed: list[Path] = []
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.append(path.parent / f"{UNFINISHED}{secrets.token_hex(8)}.tmp")
            # Not tempfile: its files are closed to everyone but the owner, whatever the umask says.
            opened: IO[bytes] = temporary[-1].open("xb")
            streams.append(opened if digests is None else cast(IO[bytes], _Hashed(opened)))
        yield streams
        for stream in streams:
            stream.close()
        for unfinished, path in zip(temporary, paths, strict=True):
            unfinished.replace(path)
            placed.append(path)
        if digests is not None:
            digests.update({path: cast(_Hashed, s).hexdigest() for path, s in zip(paths, streams, strict=True)})
        # An interruption from here on finds everything in place.
        placed.clear()
    except BaseException as error:
        # Interruptions too must leave nothing half done.
        for stream in streams:
            with contextlib.suppress(OSError):
                stream.close()
        for leftover in (*temporary, *placed):
            with contextlib.suppress(OSError):
                leftover.unlink()
        if isinstance(error, OSError):
            raise cannot_write(error, paths[-1]) from error
        raise


@contextlib.contextmanager
def replacing_many(targets: Sequence[Path]) -> Iterator[list[Path]]:
    """Paths to write to, in a hidden folder beside the targets; at the end all files take their places.

    For files without number, of which no more than one has to be open at a time. Folders that are
    missing are made, and gone again on any failure; the targets then are as ``replacing`` says.

    Raises
    ------
    CMROrientError
        Where the folder cannot be written or the disk is full; see ``refused.cannot_write``.
    """
    folders = sorted({parent for target in targets for parent in target.parents if not parent.exists()})
    beside = folders[0].parent if folders else targets[0].parent
    unfinished = beside / f"{UNFINISHED}{secrets.token_hex(8)}"
    placed: list[Path] = []
    try:
        unfinished.mkdir()
        names = [unfinished / str(n) for n in range(len(targets))]
        yield names
        for folder in folders:
            folder.mkdir(exist_ok=True)
        for name, target in zip(names, targets, strict=True):
            name.replace(target)
            placed.append(target)
        placed.clear()
    except BaseException as error:
        # Interruptions too must leave nothing half done.
        for target in placed:
            target.unlink(missing_ok=True)
        for folder in reversed(folders):
            with contextlib.suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise cannot_write(error, targets[0].parent) from error
        raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
