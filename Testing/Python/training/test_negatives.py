"""Pictures that are no short-axis slices: drawn deterministically, from packages, and cut from stacks."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from stacks import heart_stack, stack

from CMROrientLib.orientation import Orientation
from CMROrientLib.training.negatives.families import MADE_VIEWS, TRAIN_FAMILIES, training_negatives
from CMROrientLib.training.negatives.family import pictures_of
from CMROrientLib.training.negatives.images import TRAIN_IMAGES, PackagedImage
from CMROrientLib.training.negatives.reslices import Stack, beside_the_heart, long_axis_cut, shuffled


@pytest.mark.parametrize("image", [image for images in TRAIN_IMAGES.values() for image in images], ids=str)
def test_each_named_file_is_there(image: PackagedImage) -> None:
    pytest.importorskip(image.package)
    planes = image.pixels()
    assert planes
    assert all(plane.ndim == 2 and plane.dtype == np.float32 and np.ptp(plane) > 0 for plane in planes)


def test_a_missing_package_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert PackagedImage("no_such_package", "a.png").pixels() == []
        assert PackagedImage("skimage", "data/no_such_file.png").pixels() == []
    assert "no_such_package" in caplog.text
    assert "no_such_file" in caplog.text


@pytest.mark.parametrize("name", list(TRAIN_FAMILIES))
def test_each_family_draws_finite_pictures_that_differ(name: str) -> None:
    family = TRAIN_FAMILIES[name]
    random = np.random.default_rng(3)
    pictures = [family.draw(random, [heart_stack() if name in MADE_VIEWS else stack()], 64) for _ in range(4)]
    for picture in pictures:
        assert picture is not None
        assert picture.shape == (64, 64)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
    assert name == "blank" or not np.array_equal(pictures[0], pictures[1])


def test_same_seed_same_pictures() -> None:
    first, second, other = (training_negatives(30, seed, [stack()], 48) for seed in (5, 5, 6))
    assert first.shape == (30, 48, 48)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


def test_without_stacks_there_are_no_cuts_but_everything_else() -> None:
    families = {name for name, _ in pictures_of(list(TRAIN_FAMILIES.values()), 400, 0, (), 16)}
    cuts = {"long-axis cuts of stacks", "squares beside the heart", "shuffled tiles of slices"}
    assert families == set(TRAIN_FAMILIES) - cuts - set(MADE_VIEWS) | {"phantom in other planes"}


def test_shuffled_tiles_hold_the_slice_in_another_order() -> None:
    random = np.random.default_rng(0)
    plane = random.normal(size=(60, 60)).astype(np.float32)
    picture = shuffled(random, Stack(plane[None], (8.0, 1.0, 1.0)), 60)
    np.testing.assert_allclose(np.sort(picture, axis=None), np.sort(plane, axis=None), atol=1e-4)
    assert not any(np.allclose(k.apply(picture), plane, atol=0.1) for k in Orientation)


def test_no_family_left_is_an_error() -> None:
    cuts = [TRAIN_FAMILIES["long-axis cuts of stacks"]]
    with pytest.raises(ValueError, match="none of the families"):
        list(pictures_of(cuts, 1, 0, (), 16))


def test_long_axis_cuts_cross_most_slices() -> None:
    for seed in range(10):
        picture = long_axis_cut(np.random.default_rng(seed), stack(), 64)
        assert np.ptp(picture[picture > 0] // 100) >= 3


def test_squares_beside_the_heart_avoid_it() -> None:
    """The heart's box is painted; no square may show the paint."""
    painted = stack()
    assert painted.mask is not None
    painted.pixels[painted.mask > 0] = 1e6
    found = [beside_the_heart(np.random.default_rng(seed), painted, 32) for seed in range(20)]
    shown = [picture for picture in found if picture is not None]
    assert shown
    assert max(picture.max() for picture in shown) < 2000
    assert beside_the_heart(np.random.default_rng(0), stack(mask=False), 32) is None


def test_lost_spacing_is_replaced_by_a_usual_ratio() -> None:
    lost = Stack(np.zeros((10, 50, 50)), (1.0, 1.0, 1.0))
    assert lost.voxel[0] == 7.0
    assert lost.can_be_resliced
    assert not Stack(np.zeros((3, 50, 50)), (20.0, 1.0, 1.0)).can_be_resliced
