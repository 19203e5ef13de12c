"""Names that are one file: where the file system ignores case, as on Windows, mostly on macOS, and on some shares."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from pathlib import Path


def names_in(folder: Path) -> Callable[[str | os.PathLike[str]], str]:
    """What tells files in a folder apart: two paths that give one text are one file there.

    Parameters
    ----------
    folder:
        It need not be there yet; the nearest folder above that is there tells for it. Nothing is written.
    """
    return _without_case if ignores_case(folder) else _as_it_is


def ignores_case(folder: Path) -> bool:
    """Whether names in a folder that differ in case only are one file; true as well where nothing there can tell.

    To take two files for one refuses them with words, to take one for two loses the first.
    """
    place = Path(os.path.abspath(folder))  # noqa: PTH100 (as it is given, whatever links say)
    while not place.is_dir() and place != place.parent:
        place = place.parent
    try:
        entries = os.listdir(place)  # noqa: PTH208 (names only)
    except OSError:
        return True
    there = set(entries)
    for name in entries:
        if (other := _other_case(name)) is not None:
            # Both in the list: two files. Else the other name leads somewhere only where case is ignored.
            return other not in there and os.path.lexists(place / other)
    if os.path.ismount(place) or place == place.parent:
        return True
    other = _other_case(place.name)
    return other is None or os.path.lexists(place.with_name(other))


def _other_case(name: str) -> str | None:
    """The name in the other case; None where it has none, or letters that systems fold differently (ß, dotless i)."""
    other = name.swapcase()
    return other if name.isascii() and other != name else None


def _as_it_is(path: str | os.PathLike[str]) -> str:
    return os.fspath(path)


def _without_case(path: str | os.PathLike[str]) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", os.fspath(path)).casefold())
