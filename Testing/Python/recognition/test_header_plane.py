"""The plane that a header names: evidence that adds doubt, never a class."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from parts import find_data_root, need_path
from sample_study import MODEL, phantom
from sign_oracle import SIGN, Oracle, oracle

from CMROrientLib.io import read
from CMROrientLib.orientation import (
    SHORT_AXIS_COSINE,
    STANDARD_COLUMN_DIRECTION,
    STANDARD_ROW_DIRECTION,
    HeaderState,
    Orientation,
)
from CMROrientLib.recognition.conflict import header_plane
from CMROrientLib.recognition.header_plane import BEYOND_DOUBT, HeaderPlane
from CMROrientLib.recognition.recognizer import Recognizer, decided
from CMROrientLib.recognition.wording import words
from CMROrientLib.volume import Grid, Volume


def tilted(degrees: float, array: np.ndarray, turned: Orientation = Orientation.IDENTITY) -> Volume:
    """A volume whose header is the standard frame turned about its rows' direction, and re-indexed."""
    column = STANDARD_COLUMN_DIRECTION / np.linalg.norm(STANDARD_COLUMN_DIRECTION)
    row = STANDARD_ROW_DIRECTION - (STANDARD_ROW_DIRECTION @ column) * column
    row /= np.linalg.norm(row)
    normal, angle = np.cross(column, row), np.radians(degrees)
    row = np.cos(angle) * row + np.sin(angle) * normal
    directions = np.column_stack([column, row, np.cross(column, row)])
    slices, rows, columns = array.shape[-3:]
    grid = Grid((columns, rows, slices), (1.0, 1.0, 8.0), (0.0, 0.0, 0.0), tuple(map(float, directions.ravel())))
    return Volume(array, grid).reindexed(Orientation.IDENTITY, turned)


def stack(*classes: int) -> np.ndarray:
    return np.stack([Orientation(k).apply(SIGN) for k in classes])


@pytest.mark.parametrize("degrees", [0, 10, 25, 40])
def test_true_short_axes_are_acted_on_as_far_as_they_lie_from_the_mean_plane(
    monkeypatch: pytest.MonkeyPatch, degrees: float
) -> None:
    recognizer = oracle(monkeypatch, Oracle(outputs=9))
    volume = tilted(degrees, stack(3))
    assert volume.header_state == "known"
    result = recognizer.recognize(volume)
    assert (result.decision, result.view) == ("reoriented", "short_axis")


def test_one_slice_whose_header_names_another_plane_is_left_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = oracle(monkeypatch, Oracle(outputs=9))
    for array in (stack(3), np.stack([stack(3)] * 20)):
        volume = tilted(80, array)
        assert volume.header_state == "other_plane"
        result = recognizer.recognize(volume)
        assert result.orientation == 3, "the header never changes the class"
        assert (result.decision, result.view, result.conflict) == ("uncertain", "unknown", True)
        assert "one slice is not acted on then; say how it is stored to decide" in words(result)
        assert decided(volume, 3).acted_on


def test_a_stack_is_acted_on_only_beyond_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = oracle(monkeypatch, Oracle(outputs=9))
    result = recognizer.recognize(tilted(80, stack(3, 3, 3, 3)))
    assert (result.decision, result.conflict, result.header_orientation) == ("reoriented", True, None)
    few = recognizer.recognize(tilted(80, stack(3, 3)))
    assert few.decision == "uncertain"
    assert "not beyond doubt: not acted on" in words(few)
    # Models without a ninth output cannot tell what they see.
    assert oracle(monkeypatch, Oracle()).recognize(tilted(80, stack(3, 3, 3, 3))).decision == "uncertain"


@pytest.mark.parametrize("k", list(Orientation))
def test_a_mirror_that_the_other_plane_contradicts_is_not_beyond_doubt(
    monkeypatch: pytest.MonkeyPatch, k: Orientation
) -> None:
    recognizer = oracle(monkeypatch, Oracle(outputs=9))
    result = recognizer.recognize(tilted(55, stack(k, k, k, k)))
    assert result.acted_on == (not k.mirrors)
    seen_from_behind = recognizer.recognize(tilted(55, stack(k, k, k, k), Orientation.FLIP_HORIZONTAL))
    assert seen_from_behind.acted_on == k.mirrors


def test_one_slice_that_may_be_another_view_is_left_to_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    class Doubtful(Oracle):
        def run(self, inputs: np.ndarray) -> np.ndarray:
            logits = super().run(inputs)
            logits[:, 8] = logits[:, :8].max(axis=1) - 1.0
            return logits

    recognizer = oracle(monkeypatch, Doubtful(outputs=9))
    recognizer._rule = replace(recognizer._rule, max_not_short_axis_alone=0.16)
    one, stacked = (recognizer.recognize(tilted(0, stack(*classes))) for classes in ((3,), (3, 3, 3)))
    assert 0.2 < one.not_short_axis < 0.5
    assert (one.decision, one.view, stacked.decision) == ("uncertain", "unknown", "reoriented")
    assert words(one).endswith("another view than the short axis: not acted on; say how it is stored to decide.")


class Other(Oracle):
    """Takes each slice for another view, with so many times the probability of a short axis."""

    odds = 4.0

    def run(self, inputs: np.ndarray) -> np.ndarray:
        logits = super().run(inputs)
        logits[:, 8] = np.logaddexp.reduce(logits[:, :8], axis=1) + np.log(self.odds)
        return logits


@pytest.mark.parametrize("classes", [(3,), (3, 3, 3, 3)])
def test_another_view_whose_header_names_a_short_axis_is_left_to_a_person(
    monkeypatch: pytest.MonkeyPatch, classes: tuple[int, ...]
) -> None:
    recognizer = oracle(monkeypatch, Other(outputs=9))
    near, far, silent = (
        recognizer.recognize(volume)
        for volume in (
            tilted(5, stack(*classes)),
            tilted(80, stack(*classes)),
            replace(tilted(5, stack(*classes)), has_geometry=False),
        )
    )
    assert near.not_short_axis == far.not_short_axis == silent.not_short_axis == pytest.approx(0.8)
    assert (near.decision, near.view) == ("uncertain", "unknown")
    assert near.orientation == 3 and not near.acted_on
    assert (
        "The pixels look like another view than the short axis, the header names a short-axis plane: "
        "not acted on; say how it is stored to decide."
    ) in words(near)
    for other in (far, silent):
        assert (other.decision, other.view) == ("not_short_axis", "other")
        assert not other.plane_contradicts
    assert near.plane_contradicts and not (near.conflict or near.mirrored)


def test_a_plane_that_is_far_enough_to_doubt_is_not_said_to_be_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """From some 33° on the plane makes another view more probable, though its header still counts as known."""
    monkeypatch.setattr(Other, "odds", 0.8)
    recognizer = oracle(monkeypatch, Other(outputs=9))
    near, far = (recognizer.recognize(tilted(degrees, stack(3, 3, 3))) for degrees in (5, 43))
    assert near.header_state == far.header_state == "known"
    assert (near.decision, far.decision, far.plane_contradicts) == ("reoriented", "uncertain", False)
    assert words(far).endswith("another view than the short axis: not acted on; say how it is stored to decide.")


def test_a_group_is_doubted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = oracle(monkeypatch, Other(outputs=9))
    near = tilted(5, stack(3, 3, 3))
    found = recognizer.recognize_together([near, replace(near, has_geometry=False)])
    assert [(one.decision, one.plane_contradicts) for one in found] == [("uncertain", True)] * 2
    assert ["the header names a short-axis plane" in words(one) for one in found] == [True, False]


def test_what_is_surely_no_short_axis_is_none_whatever_its_header_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Other, "odds", 99.0)
    result = oracle(monkeypatch, Other(outputs=9)).recognize(tilted(0, stack(3)))
    assert (result.decision, result.view) == ("not_short_axis", "other")


@pytest.mark.parametrize("state", ["known", "other_plane", "none"])
def test_a_header_never_makes_an_image_acted_on(state: HeaderState) -> None:
    """A near plane adds doubt to "another view" only: what is acted on is as if it made nothing more probable."""

    class NeverMoreProbable(HeaderPlane):
        @property
        def likelihood(self) -> float:
            return max(1.0, super().likelihood)

    said = set()
    cosines = np.linspace(SHORT_AXIS_COSINE, 1, 12) if state == "known" else np.linspace(0, SHORT_AXIS_COSINE, 12)
    for cosine in [None] if state == "none" else cosines[:-1]:
        described = (state, None if cosine is None else float(cosine), Orientation.IDENTITY)
        plane, clipped = HeaderPlane(*described), NeverMoreProbable(*described)
        for other in map(float, np.linspace(0, 1, 41)):
            for limit, places, p in product((0.5, 0.65), (1, 3), (0, 1)):
                asked = (other, limit, 0.995, places, Orientation(p))
                # Above the limit nothing is acted on in any case.
                assert other > limit or plane.forbids(*asked) == clipped.forbids(*asked), (cosine, *asked)
                said.add(plane.contradicts(other, limit))
                assert not (plane.contradicts(other, limit) and other <= limit)
    assert said == ({True, False} if state == "known" else {False})


def test_the_farther_the_plane_the_greater_the_doubt() -> None:
    doubts = [
        HeaderPlane("known", float(np.cos(np.radians(angle))), Orientation.IDENTITY).likelihood for angle in range(91)
    ]
    assert doubts[0] < 0.15 and doubts[20] < 0.5 and doubts[40] > 1
    assert all(later >= earlier for earlier, later in pairwise(doubts))
    assert doubts[-1] > 10
    assert HeaderPlane("none", None, None).joined(0.3) == pytest.approx(0.3)
    far = HeaderPlane("other_plane", 0.1, Orientation.IDENTITY)
    assert far.joined(0.1) > 0.6 > 0.3 > far.joined(0.01) > BEYOND_DOUBT


def test_what_a_header_says_about_its_plane() -> None:
    plane = header_plane(phantom(1))
    assert plane.state == "known" and plane.cosine == pytest.approx(1, abs=1e-3) and plane.nearest == 1
    assert header_plane(phantom(1, header="empty")) == HeaderPlane("none", None, None)


def real(name: str) -> Path:
    return need_path(find_data_root() / name, "needs the real test images")


@pytest.fixture(scope="module")
def bundled() -> Recognizer:
    return Recognizer(MODEL, device="cpu")


@pytest.mark.parametrize("subject", ["001", "002"])
def test_real_four_chamber_views_with_their_headers_are_left_alone(bundled: Recognizer, subject: str) -> None:
    """One of the two headers names a short-axis plane: there the pixels have to tell."""
    phases = [read(real(f"long_axis/{subject}_LA_{frame}.nii.gz")) for frame in ("ED", "ES")]
    for volume in (*phases, replace(phases[0], array=np.stack([one.array for one in phases]))):
        assert not bundled.recognize(volume).acted_on


@pytest.mark.parametrize("series", ["long_axis", "short_axis"])
def test_a_pig_is_not_mirrored(bundled: Recognizer, series: str) -> None:
    """Its header names another plane than a person's short axis; what the network cannot know is left alone."""
    volume = pig(series)
    whole = bundled.recognize(volume)
    assert not whole.acted_on
    for number in range(volume.array.shape[1]):
        one = replace(
            volume,
            array=volume.array[:, number : number + 1],
            grid=replace(volume.grid, size=(*volume.grid.size[:2], 1)),
        )
        assert not bundled.recognize(one).acted_on


def pig(series: str) -> Volume:
    """Both phases of a series as a cine with its true directions."""
    from pydicom import dcmread

    found = [dcmread(path) for path in sorted(real(f"dicom/pig/{series}").glob("*.dcm"))]
    axes = np.array(found[0].ImageOrientationPatient, float).reshape(2, 3)
    normal = np.cross(*axes)
    places: dict[float, list[np.ndarray]] = {}
    for one in sorted(found, key=lambda one: int(one.InstanceNumber)):
        places.setdefault(round(float(np.array(one.ImagePositionPatient, float) @ normal), 1), []).append(
            one.pixel_array
        )
    array = np.stack([np.stack([places[place][phase] for place in sorted(places)]) for phase in range(2)])
    spacing = [float(value) for value in found[0].PixelSpacing]
    directions = np.column_stack([*axes, normal])
    grid = Grid(
        (array.shape[3], array.shape[2], array.shape[1]),
        (spacing[1], spacing[0], float(np.median(np.diff(sorted(places))))),
        (0.0, 0.0, 0.0),
        tuple(map(float, directions.ravel())),
    )
    return Volume(array, grid)
