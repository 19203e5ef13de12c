"""Numbers, counts and labels as the page shows them."""

from __future__ import annotations

from collections.abc import Sequence

from ..orientation import HeaderState, Orientation

#: What a header says that claims no class.
HEADER_WORDS: dict[HeaderState | None, str] = {"none": "says nothing", "other_plane": "names another plane"}


def number(value: int) -> str:
    """An integer with thousands separated: 10,000."""
    return f"{value:,}"


def count(value: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: ``1 image``, ``2 images``."""
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def votes_words(votes: Sequence[int]) -> str:
    """The votes in a sentence, most votes first."""
    cast = sorted(((count, k) for k, count in enumerate(votes) if count), key=lambda vote: (-vote[0], vote[1]))
    return "Votes: " + ", ".join(f"{votes} {Orientation(k).label}" for votes, k in cast)
