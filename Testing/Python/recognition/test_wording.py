"""The sentences of a result, letter for letter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from CMROrientLib.orientation import HeaderState, Orientation
from CMROrientLib.recognition.result import Recognition
from CMROrientLib.recognition.wording import words

MIRROR = (
    "Pixels and header differ by a mirror: left and right are exchanged in one of them, "
    "or the header has the slice's viewing side wrong."
)


def found(p: int, slices: int = 10, **changes: object) -> Recognition:
    """A result in which all slices but one agree, or the one there is."""
    votes = np.zeros(8, int)
    votes[p] = max(1, slices - 1)
    result = Recognition(
        orientation=Orientation(p),
        votes=votes,
        slice_probabilities=np.zeros((slices, 8)),
        slice_indices=np.zeros((slices, 2), int),
        agreement=np.ones(slices),
        confidence=0.984,
        decision="reoriented" if p else "standard",
        header_orientation=None,
        header_state="none",
        conflict=False,
        mirrored=False,
    )
    return replace(result, **changes)  # type: ignore[arg-type]


def with_header(h: int | None, state: HeaderState = "known", **changes: object) -> Recognition:
    return found(3, header_orientation=None if h is None else Orientation(h), header_state=state, **changes)


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (found(0), "Stored in standard orientation: 9 of 10 slices, confidence 0.98."),
        (found(5), "Stored turned by 90° clockwise: 9 of 10 slices, confidence 0.98."),
        (found(1, slices=1, confidence=1.0), "Stored flipped left to right: 1 of 1 slice, confidence over 0.99."),
        (found(0, decided_by="user"), "Stored in standard orientation, as the user decided."),
        (found(3, decided_by="user"), "Stored turned by 180°, as the user decided."),
        (
            found(0, decision="uncertain"),
            "Uncertain: most probably stored in standard orientation (9 of 10 slices, confidence 0.98); "
            "it is left alone.",
        ),
        (
            found(2, slices=1, decision="uncertain"),
            "Uncertain: most probably stored flipped upside down (1 of 1 slice, confidence 0.98); it is left alone.",
        ),
    ],
)
def test_what_the_pixels_say(result: Recognition, sentence: str) -> None:
    assert words(result) == f"{sentence} The header says nothing about the orientation."


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (with_header(None), "The header says nothing about the orientation."),
        (with_header(None, "other_plane"), "The header names another plane than the short axis."),
        (with_header(3), "The header says the same."),
        (with_header(0), "The header contradicts this: it says stored in standard orientation."),
        (with_header(5), "The header contradicts this: it says stored turned by 90° clockwise."),
        (with_header(1, mirrored=True), MIRROR),
    ],
)
def test_what_the_header_says(result: Recognition, sentence: str) -> None:
    assert words(result) == f"Stored turned by 180°: 9 of 10 slices, confidence 0.98. {sentence}"


def test_an_uncertain_result_contradicts_nothing() -> None:
    doubtful = with_header(1, mirrored=True, decision="uncertain")
    assert words(doubtful).endswith("; it is left alone. The header says stored flipped left to right.")


@pytest.mark.parametrize(
    ("angle", "how"), [(41.6, "turned by 90° clockwise"), (-41.6, "turned by 90° counter-clockwise")]
)
def test_an_uncertain_heart_near_a_border_names_what_lies_beyond(angle: float, how: str) -> None:
    said = words(found(0, decision="uncertain", angle=angle, margin=3.4))
    assert f"left alone. The heart lies 3° from the border to the next orientation, stored {how}. The header" in said
    assert words(found(5, decision="uncertain", angle=-40.0, margin=5.0)).count("stored in standard orientation") == 1
    apart = {"dissent": (Orientation(0), Orientation(3))}
    for other in ({"decision": "standard"}, {"margin": 20.0, "angle": 25.0}, {"margin": None, "angle": None}, apart):
        result = {"decision": "uncertain", "angle": angle, "margin": 3.4, **other}
        assert "border" not in words(found(0, **result))


def test_what_is_no_short_axis_image_has_one_sentence() -> None:
    assert words(found(3, decision="not_short_axis")) == (
        "This does not look like a short-axis image; it is left alone."
    )
