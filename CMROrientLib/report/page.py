"""The report: one self-contained HTML page that shows what was done to every image of a run.

It needs no network, no server and no script (one inline script adds search, filters, sorting and
steps of a hundred rows), and a content security policy lets nothing else run. More than two thousand
images are parted over several pages, and the page is an index of them.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import chain, islice
from pathlib import Path
from typing import IO

from .. import __version__
from ..errors import CMROrientError
from ..io.atomic import UNFINISHED, replacing
from ..orientation import Orientation
from ..run.pictures.thumbnails import Thumbnails
from ..run.record import Key, Record
from .correction import CORRECTION
from .index import Index, IndexLine
from .ordering import Image, Ordered
from .rows import view
from .style import Style, Sums
from .summary import Link, Parted, Place, Summary, address, run_facts
from .templating import index_parts, page_parts, row_line

#: Bytes of rows that one page may hold.
PAGE_BYTES = 95_000_000

#: Images that one page may hold: a browser opens so many at once.
PAGE_ROWS = 2_000

#: Rows in the table proper; the others wait in ``<noscript>`` until the script shows them, because a
#: browser needs 16 s to lay out ten thousand.
FIRST_ROWS = 100

#: Bytes of rows that are kept in memory before their pages are written; the rest waits on disk.
_IN_MEMORY = 1_000_000

_GENERATOR = re.compile(r'<meta name="generator" content="CMROrient (\w+)">')
_INDEX = re.compile(r'<meta name="cmrorient-index" content="([^"]*)">')

#: Pages of before name their index in their links only, which stand below the styles.
_LINKS = re.compile(r'<nav aria-label="Pages">.*?</nav>', re.DOTALL)
_BEFORE_LINKS = 200_000


@dataclass
class _Chunk:
    """The rows of one page: the number of its first image, and what is counted of them."""

    start: int
    rows: int = 0
    size: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    classes: Counter[Orientation | None] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    first: str = ""
    last: str = ""
    is_final: bool = False

    def add(self, image: Image, size: int) -> None:
        """Count one more."""
        self.rows += 1
        self.size += size
        self.counts.update(image.tags)
        if image.record.acted_on:
            self.classes[image.record.orientation] += 1
        self.seen.update(image.tags)
        self.first, self.last = self.first or image.record.path, image.record.path


def write_report(
    records: Mapping[Key, Record] | Iterable[Record],
    page: str | os.PathLike[str],
    thumbnails: Mapping[Key, Thumbnails],
    *,
    title: str = "Orientation report",
    command: str = "",
    model: str = "",
    version: str = __version__,
    style: Style = CORRECTION,
    sums: Sums | None = None,
    page_bytes: int = PAGE_BYTES,
    page_rows: int = PAGE_ROWS,
) -> list[Path]:
    """Write the report page, whole or not at all; pages of an earlier report are replaced.

    Parameters
    ----------
    records:
        The run's records in any order, or by their keys, where each is read when it is asked for; the page
        shows what needs a person first.
    page:
        The HTML file to write. ``<stem>.jsonl`` and ``<stem>.csv`` beside it are linked.
    thumbnails:
        Pictures by ``Record.key``; images without any are shown without.
    command, model, version:
        How the run was started, ``name@checksum`` of its model (taken from the records where
        empty), version of the package.
    style:
        What the page is about.
    sums:
        A table to show between the summary and the images.
    page_bytes, page_rows:
        Where the rows take more bytes than this, or are more than so many, they are parted over pages
        ``<stem>-1.html`` …, and the page is an index of them.

    Returns
    -------
    The pages written, the first one or the index first.

    Raises
    ------
    CMROrientError
        Where a page cannot be written, or would replace a file that is none of this report's pages.
    """
    page = Path(page)
    with _rows_file(page) as file, closing(Ordered(_by_key_or_all(records), style)) as ordered:
        check_further_pages(page, ordered.total, style.name, page_rows)
        models = [model] if model else sorted(ordered.models)
        facts = run_facts(page, command, models, version)
        lead = style.lead(ordered.counts, ordered.total)
        summary = Summary(title, style, ordered.total, ordered.counts, ordered.classes, facts, sums, lead)
        chunks = _chunks(file, ordered, style, thumbnails, page_bytes, page_rows)
        first = next(chunks)
        if first.is_final:
            place = Place(None, "decisions.csv", 1, first.rows, ordered.total, first.rows > FIRST_ROWS)
            _write_page(page, file, summary, place)
            pages = [page]
        else:
            pages = _write_pages(page, file, summary, chain((first,), chunks))
    _remove_further_pages(page, len(pages) - 1, style.name)
    return pages


def _by_key_or_all(records: Mapping[Key, Record] | Iterable[Record]) -> Mapping[Key, Record] | Sequence[Record]:
    return records if isinstance(records, (Mapping, Sequence)) else list(records)


def _write_pages(page: Path, file: IO[bytes], summary: Summary, chunks: Iterable[_Chunk]) -> list[Path]:
    """The pages of a large report, and last their index, which tells that the others are whole."""
    index = Index()
    pages = [page]
    for number, chunk in enumerate(chunks, start=1):
        links = [Link(address(page.name), "Index")]
        if number > 1:
            links.append(Link(address(pages[-1].name), f"Page {number - 1}"))
        path = further_page(page, number)
        _check_further_page(path, page, summary.style.name)
        if not chunk.is_final:
            links.append(Link(address(further_page(page, number + 1).name), f"Page {number + 1}"))
        parted = Parted(number, links)
        place = Place(
            parted, f"decisions-{number}.csv", chunk.start, chunk.rows, summary.total, chunk.rows > FIRST_ROWS
        )
        index.add(
            IndexLine(
                Link(address(path.name), f"Page {number}"),
                chunk.start,
                chunk.rows,
                chunk.counts,
                chunk.classes,
                chunk.first,
                chunk.last,
            ),
            _names(file, chunk),
        )
        _write_page(path, file, replace(summary, total=chunk.rows, counts=chunk.counts, classes=chunk.classes), place)
        pages.append(path)
    with replacing([page]) as (stream,):
        stream.writelines(part.encode("utf-8") for part in index_parts(summary, index))
    return pages


def _write_page(path: Path, file: IO[bytes], summary: Summary, place: Place) -> None:
    rows = _read_rows(file, place.rows)
    with replacing([path]) as (stream,):
        stream.writelines(part.encode("utf-8") for part in page_parts(summary, place, islice(rows, FIRST_ROWS), rows))


@contextmanager
def _rows_file(page: Path) -> Iterator[IO[bytes]]:
    """Room for the rows of all pages, a line each: how many pages there are is known after the last row only."""
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY, dir=str(page.parent), prefix=UNFINISHED) as file:
            yield file
    except OSError as error:
        reason = (error.strerror or str(error)).rstrip(".")
        raise CMROrientError(f"cannot be written ({reason})", page) from error


def _chunks(
    file: IO[bytes],
    images: Iterable[Image],
    style: Style,
    thumbnails: Mapping[Key, Thumbnails],
    limit: int,
    most: int,
) -> Iterator[_Chunk]:
    """The rows of one page after the other; those of the one that was given are in the file."""

    def line(image: Image) -> bytes:
        # Links of a page jump to the first of each group on it.
        anchors = [f"show={tag}" for tag in image.tags if tag not in chunk.seen]
        pictures = thumbnails.get(image.record.key)
        return row_line(view(image.record, image.tags, style, pictures, anchors)).encode("utf-8")

    chunk = _Chunk(1)
    for image in images:
        written = line(image)
        if chunk.rows and (chunk.rows == most or chunk.size + len(written) > limit):
            yield chunk
            file.seek(0)
            file.truncate()
            chunk = _Chunk(chunk.start + chunk.rows)
            written = line(image)
        chunk.add(image, file.write(written))
    chunk.is_final = True
    yield chunk


def _read_rows(file: IO[bytes], rows: int) -> Iterator[str]:
    file.seek(0)
    return (line.decode("utf-8") for line in islice(file, rows))


def _names(file: IO[bytes], chunk: _Chunk) -> Iterator[str]:
    """The names on a page as its rows have them."""
    return (unescape(line.partition(' data-path="')[2].partition('"')[0]) for line in _read_rows(file, chunk.rows))


def page_kind(path: Path) -> str | None:
    """``report`` or ``audit`` for a page that this module wrote, None for any other file or none."""
    match = _GENERATOR.search(_beginning(path, 400))
    return match[1] if match else None


def is_further_page(path: Path, index: Path, kind: str) -> bool:
    """Whether a file is one of the pages of a report of this kind whose index is the given file."""
    if page_kind(path) != kind:
        return False
    text, name = _beginning(path, _BEFORE_LINKS), address(index.name)
    if named := _INDEX.search(text[:600]):
        return named[1] == name
    links = _LINKS.search(text)
    return links is not None and f'href="{name}"' in links[0]


def further_page(index: Path, number: int) -> Path:
    """Where a page of a large report is."""
    return index.with_name(f"{index.stem}-{number}{index.suffix}")


def check_further_pages(index: Path, images: int, kind: str, page_rows: int = PAGE_ROWS) -> None:
    """Raise ``CMROrientError`` where the pages of so many images would replace anything but this report's own.

    Parameters
    ----------
    kind:
        ``report`` or ``audit``.
    """
    if images > page_rows:
        for number in range(1, -(-images // page_rows) + 1):
            _check_further_page(further_page(index, number), index, kind)


def _check_further_page(path: Path, index: Path, kind: str) -> None:
    """Raise ``CMROrientError`` where a page would replace anything but a further page of an earlier report."""
    if os.path.lexists(path) and not is_further_page(path, index, kind):
        raise CMROrientError(
            f"a page of {index.name} would take the place of this file, which is none of its pages; move the file, or "
            "give another name",
            path,
        )


def _beginning(path: Path, size: int) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(size).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _remove_further_pages(page: Path, pages: int, kind: str) -> None:
    """Remove what an earlier, longer report left: its own further pages, and none that has tables of its own."""
    # A report of before that has become small may have pages from the second on only.
    for start in (pages + 1, max(pages + 1, 2)):
        number = start
        while is_further_page(path := further_page(page, number), page, kind):
            if not any(path.with_suffix(suffix).exists() for suffix in (".jsonl", ".csv")):
                path.unlink()
            number += 1
