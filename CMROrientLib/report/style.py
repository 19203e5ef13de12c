"""What a page is about: the groups that its images fall into, and what it says of them.

Everything is plain text; the templates make HTML of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

from ..run.record import Record

Tone = Literal["alert", "warn", "bad", "good", "calm", "mute"]


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
        Colour.
    meaning:
        One sentence for the legend.
    """

    tag: str
    label: str
    tone: Tone
    meaning: str


class Phrase(NamedTuple):
    """A piece of a sentence, perhaps one that stands out."""

    text: str
    strong: bool = False


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
    lead: Callable[[Mapping[str, int], int], Sequence[Phrase]]
    corrected: bool

    @cached_property
    def by_tag(self) -> dict[str, Kind]:
        """The groups by their names, most urgent first."""
        return {kind.tag: kind for kind in self.kinds}


class SumsLine(NamedTuple):
    """One line of ``Sums``: what it is about, None where no file tells it, and images by kind."""

    label: str | None
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Sums:
    """A table between the summary and the images: how many of each kind, by something.

    Parameters
    ----------
    subject:
        What the lines are about, one word.
    kinds:
        The columns.
    lines:
        In the order in which they are shown.
    """

    subject: str
    kinds: tuple[Kind, ...]
    lines: tuple[SumsLine, ...]
