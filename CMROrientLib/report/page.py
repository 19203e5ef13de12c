"""The report: one self-contained HTML page that shows what was done to every image of a run.

It needs no network, no server and no script (one inline script adds search, filters, sorting and
steps of a hundred rows), and a content security policy lets nothing else run. Very large runs are
split into several pages.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from .. import __version__
from ..io.atomic import replacing
from ..orientation import Orientation
from ..run.record import ACTED_ON, Record
from ..run.thumbnails import Thumbnails
from .rows import Kind, Style, count, escape, glyph, glyph_css, glyph_symbol, number, row

#: Bytes of rows that one page may hold. Ten thousand images with pictures stay below it.
PAGE_BYTES = 90_000_000

#: Rows in the table proper; the others wait in ``<noscript>`` until the script shows them, because a
#: browser needs 16 s to lay out ten thousand.
FIRST_ROWS = 100

Pictures = Mapping[tuple[str, str | None], Thumbnails]

_GENERATOR = re.compile(r'<meta name="generator" content="CMROrient (\w+)">')


def correction_tags(record: Record) -> list[str]:
    """The groups of a correction's report that a record is in, most urgent first."""
    if record.error is not None or record.decision is None:
        return ["error"]
    # Where the pixels' class is not certain, nothing can contradict it.
    conflict = record.conflict and record.decision in ACTED_ON
    return ["conflict", record.decision] if conflict else [record.decision]


def correction_words(record: Record) -> str:
    """The sentence on a record in the report of a correction."""
    return (record.finding and record.finding.words) or ""


def correction_lead(counts: Mapping[str, int], total: int) -> str:
    """The first sentence of the report of a correction, as HTML."""
    done = [
        f"{number(counts[tag])} {words}"
        for tag, words in (
            ("reoriented", "turned from another orientation"),
            ("standard", "already standard"),
            ("not_short_axis", "left alone"),
        )
        if counts[tag]
    ]
    first = f"<strong>{count(total, 'image')}</strong>{': ' + ', '.join(done) if done else ''}."
    open_ends = [
        text
        for tag, text in (
            ("conflict", count(counts["conflict"], "conflict")),
            ("uncertain", f"{number(counts['uncertain'])} undecided"),
            ("error", count(counts["error"], "error")),
        )
        if counts[tag]
    ]
    if not open_ends:
        return f"{first} Nothing is left open."
    *head, last = open_ends
    listed = f"{', '.join(head)} and {last}" if head else last
    verb = "needs" if sum(counts[tag] for tag in ("conflict", "uncertain", "error")) == 1 else "need"
    return f"{first} <strong>{listed} {verb} a look.</strong>"


CORRECTION = Style(
    name="report",
    kinds=(
        Kind("conflict", "Conflict", "alert", "pixels and header tell different stories; see what was made of it"),
        Kind("uncertain", "Undecided", "warn", "the network is not sure; nothing was written, a person has to decide"),
        Kind("error", "Error", "bad", "the image could not be read, corrected or written"),
        Kind("reoriented", "Reoriented", "good", "stored in another orientation"),
        Kind("standard", "Standard", "calm", "stored in standard orientation already"),
        Kind("not_short_axis", "Left alone", "mute", "not a short-axis image; nothing was written"),
    ),
    tags=correction_tags,
    words=correction_words,
    lead=correction_lead,
    corrected=True,
)


class _Frame(NamedTuple):
    """What all pages of one report share."""

    title: str
    style: Style
    counts: Counter[str]
    classes: Counter[Orientation | None]
    total: int
    facts: Sequence[tuple[str, str]]
    section: str


def write_report(
    records: Iterable[Record],
    page: str | os.PathLike[str],
    thumbnails: Pictures,
    *,
    title: str = "Orientation report",
    command: str = "",
    model: str = "",
    version: str = __version__,
    style: Style = CORRECTION,
    section: str = "",
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
    section:
        HTML to show between the summary and the table; made by the caller from escaped parts.
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
    order = {kind.tag: place for place, kind in enumerate(style.kinds)}
    ordered = sorted(records, key=lambda record: (order[style.tags(record)[0]], record.path, record.series or ""))
    tags = Counter(tag for record in ordered for tag in style.tags(record))
    classes = Counter(record.orientation for record in ordered if record.decision in ACTED_ON)
    models = sorted({record.model for record in ordered if record.model}) if not model else [model]
    frame = _Frame(title, style, tags, classes, len(ordered), _facts(page, command, models, version), section)
    chunks = list(_chunks(ordered, style, thumbnails, page_bytes))
    names = [page.name, *(f"{page.stem}-{n}{page.suffix}" for n in range(2, len(chunks) + 1))]
    written = []
    first = 1
    for place, rows in enumerate(chunks):
        path = page.with_name(names[place])
        with replacing([path]) as (stream,):
            stream.writelines(part.encode("utf-8") for part in _page(frame, rows, place, first, names))
        first += len(rows)
        written.append(path)
    _remove_further_pages(page, len(chunks), style.name)
    return written


def _chunks(records: Sequence[Record], style: Style, thumbnails: Pictures, limit: int) -> Iterator[list[str]]:
    kinds = {kind.tag: kind for kind in style.kinds}
    rows: list[str] = []
    size = 0
    seen: set[str] = set()
    for record in records:
        fresh = [tag for tag in style.tags(record) if tag not in seen]
        line = row(record, style, kinds, thumbnails.get(record.key), [f"show={tag}" for tag in fresh])
        if rows and size + len(line) > limit:
            yield rows
            rows, size, seen = [], 0, set()
        seen.update(fresh)
        rows.append(line)
        size += len(line)
    yield rows


def _facts(page: Path, command: str, models: Sequence[str], version: str) -> list[tuple[str, str]]:
    facts = []
    if command:
        facts.append(("Command", f"<code>{_breakable_command(command)}</code>"))
    for name, _, checksum in (model.partition("@") for model in models):
        sha = f", sha256 <code>{escape(checksum)}</code>" if checksum else ""
        facts.append(("Model", f"{escape(name)}{sha}"))
    facts.append(("Version", f"CMROrient {escape(version)}"))
    facts.append(("Written", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %z")))
    links = [
        f'<a href="{escape(quote(page.stem + suffix))}">{name}</a>'
        for suffix, name in ((".jsonl", "JSON lines"), (".csv", "CSV"))
    ]
    facts.append(("Data", ", ".join(links)))
    return facts


def _breakable_command(command: str) -> str:
    """Lines break between arguments, not at their hyphens."""
    return " ".join(f'<span class="arg">{escape(argument)}</span>' for argument in command.split(" "))


def _page(frame: _Frame, rows: Sequence[str], place: int, first: int, names: Sequence[str]) -> Iterator[str]:
    css = _beside("report.css") + glyph_css()
    script = _beside("report.js")
    sources = "; ".join(
        (
            "default-src 'none'",
            "img-src data:",
            f"style-src '{_digest(css)}'",
            f"script-src '{_digest(script)}'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="generator" content="CMROrient {frame.style.name}">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{sources}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(frame.title)}</title>\n<style>{css}</style>\n</head>\n<body>\n"
        f'{glyph_symbol()}\n<a class="skip" href="#images">Skip to the table</a>\n'
        f'<header><div class="brand">{glyph(Orientation.IDENTITY)}<div><h1>{escape(frame.title)}</h1>\n'
        f'<p class="lead">{frame.style.lead(frame.counts, frame.total)}</p></div></div></header>\n<main>\n'
    )
    yield _tiles(frame)
    yield _panels(frame)
    yield frame.section
    if rows:
        yield _controls(frame, place, first, len(rows), names)
        yield _table_head(frame)
        yield from rows[:FIRST_ROWS]
        yield "</tbody></table>\n"
        if len(rows) > FIRST_ROWS:
            yield '<noscript id="rest">'
            yield _table_head(frame, "further")
            yield from rows[FIRST_ROWS:]
            yield "</tbody></table></noscript>\n"
        yield (
            '<p id="empty" class="empty" hidden>No image matches.</p>\n'
            '<div class="more" id="steps" hidden><button type="button" class="button" id="more">Show more</button>'
            '<button type="button" class="button" id="many">Show all</button></div>\n'
        )
    else:
        yield '<p class="empty" id="images">No image was found.</p>\n'
    yield (
        "</main>\n<footer><p>CMROrient is research software, not a medical device. "
        "The pictures show middle slices and are not for diagnosis.</p></footer>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _tiles(frame: _Frame) -> str:
    tiles = [_tile("all", "Images", "", frame.total)]
    tiles += [_tile(kind.tag, kind.label, kind.tone, frame.counts[kind.tag]) for kind in frame.style.kinds]
    many = " many" if len(tiles) > 8 else ""
    return f'<nav aria-label="Show only"><ul class="tiles{many}">\n{"".join(tiles)}</ul></nav>\n'


def _tile(tag: str, label: str, tone: str, value: int) -> str:
    classes = " ".join(filter(None, ("tile", tone, "" if value else "zero")))
    target = "images" if tag == "all" or not value else f"show={tag}"
    return (
        f'<li><a class="{classes}" href="#{target}" data-show="{tag}">'
        f"<b>{number(value)}</b> <span>{escape(label)}</span></a></li>\n"
    )


def _panels(frame: _Frame) -> str:
    classes = "".join(
        f'<li><a href="#images" data-class="{k:d}">{glyph(k)}<b>{number(frame.classes[k])}</b> '
        f"<small>{escape(k.label)}</small></a></li>"
        for k in Orientation
    )
    facts = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in frame.facts)
    legend = "".join(f"<li><b>{escape(kind.label)}</b>: {escape(kind.meaning)}.</li>" for kind in frame.style.kinds)
    return (
        '<div class="panels">\n<section class="panel" aria-labelledby="as-stored">'
        f'<h2 id="as-stored">How the pixels are stored</h2>\n<ul class="classes">{classes}</ul></section>\n'
        f'<section class="panel" aria-labelledby="run"><h2 id="run">This run</h2>\n<dl class="facts">{facts}</dl>'
        "</section>\n</div>\n"
        f'<details class="help"><summary>How to read this page</summary><ul>{legend}'
        "<li><b>Pixels</b>: the orientation that the network sees, with the votes of the slices over the eight "
        "orientations, in the order of the pictures above.</li>"
        "<li><b>Header</b>: the orientation that the file's geometry claims.</li>"
        "<li>Standard orientation: right ventricle on the left of the picture, left ventricle on its right, "
        "diaphragm below.</li></ul></details>\n"
    )


def _controls(frame: _Frame, place: int, first: int, here: int, names: Sequence[str]) -> str:
    orders = (
        ("urgency", "Most urgent first"),
        ("path", "Name"),
        ("path-", "Name, backwards"),
        ("confidence", "Least confident first"),
        ("confidence-", "Most confident first"),
        ("pixels", "Pixels"),
        ("pixels-", "Pixels, backwards"),
        ("header", "Header"),
        ("header-", "Header, backwards"),
    )
    options = "".join(f'<option value="{value}">{words}</option>' for value, words in orders)
    pages = ""
    if len(names) > 1:
        links = "".join(
            f'<li><span aria-current="page">Page {n + 1}</span></li>'
            if n == place
            else f'<li><a href="{escape(quote(name))}">Page {n + 1}</a></li>'
            for n, name in enumerate(names)
        )
        pages = (
            f'<nav aria-label="Pages"><ul class="pages"><li>Images {number(first)} to {number(first + here - 1)} '
            f"of {number(frame.total)} are on this page; search and filters look at this page only.</li>"
            f"{links}</ul></nav>\n"
        )
    return (
        f'{pages}<div class="bar" role="search"><div class="find"><label for="search">Search in names, findings '
        'and errors</label><input id="search" type="search" autocomplete="off" spellcheck="false"></div>\n'
        f'<div><label for="order">Order</label><select id="order">{options}</select></div>\n'
        '<div><button type="button" class="button" id="clear" hidden>Show everything</button></div>\n'
        '<p class="count" id="count" role="status"></p></div>\n'
    )


def _table_head(frame: _Frame, name: str = "images") -> str:
    caption = "Images, what needs a person first" if name == "images" else "Further images"
    heads = [
        '<th scope="col" class="c-image" data-sort="path">Image</th>',
        '<th scope="col" class="c-picture">Stored</th>',
        '<th scope="col" class="c-picture">Corrected</th>' if frame.style.corrected else "",
        '<th scope="col" data-sort="urgency">Finding</th>',
        '<th scope="col" class="c-pixels" data-sort="pixels">Pixels</th>',
        '<th scope="col" class="c-header" data-sort="header">Header</th>',
    ]
    return (
        f'<table class="rows" id="{name}"><caption class="unseen">{caption}</caption>\n'
        f"<thead><tr>{''.join(heads)}</tr></thead>\n<tbody>\n"
    )


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


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
