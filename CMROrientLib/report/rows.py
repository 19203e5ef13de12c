"""What the page shows of one image, ready for the template of its row."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ..orientation import Orientation
from ..recognition.wording import confidence_words, slice_order_words
from ..run.parts import Finding, Group
from ..run.pictures.thumbnails import Thumbnails
from ..run.record import Record
from ..run.tables import NOT_SHORT_AXIS
from .style import Kind, Style
from .wording import HEADER_WORDS, count, votes_words

# Long paths break behind these.
_BREAKS = re.compile(r"(?<=[/_])(?=.)")

_TRACK = "".join(f"M{k * 10 + 1} 18h8v2h-8z" for k in range(len(Orientation)))


class Detail(NamedTuple):
    """A line of small print: words, and perhaps a name from outside behind them."""

    words: str
    name: str = ""


class VotesBar(NamedTuple):
    """The votes over the eight classes as a bar chart of 80 × 20.

    Parameters
    ----------
    label:
        The same in words, for those who do not see it.
    share:
        How many slices are of one mind.
    track, other, most:
        Paths of SVG: the ground, the bars, and the highest bars.
    """

    label: str
    share: str
    track: str
    other: str
    most: str


class PixelsView(NamedTuple):
    """What the pixels show.

    Parameters
    ----------
    orientation:
        The class, None where it is no short axis.
    certain:
        Whether it was decided.
    votes:
        None where no network was asked.
    confidence:
        In words; empty where it says nothing.
    """

    orientation: Orientation | None
    certain: bool
    votes: VotesBar | None
    confidence: str


@dataclass(frozen=True)
class RowView:
    """One image of the page.

    Parameters
    ----------
    kinds:
        Its groups, most urgent first.
    anchors:
        Names that links of the page jump to.
    group:
        The images that it is decided on with, None where it stands alone.
    path, path_parts, series, scanner, details:
        What it is; between the parts of its path a line may break.
    sort_pixels, sort_header, sort_confidence:
        What the script sorts and filters by.
    stored, corrected, has_corrected:
        JPEG pictures in base64, and whether there is a column for the second.
    views, outlines:
        The large picture and the outlines of masks over it, in base64.
    as_found:
        What the page previews before anybody decides: a class, ``not-short-axis``, or empty where that is open.
    decidable:
        Whether a table can name it, so that a person can decide about it on the page.
    has_output:
        Whether something was written for it.
    by_person:
        Whether a person decided.
    words, note, error:
        What there is to say.
    pixels:
        None where it was not recognized.
    header, header_words:
        The class that the header claims, or else what it says; no words where it was not read.
    """

    kinds: tuple[Kind, ...]
    anchors: Sequence[str]
    path: str
    path_parts: tuple[str, ...]
    series: str | None
    scanner: str | None
    group: Group | None
    details: tuple[Detail, ...]
    sort_pixels: Orientation | None
    sort_header: Orientation | None
    sort_confidence: str | None
    stored: str | None
    corrected: str | None
    views: str | None
    outlines: str | None
    as_found: str
    decidable: bool
    has_corrected: bool
    has_output: bool
    by_person: bool
    words: str
    note: str | None
    error: str | None
    pixels: PixelsView | None
    header: Orientation | None
    header_words: str

    @property
    def tags(self) -> str:
        """The names of its groups."""
        return " ".join(kind.tag for kind in self.kinds)


def view(
    record: Record, tags: Sequence[str], style: Style, pictures: Thumbnails | None, anchors: Sequence[str] = ()
) -> RowView:
    """What the page shows of a record.

    Parameters
    ----------
    record, pictures:
        The image; no pictures where it could not be read.
    tags, style:
        Its groups, and what the page is about.
    anchors:
        Names that links of the page jump to.
    """
    finding = record.finding
    header = None if finding is None else finding.header_orientation
    return RowView(
        kinds=tuple(style.by_tag[tag] for tag in tags),
        anchors=anchors,
        path=record.path,
        path_parts=tuple(_BREAKS.split(record.path)),
        series=record.series,
        scanner=None if record.image is None else record.image.scanner,
        group=record.group,
        details=tuple(_details(record)),
        sort_pixels=record.orientation if record.acted_on else None,
        sort_header=header,
        sort_confidence=None if finding is None or finding.confidence is None else f"{finding.confidence:.4g}",
        stored=None if pictures is None else _base64(pictures.before),
        corrected=None if pictures is None or pictures.after is None else _base64(pictures.after),
        views=None if pictures is None or pictures.views is None else _base64(pictures.views),
        outlines=None if pictures is None or pictures.outlines is None else _base64(pictures.outlines),
        as_found=_as_found(record),
        decidable=pictures is not None and _can_be_named(record),
        has_corrected=style.corrected,
        has_output=record.output is not None,
        by_person=finding is not None and finding.decided_by == "user",
        words=style.words(record),
        note=record.note,
        error=record.error,
        pixels=None if finding is None else _pixels(finding),
        header=header,
        header_words="" if finding is None else HEADER_WORDS.get(finding.header_state, ""),
    )


def _as_found(record: Record) -> str:
    if record.acted_on and record.orientation is not None:
        return str(int(record.orientation))
    return NOT_SHORT_AXIS if record.decision == "not_short_axis" else ""


def _can_be_named(record: Record) -> bool:
    """Whether the cells of a table give the record's name back: readers trim it and take backslashes for slashes."""
    names = (record.path, record.series or "")
    return all(name == name.strip() and name.isprintable() and "\\" not in name for name in names)


def _base64(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode("ascii")


def _details(record: Record) -> list[Detail]:
    action, files, finding = record.action, record.files, record.finding
    lines = []
    if files.output is not None:
        lines.append(Detail("written to ", files.output))
    if files.masks:
        lines.append(Detail(f"with {count(len(files.masks), 'mask')}"))
    if action is not None and action.geometry_class is not None:
        target = f", target class {action.target:d}" if action.target else ""
        lines.append(Detail(f"geometry {action.geometry}, directions by class {action.geometry_class:d}{target}"))
    if finding is not None and finding.slice_order != "unknown":
        done = ", reversed" if action is not None and (action.slices_reversed or action.renumbered) else ""
        whose = "slices of the stack" if record.group is not None and record.group.kind == "stack" else "slices"
        lines.append(Detail(f"{whose} {slice_order_words(finding.slice_order)}{done}"))
    if files.sha256_in is not None:
        lines.append(Detail(f"sha256 of the input {files.sha256_in[:16]}…"))
    if files.sha256_out is not None:
        lines.append(Detail(f"sha256 of the output {files.sha256_out[:16]}…"))
    if record.seconds is not None:
        lines.append(Detail(f"{record.seconds:.1f} s"))
    return lines


def _pixels(finding: Finding) -> PixelsView | None:
    if finding.orientation is None:
        return None
    short_axis = finding.decision != "not_short_axis"
    told = finding.confidence is not None and finding.decided_by != "user" and short_axis
    return PixelsView(
        orientation=finding.orientation if short_axis else None,
        certain=finding.decision != "uncertain",
        votes=votes_bar(finding.votes) if any(finding.votes) else None,
        confidence=confidence_words(finding.confidence) if told and finding.confidence is not None else "",
    )


@lru_cache(maxsize=1024)
def votes_bar(votes: tuple[int, ...]) -> VotesBar:
    """The votes over the eight classes as a bar chart; most images of a run share theirs with others."""
    most = max(votes)
    bars = {False: "", True: ""}
    for k, cast in enumerate(votes):
        if cast:
            height = max(2, round(cast / most * 18))
            bars[cast == most] += f"M{k * 10 + 1} {18 - height}h8v{height}h-8z"
    share = f"{most} of {count(sum(votes), 'slice')}"
    return VotesBar(votes_words(votes), share, _TRACK, bars[False], bars[True])
