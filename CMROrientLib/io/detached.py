"""Voxels in files of their own, beside the header that names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import CMROrientError

_MOST_FILES = 1_000_000


def beside(header: Path, names: Sequence[str]) -> list[Path]:
    """The paths of data files as a header names them. Raises CMROrientError where there are none."""
    if not names or not all(name and min(name) >= " " for name in names):
        raise CMROrientError("is damaged: it names no file for its voxels", header)
    return [header.parent / name for name in names]


def numbered(header: Path, words: Sequence[str]) -> list[str] | None:
    """The names that ``voxels%03d.raw FIRST LAST STEP`` stands for; None where this is a plain name."""
    if len(words) != 4 or "%" not in words[0] or not all(word.lstrip("+-").isdecimal() for word in words[1:]):
        return None
    first, last, step = (int(word) for word in words[1:])
    if step == 0 or abs(last - first) // abs(step) >= _MOST_FILES:
        raise CMROrientError("is damaged: it numbers its data files in a way that does not end", header)
    try:
        return [words[0] % n for n in range(first, last + (1 if step > 0 else -1), step)]
    except (ValueError, TypeError):
        raise CMROrientError("is damaged: it numbers its data files in a way that is not known", header) from None


def data_name(header: Path, was: str, named: str, suffix: str) -> str:
    """The file name for the voxels of a detached header.

    It stays what it was where the header keeps its name, so that two headers in one folder do not
    come to share voxels; else it is the header's name with ``suffix``.

    Parameters
    ----------
    header:
        The header to be written.
    was, named:
        The name of the header that was read, and of the data file in it; empty where there was none.
    """
    if header.name == was and named.lower().endswith(suffix) and Path(named).name == named:
        return named
    return header.stem + suffix
