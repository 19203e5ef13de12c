"""Records of a run that wait on disk until they are asked for: an archive has more of them than memory holds."""

from __future__ import annotations

import tempfile
import weakref
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from ..io.atomic import UNFINISHED
from .record import Record

#: Bytes that stay in memory: those of a small study never see the disk.
_IN_MEMORY = 1_000_000


class Spool:
    """Pieces of bytes in the order in which they were added, on disk where they are many.

    Parameters
    ----------
    folder:
        Where they wait, in a file that is gone with the last one who knows of it; where the system keeps such
        files if not given. ``append`` raises OSError where there is no room.
    """

    def __init__(self, folder: Path | None = None) -> None:
        # Closed with the last one who knows of it.
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            _IN_MEMORY, dir=None if folder is None else str(folder), prefix=UNFINISHED
        )
        weakref.finalize(self, self._file.close)
        self._ends = array("q", [0])

    def append(self, piece: bytes) -> None:
        """Add a piece."""
        self._file.seek(self._ends[-1])
        self._file.write(piece)
        self._ends.append(self._ends[-1] + len(piece))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> bytes:
        start, end = self._ends[number], self._ends[number + 1]
        self._file.seek(start)
        return self._file.read(end - start)


class Records(Sequence[Record]):
    """Records, each read when it is asked for.

    Parameters
    ----------
    spool, order:
        Their lines, and which of them come in which order; a new one without any where not given.
    """

    def __init__(self, spool: Spool | None = None, order: array[int] | None = None) -> None:
        self._spool = Spool() if spool is None else spool
        self._order = order

    def append(self, line: str) -> None:
        """Add a record by its line of JSON."""
        self._spool.append(line.encode("utf-8"))

    def in_order(self, order: Sequence[int]) -> Records:
        """The same in another order."""
        return Records(self._spool, array("q", order))

    def __len__(self) -> int:
        return len(self._spool) if self._order is None else len(self._order)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> list[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | list[Record]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = range(len(self))[place]
        return Record.from_json(self._spool[number if self._order is None else self._order[number]].decode("utf-8"))

    def __iter__(self) -> Iterator[Record]:
        return (self[number] for number in range(len(self)))
