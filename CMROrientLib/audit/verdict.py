"""What follows from the class of the pixels and the class and state of the header."""

from __future__ import annotations

from enum import Enum

from ..orientation import Orientation
from ..recognition.wording import slice_order_words
from ..run.parts import ACTED_ON, Finding
from ..run.record import Record


class Verdict(str, Enum):
    """What an audit says of one image; the value stands in its JSON lines and CSV."""

    MIRRORED = "mirrored"
    HEADER_WRONG = "header_wrong"
    NOT_FOLLOWED = "header_did_not_follow"
    OTHER_PLANE = "header_other_plane"
    SLICES_REVERSED = "slices_run_against_the_rest"
    UNDECIDED = "undecided"
    ERROR = "error"
    SILENT = "header_silent"
    CONSISTENT = "consistent"
    LEFT_ALONE = "left_alone"


def verdict(
    pixels: Orientation | int | None,
    header: Orientation | int | None,
    header_state: str | None,
    decision: str | None,
    error: str | None = None,
) -> Verdict:
    """Judge one image.

    Parameters
    ----------
    pixels:
        Class p of the stored pixels, 0 to 7; None where there is none.
    header:
        Class h that the header claims, 0 to 7; None unless the state is ``known``.
    header_state:
        ``none``, ``other_plane`` or ``known``; None where the header was not read.
    decision:
        ``standard``, ``reoriented``, ``uncertain`` or ``not_short_axis``; None after an error.
    error:
        Why the image could not be looked at.

    Returns
    -------
    In this order: ``ERROR`` for an error or a record without decision; ``LEFT_ALONE`` for what is
    not a short axis; ``UNDECIDED`` where the pixels' class is not certain, since nothing follows
    from it; ``SILENT`` and ``OTHER_PLANE`` by the header's state; ``CONSISTENT`` for h = p;
    ``MIRRORED`` where a reflection lies between them; and where a rotation does, ``HEADER_WRONG``
    for standard pixels (p = 0), ``NOT_FOLLOWED`` for turned ones, whatever else the header claims.
    """
    if error is not None or decision is None:
        return Verdict.ERROR
    if decision not in ACTED_ON:
        return Verdict.LEFT_ALONE if decision == "not_short_axis" else Verdict.UNDECIDED
    if pixels is None:
        return Verdict.UNDECIDED
    if header_state == "other_plane":
        return Verdict.OTHER_PLANE
    if header_state != "known" or header is None:
        return Verdict.SILENT
    p, h = Orientation(pixels), Orientation(header)
    if p is h:
        return Verdict.CONSISTENT
    if p.after(h.inverse).mirrors:
        return Verdict.MIRRORED
    return Verdict.HEADER_WRONG if p is Orientation.IDENTITY else Verdict.NOT_FOLLOWED


def verdicts_of(record: Record) -> list[Verdict]:
    """The verdicts on a run's record, the most urgent first; the last is ``verdict``'s, on plane and header."""
    finding = record.finding
    if finding is None:
        return [Verdict.ERROR]
    plane = verdict(
        finding.orientation, finding.header_orientation, finding.header_state, finding.decision, record.error
    )
    if finding.run_otherwise is None:
        return [plane]
    return [Verdict.SLICES_REVERSED, plane] if plane in _CALM else [plane, Verdict.SLICES_REVERSED]


def verdict_of(record: Record) -> Verdict:
    """The most urgent verdict on a run's record."""
    return verdicts_of(record)[0]


#: Verdicts after which nothing has to be done.
_CALM = (Verdict.CONSISTENT, Verdict.SILENT)


def explain(record: Record) -> str:
    """The verdict in words, with what can be done about it."""
    finding = record.finding
    if finding is None:
        return ""
    return " ".join(filter(None, (_explain(found, record, finding) for found in verdicts_of(record))))


def _explain(found: Verdict, record: Record, finding: Finding) -> str:
    pixels = "" if finding.orientation is None else finding.orientation.label
    header = "" if finding.header_orientation is None else finding.header_orientation.label
    if found is Verdict.CONSISTENT:
        if record.orientation == Orientation.IDENTITY:
            return "Consistent: pixels and header both say standard orientation."
        return f"Consistent: pixels and header both say {pixels}. Software that looks at the pixels only sees it so."
    return {
        Verdict.MIRRORED: f"Pixels and header differ by a mirror: the pixels are {pixels}, the header says {header}. "
        "Left and right are exchanged in one of them, or the header has the slice's viewing side wrong.",
        Verdict.HEADER_WRONG: f"The header is wrong: the pixels are standard, it says {header}.",
        Verdict.NOT_FOLLOWED: f"The pixels were turned and the header did not follow: they are {pixels}, "
        f"it says {header}.",
        Verdict.OTHER_PLANE: f"The header names another plane, the pixels show a short axis: {pixels}.",
        Verdict.SILENT: f"The header says nothing of the orientation; the pixels are {pixels}.",
        Verdict.UNDECIDED: finding.words or "The network is not sure about the pixels.",
        Verdict.LEFT_ALONE: finding.words or ("" if record.note else "Not a short-axis image."),
        Verdict.ERROR: "",
        Verdict.SLICES_REVERSED: _against_the_rest(finding),
    }[found]


def _against_the_rest(finding: Finding) -> str:
    if finding.run_otherwise is None:
        return ""
    others, total = finding.run_otherwise
    way = slice_order_words(finding.slice_order)
    return f"The slices run {way}, against the rest: {others} of {total} stacks run the other way."
