"""What an audit has looked at, on disk until it is told: an archive has more records and pictures than memory holds.

In memory stay the names only, as in the plan of a run.
"""

from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import overload

from ..run.pictures.thumbnails import Thumbnails
from ..run.record import Key, Record
from ..run.records import Records, Spool
from ..run.work import Outcome
from .slice_order import Rest, marked, rest_of

#: Before, after, views and outlines.
_PICTURES = 4


class Kept:
    """Records and pictures in the order in which they come.

    Parameters
    ----------
    folder:
        Where they wait on disk; the files are gone with the last one who knows of them.
    """

    def __init__(self, folder: Path) -> None:
        self._records = Records(Spool(folder))
        self._pictures = Spool(folder)
        self._keys: list[Key] = []
        self._roots: list[str] = []

    def add(self, root: str | os.PathLike[str], outcome: Outcome) -> None:
        """Keep what was found in an image below one of the given paths. Raises OSError where the disk is full."""
        record, found = outcome.record, outcome.thumbnails
        self._records.append(record.to_json())
        pieces = (b"",) * _PICTURES if found is None else (found.before, found.after, found.views, found.outlines)
        for piece in pieces:
            self._pictures.append(piece or b"")
        self._keys.append(record.key)
        self._roots.append(os.fspath(root))

    def told_apart(self) -> tuple[Looked, Pictures]:
        """The records in the order of their names, and their pictures.

        Images of one name get the path that was given before it.
        """
        names = Counter(self._keys)
        keys = [
            ((Path(root) / key[0]).as_posix(), key[1]) if names[key] > 1 else key
            for root, key in zip(self._roots, self._keys, strict=True)
        ]
        order = array("q", sorted(range(len(keys)), key=lambda number: _by_name(keys[number])))
        keys = [keys[number] for number in order]
        return Looked(self._records.in_order(order), keys), Pictures(self._pictures, order, keys)


class Looked(Sequence[Record]):
    """The records of an audit, each read when it is asked for; those marked whose slices run against the rest.

    Parameters
    ----------
    records, keys:
        As they were found, and what each is called, both in the order of these names.
    """

    def __init__(self, records: Records, keys: Sequence[Key]) -> None:
        self._records = records
        self._keys = keys
        self._rest: Rest | None = None
        self._rest = rest_of(self)

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> list[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | list[Record]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return marked(replace(self._records[place], path=self._keys[place][0]), self._rest)

    def __iter__(self) -> Iterator[Record]:
        return (self[number] for number in range(len(self)))


class Pictures(Mapping[Key, Thumbnails]):
    """The pictures of an audit by the names of their records, read one by one as they are asked for.

    Parameters
    ----------
    spool, order, keys:
        The pictures as they came, which of them come in which order, and the names in that order.
    """

    def __init__(self, spool: Spool, order: Sequence[int], keys: Sequence[Key]) -> None:
        self._spool = spool
        self._order = order
        self._keys = keys

    def __getitem__(self, key: Key) -> Thumbnails:
        place = bisect_right(self._keys, _by_name(key), key=_by_name) - 1
        if place < 0 or self._keys[place] != key:
            raise KeyError(key)
        start = self._order[place] * _PICTURES
        before, *others = (self._spool[number] for number in range(start, start + _PICTURES))
        if not before:
            raise KeyError(key)
        return Thumbnails(before, *(piece or None for piece in others))

    def __iter__(self) -> Iterator[Key]:
        return (key for key in self._keys if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _by_name(key: Key) -> tuple[str, str]:
    return key[0], key[1] or ""
