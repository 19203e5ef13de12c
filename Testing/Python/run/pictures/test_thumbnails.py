"""The report's small pictures: what they show, their proportions and their size."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import parts
import pytest
from numpy.typing import NDArray

from CMROrientLib.metadata import Metadata
from CMROrientLib.orientation import Orientation
from CMROrientLib.pictures import Preview
from CMROrientLib.run.pictures.thumbnails import SIDE, picture, thumbnails_of
from CMROrientLib.volume import Grid, Volume

Image = parts.need_module("PIL.Image")


def volume_of(array: NDArray[np.generic], spacing: tuple[float, float, float] = (1.0, 1.0, 8.0)) -> Volume:
    return Volume(array, Grid(array.shape[:-4:-1], spacing))  # type: ignore[arg-type]


def decoded(data: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(data)) as image:
        assert image.format == "JPEG"
        assert image.mode == "L"
        return np.asarray(image)


def corners(pixels: NDArray[np.uint8]) -> list[int]:
    """Mean grey values of the four quarters, in reading order."""
    rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
    quarters = pixels[:rows, :columns], pixels[:rows, columns:], pixels[rows:, :columns], pixels[rows:, columns:]
    return [round(float(quarter.mean())) for quarter in quarters]


@pytest.fixture
def quartered() -> Volume:
    """Quarters 0, 80, 160, 240 in the middle slice; the outer slices are bright everywhere."""
    array = np.full((3, 64, 64), 999, np.int16)
    array[1] = np.kron([[0, 80], [160, 240]], np.ones((32, 32), np.int16))
    return volume_of(array)


def test_the_middle_slice_is_shown_as_stored(quartered: Volume) -> None:
    pixels = decoded(picture(quartered))
    assert pixels.shape == (SIDE, SIDE)
    np.testing.assert_allclose(corners(pixels), [0, 85, 170, 255], atol=4)


def test_small_values_of_monochrome1_are_bright(quartered: Volume) -> None:
    inverted = replace(quartered, metadata=Metadata(shown_inverted=True))
    np.testing.assert_allclose(corners(decoded(picture(inverted))), [255, 170, 85, 0], atol=4)


@pytest.mark.parametrize("orientation", list(Orientation))
def test_the_second_picture_shows_what_was_done(quartered: Volume, orientation: Orientation) -> None:
    corrected = quartered.reindexed(orientation, orientation)
    pictures = thumbnails_of(quartered, corrected)
    assert pictures.after is not None
    before, after = decoded(pictures.before), decoded(pictures.after)
    np.testing.assert_allclose(corners(after), corners(orientation.apply(before)), atol=4)


def test_without_a_correction_there_is_no_second_picture(quartered: Volume) -> None:
    assert thumbnails_of(quartered).after is None


def test_a_cine_shows_its_first_phase() -> None:
    array = np.zeros((5, 1, 32, 32), np.uint8)
    array[0, 0, :16] = 200
    array[1:, 0, 16:] = 200
    assert corners(decoded(picture(volume_of(array)))) == pytest.approx([255, 255, 0, 0], abs=4)


def test_unequal_spacing_is_shown_in_true_proportions() -> None:
    array = np.arange(40 * 80, dtype=np.float32).reshape(1, 40, 80)
    assert decoded(picture(volume_of(array, (1.0, 1.0, 8.0)))).shape == (SIDE // 2, SIDE)
    assert decoded(picture(volume_of(array, (1.0, 4.0, 8.0)))).shape == (SIDE, SIDE // 2)


def test_one_bright_spot_does_not_darken_the_rest() -> None:
    array = np.kron([[0, 80], [160, 240]], np.ones((32, 32), np.int16))[None]
    array[0, 3, 3] = 30000
    np.testing.assert_allclose(corners(decoded(picture(volume_of(array)))), [0, 85, 170, 255], atol=6)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((16, 16), np.uint16),
        np.full((16, 16), -7.5, np.float64),
        np.full((16, 16), np.nan, np.float32),
        np.array([[np.nan, np.inf], [-np.inf, 3.0]]),
        np.array([[-1.7e308, 1.7e308], [0.0, 1.0]]),
        np.eye(16, dtype=np.int32) * np.iinfo(np.int32).max,
        np.zeros((1, 300), np.uint8),
    ],
    ids=["zero", "constant", "nan", "not finite", "huge", "sparse", "a line"],
)
def test_any_values_make_a_picture(pixels: NDArray[np.generic]) -> None:
    with np.errstate(all="raise"):
        shown = decoded(picture(volume_of(pixels[None])))
    assert max(shown.shape) == SIDE


def test_noise_stays_small() -> None:
    noise = np.random.default_rng(0).rayleigh(100, (1, 256, 256)).astype(np.int16)
    assert len(picture(volume_of(noise))) < 4500


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int16, np.uint16, np.int32, np.uint32])
@pytest.mark.parametrize("levels", [1, 2, 3, 100, 60_000])
def test_whole_numbers_are_as_grey_as_the_same_floats(kind: type[np.integer], levels: int) -> None:
    limits = np.iinfo(kind)
    numbers = np.random.default_rng(levels).integers(0, levels, (40, 30)) + max(-levels // 2, limits.min)
    pixels = np.clip(numbers, limits.min, limits.max).astype(kind)
    for shown in (pixels, pixels.T[::-1]):
        size = shown.shape[::-1]
        expected = Preview(shown.astype(np.float64), (1.0, 1.0)).grey(size)
        np.testing.assert_array_equal(Preview(shown, (1.0, 1.0)).grey(size), expected)
