"""The sentences in which people read a result: panel, report and command line say the same."""

from __future__ import annotations

from ..orientation import Orientation
from .result import Recognition


def words(recognition: Recognition) -> str:
    """The result in a sentence or two, for panel, report and command line."""
    if recognition.decision == "not_short_axis":
        return "This does not look like a short-axis image; it is left alone."
    return f"{_pixels_in_words(recognition)} {_header_in_words(recognition)}"


def _pixels_in_words(recognition: Recognition) -> str:
    p = recognition.orientation
    stored = "Stored in standard orientation" if p is Orientation.IDENTITY else f"Stored {p.label}"
    if recognition.decided_by == "user":
        return f"{stored}, as the user decided."
    total = len(recognition.slice_indices)
    count = f"{recognition.votes[p]} of {total} slice{'' if total == 1 else 's'}"
    if recognition.decision == "uncertain":
        return (
            f"Uncertain: most probably {stored[0].lower()}{stored[1:]} "
            f"({count}, confidence {confidence_words(recognition.confidence)}); it is left alone."
        )
    return f"{stored}: {count}, confidence {confidence_words(recognition.confidence)}."


def _header_in_words(recognition: Recognition) -> str:
    h = recognition.header_orientation
    if recognition.header_state == "other_plane":
        return "The header names another plane than the short axis."
    if h is None:
        return "The header says nothing about the orientation."
    claim = "in standard orientation" if h is Orientation.IDENTITY else h.label
    if h == recognition.orientation:
        return "The header says the same."
    if not recognition.acted_on:
        return f"The header says stored {claim}."
    if recognition.mirrored:
        return (
            "Pixels and header differ by a mirror: left and right are exchanged in one of them, "
            "or the header has the slice's viewing side wrong."
        )
    return f"The header contradicts this: it says stored {claim}."


def confidence_words(sure: float) -> str:
    """A confidence in two digits, never rounded up to certainty."""
    return "over 0.99" if sure >= 0.995 else f"{sure:.2f}"
