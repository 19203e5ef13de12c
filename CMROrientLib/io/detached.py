"""What the formats with a text header share: voxels in files of their own, which the header names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Protocol

from ..errors import CMROrientError
from . import voxels
from .atomic import replacing

_MOST_FILES = 1_000_000


class ReadPart(Protocol):
    """Reads voxels from where a stream stands; ``available`` bytes are left in it."""

    def __call__(self, stream: IO[bytes], count: int, available: int, path: Path, /) -> bytearray:
        """``count`` voxels, or bytes of them, as the caller counts."""
        ...


def data_files(header: Path, named: str, listed: Callable[[], Sequence[str]]) -> list[Path]:
    """The files that hold the voxels of a header, in order.

    Parameters
    ----------
    header:
        The header's own path.
    named:
        What it says of them: ``LIST``, a pattern with its numbers, or a name.
    listed:
        Gives the names that follow a ``LIST``.

    Raises
    ------
    CMROrientError
        Where none is named.
    """
    words = named.split()
    if words[:1] == ["LIST"]:
        names = listed()
    else:
        # A fifth word is the dimension of each file: whatever it is, they follow one another.
        numbers = _numbered(header, words[:4] if len(words) == 5 else words)
        names = [named] if numbers is None else numbers
    if not names or not all(name and min(name) >= " " for name in names):
        raise CMROrientError("is damaged: it names no file for its voxels; export the image anew", header)
    return [header.parent / name for name in names]


def read_files(files: Sequence[Path], count: int, read_part: ReadPart, header: Path) -> bytearray:
    """Voxels of which several files hold equal shares, one after another. Raises CMROrientError."""
    if count % len(files):
        raise CMROrientError(
            f"names {len(files)} data files, which cannot share its voxels evenly; export it as one file", header
        )
    data = bytearray()
    for file in files:
        with voxels.reading(file) as stream:
            data += read_part(stream, count // len(files), file.stat().st_size, file)
    return data


def write_image(
    path: Path, header: bytes, write_values: Callable[[IO[bytes]], object], data: Path | None = None
) -> list[Path]:
    """Write a header with its voxels behind it or, where ``data`` is given, in that file.

    Returns
    -------
    The files written. All of them appear, or none.
    """
    if data is None:
        with replacing([path]) as (stream,):
            stream.write(header)
            write_values(stream)
        return [path]
    with replacing([data, path]) as (values, stream):
        write_values(values)
        stream.write(header)
    return [data, path]


def exchanged(tokens: Sequence[str], first: int, second: int) -> list[str]:
    """Entries of a header, one an axis, with those of two axes exchanged."""
    turned = list(tokens)
    turned[first], turned[second] = turned[second], turned[first]
    return turned


def data_path(header: Path, was: str, named: str, suffix: str) -> Path:
    """The file for the voxels of a detached header.

    Its name stays what it was where the header keeps its name, so that two headers in one folder do not
    come to share voxels; else it gets the header's with ``suffix``.

    Parameters
    ----------
    header:
        The header to be written.
    was, named:
        The name of the header that was read, and of the data file in it; empty where there was none.
    """
    if header.name == was and named.lower().endswith(suffix) and Path(named).name == named:
        return header.with_name(named)
    return header.with_name(header.stem + suffix)


def _numbered(header: Path, words: Sequence[str]) -> list[str] | None:
    """The names that ``voxels%03d.raw FIRST LAST STEP`` stands for; None where this is a plain name."""
    if len(words) != 4 or "%" not in words[0] or not all(word.lstrip("+-").isdecimal() for word in words[1:]):
        return None
    first, last, step = (int(word) for word in words[1:])
    if step == 0 or abs(last - first) // abs(step) >= _MOST_FILES:
        raise CMROrientError(
            "is damaged: it numbers its data files in a way that does not end; export it as one file", header
        )
    try:
        return [words[0] % n for n in range(first, last + (1 if step > 0 else -1), step)]
    except (ValueError, TypeError):
        raise CMROrientError(
            "is damaged: it numbers its data files in a way that is not known; export it as one file", header
        ) from None
