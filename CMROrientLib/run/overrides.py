"""DecisionTable of a user about single images: the CSV of a run, edited by hand."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from ..errors import UsageError
from ..orientation import Orientation
from ..recognition.result import Decision

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
    rows: dict[tuple[str, str | None], Override]
    #: All images that the table names, whether it decides about them or not.
    named: frozenset[tuple[str, str | None]] = frozenset()

    def find(self, path: str, series: str | None) -> Override | None:
        """The decision about an image; a row without a series counts for all of its path."""
        return self.rows.get((path, series), self.rows.get((path, None)))

    def check_all_used(self, keys: Iterable[tuple[str, str | None]]) -> None:
        """Raise ``UsageError`` where a row names an image that is not there."""
        known = set(keys)
        paths = {path for path, _ in known}
        missing = [path for path, series in self.rows if (path, series) not in known and (series or path not in paths)]
        if missing:
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            raise UsageError(f"it decides about an image that is not among the inputs: {missing[0]}{more}", self.path)


def read_decisions(path: Path) -> DecisionTable:
    """Read a table with the columns ``path`` and ``orientation``, comma or semicolon separated.

    A row decides where its orientation or decision differs from what the column ``network``
    says, where ``decided_by`` is ``user``, or where the table has no column ``network``. Without an
    orientation it can only decide that the image is left alone. Rows that decide nothing are left
    to the network.

    Raises
    ------
    UsageError
        Where the file is no such table, a class is none of the eight, or two rows contradict each other.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"the decisions cannot be read ({error.strerror or error})", path) from error
    except UnicodeDecodeError:
        raise UsageError("the decisions are not a CSV file in UTF-8; save it as 'CSV UTF-8'", path) from None
    header = text.split("\n", 1)[0]
    try:
        table = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=_delimiter(header), strict=True))
    except csv.Error as error:
        raise UsageError(f"the decisions are not a CSV file ({error})", path) from None
    columns = {name.strip() for name in next(csv.reader([header], delimiter=_delimiter(header)), [])}
    if not {"path", "orientation"} <= columns:
        raise UsageError("the decisions need the columns 'path' and 'orientation'", path)
    rows: dict[tuple[str, str | None], Override] = {}
    named: set[tuple[str, str | None]] = set()
    for number, row in enumerate(table, start=2):
        cells = {(name or "").strip(): str(value or "").strip() for name, value in row.items() if name is not None}
        override = _override(cells, f"row {number}", path)
        key = (cells["path"].replace("\\", "/"), cells.get("series") or None)
        named.add(key)
        if override is None:
            continue
        if not key[0]:
            raise UsageError(f"row {number} names no path", path)
        if rows.setdefault(key, override) != override:
            raise UsageError(f"row {number} contradicts an earlier one about {key[0]}", path)
    return DecisionTable(path, rows, frozenset(named))


def _override(cells: dict[str, Any], row: str, path: Path) -> Override | None:
    decision = cells.get("decision") or None
    if decision is not None and decision not in _DECISIONS:
        raise UsageError(f"{row}: the decision is one of {', '.join(_DECISIONS)}, not {decision!r}", path)
    orientation = _orientation(cells["orientation"], row, path)
    network = cells.get("network") or ""
    recognized, _, said = network.partition(" ")
    by_user = cells.get("decided_by") == "user"
    if orientation is None:
        # Without a class there is nothing to do, but to leave it alone where that is somebody's own decision.
        own = by_user or "network" not in cells or (network and decision != said)
        return Override(None, _LEFT_ALONE[decision]) if own and decision in _LEFT_ALONE else None
    same_class = str(int(orientation)) == recognized
    if network and same_class and decision == said and not by_user:
        return None
    # A class that was changed is acted on whatever the column of the decision still says.
    if decision in _LEFT_ALONE and (not network or (same_class and decision != said)):
        return Override(None, _LEFT_ALONE[decision])
    return Override(orientation)


def _orientation(text: str, row: str, path: Path) -> Orientation | None:
    if not text:
        return None
    # A table program writes a column of whole numbers with an empty cell in it as 3.0.
    with contextlib.suppress(ValueError, OverflowError):
        if float(text) == int(float(text)):
            return Orientation.of(int(float(text)))
    try:
        return Orientation.of(text)
    except ValueError as error:
        raise UsageError(f"{row}: the orientation is a class from 0 to 7 or its name, {error}", path) from None


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)
