"""The rows of a run's table, on disk where they are many: how wide its columns are is known after the last only."""

from __future__ import annotations

import json
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ..recognition.wording import slice_order_words
from ..run.records import Spool
from ..slice_order import FoundOrder
from .table import Cell


class Row(NamedTuple):
    """An image: its path, its name where no other image has this path, else its full name, and the other cells."""

    path: str
    name: str
    full_name: str
    cells: list[Cell]


class Heading(NamedTuple):
    """A group by its name, what stands above its images, and which way its slices run where this image tells."""

    group: str
    words: str
    order: FoundOrder | None


class Rows:
    """Rows in the order of their images; those of a group below a heading, where the first of them stands."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._paths: Counter[int] = Counter()
        self._first: dict[str, int] = {}
        self._orders: dict[int, set[FoundOrder]] = defaultdict(set)
        #: Of each row how late it comes, and the place of the first of its group.
        self._ranks = array("b")
        self._places = array("q")

    def count(self, path: str) -> None:
        """Take note of an image, shown or not: where several have one path, each goes by its full name."""
        self._paths[hash(path)] += 1

    def add(self, row: Row, heading: Heading | None = None, rank: int = 0) -> None:
        """Add the row of an image; those of a lower rank come before it."""
        place = len(self._places)
        if heading is not None:
            place = self._first.setdefault(heading.group, place)
            if heading.order is not None:
                self._orders[place].add(heading.order)
        self._ranks.append(rank)
        self._places.append(place)
        self._spool.append(json.dumps([*row, None if heading is None else heading.words]).encode("ascii"))

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[list[Cell]]:
        for number in self._sorted():
            path, name, full_name, cells, above = json.loads(self._spool[number])
            shown = full_name if self._paths[hash(path)] > 1 else name
            if above is not None:
                if self._places[number] == number:
                    yield [(above + self._way(number),), *[("",)] * len(cells)]
                shown = f"  {shown}"
            yield [(shown,), *(tuple(cell) for cell in cells)]

    def _sorted(self) -> Sequence[int]:
        numbers: Sequence[int] = range(len(self))
        if self._first:
            numbers = sorted(numbers, key=self._places.__getitem__)
        return sorted(numbers, key=self._ranks.__getitem__) if any(self._ranks) else numbers

    def _way(self, group: int) -> str:
        """Which way the slices of a stack run that are images of their own; empty where nobody knows."""
        orders = self._orders.get(group, set())
        way = slice_order_words(next(iter(orders))) if len(orders) == 1 else ""
        return f", {way}" if way else ""
