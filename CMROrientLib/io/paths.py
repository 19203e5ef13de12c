"""Names of files and folders as records and people write them, and as Windows takes them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ..errors import UsageError
from .find import leaves_out


def check_places(roots: Iterable[Path], output: Path) -> None:
    """Raise ``UsageError`` where an output folder lies inside an input, or an input inside it.

    Where the walk through the input passes over it, such as below the ``derivatives`` of a BIDS data set, it may.
    """
    if output.exists() and not output.is_dir():
        raise UsageError("the output is a file; give a folder", output)
    place = output.resolve()
    for root in roots:
        given = root.resolve()
        inside = place == given or (root.is_dir() and place.is_relative_to(given))
        if inside and not leaves_out(given, place):
            raise UsageError(f"the output folder lies inside the input {root}; give one outside it", output)
        if given.is_relative_to(place):
            raise UsageError(f"the input {root} lies inside the output folder; give another folder", output)


def relative(path: str | Path, base: Path) -> str:
    """``path`` below ``base`` with forward slashes; "." for ``base`` itself."""
    text, start = str(path), str(base)
    if text.startswith(start) and text[len(start) : len(start) + 1] == os.sep:
        return text[len(start) + 1 :].replace(os.sep, "/")
    return PurePosixPath(*Path(path).relative_to(base).parts).as_posix()


def long_path(path: Path) -> Path:
    """The same path in the form that Windows takes beyond 260 characters; elsewhere as it is."""
    if os.name != "nt":
        return path
    text = os.path.abspath(path)  # noqa: PTH100 (Path.absolute keeps "..", which this form does not take)
    if text.startswith("\\\\?\\"):
        return path
    return Path("\\\\?\\UNC\\" + text[2:] if text.startswith("\\\\") else "\\\\?\\" + text)


def short_path(text: str) -> str:
    """A text without the prefix of long Windows paths, as people know them."""
    return text.replace("\\\\?\\UNC\\", "\\\\").replace("\\\\?\\", "")
