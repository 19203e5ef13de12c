"""What differs between the output folders of two versions: files, records and pages."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

#: Fields of a record that two runs of one version differ in, or that name the version.
CHANGING = frozenset({"seconds", "version"})

#: Files that a version may add to an output folder.
STORES = (".sqlite", ".sqlite-journal", ".sqlite-wal", ".sqlite-shm")

_TABLES = (".jsonl", ".csv")
_PAGES = (".html", ".htm")
_DATE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d [+-]\d{4}")
_SECONDS = re.compile(r"\s*\d+\.\d s\s*")
_VERSION = re.compile(r"CMROrient \d+(?:\.\w+)+")
_DATA = re.compile(r"data:image/[\w+]+;base64,([A-Za-z0-9+/=]+)")

Row = dict[str, object]


@dataclass
class Differences:
    """What a comparison of two folders found.

    Parameters
    ----------
    files, records, pages, pictures:
        How many were held against each other.
    added_files, added_keys:
        What only the new version writes, and may.
    found:
        A line for each difference.
    """

    files: int = 0
    records: int = 0
    pages: int = 0
    pictures: int = 0
    added_files: set[str] = field(default_factory=set)
    added_keys: set[str] = field(default_factory=set)
    found: list[str] = field(default_factory=list)


def compare_folders(old: Path, new: Path) -> Differences:
    """Hold two output folders against each other.

    Records (JSON lines and CSV) are compared field by field but for those that name times and the
    version; of pages the visible text and the pictures count; every other file has to be the same
    byte for byte.
    """
    told = Differences()
    before, after = _tree(old), _tree(new)
    for name in sorted(before | after):
        if name.endswith(STORES):
            # It holds what JSON lines, CSV and page are written from, with its times.
            if name not in before:
                told.added_files.add(name)
            elif name not in after:
                told.found.append(f"{name}: only the old version writes it")
        elif name not in before or name not in after:
            told.found.append(f"{name}: only {'the old' if name in before else 'the new'} version writes it")
        else:
            _compare_files(name, old / name, new / name, told)
    return told


def _tree(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def _compare_files(name: str, old: Path, new: Path, told: Differences) -> None:
    if name.endswith(_TABLES):
        compare_rows(name, read_rows(old), read_rows(new), told)
    elif name.endswith(_PAGES):
        told.pages += 1
        _compare_pages(name, old.read_text(encoding="utf-8"), new.read_text(encoding="utf-8"), told)
    else:
        told.files += 1
        if old.read_bytes() != new.read_bytes():
            told.found.append(f"{name}: the bytes differ")


def read_rows(path: Path) -> list[Row]:
    """The rows of JSON lines or of a CSV."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".csv":
        return [dict(row) for row in csv.DictReader(text.splitlines())]
    return parse_lines(text)


def parse_lines(text: str) -> list[Row]:
    """The objects of JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def compare_rows(name: str, old: Sequence[Row], new: Sequence[Row], told: Differences) -> None:
    """Hold the records of two versions against each other; their order and that of their fields count."""
    if len(old) != len(new):
        told.found.append(f"{name}: {len(old)} records became {len(new)}")
        return
    for number, (before, after) in enumerate(zip(old, new, strict=True), start=1):
        told.records += 1
        told.added_keys |= after.keys() - before.keys()
        if [key for key in after if key in before] != list(before):
            told.found.append(f"{name}, record {number}: fields are missing or in another order")
        for key in before.keys() & after.keys() - CHANGING:
            if before[key] != after[key]:
                told.found.append(f"{name}, record {number}, {key}: {_short(before[key])} became {_short(after[key])}")


def _short(value: object, limit: int = 100) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"


def _compare_pages(name: str, old: str, new: str, told: Differences) -> None:
    before, after = visible_text(old), visible_text(new)
    # Where lines are broken is the browser's business.
    if "".join(before) != "".join(after):
        told.found.append(f"{name}: the text differs: {_first_difference(before, after)}")
    drawn, redrawn = _pictures(old), _pictures(new)
    told.pictures += drawn.total()
    if drawn != redrawn:
        told.found.append(f"{name}: {(drawn - redrawn).total()} of {drawn.total()} pictures differ")


def _first_difference(old: Sequence[str], new: Sequence[str]) -> str:
    before, after = "".join(old), "".join(new)
    place = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), min(len(old), len(new)))
    start = max(0, place - 20)
    return f"{before[start : place + 40]!r} became {after[start : place + 40]!r}"


class _Words(HTMLParser):
    """The words that a page shows or that its controls are called by."""

    _SILENT = ("script", "style")
    _SPOKEN = ("alt", "title", "aria-label", "placeholder")

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in self._SILENT
        if tag != "meta":
            for name, value in attrs:
                if name in self._SPOKEN and value:
                    self.words += value.split()

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in self._SILENT

    def handle_data(self, data: str) -> None:
        if not self._silent and not _SECONDS.fullmatch(data):
            self.words += _VERSION.sub("CMROrient", _DATE.sub("", data)).split()


def visible_text(page: str) -> list[str]:
    """The words of a page but for times and the version."""
    parser = _Words()
    parser.feed(page)
    parser.close()
    return parser.words


def _pictures(page: str) -> Counter[str]:
    return Counter(hashlib.sha256(base64.b64decode(data)).hexdigest() for data in _DATA.findall(page))
