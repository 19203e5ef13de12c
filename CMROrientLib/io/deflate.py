"""Deflate, in gzip's wrapping and in zlib's: ISA-L where it is installed, else zlib.

The levels are what measurements chose, on stacks of real and of synthetic hearts. ISA-L's level 2 takes an
eighth of the time of zlib's level 4 and its files are 1 to 5 % larger; zlib's own level 1 takes two thirds of it,
for files as large. Level 6, which most programs take, costs four times as much again and gains nothing on such
images. The same data give the same bytes on one machine; another processor may pack them in other ones.
"""

from __future__ import annotations

import gzip
import zlib
from types import ModuleType
from typing import IO, Protocol

igzip: ModuleType | None
isal_zlib: ModuleType | None
try:
    from isal import igzip, isal_zlib
except ImportError:
    igzip = isal_zlib = None

_ISAL_LEVEL, _ZLIB_LEVEL = 2, 1

#: What damaged data raise.
FAILURES: tuple[type[Exception], ...] = (EOFError, zlib.error, gzip.BadGzipFile)
if isal_zlib is not None:
    FAILURES += (isal_zlib.error,)


class Decompressor(Protocol):
    """What ``zlib.decompressobj`` makes."""

    @property
    def eof(self) -> bool:
        """Whether the end of the packed data, with their checksum, has been seen."""
        ...

    @property
    def unconsumed_tail(self) -> bytes:
        """What is left of the packed data because there was no room for more."""
        ...

    def decompress(self, data: bytes, most: int, /) -> bytes:
        """Unpack at most so many bytes, which are more than none."""
        ...


def reading_gzip(stream: IO[bytes]) -> gzip.GzipFile:
    """A stream of the plain bytes behind gzip."""
    return _file(stream, "rb")


def writing_gzip(stream: IO[bytes] | gzip.GzipFile) -> gzip.GzipFile:
    """A gzip stream to write to; no time and no name go into it, so the same data give the same bytes."""
    return _file(stream, "wb")


def decompressor() -> Decompressor:
    """For data in zlib's wrapping or in gzip's."""
    made: Decompressor = (isal_zlib or zlib).decompressobj(wbits=47)
    return made


def compress(data: bytes | memoryview) -> bytes:
    """Pack data in zlib's wrapping."""
    packed: bytes = zlib.compress(data, _ZLIB_LEVEL) if isal_zlib is None else isal_zlib.compress(data, _ISAL_LEVEL)
    return packed


def _file(stream: IO[bytes] | gzip.GzipFile, mode: str) -> gzip.GzipFile:
    if igzip is None:
        return gzip.GzipFile(filename="", mode=mode, compresslevel=_ZLIB_LEVEL, fileobj=stream, mtime=0)
    made: gzip.GzipFile = igzip.IGzipFile(filename="", mode=mode, compresslevel=_ISAL_LEVEL, fileobj=stream, mtime=0)
    return made
