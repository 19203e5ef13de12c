"""The synthetic chest: anatomy where it belongs, contrast as in the sequence, header as asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.anatomy import Person, chest
from CMROrientLib.phantom.heart import heart
from CMROrientLib.phantom.phantom import HEADERS, SEQUENCES, make_phantom

RIGHT, MYOCARDIUM, LEFT = 1, 2, 3


def centre(mask: np.ndarray, label: int) -> np.ndarray:
    return np.argwhere(mask == label).mean(axis=0)


@pytest.mark.parametrize("seed", range(6))
def test_the_right_ventricle_lies_on_the_left_and_the_angle_is_that_of_class_0(seed):
    _, mask = make_phantom(seed=seed, slices=6, size=(104, 128), with_mask=True)
    _, down, across = centre(mask.array, LEFT) - centre(mask.array, RIGHT)
    angle = np.degrees(np.arctan2(down, across))
    assert -58 < angle < 12  # class 0 is -68 to 22 degrees; ten from the borders nobody argues


@pytest.mark.parametrize("seed", range(3))
def test_lung_lies_above_and_belly_below(seed):
    volume, mask = make_phantom(seed=seed, slices=6, size=(104, 128), with_mask=True)
    _, row, column = centre(mask.array, LEFT).astype(int)
    above = volume.array[:, row - 28 : row - 20, column + 3 : column + 13]
    below = volume.array[:, row + 20 : row + 32, column - 25 : column - 15]
    assert np.median(below) > 3 * np.median(above)


def test_slices_run_from_apex_to_base_so_that_the_frame_is_right_handed():
    volume, mask = make_phantom(slices=8, with_mask=True)
    area = [(one == LEFT).sum() for one in mask.array]
    assert area[0] < area[2] < area[5]
    assert np.linalg.det(volume.grid.directions) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("level", [0.1, 0.4, 0.7])
def test_the_right_wall_is_thinner_than_the_left_one(level):
    person = Person.drawn(np.random.default_rng(4))
    x, y = np.arange(-100, 60, 0.5)[None, :], np.arange(-80, 80, 0.5)[:, None]
    around = chest(person, x, y, level)
    beating = heart(person, x, y, level, 0.0, around.cavity, around.abdomen)
    muscle = next(weight for tissue, weight in beating.layers if tissue == "myocardium" and weight.max() > 0.99) > 0.5
    right_wall = muscle & (beating.mask == 0)
    thickness = {}
    for name, wall, room in (("right", right_wall, RIGHT), ("left", beating.mask == MYOCARDIUM, LEFT)):
        inside = beating.mask == room
        rim = (inside ^ ndimage.binary_erosion(inside)).sum() * 0.5
        thickness[name] = wall.sum() * 0.25 / rim
    assert 1.0 < thickness["right"] < 0.6 * thickness["left"]
    assert 8 < thickness["left"] < 16


def test_contrast_follows_the_sequence():
    signal = {}
    for sequence in SEQUENCES:
        volume, mask = make_phantom(sequence, slices=5, seed=2, with_mask=True)
        wall, blood = volume.array[mask.array == MYOCARDIUM], volume.array[mask.array == LEFT]
        signal[sequence] = float(np.median(wall)), float(np.median(blood)), float(np.percentile(wall, 98))
    wall, blood, _ = signal["bSSFP"]
    assert blood > 2 * wall
    wall, blood, scar = signal["LGE"]
    assert blood > 3 * wall and scar > blood
    wall, blood, oedema = signal["T2"]
    assert wall > 2 * blood and oedema > 1.4 * wall


def test_the_same_seed_is_the_same_person_in_every_sequence_and_run():
    masks = [make_phantom(sequence, slices=3, seed=7, with_mask=True)[1].array for sequence in SEQUENCES]
    assert np.array_equal(masks[0], masks[1]) and np.array_equal(masks[0], masks[2])
    assert np.array_equal(make_phantom(slices=2, seed=7).array, make_phantom(slices=2, seed=7).array)
    assert not np.array_equal(make_phantom(slices=2, seed=7).array, make_phantom(slices=2, seed=8).array)


def test_the_heart_contracts_and_fills_again():
    volume, mask = make_phantom(slices=3, phases=8, size=(104, 128), with_mask=True)
    assert volume.array.shape == (8, 3, 128, 104)
    area = (mask.array == LEFT).sum(axis=(1, 2, 3))
    assert area.argmin() in (2, 3, 4) and area.min() < 0.65 * area[0] and area[-1] > 0.85 * area[0]
    wall = (mask.array == MYOCARDIUM).sum(axis=(1, 2, 3))
    assert wall[area.argmin()] == pytest.approx(wall[0], rel=0.3)


@pytest.mark.parametrize("orientation", Orientation)
def test_orientation_and_header(orientation):
    standard = make_phantom("LGE", slices=2, size=(72, 96))
    for header in HEADERS:
        turned, mask = make_phantom(
            "LGE", slices=2, size=(72, 96), orientation=orientation, header=header, with_mask=True
        )
        assert np.array_equal(orientation.inverse.apply(turned.array), standard.array)
        assert mask.array.shape == turned.array.shape and mask.grid == turned.grid
        if header == "empty":
            assert turned.header_state == "none" and turned.header_orientation() is None
            continue
        assert turned.header_state == "known"
        assert turned.header_orientation() is (orientation if header == "true" else Orientation.IDENTITY)
        assert np.allclose(turned.grid.centre, standard.grid.centre)


def test_size_is_free_and_one_slice_is_enough():
    volume = make_phantom("T2", size=(64, 48), slices=1)
    assert volume.array.shape == (1, 48, 64) and volume.array.dtype == np.int16
    assert volume.grid.spacing[0] == pytest.approx(340 / 64)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="sequence is one of"):
        make_phantom("T1")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="at least"):
        make_phantom(slices=0)
