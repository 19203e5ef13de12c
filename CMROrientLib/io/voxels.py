"""Voxels in files: plain, gzip, bzip2, zlib or text, never longer than they claim."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from . import deflate

_PIECE = 1 << 24


class Readable(Protocol):
    """What plain files and decompressing ones have in common."""

    def read(self, size: int = -1, /) -> bytes:
        """At most ``size`` bytes; none at the end."""
        ...


#: Bytes that one byte in the file can stand for at most. Deflate's limit is 1032; bzip2's is far
#: higher but only for constant images, so this is where a claim stops being believable.
_LARGEST_RATIO = {"raw": 1, "gzip": 1100, "zlib": 1100, "bzip2": 1 << 20, "text": 1 << 3}


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, with every failure to open or read it told as a sentence."""
    try:
        if path.is_dir():
            raise CMROrientError("is a folder, not an image file; give the file", path)
        if path.exists() and not path.is_file():
            # Opening a pipe would wait for ever.
            raise CMROrientError("is no regular file; give a file", path)
        with path.open("rb") as stream:
            yield stream
    except FileNotFoundError:
        raise CMROrientError("no such file", path) from None
    except PermissionError:
        raise CMROrientError("may not be read: check its permissions", path) from None
    except deflate.FAILURES as error:
        raise CMROrientError(f"is damaged or cut short ({_reason(error)}); copy or export it anew", path) from error
    except OSError as error:
        raise CMROrientError(f"cannot be read ({_reason(error)}); check the file and its disk", path) from error
    except MemoryError:
        raise CMROrientError(
            "is too large for the memory of this machine; close other programs, or use a larger one", path
        ) from None


def check_claim(expected: int, available: int, encoding: str, path: Path) -> None:
    """Refuse, before any memory is taken, a header that claims more than the file can hold.

    Parameters
    ----------
    expected:
        Bytes that the header claims.
    available:
        Bytes in the file.
    encoding:
        ``raw``, ``gzip``, ``zlib``, ``bzip2`` or ``text``.
    """
    if expected > available * _LARGEST_RATIO[encoding]:
        raise CMROrientError(
            f"is damaged or cut short: its header claims {expected:,} bytes of voxels, the file has {available:,}; "
            "copy or export it anew",
            path,
        )


def read_exactly(stream: Readable, count: int, path: Path) -> bytearray:
    """``count`` bytes; memory grows with what is there, not with what is claimed."""
    data = bytearray()
    while len(data) < count:
        piece = stream.read(min(_PIECE, count - len(data)))
        if not piece:
            raise _cut_short(len(data), count, path)
        data += piece
    return data


def _cut_short(there: int, count: int, path: Path) -> CMROrientError:
    return CMROrientError(
        f"is cut short: {there:,} of {count:,} bytes of voxels are there; copy or export it anew", path
    )


def read_part(stream: IO[bytes], count: int, available: int, encoding: str, skip: int, path: Path) -> bytearray:
    """``count`` bytes of voxels from where a stream stands.

    Parameters
    ----------
    available:
        Bytes that are left in it.
    encoding:
        ``raw``, ``gzip``, ``bzip2`` or ``zlib``.
    skip:
        Bytes to pass over: inside what gzip and bzip2 packed, before what zlib did; −1 where the
        voxels are the last bytes of a plain file.
    """
    check_claim(count, available, encoding, path)
    if encoding == "raw" and skip == -1:
        stream.seek(-count, 2)
    if encoding == "zlib":
        read_exactly(stream, max(skip, 0), path)
        return inflate(stream, count, path)
    plain = decoder(stream, encoding)
    read_exactly(plain, max(skip, 0), path)
    data = read_exactly(plain, count, path)
    if encoding != "raw":
        check_end(plain)
    return data


def decoder(stream: IO[bytes], encoding: str) -> Readable:
    """A stream of the plain bytes behind ``gzip``, ``bzip2`` or ``raw``."""
    if encoding == "gzip":
        return deflate.reading_gzip(stream)
    if encoding == "bzip2":
        return bz2.BZ2File(stream)
    return stream


def check_end(stream: Readable) -> None:
    """Read on to the end, where compressed streams hold their checksum; damage raises there."""
    while stream.read(_PIECE):
        pass


def inflate(stream: IO[bytes], count: int, path: Path) -> bytearray:
    """``count`` bytes out of a zlib (or gzip) stream."""
    engine = deflate.decompressor()
    data = bytearray()
    # On to the end of the stream even where all is there: its checksum comes last.
    while not engine.eof:
        piece = engine.unconsumed_tail or stream.read(_PIECE)
        got = engine.decompress(piece, min(_PIECE, count - len(data)) or _PIECE)
        # ISA-L may have taken all of the input and still hold back what there was no room for.
        if not piece and not got and not engine.eof:
            break
        # What is more than was asked for is passed over.
        data += got[: count - len(data)]
    if len(data) < count:
        raise _cut_short(len(data), count, path)
    if not engine.eof:
        raise CMROrientError("is cut short: the end of its packed voxels is missing; copy or export it anew", path)
    return data


def write_array(stream: IO[bytes] | gzip.GzipFile, array: NDArray[Any], encoding: str) -> None:
    """Write an array, first axis slowest, in its own byte order."""
    data = memoryview(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
    if encoding == "raw":
        stream.write(data)
    elif encoding == "gzip":
        with deflate.writing_gzip(stream) as packed:
            packed.write(data)
    elif encoding == "bzip2":
        stream.write(bz2.compress(data))
    elif encoding == "zlib":
        stream.write(deflate.compress(data))
    else:
        raise ValueError(f"unknown encoding {encoding!r}")


def _reason(error: BaseException) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return (said or str(error) or type(error).__name__).rstrip(".")
