"""The order of slices: what a header says of it, and what reversing does to voxels and to their place."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_correction import modes, orientations, positions, standard_volume, volumes

import CMROrientLib as cmr
from CMROrientLib.correction import WANTED_ORDERS, plan, with_slice_order
from CMROrientLib.metadata import Metadata
from CMROrientLib.recognition.recognizer import decided
from CMROrientLib.slice_order import SLICE_ORDERS, header_slice_order


@dataclass(frozen=True, kw_only=True)
class Numbered(Metadata):
    """Of a format whose slices have numbers."""

    sense: int

    @property
    def numbered(self):
        return self.sense


OTHER = {"base_first": "apex_first", "apex_first": "base_first"}

orders = st.sampled_from(SLICE_ORDERS)
wanted_orders = st.sampled_from(WANTED_ORDERS)


def ordered(volume, p, found, mode="auto", target=0, wanted="keep"):
    return with_slice_order(plan(p, volume.header_orientation(p), mode, target), volume, found, wanted, mode)


def test_the_way_from_apex_to_base():
    # From the mean frame of 45 people: R × D.
    assert header_slice_order((-0.64, 0.68, 0.36)) == "apex_first"
    assert header_slice_order((0.64, -0.68, -0.36)) == "base_first"
    assert header_slice_order((0, 0, 1)) is None
    assert header_slice_order((0, 0, 0)) is None
    assert header_slice_order((np.nan, 0, 1)) is None
    assert standard_volume().header_slice_order == "apex_first"
    assert replace(standard_volume(), has_geometry=False).header_slice_order is None


@given(volumes(), orientations, modes, orientations, orders, wanted_orders)
def test_correcting_and_undoing_is_lossless(volume, p, mode, target, found, wanted):
    done = ordered(volume, p, found, mode, target, wanted)
    back = done.undo(done.apply(volume))
    assert back.array.tobytes() == volume.array.tobytes()
    assert back.array.dtype == volume.array.dtype
    assert np.abs(back.grid.affine - volume.grid.affine).max() < 1e-6
    assert back.grid.size == volume.grid.size
    assert not back.slices_reversed
    assert not back.slice_direction_reversed


@given(volumes(), orientations, orders)
def test_under_follow_each_voxel_keeps_its_place(volume, p, found):
    done = ordered(volume, p, found, "follow", wanted=OTHER[found])
    fixed = done.apply(volume)
    expected = np.stack([p.inverse.apply(positions(volume)[..., axis])[::-1] for axis in range(3)], axis=-1)
    assert np.abs(positions(fixed) - expected).max() < 1e-4
    values = p.inverse.apply(volume.array[..., ::-1, :, :])
    assert np.array_equal(fixed.array, values, equal_nan=volume.array.dtype.kind == "f")


@pytest.mark.parametrize("mode", ["auto", "keep", "follow"])
@pytest.mark.parametrize(("header", "found", "wanted"), list(itertools.product(SLICE_ORDERS, repeat=3)))
def test_each_end_is_corrected_by_its_own_error(mode, header, found, wanted):
    volume = standard_volume()
    if header == "base_first":
        volume = volume.reindexed(cmr.Orientation(0), cmr.Orientation(0), slice_direction=True)
    assert volume.header_slice_order == header
    fixed = ordered(volume, 0, found, mode, wanted=wanted).apply(volume)
    assert np.array_equal(fixed.array, volume.array if found == wanted else volume.array[::-1])
    claimed = {"auto": wanted, "keep": header, "follow": header if found == wanted else OTHER[header]}
    assert fixed.header_slice_order == claimed[mode]
    np.testing.assert_allclose(fixed.grid.centre, volume.grid.centre, atol=1e-9)


def test_where_the_header_says_nothing_its_directions_stay():
    volume = replace(standard_volume(), has_geometry=False)
    fixed = ordered(volume, 0, "base_first", wanted="apex_first").apply(volume)
    assert np.array_equal(fixed.array, volume.array[::-1])
    np.testing.assert_allclose(fixed.grid.affine, volume.grid.affine, atol=1e-9)


def test_where_slices_have_places_of_their_own_they_keep_them():
    volume = replace(standard_volume(), metadata=Numbered(sense=1))
    fixed = ordered(volume, 0, "base_first", "keep", wanted="apex_first").apply(volume)
    np.testing.assert_allclose(positions(fixed), positions(volume)[::-1], atol=1e-9)
    assert fixed.renumbered
    # Numbers that fall along the slices are right already once the array is reversed.
    falling = replace(volume, metadata=Numbered(sense=-1))
    assert not ordered(falling, 0, "base_first", wanted="apex_first").renumber
    assert ordered(falling, 0, "apex_first", wanted="apex_first").renumber


def test_nothing_is_reversed_that_nobody_knows():
    volume = standard_volume()
    assert ordered(volume, 0, "unknown", wanted="base_first") == plan(0, 0)
    assert ordered(volume, 0, "apex_first", wanted="apex_first").changes_nothing
    assert not ordered(volume, 0, "apex_first", wanted="base_first").changes_nothing
    # A class that somebody decided on says nothing of the slices.
    assert np.array_equal(cmr.correct(volume, 0, slice_order="base_first").array, volume.array)
    assert np.array_equal(cmr.correct(volume, decided(volume, 0), slice_order="base_first").array, volume.array)


def test_a_wrong_order_is_named():
    with pytest.raises(ValueError, match="keep, base_first, apex_first, not 'top'"):
        cmr.correct(standard_volume(), 0, slice_order="top")


@given(orientations, orders)
def test_handedness(p, found):
    volume = standard_volume()
    for wanted in WANTED_ORDERS:
        done = ordered(volume, p, found, "follow", wanted=wanted)
        handed = [np.linalg.det(v.grid.directions) > 0 for v in (volume, done.apply(volume))]
        assert done.changes_handedness == (handed[0] != handed[1])
