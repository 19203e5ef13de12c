"""The parts of the report page that show one image, or one of the eight orientations.

Everything that comes from outside (paths, errors, header values) goes through ``escape``.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from ..orientation import Orientation
from ..recognition.wording import confidence_words
from ..run.record import ACTED_ON, Record
from ..run.thumbnails import Thumbnails

# What HTML cannot hold: control characters, halves of surrogate pairs, non-characters.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")

HEADER_WORDS = {"none": "says nothing", "other_plane": "names another plane"}

#: A heart in standard orientation, 40 × 40: the right ventricle's crescent on the left, the left
#: ventricle's ring on the right, the diaphragm below.
_HEART = (
    '<path d="M0 33C9 28 24 29 40 36V40H0Z" fill="#6f5a46"/>'
    '<path d="M17 9C7 9 4 17 6 23c2 6 9 8 14 5-4-4-6-13-3-19Z" fill="#8fa3b5"/>'
    '<circle cx="24" cy="17.5" r="7.5" fill="#dfe9f0" stroke="#9b3d3a" stroke-width="4"/>'
)


@dataclass(frozen=True)
class Kind:
    """A group of images that the page counts and that people can filter by.

    Parameters
    ----------
    tag:
        Name in the page's address, letters and underscores.
    label:
        One or two words.
    tone:
        Colour: ``alert``, ``warn``, ``bad``, ``good``, ``calm`` or ``mute``.
    meaning:
        One sentence for the legend.
    """

    tag: str
    label: str
    tone: str
    meaning: str


@dataclass(frozen=True)
class Style:
    """What a page is about: the report of a correction, or an audit.

    Parameters
    ----------
    name:
        ``report`` or ``audit``: pages of one are never replaced by pages of the other.
    kinds:
        The groups, most urgent first.
    tags:
        The groups that a record is in, most urgent first, at least one.
    words:
        What there is to say on a record, in a sentence or two.
    lead:
        The page's first sentence, from the number of records in each group and in all.
    corrected:
        Whether there is a column for corrected pictures.
    """

    name: str
    kinds: tuple[Kind, ...]
    tags: Callable[[Record], Sequence[str]]
    words: Callable[[Record], str]
    lead: Callable[[Mapping[str, int], int], str]
    corrected: bool


def escape(value: object) -> str:
    """Text for HTML, between tags or in a quoted attribute, on one line."""
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", str(value))).replace("\n", "&#10;")


def number(value: int) -> str:
    """An integer with thousands separated: 10,000."""
    return f"{value:,}"


def count(value: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 image``, ``2 images``."""
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def glyph(orientation: Orientation) -> str:
    """A small heart in the given orientation; the name stands beside it."""
    return f'<svg class="glyph k{orientation:d}" aria-hidden="true"><use href="#heart"/></svg>'


def glyph_symbol() -> str:
    """The drawing that all glyphs of a page use."""
    return (
        '<svg width="0" height="0" aria-hidden="true" class="unseen">'
        f'<symbol id="heart" viewBox="0 0 40 40">{_HEART}</symbol></svg>'
    )


def glyph_css() -> str:
    """How each orientation turns the drawing of the standard one."""
    rules = []
    for k in Orientation:
        # The matrix maps (row, column), CSS maps (x, y) = (column, row).
        (row_row, row_column), (column_row, column_column) = k.matrix
        rules.append(f".k{k:d}{{transform:matrix({column_column},{row_column},{column_row},{row_row},0,0)}}")
    return "".join(rules)


def votes_words(votes: Sequence[int]) -> str:
    """The votes in a sentence, most votes first."""
    cast = sorted(((count, k) for k, count in enumerate(votes) if count), key=lambda vote: (-vote[0], vote[1]))
    return "Votes: " + ", ".join(f"{votes} {Orientation(k).label}" for votes, k in cast)


def row(
    record: Any, style: Style, kinds: Mapping[str, Kind], pictures: Thumbnails | None, anchors: Sequence[str] = ()
) -> str:
    """One image as a table row.

    Parameters
    ----------
    record, pictures:
        The image; no pictures where it could not be read.
    style, kinds:
        What the page is about, and its kinds by tag.
    anchors:
        Names that links of the page jump to.
    """
    tags = style.tags(record)
    words = style.words(record)
    record = SimpleNamespace(**record.to_dict())
    attributes = f'class="{kinds[tags[0]].tone}" data-tags="{" ".join(tags)}" data-path="{escape(record.path)}"'
    if record.series is not None:
        attributes += f' data-series="{escape(record.series)}"'
    if record.orientation is not None and record.decision in ACTED_ON:
        attributes += f' data-p="{record.orientation}"'
    if record.header_orientation is not None:
        attributes += f' data-h="{record.header_orientation}"'
    if record.confidence is not None:
        attributes += f' data-c="{record.confidence:.4g}"'
    cells = [
        f'<th scope="row" class="c-image">{"".join(_anchor(name) for name in anchors)}{_image(record)}</th>',
        f'<td class="stored">{_stored(pictures)}</td>',
        f'<td class="corrected">{_corrected(record, pictures)}</td>' if style.corrected else "",
        f'<td class="finding">{_finding(record, words, [kinds[tag] for tag in tags])}</td>',
        f'<td class="pixels">{_pixels(record)}</td>',
        f'<td class="claimed">{_header(record)}</td>',
    ]
    return f"<tr {attributes}>{''.join(cells)}</tr>\n"


def _anchor(name: str) -> str:
    return f'<span id="{escape(name)}"></span>'


def _breakable(path: str) -> str:
    return re.sub(r"([/_])(?=.)", r"\1<wbr>", escape(path))


def _image(record: Any) -> str:
    parts = [f'<bdi class="path">{_breakable(record.path)}</bdi>']
    if record.series is not None:
        parts.append(f'<span class="fine">series <bdi>{escape(record.series)}</bdi></span>')
    if record.scanner:
        parts.append(f'<span class="fine"><bdi>{escape(record.scanner)}</bdi></span>')
    details = _details(record)
    if details:
        lines = "".join(f'<span class="fine">{line}</span>' for line in details)
        parts.append(f"<details><summary>Details</summary>{lines}</details>")
    return "".join(parts)


def _details(record: Any) -> list[str]:
    lines = []
    if record.output is not None:
        lines.append(f"written to <bdi>{escape(record.output)}</bdi>")
    if record.masks:
        lines.append(f"with {count(len(record.masks), 'mask')}")
    if record.geometry is not None and record.geometry_class is not None:
        target = f", target class {record.target}" if record.target else ""
        lines.append(f"geometry {escape(record.geometry)}, directions by class {record.geometry_class}{target}")
    if record.sha256_in is not None:
        lines.append(f"sha256 of the input {escape(record.sha256_in[:16])}…")
    if record.sha256_out is not None:
        lines.append(f"sha256 of the output {escape(record.sha256_out[:16])}…")
    if record.seconds is not None:
        lines.append(f"{record.seconds:.1f} s")
    return lines


def _stored(pictures: Thumbnails | None) -> str:
    if pictures is None:
        return '<span class="none">no picture</span>'
    return _picture(pictures.before, "Middle slice as stored")


def _corrected(record: Any, pictures: Thumbnails | None) -> str:
    if pictures is not None and pictures.after is not None:
        return _picture(pictures.after, "Middle slice as corrected")
    return f'<span class="none">{"as stored" if record.output is not None else "not written"}</span>'


def _picture(jpeg: bytes, alternative: str) -> str:
    data = base64.b64encode(jpeg).decode("ascii")
    return f'<img src="data:image/jpeg;base64,{data}" alt="{alternative}" decoding="async">'


def _finding(record: Any, words: str, kinds: Sequence[Kind]) -> str:
    badges = [f'<span class="badge {kind.tone}">{escape(kind.label)}</span>' for kind in kinds]
    if record.decided_by == "user":
        badges.append('<span class="badge mute">Decided by a person</span>')
    parts = [f"<span>{''.join(badges)}</span>"]
    if words:
        parts.append(f"<p>{escape(words)}</p>")
    if record.note:
        parts.append(f'<p class="fine">{escape(record.note)}</p>')
    if record.error is not None:
        parts.append(f'<p class="reason">{escape(record.error)}</p>')
    return "".join(parts)


def _class(orientation: int) -> str:
    k = Orientation(orientation)
    name = f'<span>{escape(k.label)} <span class="fine">class {k:d}</span></span>'
    return f'<span class="class">{glyph(k)}{name}</span>'


def _pixels(record: Any) -> str:
    if record.orientation is None:
        return '<span class="fine">not recognized</span>'
    parts = ["not a short axis" if record.decision == "not_short_axis" else _class(record.orientation)]
    if record.decision == "uncertain":
        parts.insert(0, '<span class="fine">perhaps</span>')
    if any(record.votes):
        parts.append(votes_bar(record.votes))
        parts.append(f'<span class="fine">{max(record.votes)} of {count(sum(record.votes), "slice")}</span>')
    if record.confidence is not None and record.decided_by != "user" and record.decision != "not_short_axis":
        parts.append(f'<span class="fine">confidence {confidence_words(record.confidence)}</span>')
    return "".join(parts)


def _header(record: Any) -> str:
    if record.header_orientation is not None:
        return _class(record.header_orientation)
    if record.header_state in HEADER_WORDS:
        return HEADER_WORDS[record.header_state]
    return '<span class="fine">not read</span>'


def votes_bar(votes: Sequence[int]) -> str:
    """The votes over the eight classes as a bar chart, in words for those who do not see it."""
    most = max(votes)
    bars = {"track": "", "other": "", "most": ""}
    for k, cast in enumerate(votes):
        bars["track"] += f"M{k * 10 + 1} 18h8v2h-8z"
        if cast:
            height = max(2, round(cast / most * 18))
            bars["most" if cast == most else "other"] += f"M{k * 10 + 1} {18 - height}h8v{height}h-8z"
    paths = "".join(f'<path class="{name}" d="{shape}"/>' for name, shape in bars.items() if shape)
    label = escape(votes_words(votes))
    shape = 'class="votes" viewBox="0 0 80 20" preserveAspectRatio="none"'
    return f'<svg {shape} role="img" aria-label="{label}">{paths}</svg>'
