"""The text header of a NRRD file, kept line by line.

Lines that nobody has to change (comments, key/value pairs, fields of tomorrow) are written back
as they were read. Libraries that turn the header into a table lose comments, order and spelling.

Source: https://teem.sourceforge.net/nrrd/format.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from ...errors import CMROrientError

_LONGEST_HEADER = 1 << 24
_MAGIC = re.compile(rb"NRRD000\d\r?\n")
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\([^)]*\)|\S+')

#: Other spellings of field names that the format knows.
_SPELLINGS = {
    "centers": "centerings",
    "datafile": "data file",
    "lineskip": "line skip",
    "byteskip": "byte skip",
    "axismins": "axis mins",
    "axismaxs": "axis maxs",
    "sampleunits": "sample units",
}

#: Fields with one entry an axis that move with the axis.
PER_AXIS = ("thicknesses", "axis mins", "axis maxs", "centerings", "labels", "units", "kinds")


@dataclass(frozen=True)
class NrrdHeader:
    """Magic and the lines after it, up to the empty one."""

    magic: str
    lines: tuple[str, ...]

    @classmethod
    def read(cls, stream: IO[bytes], path: Path) -> NrrdHeader:
        """Read up to and with the empty line. Raises CMROrientError where this is no NRRD header."""
        magic = stream.readline(16)
        if not magic:
            raise CMROrientError("is empty: copy or export it anew", path)
        if not _MAGIC.fullmatch(magic):
            raise CMROrientError(
                "is not a NRRD file, whatever its name says: export it anew, or give it its true ending", path
            )
        lines: list[str] = []
        length = 0
        while line := stream.readline(_LONGEST_HEADER):
            length += len(line)
            if length > _LONGEST_HEADER:
                raise CMROrientError("is damaged: its header does not end; copy or export it anew", path)
            # Undecodable bytes come back as they were.
            text = line.decode("utf-8", "surrogateescape").rstrip("\r\n")
            if not text:
                break
            lines.append(text)
        return cls(magic.decode("ascii", "replace").strip(), tuple(lines))

    def encode(self) -> bytes:
        """The header as it stands in a file, with the empty line that ends it."""
        return "\n".join([self.magic, *self.lines, "", ""]).encode("utf-8", "surrogateescape")

    def get(self, field: str) -> str | None:
        """The text of a field, None where it is missing."""
        return next((line.split(":", 1)[1].strip() for line in self.lines if _name(line) == field), None)

    def tokens(self, field: str) -> list[str]:
        """A field's entries: words, "quoted" words and (vectors)."""
        return _TOKEN.findall(self.get(field) or "")

    def set(self, field: str, value: str) -> NrrdHeader:
        """The header with a field changed in its place, or added before the key/value pairs."""
        lines = list(self.lines)
        for index, line in enumerate(lines):
            if _name(line) == field:
                lines[index] = f"{line.split(':', 1)[0]}: {value}"
                return replace(self, lines=tuple(lines))
        last = max((index for index, line in enumerate(lines) if _name(line)), default=-1)
        lines.insert(last + 1, f"{field}: {value}")
        return replace(self, lines=tuple(lines))

    def set_tokens(self, field: str, tokens: Sequence[str]) -> NrrdHeader:
        """The header with a field's entries changed."""
        return self.set(field, " ".join(tokens))

    def without(self, *fields: str) -> NrrdHeader:
        """The header less some fields."""
        return replace(self, lines=tuple(line for line in self.lines if _name(line) not in fields))

    def file_list(self) -> list[str]:
        """The names that follow ``data file: LIST``: all lines after it."""
        start = next(index for index, line in enumerate(self.lines) if _name(line) == "data file")
        return list(self.lines[start + 1 :])

    def without_file_list(self) -> NrrdHeader:
        """The header less the names after ``data file: LIST``."""
        start = next(index for index, line in enumerate(self.lines) if _name(line) == "data file")
        return replace(self, lines=self.lines[: start + 1])


def _name(line: str) -> str | None:
    """The field that a line sets; None for comments and key/value pairs."""
    name, colon, rest = line.partition(":")
    if not colon or line.startswith("#") or rest.startswith("="):
        return None
    name = name.strip().lower()
    return _SPELLINGS.get(name, name)
