"""The second look: the heart is found in any orientation, and the window turns with the slice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from CMROrientLib.confidence import carried_back
from CMROrientLib.looks import FINER, SMALLEST, Looks, place_of, turned_logits, window
from CMROrientLib.orientation import Orientation
from CMROrientLib.preprocessing import Preprocessing

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
        # So that the test sees which window it was shown.
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
    copies = []
    for g in Orientation:
        moved = g.matrix @ (np.array([row, column]) - 0.5) + 0.5
        copies.append([moved[1], moved[0], diameter])
    np.testing.assert_allclose(place_of(np.array([copies])), (column, row, diameter), atol=1e-6)


def test_a_turned_point_is_where_the_turned_image_has_it() -> None:
    """The matrices that carry places back are those that turn images."""
    for g in Orientation:
        turned = g.apply(spot(0.25, 0.75))
        rows, columns = np.nonzero(turned)
        centre = np.array([rows.mean() + 0.5, columns.mean() + 0.5]) / 64 - 0.5
        np.testing.assert_allclose(centre, g.matrix @ np.array([-0.25, 0.25]), atol=1e-9)


def test_slices_that_show_more_of_the_heart_count_more() -> None:
    basal = np.tile([0.2, 0.2, 0.01], (8, 1))
    # The copies of one place: all eight the same only at the centre, so take that.
    middle = np.tile([0.5, 0.5, 0.3], (8, 1))
    column, row, diameter = place_of(np.stack([basal, middle]))
    assert abs(column - 0.5) < 0.01 and abs(row - 0.5) < 0.01
    assert diameter == pytest.approx(0.3, abs=0.01)


@settings(deadline=None)
@given(shares, shares, st.floats(0.05, 0.6), st.sampled_from(list(Orientation)))
def test_the_window_turns_with_the_square_and_stays_inside(
    row: float, column: float, diameter: float, k: Orientation
) -> None:
    square = np.random.default_rng(0).normal(size=(64, 64)).astype(np.float32)
    # Away from halves of a pixel, where rounding may go either way.
    row, column = (np.floor(value * 64) / 64 + 0.3 / 64 for value in (row, column))
    seen = window(square, (column, row, diameter), 2.0)
    assert seen.shape[0] == seen.shape[1] >= SMALLEST * 64 - 2
    assert seen.shape[0] <= 64
    moved = k.matrix @ (np.array([row, column]) - 0.5) + 0.5
    np.testing.assert_array_equal(window(k.apply(square), (moved[1], moved[0], diameter), 2.0), k.apply(seen))


def test_the_second_look_is_closer_and_both_count() -> None:
    looks = Looks(bright_spot, PREPROCESSING, closer=3.0)
    stack = [spot(0.3, 0.6)] * 3
    logits = looks(stack)
    assert logits.shape == (3, 16, 9)
    first, second = logits[:, :8, 8], logits[:, 8:, 8]
    assert (second > 4 * first).all()
    once = replace(looks, closer=0.0)(stack)
    np.testing.assert_array_equal(once[..., :9], logits[:, :8])
    assert looks(stack, averaging=False).shape == (3, 1, 9)


@pytest.mark.parametrize("k", list(Orientation))
def test_turning_the_slices_permutes_what_both_looks_say(k: Orientation) -> None:
    """Entry [s, g] of the turned stack is entry [s, g∘k] of the stack, in either look."""
    looks = Looks(bright_spot, PREPROCESSING, closer=3.0)
    image = spot(0.3, 0.6)[:, :52]
    as_stored = looks([image], (1.0, 1.3))
    turned = looks([k.apply(image)], (1.3, 1.0) if k.exchanges_axes else (1.0, 1.3))
    for start in (0, 8):
        expected = np.stack([as_stored[:, start + g.after(k)] for g in Orientation], axis=1)
        np.testing.assert_allclose(turned[:, start : start + 8], expected, atol=1e-5)


def test_classes_of_both_looks_are_carried_back() -> None:
    copies = np.zeros((1, 16, 8))
    for index in range(16):
        copies[0, index, Orientation(index % 8).after(Orientation(5))] = 1
    np.testing.assert_array_equal(carried_back(copies).argmax(-1), 5)


def test_progress_counts_slices_once_over_both_looks() -> None:
    seen: list[tuple[int, int]] = []
    looks = Looks(bright_spot, PREPROCESSING, closer=3.0, at_once=2)
    looks([spot(0.3, 0.6)] * 6, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 6) and seen[-1] == (6, 6)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert {total for _, total in seen} == {6}


def test_the_window_is_cut_from_finer_squares() -> None:
    """A pattern too fine for the first look is seen in the second."""
    image = spot(0.5, 0.5, 256)
    image[124:132, 124:132] = 100 * (np.arange(8) % 2)
    shown: list[NDArray[np.float32]] = []

    def keep(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        shown.append(inputs)
        return np.tile(np.array([0.0] * 9 + [0.5, 0.5, 0.15], np.float32), (len(inputs), 1))

    Looks(keep, PREPROCESSING, closer=2.0)([image])
    assert FINER == 2 and len(shown) == 2
    assert shown[1][0].shape == shown[0][0].shape
    assert not np.allclose(shown[0][0], shown[1][0])


def test_turned_logits_resamples_squares_of_another_size() -> None:
    found = turned_logits(bright_spot, PREPROCESSING, np.stack([spot(0.3, 0.6)]))
    assert found.shape == (1, 8, 12)
