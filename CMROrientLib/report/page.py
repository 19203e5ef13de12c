"""The report: one self-contained HTML page that shows what was done to every image of a run.

It needs no network, no server and no script (one inline script adds search, filters, sorting and
steps of a hundred rows), and a content security policy lets nothing else run. Very large runs are
split into several pages.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

from .. import __version__
from ..errors import CMROrientError
from ..io.atomic import UNFINISHED, replacing
from ..run.pictures.thumbnails import Thumbnails
from ..run.record import Key, Record
from .correction import CORRECTION
from .rows import view
from .style import Style, Sums
from .summary import Link, Place, Summary, address, run_facts
from .templating import page_parts, row_line

#: Bytes of rows that one page may hold. Ten thousand images with pictures stay below it.
PAGE_BYTES = 95_000_000

#: Rows in the table proper; the others wait in ``<noscript>`` until the script shows them, because a
#: browser needs 16 s to lay out ten thousand.
FIRST_ROWS = 100

#: Bytes of rows that are kept in memory before their pages are written; the rest waits on disk.
_IN_MEMORY = 16_000_000

_GENERATOR = re.compile(r'<meta name="generator" content="CMROrient (\w+)">')


class _Image(NamedTuple):
    """A record and its groups, most urgent first."""

    record: Record
    tags: tuple[str, ...]


class _Chunk(NamedTuple):
    """The rows of one page: where they begin in the file of all rows, and how many there are."""

    offset: int
    rows: int


def write_report(
    records: Iterable[Record],
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
) -> list[Path]:
    """Write the report page, whole or not at all; pages of an earlier report are replaced.

    Parameters
    ----------
    records:
        The run's records in any order; the page shows what needs a person first.
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
    page_bytes:
        Where the rows take more than this, further pages ``<stem>-2.html`` … are written.

    Returns
    -------
    The pages written, the first one first.

    Raises
    ------
    CMROrientError
        Where a page cannot be written.
    """
    page = Path(page)
    images = _ordered(records, style)
    models = [model] if model else sorted({image.record.model for image in images if image.record.model})
    facts = run_facts(page, command, models, version)
    counts = Counter(tag for image in images for tag in image.tags)
    classes = Counter(image.record.orientation for image in images if image.record.acted_on)
    summary = Summary(title, style, len(images), counts, classes, facts, sums)
    with _rows_file(page) as file:
        chunks = _write_rows(file, images, style, thumbnails, page_bytes)
        names = [page.name, *(f"{page.stem}-{n}{page.suffix}" for n in range(2, len(chunks) + 1))]
        links = [Link(address(name), f"Page {n}") for n, name in enumerate(names, start=1)]
        start = 1
        for n, chunk in enumerate(chunks):
            rows = _read_rows(file, chunk)
            place = Place(n, links, start, chunk.rows, chunk.rows > FIRST_ROWS)
            parts = page_parts(summary, place, islice(rows, FIRST_ROWS), rows)
            with replacing([page.with_name(names[n])]) as (stream,):
                stream.writelines(part.encode("utf-8") for part in parts)
            start += chunk.rows
    _remove_further_pages(page, len(chunks), style.name)
    return [page.with_name(name) for name in names]


def _ordered(records: Iterable[Record], style: Style) -> list[_Image]:
    order = {tag: place for place, tag in enumerate(style.by_tag)}
    images = [_Image(record, tuple(style.tags(record))) for record in records]
    first: dict[tuple[str, str], str] = {}
    for image in sorted(images, key=lambda image: image.record.path):
        if image.record.group is not None:
            first.setdefault((image.tags[0], image.record.group.name), image.record.path)

    def place(image: _Image) -> tuple[int, str, str, str, str]:
        """What needs a person comes first; of one kind a group stays together where its first image is."""
        record, tag = image.record, image.tags[0]
        group = "" if record.group is None else record.group.name
        return order[tag], first.get((tag, group), record.path), group, record.path, record.series or ""

    return sorted(images, key=place)


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


def _write_rows(
    file: IO[bytes], images: Sequence[_Image], style: Style, thumbnails: Mapping[Key, Thumbnails], limit: int
) -> list[_Chunk]:
    chunks = []
    start = end = rows = 0
    seen: set[str] = set()

    def line(image: _Image) -> bytes:
        # Links of a page jump to the first of each group on it.
        anchors = [f"show={tag}" for tag in image.tags if tag not in seen]
        pictures = thumbnails.get(image.record.key)
        return row_line(view(image.record, image.tags, style, pictures, anchors)).encode("utf-8")

    for image in images:
        written = line(image)
        if rows and end - start + len(written) > limit:
            chunks.append(_Chunk(start, rows))
            start, rows = end, 0
            seen.clear()
            written = line(image)
        seen.update(image.tags)
        end += file.write(written)
        rows += 1
    return [*chunks, _Chunk(start, rows)]


def _read_rows(file: IO[bytes], chunk: _Chunk) -> Iterator[str]:
    file.seek(chunk.offset)
    return (line.decode("utf-8") for line in islice(file, chunk.rows))


def page_kind(path: Path) -> str | None:
    """``report`` or ``audit`` for a page that this module wrote, None for any other file or none."""
    try:
        with path.open("rb") as stream:
            match = _GENERATOR.search(stream.read(400).decode("utf-8", errors="replace"))
    except OSError:
        return None
    return match[1] if match else None


def _remove_further_pages(page: Path, pages: int, kind: str) -> None:
    """Remove what an earlier, longer report left; only pages that this module wrote."""
    place = pages + 1
    while page_kind(path := page.with_name(f"{page.stem}-{place}{page.suffix}")) == kind:
        path.unlink()
        place += 1
