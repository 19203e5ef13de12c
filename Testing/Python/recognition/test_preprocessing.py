"""Preprocessing against other formulations, and what it must not depend on."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from skimage.exposure import equalize_hist
from skimage.transform import resize

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.preprocessing import Preprocessing, is_blank, kept

PAPER = Preprocessing.paper()
UNIVERSAL = Preprocessing()


def picture(rows: int = 90, columns: int = 120, seed: int = 0) -> np.ndarray:
    """A smooth picture with noise, values as of a 12 bit scanner."""
    random = np.random.default_rng(seed)
    smooth = resize(random.random((8, 9)), (rows, columns), order=3)
    return (800 * np.clip(smooth, 0, None) + 60 * random.random((rows, columns))).astype(np.int16)


def test_the_papers_input_is_that_of_scikit_image() -> None:
    square = PAPER.square(picture())
    channels = [equalize_hist(np.minimum(square, share * square.max()), nbins=4096) for share in (0.6, 0.8, 1.0)]
    expected = np.stack(channels)
    expected = (expected - expected.mean()) / expected.std()
    # scikit-image interpolates between bins, which differs in the bin below the cut only.
    difference = np.abs(PAPER(picture()) - expected)
    assert difference.mean() < 5e-3
    assert np.quantile(difference, 0.995) < 0.02


def test_the_papers_channels_are_shares_of_darker_pixels() -> None:
    image = np.arange(256 * 256, dtype=np.float32).reshape(256, 256)
    result = PAPER.normalise(image[None])[0]
    ranks = [np.where(image >= share * image.max(), 1.0, (image + 1) / image.size) for share in (0.6, 0.8, 1.0)]
    expected = np.stack(ranks)
    difference = np.abs(result - (expected - expected.mean()) / expected.std())
    # The grey level that is cut through goes to one side: 16 of 65536 pixels in this picture.
    assert np.quantile(difference, 0.999) < 4 / 4096


@pytest.mark.parametrize("shape", [(256, 256), (256, 216), (128, 60), (300, 411)])
def test_the_geometry_is_a_bilinear_resize(shape: tuple[int, int]) -> None:
    image = picture(*shape).astype(np.float32)
    expected = resize(image, (256, 256), order=1, mode="edge", anti_aliasing=False, preserve_range=True)
    found = PAPER.square(image)
    inner = np.s_[2:-2, 2:-2]
    tolerance = 1e-2 if max(shape) <= 256 else 60.0  # when shrinking it averages, which scikit-image does not
    np.testing.assert_allclose(found[inner], expected[inner], atol=tolerance)


@pytest.mark.parametrize("shape", [(256, 256), (96, 96), (40, 17), (16, 411), (97, 640), (1, 3)])
@pytest.mark.parametrize("side", [96, 95, 256])
def test_the_geometry_is_the_product_with_sparse_matrices_bit_for_bit(shape: tuple[int, int], side: int) -> None:
    image = np.random.default_rng(1).integers(-900, 3000, shape).astype(np.float32)
    found = replace(UNIVERSAL, fit="stretch", trim=False).square(image, size=side)

    def weights(samples: int) -> csr_matrix:
        scale = samples / side
        centres = np.clip((np.arange(side) + 0.5) * scale - 0.5, 0, samples - 1)
        dense = np.maximum(1 - np.abs(np.arange(samples)[None] - centres[:, None]) / max(scale, 1.0), 0)
        return csr_matrix((dense / dense.sum(axis=1, keepdims=True)).astype(np.float32))

    assert np.array_equal(found, (weights(shape[1]) @ (weights(shape[0]) @ image).T).T)


@pytest.mark.parametrize("contrast", ["bounded", "linear"])
@pytest.mark.parametrize("scale", [1e-30, 0.01, 1.0, 3000.0, 1e20])
def test_the_contrast_is_that_of_numpys_percentiles_bit_for_bit(
    contrast: Literal["bounded", "linear"], scale: float
) -> None:
    random = np.random.default_rng(4)
    squares = (random.gamma(2, size=(5, 40, 40)) * scale).astype(np.float32)
    squares[1] = np.round(squares[1] / scale) * scale
    squares[2] = 7
    squares[3, 5:] = 0
    squares[4, 3, 3] = np.inf
    found = Preprocessing(size=40, contrast=contrast, gain=4.0).normalise(squares)
    for square, (channel,) in zip(squares, found, strict=True):
        values = np.where(np.isfinite(square), square, square[np.isfinite(square)].min())
        largest = np.abs(values).max()
        values = values / largest if largest > 1e15 else values
        low, high = (float(value) for value in np.percentile(values, (0.5, 99.5)))
        if high <= low:
            low, high = float(values.min()), float(values.max())
        if contrast == "linear":
            expected = np.clip(values, low, high)
        else:
            steps = (values.astype(np.float64) - low) * (4096 / (high - low)) if high > low else 0 * values
            levels = np.clip(steps, 0, 4095).astype(int) // 16
            ramp = np.minimum(np.bincount(levels.ravel(), minlength=256) / levels.size, 4.0 / 256)
            expected = ((np.cumsum(ramp) - ramp / 2) / ramp.sum()).astype(np.float32)[levels]
        expected = expected - expected.mean()
        expected = expected / expected.std() if expected.std() > 1e-6 else np.zeros_like(expected)
        assert channel.tobytes() == expected.astype(np.float32).tobytes()


def test_shrinking_averages() -> None:
    checkers = np.indices((192, 192)).sum(0) % 2 * 100.0
    np.testing.assert_allclose(UNIVERSAL.square(checkers)[1:-1, 1:-1], 50, atol=1)


@given(
    k=st.sampled_from(list(Orientation)),
    shape=st.tuples(st.integers(20, 130), st.integers(20, 130)),
    ratio=st.sampled_from([0.5, 1.0, 1.7]),
    preprocessing=st.sampled_from([replace(PAPER, size=64), UNIVERSAL, replace(UNIVERSAL, size=61)]),
)
@settings(max_examples=40, deadline=None)
def test_it_commutes_with_turning(
    k: Orientation, shape: tuple[int, int], ratio: float, preprocessing: Preprocessing
) -> None:
    image, spacing = picture(*shape), (1.3, 1.3 * ratio)
    turned = spacing[::-1] if k.exchanges_axes else spacing
    np.testing.assert_allclose(
        preprocessing.square(k.apply(image), turned), k.apply(preprocessing.square(image, spacing)), atol=0.05
    )


def test_the_aspect_is_kept_in_millimetres() -> None:
    disc = np.hypot(*np.indices((80, 80)) - 39.5) < 20
    squeezed = disc[::2]
    found = UNIVERSAL.square(squeezed, (3.0, 1.5)) > 0.5
    rows, columns = found.any(1).sum(), found.any(0).sum()
    assert abs(int(rows) - int(columns)) <= 2


def test_padding_changes_nothing() -> None:
    image = picture()
    padded = np.pad(image, ((30, 50), (7, 0)))
    np.testing.assert_array_equal(UNIVERSAL(padded), UNIVERSAL(image))


def test_scale_and_offset_of_intensities_change_nothing() -> None:
    image = picture().astype(np.float64)
    np.testing.assert_allclose(UNIVERSAL(image * 7.5 - 3000), UNIVERSAL(image), atol=0.1)


def test_inverting_the_contrast_inverts_the_input() -> None:
    image = picture(120, 120).astype(np.float32)
    assert np.corrcoef(UNIVERSAL(image).ravel(), UNIVERSAL(image.max() - image).ravel())[0, 1] < -0.99


@pytest.mark.parametrize("preprocessing", [PAPER, UNIVERSAL, Preprocessing(contrast="linear")])
def test_input_is_standardized(preprocessing: Preprocessing) -> None:
    result = preprocessing(picture())
    assert result.shape == (preprocessing.channels, preprocessing.size, preprocessing.size)
    assert result.dtype == np.float32
    assert abs(float(result.mean())) < 1e-4
    assert float(result.std()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("preprocessing", [PAPER, UNIVERSAL])
@pytest.mark.parametrize("value", [0, 7, -3e30, np.nan, np.inf])
def test_a_slice_that_shows_nothing_gives_zeros(preprocessing: Preprocessing, value: float) -> None:
    image = np.full((40, 30), value)
    assert is_blank(image)
    assert not preprocessing(image).any()


@pytest.mark.parametrize("preprocessing", [PAPER, UNIVERSAL])
def test_values_that_are_not_finite_do_no_harm(preprocessing: Preprocessing) -> None:
    image = picture().astype(np.float64)
    image[:3] = np.nan
    image[5, 5], image[6, 6] = np.inf, -np.inf
    assert np.isfinite(preprocessing(image)).all()
    assert np.isfinite(preprocessing(np.array([[1e308, -1e308], [0, 5]]))).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (2, 3), (500, 3)])
@pytest.mark.parametrize("preprocessing", [PAPER, UNIVERSAL])
def test_odd_shapes(preprocessing: Preprocessing, shape: tuple[int, int]) -> None:
    image = np.arange(np.prod(shape)).reshape(shape)
    assert preprocessing(image).shape[1:] == (preprocessing.size, preprocessing.size)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.float32, np.float64, bool])
def test_every_type(dtype: type) -> None:
    assert np.isfinite(UNIVERSAL(picture().astype(dtype))).all()


def test_trimming_keeps_what_it_cannot_cut() -> None:
    line = np.zeros((50, 50))
    line[25, 10:40] = np.arange(30)
    assert line[kept(line)].shape == (50, 50)


def test_a_card_brings_it_back() -> None:
    for preprocessing in (PAPER, UNIVERSAL, Preprocessing(size=112, gain=3.0)):
        assert Preprocessing.from_card(preprocessing.to_card()) == preprocessing
    with pytest.raises(ValueError, match="colour"):
        Preprocessing.from_card({"colour": "red"})


@settings(deadline=None)
@given(st.integers(17, 60), st.integers(17, 60), st.floats(0.4, 2.5), st.integers(0, 31), st.integers(0, 31), st.data())
def test_a_window_is_that_part_of_the_whole_square(
    rows: int, columns: int, ratio: float, top: int, left: int, data: st.DataObject
) -> None:
    """Bit for bit, whether it lies in the slice or in its padding."""
    preprocessing = Preprocessing(size=32)
    height, width = data.draw(st.integers(1, 32 - top)), data.draw(st.integers(1, 32 - left))
    image = np.random.default_rng(rows * columns).gamma(1.0, 50, size=(rows, columns)).astype(np.float32)
    image = np.pad(image, ((0, 3), (2, 0)))
    whole = preprocessing.square(image, (1.0, ratio))
    window = slice(top, top + height), slice(left, left + width)
    part = preprocessing.framed(preprocessing.prepared(image), (1.0, ratio), 32, lambda side: window)
    np.testing.assert_array_equal(part, whole[window])


@settings(deadline=None)
@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_only_constant_edges_are_dropped(top: int, bottom: int, left: int, right: int, flat_inside: bool) -> None:
    image = np.arange(20 * 24, dtype=np.float32).reshape(20, 24)
    if flat_inside:
        image[7:9] = 5
    padded = np.pad(image, ((top, bottom), (left, right)), constant_values=-1)
    np.testing.assert_array_equal(padded[kept(padded)], image)
