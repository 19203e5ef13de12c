"""The images of a report in the order in which it shows them, sorted on disk: an archive has more than memory holds."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ..orientation import Orientation
from ..run.record import Key, Record
from .style import Style

#: What needs a person comes first; of one kind a group stays together where its first image is.
_SORTED = """
SELECT number, path, series FROM images
LEFT JOIN (SELECT rank AS of_rank, kin AS of_kin, min(path) AS first FROM images WHERE kin != x'' GROUP BY rank, kin)
ON rank = of_rank AND kin = of_kin
ORDER BY rank, coalesce(first, path), kin, path, series, number
"""


class Image(NamedTuple):
    """A record and its groups, most urgent first."""

    record: Record
    tags: tuple[str, ...]


class Ordered:
    """Records in the order of a report, and what is counted of them.

    Parameters
    ----------
    records:
        By their keys, where each is read when it is asked for; or all of them.
    style:
        What the report is about.
    """

    def __init__(self, records: Mapping[Key, Record] | Sequence[Record], style: Style) -> None:
        self._records = records
        self._style = style
        self.total = 0
        self.counts: Counter[str] = Counter()
        self.classes: Counter[Orientation | None] = Counter()
        self.models: set[str] = set()
        # A database without a name is a file that is gone with it.
        self._place = sqlite3.connect("", isolation_level=None)
        self._place.execute("PRAGMA journal_mode = OFF")
        self._place.execute("CREATE TABLE images (rank INT, kin BLOB, path BLOB, series BLOB, number INT)")
        self._place.execute("BEGIN")
        self._place.executemany("INSERT INTO images VALUES (?, ?, ?, ?, ?)", self._rows())
        self._place.execute("COMMIT")

    def _rows(self) -> Iterator[tuple[int, bytes, bytes, bytes, int]]:
        ranks = {tag: rank for rank, tag in enumerate(self._style.by_tag)}
        records = self._records
        each = records if isinstance(records, Sequence) else (records[key] for key in records)
        for number, record in enumerate(each):
            tags = self._style.tags(record)
            self.total += 1
            self.counts.update(tags)
            if record.acted_on:
                self.classes[record.orientation] += 1
            if record.model:
                self.models.add(record.model)
            group = "" if record.group is None else record.group.name
            yield ranks[tags[0]], _bytes(group), _bytes(record.path), _bytes(record.series or ""), number

    def __iter__(self) -> Iterator[Image]:
        for number, path, series in self._place.execute(_SORTED):
            if isinstance(self._records, Sequence):
                record = self._records[number]
            else:
                record = self._records[_text(path), _text(series) or None]
            yield Image(record, tuple(self._style.tags(record)))

    def close(self) -> None:
        """Let go of the file."""
        self._place.close()


def _bytes(name: str) -> bytes:
    # Bytes of UTF-8 sort as their characters; names of files need not be valid text.
    return name.encode("utf-8", errors="surrogatepass")


def _text(name: bytes) -> str:
    return name.decode("utf-8", errors="surrogatepass")
