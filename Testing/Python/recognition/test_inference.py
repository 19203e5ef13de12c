"""The crop round the heart: the heart is found in any orientation, and the crop turns with the slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from CMROrientLib.errors import CMROrientError
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.crops import SMALLEST_CROP, Crop
from CMROrientLib.recognition.decision import carried_back
from CMROrientLib.recognition.inference import Inference, place_of, turned_logits
from CMROrientLib.recognition.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(size=32, trim=False, contrast="linear")
shares = st.floats(0.1, 0.9)


def bright_spot(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """A made-up network: class by the quarter that the heart is in, and the heart where it is brightest."""
    found = np.zeros((len(inputs), 12), np.float32)
    side = inputs.shape[-1]
    for n, image in enumerate(inputs[:, 0]):
        rows, columns = np.nonzero(image > 0.5 * image.max())
        found[n, 9:] = (columns.mean() + 0.5) / side, (rows.mean() + 0.5) / side, np.ptp(rows + 1) / side
        found[n, (rows.mean() > side / 2) * 2 + (columns.mean() > side / 2)] = 5
        # So that the test sees which crop it was shown.
        found[n, 8] = np.mean(image > 0.5 * image.max())
    return found


def spot(row: float, column: float, size: int = 64) -> NDArray[np.float32]:
    """A bright square of an eighth of the side on dark noise-free ground."""
    image = np.zeros((size, size), np.float32)
    r, c = round(row * size), round(column * size)
    image[r - 4 : r + 4, c - 4 : c + 4] = 100
    return image


@given(shares, shares, st.floats(0.05, 0.5))
def test_the_place_is_carried_back_from_the_turned_copies(row: float, column: float, diameter: float) -> None:
    np.testing.assert_allclose(place_of(copies_of(row, column, diameter)[None]), (column, row, diameter), atol=1e-6)


def test_a_turned_point_is_where_the_turned_image_has_it() -> None:
    """The matrices that carry places back are those that turn images."""
    for g in Orientation:
        turned = g.apply(spot(0.25, 0.75))
        rows, columns = np.nonzero(turned)
        centre = np.array([rows.mean() + 0.5, columns.mean() + 0.5]) / 64 - 0.5
        np.testing.assert_allclose(centre, g.matrix @ np.array([-0.25, 0.25]), atol=1e-9)


def copies_of(row: float, column: float, diameter: float) -> NDArray[np.float64]:
    """(8, 3) what a network says of the turned copies of a slice whose heart is there."""
    moved = [g.matrix @ (np.array([row, column]) - 0.5) + 0.5 for g in Orientation]
    return np.array([[there[1], there[0], diameter] for there in moved])


def test_slices_that_show_more_of_the_heart_count_more() -> None:
    column, row, diameter = place_of(np.stack([copies_of(0.2, 0.2, 0.01), copies_of(0.6, 0.7, 0.3)]))
    assert (column, row) == pytest.approx((0.7, 0.6), abs=0.01)
    assert diameter == pytest.approx(0.3, abs=0.01)


@settings(deadline=None)
@given(shares, shares, st.floats(0.05, 0.6), st.sampled_from(list(Orientation)))
def test_the_crop_turns_with_the_square_and_stays_inside(
    row: float, column: float, diameter: float, k: Orientation
) -> None:
    square = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    # Away from halves of a pixel, where rounding may go either way.
    row, column = (np.floor(value * 64) / 64 + 0.3 / 64 for value in (row, column))
    seen = square[Crop((column, row, diameter), 2.0).window(64)]
    assert seen.shape[0] == seen.shape[1] >= SMALLEST_CROP * 64 - 2
    assert seen.shape[0] <= 64
    moved = k.matrix @ (np.array([row, column]) - 0.5) + 0.5
    again = k.apply(square)[Crop((moved[1], moved[0], diameter), 2.0).window(64)]
    np.testing.assert_array_equal(again, k.apply(seen))


def test_the_crop_is_closer_and_both_count() -> None:
    inference = Inference(bright_spot, PREPROCESSING, crop_diameters=3.0)
    stack = [spot(0.3, 0.6)] * 3
    logits = inference(stack)
    assert logits.shape == (3, 16, 9)
    first, second = logits[:, :8, 8], logits[:, 8:, 8]
    assert (second > 4 * first).all()
    once = replace(inference, crop_diameters=0.0)(stack)
    np.testing.assert_array_equal(once[..., :9], logits[:, :8])
    assert inference(stack, averaging=False).shape == (3, 1, 9)


@pytest.mark.parametrize("k", list(Orientation))
def test_turning_the_slices_permutes_what_is_said_of_slices_and_crops(k: Orientation) -> None:
    """Entry [s, g] of the turned stack is entry [s, g∘k] of the stack, whole and cropped."""
    inference = Inference(bright_spot, PREPROCESSING, crop_diameters=3.0)
    image = spot(0.3, 0.6)[:, :52]
    as_stored = inference([image], (1.0, 1.3))
    turned = inference([k.apply(image)], (1.3, 1.0) if k.exchanges_axes else (1.0, 1.3))
    for start in (0, 8):
        expected = np.stack([as_stored[:, start + g.after(k)] for g in Orientation], axis=1)
        np.testing.assert_allclose(turned[:, start : start + 8], expected, atol=1e-5)


def test_classes_of_slices_and_crops_are_carried_back() -> None:
    copies = np.zeros((1, 16, 8))
    for index in range(16):
        copies[0, index, Orientation(index % 8).after(Orientation(5))] = 1
    np.testing.assert_array_equal(carried_back(copies).argmax(-1), 5)


def test_progress_counts_slices_once_over_both_passes() -> None:
    seen: list[tuple[int, int]] = []
    inference = Inference(bright_spot, PREPROCESSING, crop_diameters=3.0, at_once=2)
    inference([spot(0.3, 0.6)] * 6, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6) and seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {6}


def test_the_crop_is_cut_from_finer_squares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripes too fine for whole slices are seen in the crop, which a crop of the input would not show."""
    image = spot(0.5, 0.5, 128)
    image[58:70, 58:70] = 100 * (np.arange(12) // 2 % 2)
    shown: list[NDArray[np.float32]] = []

    def keep(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        shown.append(inputs)
        return np.tile(np.array([0.0] * 9 + [0.5, 0.5, 0.15], np.float32), (len(inputs), 1))

    Inference(keep, PREPROCESSING, crop_diameters=2.0)([image])
    monkeypatch.setattr("CMROrientLib.recognition.inference.FINER", 1)
    Inference(keep, PREPROCESSING, crop_diameters=2.0)([image])

    def stripes(inputs: NDArray[np.float32]) -> float:
        middle = inputs[0, 0, 14:18]
        return float(np.abs(np.diff(middle, axis=1)).max() / np.ptp(inputs))

    fine, coarse = stripes(shown[1]), stripes(shown[3])
    assert shown[1][0].shape == shown[0][0].shape
    assert fine > 1.5 * coarse


@pytest.mark.parametrize(("outputs", "diameters", "given"), [(9, 2.5, 9), (9, 0.0, 1000), (8, 0.0, 9)])
def test_a_network_that_does_not_fit_its_card_is_refused(outputs: int, diameters: float, given: int) -> None:
    inference = Inference(lambda inputs: np.zeros((len(inputs), given), np.float32), PREPROCESSING, diameters, outputs)
    with pytest.raises(CMROrientError, match=f"{given} outputs"):
        inference([spot(0.5, 0.5)])


def test_turned_logits_resamples_squares_of_another_size() -> None:
    found = turned_logits(bright_spot, PREPROCESSING, np.stack([spot(0.3, 0.6)]))
    assert found.shape == (1, 8, 12)
