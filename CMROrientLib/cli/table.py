"""A table in a terminal: as wide as its words, or as narrow as the terminal is."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import TextIO

#: A cell, wordy first; the table takes later, shorter forms where the terminal is narrow.
Cell = tuple[str, ...]

#: The first column gives way to the others down to this many characters; then the others get shorter.
_NAME = 20

#: What a name has at least in the narrowest terminal.
_LEAST_NAME = 8

_GAP = "  "


def table(headings: Sequence[Cell], rows: Sequence[Sequence[Cell]], columns: int | None = None) -> list[str]:
    """The lines of a table; see ``lines``."""
    return list(lines(headings, rows, columns))


def lines(headings: Sequence[Cell], rows: Iterable[Sequence[Cell]], columns: int | None = None) -> Iterator[str]:
    """Lines of a table, none wider than the terminal.

    Parameters
    ----------
    headings, rows:
        Names stand in the first column: their beginnings are cut off where there is no room. Rows are gone
        through twice, and need not all be in memory.
    columns:
        Width of the terminal; that of standard output where None. Without a terminal nothing is shortened.
    """
    if columns is None and sys.stdout.isatty():
        columns = shutil.get_terminal_size().columns
    for form, widths in enumerate(_widths(headings, rows, 1 if columns is None else None)):  # noqa: B007
        if columns is None:
            break
        room = columns - sum(widths[1:]) - len(_GAP) * (len(widths) - 1)
        if room >= min(widths[0], _NAME):
            widths[0] = min(widths[0], room)
            break
    else:
        widths[0] = min(widths[0], max(_LEAST_NAME, room))
    for line in chain((headings,), rows):
        shown = _line([cell[min(form, len(cell) - 1)] for cell in line], widths)
        yield shown if columns is None else _cut(shown, columns)


def _widths(headings: Sequence[Cell], rows: Iterable[Sequence[Cell]], forms: int | None) -> list[list[int]]:
    """How wide each column is, for each of the forms; no more of them than is asked for."""
    widest: list[list[int]] = []
    for line in chain((headings,), rows):
        for column, cell in enumerate(line):
            while len(widest) < (len(cell) if forms is None else forms):
                # What had no such form was as wide as it was in the last one.
                widest.append(list(widest[-1]) if widest else [0] * len(line))
            for form in range(len(widest)):
                widest[form][column] = max(widest[form][column], _width(cell[min(form, len(cell) - 1)]))
    return widest


def wrapped(text: str, columns: int) -> list[str]:
    """A sentence in lines that break between words; a word that is wider than a line stays whole."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and _width(lines[-1]) + 1 + _width(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(word if not lines else f"  {word}")
    return lines


def tell(line: str, stream: TextIO) -> None:
    """Print a sentence; in a terminal it breaks between words."""
    if stream.isatty():
        line = "\n".join(wrapped(line, shutil.get_terminal_size().columns))
    print(line, file=stream)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *others = cells
    first = _without_beginning(name, widths[0])
    return _GAP.join(
        cell + " " * (width - _width(cell)) for cell, width in zip((first, *others), widths, strict=True)
    ).rstrip()


def _width(text: str) -> int:
    """Places in a terminal: Chinese characters take two, accents of their own and invisible characters none."""
    return len(text) if text.isascii() else _width_of_letters(text)


@lru_cache(maxsize=1024)
def _width_of_letters(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.category(character) in ("Mn", "Me", "Cf") for character in text)


def _without_beginning(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    while _width(text) > width - 1:
        text = text[1:]
    return f"…{text}"


def _cut(line: str, columns: int) -> str:
    if _width(line) <= columns:
        return line
    while _width(line) > columns - 1:
        line = line[:-1]
    return f"{line.rstrip()}…"
