"""The way back for one segmentation: every correction undone, whatever a tool did to the axes."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from records import flat

from CMROrientLib.correction import GEOMETRY_MODES, Correction, GeometryMode, plan
from CMROrientLib.errors import CMROrientError
from CMROrientLib.orientation import Orientation
from CMROrientLib.restore.grid import WayBack, distance
from CMROrientLib.run.record import Record
from CMROrientLib.volume import Grid, Volume

OBLIQUE = Grid.from_affine(
    (7, 5, 3),
    np.array([[0.8, -0.7, -4.0, 12.5], [1.1, 0.1, 5.0, -80.25], [-0.3, -1.2, 2.9, 33.125], [0, 0, 0, 1.0]]),
)


def mask_on(grid: Grid, slice_axis: int = 2, phases: int = 1) -> Volume:
    """A segmentation no two turned copies of which are alike."""
    shape = grid.size[::-1] if phases == 1 else (phases, *grid.size[::-1])
    values = np.arange(np.prod(shape), dtype=np.uint16).reshape(shape)
    return Volume.from_stored(values, grid, slice_axis)


def record_of(volume: Volume, correction: Correction, **changes: object) -> Record:
    """What a run records of a volume that it corrected."""
    return flat(
        "in.nii.gz",
        geometry="auto",
        **{
            "orientation": int(correction.orientation),
            "geometry_class": int(correction.geometry_class),
            "target": int(correction.target),
            "slice_axis": volume.slice_axis,
            "grid_in": volume.stored()[1].to_json(),
            "grid_out": correction.apply(volume).stored()[1].to_json(),
            "output": "in.nii.gz",
            "decision": "reoriented",
            "phases": volume.array.shape[0] if volume.array.ndim == 4 else 1,
            "has_geometry": True,
            **changes,
        },
    )


def resorted(volume: Volume, axes: tuple[int, int, int], reverse: tuple[bool, bool, bool]) -> Volume:
    """What a tool gives back that stores the same voxels at the same places in another order."""
    array, grid = volume.stored()
    affine = grid.affine
    size = grid.size
    for axis in range(3):
        if reverse[axis]:
            array = np.flip(array, -1 - axis)
            affine[:3, 3] += affine[:3, axis] * (size[axis] - 1)
            affine[:3, axis] *= -1
    order = [array.ndim - 1 - axis for axis in reversed(axes)]
    array = array.transpose([*range(array.ndim - 3), *order])
    new = Grid.from_affine((size[axes[0]], size[axes[1]], size[axes[2]]), affine[:, [*axes, 3]])
    return Volume.from_stored(array, new)


def assert_same(restored: Volume, original: Volume) -> None:
    array, grid = restored.stored()
    expected, place = original.stored()
    np.testing.assert_array_equal(array, expected)
    assert array.dtype == expected.dtype
    assert grid.size == place.size
    assert distance(grid, place) < 1e-4
    np.testing.assert_allclose(grid.directions, place.directions, atol=1e-9)
    np.testing.assert_allclose(grid.spacing, place.spacing, atol=1e-9)


@pytest.mark.parametrize("mode", GEOMETRY_MODES)
@pytest.mark.parametrize("target", list(Orientation))
@pytest.mark.parametrize("p", list(Orientation))
def test_every_correction_is_undone(p: Orientation, target: Orientation, mode: GeometryMode) -> None:
    original = mask_on(OBLIQUE)
    for h in (None, *Orientation):
        correction = plan(p, h, mode, target)
        way = WayBack.of(record_of(original, correction))
        assert_same(way.restore(correction.apply(original)), original)


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("reverse", list(product((False, True), repeat=3)))
def test_every_order_of_axes_is_sorted_back(axes: tuple[int, int, int], reverse: tuple[bool, bool, bool]) -> None:
    original = mask_on(OBLIQUE)
    for correction in (
        plan(Orientation.ROTATE_90, None),
        plan(Orientation.FLIP_VERTICAL, Orientation.FLIP_VERTICAL, target=Orientation.TRANSPOSE),
    ):
        way = WayBack.of(record_of(original, correction))
        assert_same(way.restore(resorted(correction.apply(original), axes, reverse)), original)


def rotations() -> st.SearchStrategy[NDArray[np.float64]]:
    """Rotation matrices, from unit quaternions."""

    def matrix(q: list[float]) -> NDArray[np.float64]:
        w, x, y, z = np.array(q) / np.linalg.norm(q)
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
                [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
                [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
            ]
        )

    number = st.floats(-1, 1).map(lambda value: round(value, 3))
    return st.lists(number, min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.1).map(matrix)


@st.composite
def volumes(draw: st.DrawFn) -> Volume:
    """Segmentations of any shape, type and place; left-handed grids and stacks of one slice among them."""
    size = draw(st.tuples(*[st.integers(1, 6)] * 3))
    spacing = draw(st.tuples(*[st.floats(0.3, 12)] * 3))
    affine = np.eye(4)
    affine[:3, :3] = draw(rotations()) * spacing
    affine[:3, 2] *= draw(st.sampled_from([1, -1]))
    affine[:3, 3] = draw(st.tuples(*[st.floats(-400, 400)] * 3))
    grid = Grid.from_affine(size, affine)
    phases = draw(st.integers(1, 3))
    dtype = draw(st.sampled_from([np.uint8, np.int16, np.uint16, np.float32, np.float64]))
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 200, (phases, *size[::-1])).astype(dtype)
    return Volume.from_stored(values if phases > 1 else values[0], grid, draw(st.sampled_from([None, 0, 1, 2])))


@given(
    volumes(),
    st.sampled_from(Orientation),
    st.sampled_from([None, *Orientation]),
    st.sampled_from(GEOMETRY_MODES),
    st.sampled_from(Orientation),
)
@settings(max_examples=150, deadline=None)
def test_restoring_undoes_correcting(
    original: Volume, p: Orientation, h: Orientation | None, mode: GeometryMode, target: Orientation
) -> None:
    correction = plan(p, h, mode, target)
    record = Record.from_json(record_of(original, correction).to_json())
    assert_same(WayBack.of(record).restore(correction.apply(original)), original)


@given(volumes(), st.sampled_from(Orientation), st.permutations(range(3)), st.tuples(*[st.booleans()] * 3))
@settings(max_examples=80, deadline=None)
def test_restoring_undoes_correcting_and_sorting(
    original: Volume, p: Orientation, axes: list[int], reverse: tuple[bool, bool, bool]
) -> None:
    correction = plan(p, None)
    shown = resorted(correction.apply(original), (axes[0], axes[1], axes[2]), reverse)
    restored = WayBack.of(record_of(original, correction)).restore(shown)
    assert distance(restored.stored()[1], original.stored()[1]) < 1e-4
    if min(original.grid.size) > 1:
        assert_same(restored, original)


def test_rounded_positions_are_taken_and_replaced_by_the_recorded_ones() -> None:
    original = mask_on(OBLIQUE)
    correction = plan(Orientation.ROTATE_270, None)
    shown = correction.apply(original)
    rounded = replace(shown, grid=Grid.from_affine(shown.grid.size, np.round(shown.grid.affine, 3)))
    assert rounded.grid != shown.grid
    assert_same(WayBack.of(record_of(original, correction)).restore(rounded), original)


def test_one_frame_and_all_frames_of_a_cine() -> None:
    cine = mask_on(OBLIQUE, phases=4)
    correction = plan(Orientation.ANTI_TRANSPOSE, None)
    way = WayBack.of(record_of(cine, correction))
    assert_same(way.restore(correction.apply(cine)), cine)
    frame = mask_on(OBLIQUE)
    assert_same(way.restore(correction.apply(frame)), frame)
    with pytest.raises(CMROrientError, match="3 phases, the image 4"):
        way.restore(correction.apply(mask_on(OBLIQUE, phases=3)))
    # Overlapping segments of Slicer are no phases.
    layers = mask_on(OBLIQUE, phases=3)
    assert_same(way.restore(correction.apply(layers), layered=True), layers)


def test_what_does_not_fit_is_refused() -> None:
    correction = plan(Orientation.ROTATE_90, None)
    way = WayBack.of(record_of(mask_on(OBLIQUE), correction))
    with pytest.raises(CMROrientError, match="8 × 5 × 3 voxels, the corrected image 5 × 7 × 3"):
        way.restore(mask_on(replace(OBLIQUE, size=(8, 5, 3))))
    # The right number of voxels, on the uncorrected image.
    with pytest.raises(CMROrientError, match="mm beside the corrected image"):
        way.restore(mask_on(OBLIQUE))
    moved = correction.apply(mask_on(OBLIQUE))
    moved = replace(moved, grid=replace(moved.grid, origin=tuple(v + 1.5 for v in moved.grid.origin)))
    with pytest.raises(CMROrientError, match=r"2\.6 mm beside"):
        way.restore(moved)


@pytest.mark.parametrize("segmentation_knows", [False, True])
def test_axes_of_other_lengths_are_refused_without_geometry(segmentation_knows: bool) -> None:
    correction = plan(Orientation.FLIP_VERTICAL, None)
    way = WayBack.of(record_of(mask_on(OBLIQUE), correction, has_geometry=False))
    other = replace(mask_on(Grid((5, 7, 3))), has_geometry=segmentation_knows)
    with pytest.raises(
        CMROrientError, match="beside the corrected image" if segmentation_knows else "order of its axes"
    ):
        way.restore(other)


READERS = {
    "ITK": ((1, 1, 1), (0.0, 0.0, 0.0)),
    "NIfTI": ((-1, -1, 1), (0.0, 0.0, 0.0)),
    "nibabel": ((1, -1, 1), (-3.0, 3.0, -3.0)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("reverse", list(product((False, True), repeat=3)))
def test_what_a_reader_made_up_is_sorted_back(reader: str, reverse: tuple[bool, bool, bool]) -> None:
    """The image says nothing of its place; a tool makes one up, sorts by it and writes it down."""
    original = mask_on(Grid((7, 5, 3), (1.0, 1.5, 3.0)))
    correction = plan(Orientation.FLIP_HORIZONTAL, None)
    way = WayBack.of(record_of(original, correction, has_geometry=False))
    signs, origin = READERS[reader]
    affine = np.diag([*np.multiply(signs, (1.0, 1.5, 3.0)), 1.0])
    affine[:3, 3] = origin
    array, grid = correction.apply(original).stored()
    seen = Volume.from_stored(array, Grid.from_affine(grid.size, affine))
    assert_same(way.restore(resorted(seen, (2, 0, 1), reverse)), original)


def test_an_unknown_sorting_is_refused_without_geometry() -> None:
    original = mask_on(Grid((7, 5, 3), (1.0, 1.5, 3.0)))
    way = WayBack.of(record_of(original, plan(Orientation.IDENTITY, None), has_geometry=False))
    grid = Grid((7, 5, 3), (1.0, 1.5, 3.0), (50.0, 20.0, 3.0), (-1.0, 0, 0, 0, 1.0, 0, 0, 0, 1.0))
    with pytest.raises(CMROrientError, match="beside the corrected image"):
        way.restore(mask_on(grid))


@pytest.mark.parametrize(("image_knows", "segmentation_knows"), [(False, True), (True, False), (False, False)])
def test_without_geometry_the_order_of_voxels_counts(image_knows: bool, segmentation_knows: bool) -> None:
    original = mask_on(OBLIQUE)
    correction = plan(Orientation.ROTATE_90, None)
    way = WayBack.of(record_of(original, correction, has_geometry=image_knows))
    array, grid = correction.apply(original).stored()
    shown = Volume.from_stored(array, Grid(grid.size), has_geometry=segmentation_knows)
    restored = way.restore(shown)
    assert_same(restored, original)
    assert restored.has_geometry is image_knows


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"output": None, "decision": "uncertain"}, r"wrote no corrected image for it \(uncertain\)"),
        ({"output": None, "error": "is cut short"}, r"wrote no corrected image for it \(is cut short\)"),
        ({"output": None, "note": "conflict: skipped"}, r"\(conflict: skipped\)"),
        ({"grid_out": None}, "grid_out missing"),
        ({"orientation": None, "geometry_class": None}, "orientation, geometry_class missing"),
        ({"slice_axis": 3}, "damaged"),
        ({"orientation": int(Orientation.IDENTITY)}, "contradicts itself"),
        ({"geometry_class": int(Orientation.ROTATE_180)}, "contradicts itself"),
    ],
)
def test_a_record_that_does_not_fit_is_refused(changes: dict[str, object], reason: str) -> None:
    record = record_of(mask_on(OBLIQUE), plan(Orientation.ROTATE_90, None), **changes)
    with pytest.raises(CMROrientError, match=reason):
        WayBack.of(record)
