"""What correction does to voxels and to their place, with SimpleITK as the judge of places."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation

from CMROrientLib import correct
from CMROrientLib.correction import GEOMETRY_MODES, plan
from CMROrientLib.orientation import STANDARD_COLUMN_DIRECTION, STANDARD_ROW_DIRECTION, Orientation
from CMROrientLib.volume import Grid, Volume, find_slice_axis

DTYPES = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.float32, np.float64]

orientations = st.sampled_from(list(Orientation))
modes = st.sampled_from(GEOMETRY_MODES)


@st.composite
def grids(draw):
    size = tuple(draw(st.integers(1, 5)) for _ in range(3))
    spacing = tuple(draw(st.floats(0.3, 12)) for _ in range(3))
    origin = tuple(draw(st.floats(-300, 300)) for _ in range(3))
    matrix = Rotation.from_rotvec([draw(st.floats(-3, 3)) for _ in range(3)]).as_matrix()
    if draw(st.booleans()):
        matrix[:, 2] *= -1  # left-handed, as NIfTI and NRRD may be
    return Grid(size, spacing, origin, tuple(matrix.ravel()))


@st.composite
def volumes(draw):
    grid = draw(grids())
    shape = grid.size[::-1]
    if draw(st.booleans()):
        shape = (draw(st.integers(1, 3)), *shape)
    array = draw(hnp.arrays(draw(st.sampled_from(DTYPES)), shape))
    return Volume.from_stored(array, grid, draw(st.sampled_from([None, 0, 1, 2])))


def standard_volume(columns=6, rows=5, slices=3, tilt=(0.0, 0.0, 0.0)):
    r = STANDARD_COLUMN_DIRECTION / np.linalg.norm(STANDARD_COLUMN_DIRECTION)
    n = np.cross(r, STANDARD_ROW_DIRECTION)
    n /= np.linalg.norm(n)
    frame = Rotation.from_rotvec(tilt).apply([r, np.cross(n, r), n]).T
    array = np.arange(columns * rows * slices, dtype=np.int16).reshape(slices, rows, columns)
    grid = Grid((columns, rows, slices), (1.2, 1.7, 9.0), (-31.0, 12.5, 80.0), tuple(frame.ravel()))
    return Volume(array, grid)


def positions(volume):
    """Patient position (LPS, mm) of each voxel, by SimpleITK, as (slice, row, column, 3)."""
    image = sitk.Image(volume.grid.size, sitk.sitkUInt8)
    image.SetSpacing(volume.grid.spacing)
    image.SetOrigin(volume.grid.origin)
    image.SetDirection(volume.grid.direction)
    points = np.empty((*volume.grid.size[::-1], 3))
    for index in np.ndindex(*points.shape[:3]):
        points[index] = image.TransformIndexToPhysicalPoint(tuple(int(i) for i in index[::-1]))
    return points


@given(volumes(), orientations)
def test_under_follow_each_voxel_keeps_its_place(volume, p):
    fixed = correct(volume, p, geometry="follow")
    expected = np.stack([p.inverse.apply(positions(volume)[..., axis]) for axis in range(3)], axis=-1)
    assert np.abs(positions(fixed) - expected).max() < 1e-4
    assert np.array_equal(fixed.array, p.inverse.apply(volume.array), equal_nan=volume.array.dtype.kind == "f")


@given(volumes(), orientations, modes, orientations)
def test_correcting_and_undoing_is_lossless(volume, p, mode, target):
    done = plan(p, volume.header_orientation(p), mode, target)
    fixed = done.apply(volume)
    back = done.undo(fixed)
    assert fixed.array.dtype == volume.array.dtype
    assert back.array.dtype == volume.array.dtype
    assert back.array.shape == volume.array.shape
    assert back.array.tobytes() == volume.array.tobytes()
    assert np.allclose(back.grid.affine, volume.grid.affine, atol=1e-9)
    assert back.grid.size == volume.grid.size
    assert back.pixels_turned is back.directions_turned is Orientation.IDENTITY


@given(volumes(), orientations, modes)
def test_correct_after_apply_is_the_identity(volume, k, mode):
    stored = volume.reindexed(k, Orientation.IDENTITY)
    fixed = correct(stored, k, geometry=mode)
    assert fixed.array.tobytes() == volume.array.tobytes()


@given(volumes(), orientations, modes, orientations)
def test_size_and_spacing_go_with_the_pixels_and_the_centre_stays(volume, p, mode, target):
    fixed = correct(volume, p, mode, target)
    swapped = plan(p, None, "keep", target).pixels.exchanges_axes
    columns, rows, slices = volume.grid.size
    assert fixed.grid.size == ((rows, columns, slices) if swapped else (columns, rows, slices))
    across, down, between = volume.grid.spacing
    assert fixed.grid.spacing == ((down, across, between) if swapped else (across, down, between))
    assert np.abs(fixed.grid.centre - volume.grid.centre).max() < 1e-9


@given(volumes(), orientations)
def test_keep_leaves_the_directions(volume, p):
    assert correct(volume, p, geometry="keep").grid.direction == volume.grid.direction


tilts = st.tuples(*[st.floats(-0.1, 0.1)] * 3)


@given(orientations, orientations, tilts)
def test_auto_leaves_pixels_and_header_standard_whatever_either_said(p, h, tilt):
    truth = standard_volume(tilt=tilt)
    stored = truth.reindexed(p, h)
    assert stored.header_orientation() is h
    assert stored.header_orientation(p) is h
    fixed = correct(stored, p)
    assert np.array_equal(fixed.array, truth.array)
    assert fixed.header_orientation() is Orientation.IDENTITY
    if p is h:
        assert np.abs(positions(fixed) - positions(truth)).max() < 1e-4


@given(orientations, orientations, orientations)
def test_target_stores_the_standard_volume_in_the_class_asked_for(p, h, target):
    stored = standard_volume().reindexed(p, h)
    fixed = correct(stored, p, target=target)
    assert np.array_equal(fixed.array, target.apply(standard_volume().array))
    assert fixed.header_orientation() is target


@given(orientations)
def test_auto_keeps_the_directions_of_an_empty_header(p):
    volume = Volume(np.zeros((2, 4, 3), np.int16), Grid((3, 4, 2)))
    assert volume.header_state == "none"
    assert volume.header_orientation(p) is None
    assert correct(volume, p).grid.direction == volume.grid.direction


def test_a_file_is_left_as_it_is_exactly_when_pixels_and_header_need_nothing():
    for p in Orientation:
        for h in [None, *Orientation]:
            for mode in GEOMETRY_MODES:
                done = plan(p, h, mode)
                assert done.changes_nothing == (done.orientation == 0 and done.geometry_class == 0)
    assert plan(5, 5, "auto", target=5).changes_nothing


def test_handedness_changes_with_a_mirroring_geometry_class_only():
    volume = standard_volume()
    for p in Orientation:
        for mode in GEOMETRY_MODES:
            stored = volume.reindexed(p, p)
            done = plan(p, stored.header_orientation(p), mode)
            before = np.linalg.det(stored.grid.directions)
            after = np.linalg.det(done.apply(stored).grid.directions)
            assert (before * after < 0) == done.changes_handedness


@pytest.mark.parametrize("kind", [int, np.int64, np.uint8, Orientation])
def test_a_class_may_be_any_whole_number(kind):
    stored = standard_volume().reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90)
    fixed = correct(stored, kind(5), target=kind(0))
    np.testing.assert_array_equal(fixed.array, standard_volume().array)


@pytest.mark.parametrize("wrong", ["2", 2.5, None, 8])
def test_what_is_no_class_is_refused(wrong):
    with pytest.raises(ValueError, match="is not a valid Orientation"):
        correct(standard_volume(), wrong)


@pytest.mark.parametrize("wrong", [{"geometry": "Follow"}, {"target": 8}, {"orientation": -1}])
def test_wrong_arguments_are_refused(wrong):
    arguments = {"orientation": 1, "header_orientation": None, "geometry": "auto", "target": 0, **wrong}
    with pytest.raises(ValueError, match=r"Orientation|geometry is one of"):
        plan(**arguments)


@given(volumes())
def test_stored_axis_order_comes_back(volume):
    array, grid = volume.stored()
    again = Volume.from_stored(array, grid, volume.slice_axis)
    assert again.grid == volume.grid
    assert again.array.tobytes() == volume.array.tobytes()


@given(grids(), st.sampled_from([0, 1, 2]))
def test_a_slice_axis_keeps_voxels_in_place(grid, axis):
    array = np.arange(np.prod(grid.size)).reshape(grid.size[::-1])
    volume = Volume.from_stored(array, grid, axis)
    natural = Volume.from_stored(array, grid, 2)
    values, points = natural.array.ravel(), positions(natural).reshape(-1, 3)
    place = dict(zip(values.tolist(), points.tolist(), strict=True))
    for value, point in zip(volume.array.ravel().tolist(), positions(volume).reshape(-1, 3), strict=True):
        assert np.abs(point - place[value]).max() < 1e-9


@pytest.mark.parametrize(
    ("size", "spacing", "axis"),
    [
        ((256, 208, 10), (1.4, 1.4, 8.0), 2),
        ((10, 256, 208), (8.0, 1.4, 1.4), 0),
        ((256, 10, 208), (1.4, 8.0, 1.4), 1),
        ((192, 192, 12), (1.0, 1.0, 1.0), 2),
        ((12, 192, 192), (1.0, 1.0, 1.0), 0),
        ((160, 160, 140), (1.0, 1.0, 1.0), 2),
        ((256, 256, 1), (1.0, 1.0, 1.0), 2),
    ],
)
def test_the_slice_axis_is_found(size, spacing, axis):
    assert find_slice_axis(Grid(size, spacing)) == axis


def test_grid_round_trips_as_json_and_affine():
    grid = standard_volume().grid
    assert Grid.from_json(grid.to_json()) == grid
    assert np.allclose(Grid.from_affine(grid.size, grid.affine).affine, grid.affine)
    with pytest.raises(ValueError, match="singular"):
        Grid.from_affine(grid.size, np.zeros((4, 4)))


def test_a_volume_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="3 or 4 axes"):
        Volume(np.zeros((3, 3)), Grid((3, 3, 1)))
    with pytest.raises(ValueError, match="does not fit"):
        Volume(np.zeros((1, 3, 4)), Grid((3, 4, 1)))
    with pytest.raises(ValueError, match="slice axis"):
        Volume.from_stored(np.zeros((1, 3, 4)), Grid((4, 3, 1)), 3)
