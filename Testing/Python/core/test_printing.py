"""Volumes and results print as a line, say themselves in words, and show themselves in a notebook."""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import fields, replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

import CMROrientLib as cmr
from CMROrientLib.metadata import Metadata
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.recognition.recognizer import decided
from CMROrientLib.volume import Grid, Volume


@pytest.fixture(scope="module")
def volume() -> Volume:
    made = make_phantom(orientation=5, header="true", slices=5)
    assert isinstance(made, Volume)
    return made


@pytest.fixture(scope="module")
def result(volume: Volume) -> cmr.Recognition:
    return cmr.Recognizer(device="cpu", threads=2).recognize(volume)


def pictures(html: str) -> list[Image.Image]:
    return [
        Image.open(BytesIO(b64decode(data))) for data in re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", html)
    ]


def test_a_volume_prints_as_a_line(volume: Volume) -> None:
    assert repr(volume) == "Volume(5 × 208 × 256, int16, 22 × 1.328 × 1.328 mm, header: ROTATE_90)"
    cine = Volume(np.zeros((20, 3, 4, 5)), Grid((5, 4, 3)))
    assert repr(cine) == "Volume(20 × 3 × 4 × 5, float64, 1 × 1 × 1 mm, header: none)"


def test_a_result_prints_as_a_line(volume: Volume, result: cmr.Recognition) -> None:
    assert re.fullmatch(
        r"Recognition\(reoriented: 5 ROTATE_90, 5 of 5 slices, confidence [01]\.\d{3}, header: ROTATE_90"
        r"(, slices \w+_first)?\)",
        repr(result),
    )
    assert "\n" not in repr(replace(result, conflict=True, mirrored=True))
    assert repr(replace(result, conflict=True, mirrored=True)).endswith(", mirrored)")
    assert repr(decided(volume, 0)) == (
        "Recognition(standard: 0 IDENTITY, decided by the user, header: ROTATE_90, conflict)"
    )


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((1, 4, 5), "One slice of 5 × 4 pixels, 1.5 × 2 mm."),
        ((3, 4, 5), "3 slices of 5 × 4 pixels, 1.5 × 2 mm, 8 mm apart."),
        ((6, 3, 4, 5), "6 phases of 3 slices of 5 × 4 pixels, 1.5 × 2 mm, 8 mm apart."),
    ],
)
def test_a_volume_in_words(shape: tuple[int, ...], said: str) -> None:
    made = Volume(np.zeros(shape), Grid(shape[:-4:-1], (1.5, 2.0, 8.0)))
    assert made.words == f"{said} The header says nothing about the orientation."


def test_the_words_of_a_result_are_those_of_the_command_line(result: cmr.Recognition) -> None:
    from CMROrientLib.recognition.wording import words

    assert result.words == words(result) and result.words.startswith("Stored turned by 90° clockwise")


def test_all_that_was_found_can_be_written_as_json(result: cmr.Recognition, volume: Volume) -> None:
    told = json.loads(json.dumps(result.to_dict()))
    assert told.keys() == {entry.name for entry in fields(result)} - {"preview"}
    assert told["orientation"] == 5 and sum(told["votes"]) == len(told["slice_probabilities"]) == 5
    again = json.loads(json.dumps(volume.to_dict()))
    assert Grid.from_json(again["grid"]) == volume.grid and again["header_orientation"] == 5


def test_a_notebook_shows_the_picture_the_words_and_the_votes(result: cmr.Recognition, volume: Volume) -> None:
    html = result._repr_html_()
    assert "Stored turned by 90° clockwise" in html
    assert re.search(r"5 turned by 90° clockwise</td><td[^>]*>5</td>", html)
    for shown in (html, volume._repr_html_()):
        (picture,) = pictures(shown)
        assert max(picture.size) == 160
        # As stored: a class of its own, which no other turn of the picture resembles as much.
        middle = np.asarray(Image.fromarray(volume.array[2].astype(np.float32)).resize(picture.size))
        likeness = [
            np.corrcoef(np.asarray(picture, float).ravel(), k.apply(middle).ravel())[0, 1]
            for k in Orientation
            if k.apply(middle).shape == middle.shape
        ]
        assert int(np.argmax(likeness)) == 0 and likeness[0] > 0.9


def test_a_notebook_shows_no_markup_of_a_file() -> None:
    described = Volume(np.zeros((1, 4, 4)), Grid((4, 4, 1)), metadata=Metadata(description="<b>x</b>"))
    assert "<b>" not in described._repr_html_()


def test_a_result_that_a_person_decided_shows_no_votes(volume: Volume) -> None:
    html = decided(volume, 3)._repr_html_()
    assert "<table" not in html and not pictures(html) and "as the user decided" in html


def test_a_result_does_not_hold_on_to_the_volume(result: cmr.Recognition, volume: Volume) -> None:
    assert result.preview is not None and not np.shares_memory(result.preview.pixels, volume.array)
    large = Volume(np.zeros((1, 2000, 1000), np.int16), Grid((1000, 2000, 1)))
    assert large.preview().small().pixels.nbytes < 500_000
