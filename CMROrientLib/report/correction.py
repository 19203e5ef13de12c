"""The report of a correction: its groups and its first sentence."""

from __future__ import annotations

from collections.abc import Mapping

from ..run.record import Record
from .style import Kind, Phrase, Style
from .wording import count, number


def tags_of(record: Record) -> list[str]:
    """The groups that a record is in, most urgent first."""
    if record.error is not None or record.decision is None:
        return ["error"]
    # Where the pixels' class is not certain, nothing can contradict it.
    return ["conflict", record.decision] if record.conflict and record.acted_on else [record.decision]


def words_of(record: Record) -> str:
    """The sentence on a record."""
    return (record.finding and record.finding.words) or ""


def lead(counts: Mapping[str, int], total: int) -> list[Phrase]:
    """What was done, and what needs a person."""
    done = [
        f"{number(counts[tag])} {words}"
        for tag, words in (
            ("reoriented", "turned from another orientation"),
            ("standard", "already standard"),
            ("not_short_axis", "left alone"),
        )
        if counts[tag]
    ]
    first = [Phrase(count(total, "image"), strong=True), Phrase(f"{': ' + ', '.join(done) if done else ''}. ")]
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
        return [*first, Phrase("Nothing is left open.")]
    *head, last = open_ends
    listed = f"{', '.join(head)} and {last}" if head else last
    verb = "needs" if sum(counts[tag] for tag in ("conflict", "uncertain", "error")) == 1 else "need"
    return [*first, Phrase(f"{listed} {verb} a look.", strong=True)]


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
    tags=tags_of,
    words=words_of,
    lead=lead,
    corrected=True,
)
