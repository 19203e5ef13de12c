"""Decisions of a user about single images: the table of a run, edited by hand, or one of their own."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from ..errors import UsageError
from ..orientation import Orientation
from ..recognition.result import Decision
from .record import Key
from .tables import AS_WRITTEN, NOT_SHORT_AXIS, plain

_DECISIONS = get_args(Decision)
_LEFT_ALONE: dict[str, Decision] = {"uncertain": "uncertain", "not_short_axis": "not_short_axis"}


@dataclass(frozen=True)
class Override:
    """What a user decided: a class that is acted on, or one of the decisions that leave it alone."""

    orientation: Orientation | None
    decision: Decision | None = None


@dataclass(frozen=True)
class DecisionTable:
    """The rows of a table that are the user's own, by (path, series)."""

    path: Path
    rows: dict[Key, Override]
    #: Images whose row says that they are the network's again.
    taken_back: frozenset[Key] = frozenset()
    #: The table of each row, where there are several.
    places: Mapping[Key, Path] = field(default_factory=dict)

    def find(self, path: str, series: str | None) -> Override | None:
        """The decision about an image; a row without a series counts for all of its path."""
        return self.rows.get((path, series), self.rows.get((path, None)))

    def takes_back(self, path: str, series: str | None) -> bool:
        """Whether an earlier decision about an image is taken back."""
        return not self.taken_back.isdisjoint({(path, series), (path, None)})

    def check_all_used(self, keys: Iterable[Key]) -> None:
        """Raise ``UsageError`` where a row names an image that is not there."""
        known = set(keys)
        paths = {path for path, _ in known}
        missing = [key for key in self.rows if key not in known and (key[1] or key[0] not in paths)]
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise UsageError(
                f"it decides about an image that is not among the inputs: {missing[0][0]}{more}; give that image too, "
                "or remove the row",
                self.places.get(missing[0], self.path),
            )


def read_all_decisions(places: Sequence[Path]) -> DecisionTable:
    """Read tables, and all tables of folders, as one; see ``read_decisions``.

    Raises
    ------
    UsageError
        Also where a folder holds no table, or two tables contradict each other.
    """
    paths = []
    for place in places:
        found = sorted(place.glob("*.csv")) if place.is_dir() else [place]
        if not found:
            raise UsageError("there is no .csv in this folder; give the folder that holds the decisions", place)
        paths += found
    tables = [read_decisions(path) for path in paths]
    if len(tables) == 1:
        return tables[0]
    rows: dict[Key, Override] = {}
    said: dict[Key, Path] = {}
    for table in tables:
        for key, override in table.rows.items():
            if rows.setdefault(key, override) != override:
                raise UsageError(f"it contradicts {said[key]} about {key[0]}; remove one of the two rows", table.path)
            said.setdefault(key, table.path)
    taken_back = frozenset().union(*(table.taken_back for table in tables)) - rows.keys()
    return DecisionTable(places[0], rows, taken_back, said)


def read_decisions(path: Path) -> DecisionTable:
    """Read a table with the columns ``path`` and ``orientation``, comma, semicolon or tab separated.

    An orientation is a class, by number or name, or ``not-short-axis``. A row of a run's own table
    decides where it differs from its column ``as_written`` (in older tables from ``network``) or where
    ``decided_by`` is ``user``; every row of another table does. Where its orientation was emptied an
    earlier decision is taken back. What decides nothing is left to the network.

    Raises
    ------
    UsageError
        Where the file is no such table, a class is none of the eight, or a row contradicts itself or another.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"the decisions cannot be read ({error.strerror or error}); check the file", path) from error
    except UnicodeDecodeError:
        raise UsageError("the decisions are not a CSV file in UTF-8; save it as 'CSV UTF-8'", path) from None
    header = text.split("\n", 1)[0]
    try:
        table = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(header), strict=True))
    except csv.Error as error:
        raise UsageError(f"the decisions are not a CSV file ({error}); save it as 'CSV UTF-8'", path) from None
    columns = {name.strip() for name in next(csv.reader([header], delimiter=_delimiter(header)), [])}
    if not {"path", "orientation"} <= columns:
        raise UsageError("the decisions need the columns 'path' and 'orientation'; add them in the first row", path)
    rows: dict[Key, Override] = {}
    taken_back: set[Key] = set()
    for number, row in enumerate(table, start=2):
        cells = {(name or "").strip(): plain(str(value or "").strip()) for name, value in row.items() if name}
        try:
            override = _decided(cells)
        except ValueError as error:
            raise UsageError(f"row {number}{error}", path) from None
        key = (cells["path"].replace("\\", "/"), cells.get("series") or None)
        if override is None:
            if not cells["orientation"]:
                taken_back.add(key)
            continue
        if not key[0]:
            raise UsageError(f"row {number} names no path; fill it in, or remove the row", path)
        if override is _TAKEN_BACK:
            taken_back.add(key)
        elif rows.setdefault(key, override) != override:
            raise UsageError(f"row {number} contradicts an earlier one about {key[0]}; keep one of them", path)
    return DecisionTable(path, rows, frozenset(taken_back - rows.keys()))


#: Stands for a row that says that the network decides again.
_TAKEN_BACK = Override(None)


@dataclass(frozen=True)
class _Row:
    """What a row says: the class, None where it names none; the decision; and whose it is."""

    orientation: Orientation | None
    short_axis: bool
    decision: str
    by_user: bool

    @classmethod
    def of(cls, orientation: str, decision: str, decided_by: str) -> _Row:
        """From its cells; ValueError with the end of a sentence that begins with the number of the row."""
        decision = decision.lower().replace("-", "_").replace(" ", "_")
        if decision and decision not in _DECISIONS:
            raise ValueError(f": the decision is one of {', '.join(_DECISIONS)}, not {decision!r}")
        other = orientation.lower().replace("_", "-").replace(" ", "-") == NOT_SHORT_AXIS
        return cls(None if other else _orientation(orientation), not other, decision, decided_by.lower() == "user")

    @property
    def override(self) -> Override | None:
        """What it decides where all of it is the user's; a class goes before the decision."""
        if self.orientation is not None:
            return Override(self.orientation)
        if not self.short_axis:
            return Override(None, "not_short_axis")
        return self.left_alone

    @property
    def left_alone(self) -> Override | None:
        """The same by the column of the decision alone."""
        return Override(None, _LEFT_ALONE[self.decision]) if self.decision in _LEFT_ALONE else None


def _decided(cells: Mapping[str, str]) -> Override | None:
    now = _Row.of(cells["orientation"], cells.get("decision", ""), cells.get("decided_by", ""))
    if cells.get(AS_WRITTEN):
        return _edited(now, _as_written(cells[AS_WRITTEN]))
    if not now.short_axis:
        return now.override
    if "network" in cells:
        return _edited_older(now, cells["network"])
    return now.left_alone or now.override


def _as_written(text: str) -> _Row:
    parts = text.split(" ")
    if len(parts) != 3:
        raise ValueError(f": the column {AS_WRITTEN} was changed; leave it as the run wrote it, or empty")
    orientation, decision, decided_by = ("" if part == "-" else part for part in parts)
    return _Row.of(orientation, decision, decided_by)


def _edited(now: _Row, was: _Row) -> Override | None:
    """What a row decides whose cells were ``was`` when the run wrote it."""
    other_class = (now.orientation, now.short_axis) != (was.orientation, was.short_axis)
    other_decision = now.decision != was.decision
    if not other_class and not other_decision:
        if now.by_user:
            return now.override
        return _TAKEN_BACK if was.by_user else None
    if not other_class:
        if not now.decision:
            return _TAKEN_BACK
        if now.left_alone is None and now.orientation is None:
            raise ValueError(f": it is {now.decision}, but its orientation is no class; give one")
        return now.left_alone or now.override
    if other_decision and now.left_alone is not None:
        if now.orientation is not None or now.left_alone != now.override:
            raise ValueError(f": its orientation and its decision, {now.decision}, contradict each other")
        return now.left_alone
    # A class that was changed is acted on whatever the column of the decision still says.
    if now.orientation is None and now.short_axis:
        return _TAKEN_BACK
    return now.override


def _edited_older(now: _Row, network: str) -> Override | None:
    """The same for tables of before, which tell only what the network had said: ``class decision``."""
    recognized, _, said = network.partition(" ")
    if now.orientation is None:
        # Without a class there is nothing to do, but to leave it alone where that is somebody's own decision.
        return now.left_alone if now.by_user or (network and now.decision != said) else None
    same_class = str(int(now.orientation)) == recognized
    if network and same_class and now.decision == said and not now.by_user:
        return None
    if now.left_alone is not None and (not network or (same_class and now.decision != said)):
        return now.left_alone
    return Override(now.orientation)


def _orientation(text: str) -> Orientation | None:
    if not text:
        return None
    # A table program writes a column of whole numbers with an empty cell in it as 3.0, or as 3,0.
    whole, _, rest = text.replace(",", ".").partition(".")
    try:
        return Orientation.of(whole if rest.strip("0") == "" else text)
    except ValueError as error:
        raise ValueError(
            f": the orientation is a class from 0 to 7 or its name, or {NOT_SHORT_AXIS}, {error}"
        ) from None


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)
