"""The index of a report of many pages: what is on each of them, and the names of all images for its search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..orientation import Orientation
from ..run.records import Spool
from .summary import Link

#: Names that the index holds for its search: some megabytes.
MOST_NAMES = 500_000


@dataclass(frozen=True)
class IndexLine:
    """One page: its link, the number of its first image, how many there are, of which kinds and classes.

    Images are in the order of their urgency, and those of one kind in that of their names.
    """

    link: Link
    start: int
    rows: int
    counts: Counter[str]
    classes: Counter[Orientation | None]
    first: str
    last: str


class Index:
    """All pages, and all names: those that begin alike are written down once, on disk."""

    def __init__(self) -> None:
        self.lines: list[IndexLine] = []
        self._names = Spool()
        self._named = 0

    def add(self, line: IndexLine, names: Iterable[str]) -> None:
        """Add a page."""
        self.lines.append(line)
        self._named += line.rows
        if self.has_names:
            self._names.append("".join(_front_coded(len(self.lines), names)).encode("utf-8", "surrogatepass"))

    @property
    def has_names(self) -> bool:
        """Whether names can be searched for here."""
        return self._named <= MOST_NAMES

    @property
    def names(self) -> Iterator[str]:
        """Lines for the script: ``#`` and the number of a page; or how many letters are as before, and the rest."""
        pieces = range(len(self._names)) if self.has_names else ()
        return (self._names[number].decode("utf-8", "surrogatepass") for number in pieces)


def _front_coded(page: int, names: Iterable[str]) -> Iterator[str]:
    yield f"#{page}\n"
    before = ""
    for name in names:
        text = "".join(" " if character in "\n\r" else character for character in name)
        differ = (place for place, (one, other) in enumerate(zip(before, text, strict=False)) if one != other)
        shared = next(differ, min(len(before), len(text)))
        yield f"{shared} {text[shared:]}\n"
        before = text
