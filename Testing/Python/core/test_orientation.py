"""The eight classes are the dihedral group D4, as Table 1 of Liu 2022 names them."""

import csv

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from CMROrientLib.orientation import (
    STANDARD_COLUMN_DIRECTION,
    STANDARD_ROW_DIRECTION,
    Orientation,
    header_orientation,
    header_scores,
    header_state,
)

NAMES = ["identity", "flip-horizontal", "flip-vertical", "rotate-180"]
NAMES += ["transpose", "rotate-90", "rotate-270", "anti-transpose"]

SQUARE = np.array([[1, 2], [3, 4]])

CORNERS = {
    0: [[1, 2], [3, 4]],
    1: [[2, 1], [4, 3]],
    2: [[3, 4], [1, 2]],
    3: [[4, 3], [2, 1]],
    4: [[1, 3], [2, 4]],
    5: [[3, 1], [4, 2]],
    6: [[2, 4], [1, 3]],
    7: [[4, 2], [3, 1]],
}

NUMPY = {
    0: lambda a: a,
    1: np.fliplr,
    2: np.flipud,
    3: lambda a: np.rot90(a, 2),
    4: lambda a: a.T,
    5: lambda a: np.rot90(a, -1),
    6: lambda a: np.rot90(a, 1),
    7: lambda a: np.rot90(a, 2).T,
}

orientations = st.sampled_from(list(Orientation))


@pytest.mark.parametrize("k", list(Orientation))
def test_corner_matrices_of_the_paper(k):
    assert k.apply(SQUARE).tolist() == CORNERS[k]
    oblong = np.arange(15).reshape(3, 5)
    assert np.array_equal(k.apply(oblong), NUMPY[k](oblong))


def test_only_the_quarter_turns_undo_each_other_all_others_themselves():
    assert [int(k.inverse) for k in Orientation] == [0, 1, 2, 3, 4, 6, 5, 7]


@given(orientations, orientations, orientations)
def test_the_eight_form_a_group(a, b, c):
    assert a.after(b) in Orientation
    assert a.after(b).after(c) is a.after(b.after(c))
    assert a.after(a.inverse) is a.inverse.after(a) is Orientation.IDENTITY
    assert a.after(Orientation.IDENTITY) is Orientation.IDENTITY.after(a) is a


def test_the_table_closes_with_each_class_once_a_row_and_column():
    table = np.array([[a.after(b) for b in Orientation] for a in Orientation])
    for line in [*table, *table.T]:
        assert sorted(line) == list(range(8))


@given(orientations, orientations, st.integers(1, 5), st.integers(1, 5))
def test_composition_is_what_happens_to_pixels(a, b, rows, columns):
    image = np.arange(rows * columns).reshape(rows, columns)
    assert np.array_equal(a.after(b).apply(image), a.apply(b.apply(image)))
    assert np.array_equal(a.inverse.apply(a.apply(image)), image)


@given(orientations, st.sampled_from([np.int8, np.uint16, np.int32, np.float32, np.float64, ">i2"]))
def test_apply_is_a_view_in_the_chosen_plane(k, dtype):
    stack = np.arange(2 * 3 * 4).reshape(2, 3, 4).astype(dtype)
    turned = k.apply(stack)
    assert np.shares_memory(turned, stack)
    assert turned.dtype == stack.dtype
    assert np.array_equal(turned[1], NUMPY[k](stack[1]))
    moved = np.moveaxis(stack, 0, -1)
    assert np.array_equal(k.apply(moved, axes=(0, 1))[..., 1], NUMPY[k](stack[1]))


def test_properties_of_the_operations():
    assert [k.exchanges_axes for k in Orientation] == [False] * 4 + [True] * 4
    assert [k.mirrors for k in Orientation] == [False, True, True, False, True, False, False, True]
    assert len({k.label for k in Orientation}) == 8


@given(orientations)
def test_a_standard_frame_that_was_re_indexed_is_recognized(k):
    row, column = k.apply_to_directions(STANDARD_ROW_DIRECTION, STANDARD_COLUMN_DIRECTION)
    assert header_orientation(row, column) is k
    assert header_state(row, column) == "known"
    assert header_scores(row, column)[k] == pytest.approx(2.0, abs=0.02)


def turned_about(vectors, axis, degrees):
    return Rotation.from_rotvec(np.radians(degrees) * np.asarray(axis)).apply(vectors)


@given(
    orientations,
    st.floats(-60, 60),
    st.floats(0, 21),
    st.floats(0, 2 * np.pi),
)
def test_a_true_header_turned_in_plane_names_its_class_or_the_neighbour_never_a_mirror(k, turn, tilt, about):
    # Orthonormal standard frame, tilted out of plane as people differ, then turned in plane.
    r = STANDARD_COLUMN_DIRECTION / np.linalg.norm(STANDARD_COLUMN_DIRECTION)
    n = np.cross(r, STANDARD_ROW_DIRECTION)
    n /= np.linalg.norm(n)
    d = np.cross(n, r)
    frame = turned_about([r, d], np.cos(about) * r + np.sin(about) * d, tilt)
    frame = turned_about(frame, np.cross(*frame), turn)
    row, column = k.apply_to_directions(frame[1], frame[0])
    assert header_state(row, column) == "known"
    named = header_orientation(row, column)
    difference = k.inverse.after(named)
    assert not difference.mirrors
    assert difference is not Orientation.ROTATE_180
    if abs(turn) < 30 and tilt < 10:
        assert named is k
    # Told what the pixels show, the header says the same wherever it nearly does.
    scores = header_scores(row, column)
    assert header_orientation(row, column, k) is (k if scores[k] >= scores.max() - 0.6 else named)
    # No tolerance ever turns a mirror into agreement.
    mirrored = k.after(Orientation.FLIP_HORIZONTAL)
    assert header_orientation(row, column, mirrored) is named


@pytest.mark.parametrize(
    ("row", "column", "state"),
    [
        ((0, 1, 0), (1, 0, 0), "none"),
        ((0, 0, -1), (0, 1, 0), "none"),
        ((0, 0, -1), (-1, 0, 0), "none"),
        ((float("nan"), 0, 0), (1, 0, 0), "none"),
        # An oblique long-axis plane: the standard normal lies in it.
        ((-0.64, 0.68, 0.36), (0.63, 0.73, -0.25), "other_plane"),
    ],
)
def test_header_state(row, column, state):
    assert header_state(row, column) == state


def test_headers_of_real_people(data_root):
    with (data_root / "index.csv").open(encoding="utf-8") as file:
        rows = [line for line in csv.DictReader(file) if line["header"] == "true"]
    paths = [data_root / line["path"] for line in rows if line["path"].endswith(".nii.gz")]
    assert len(paths) >= 180
    for path in paths:
        reader = sitk.ImageFileReader()
        reader.SetFileName(str(path))
        reader.ReadImageInformation()
        direction = np.array(reader.GetDirection()).reshape(3, 3)
        assert header_state(direction[:, 1], direction[:, 0], direction[:, 2]) == "known", path
        assert header_orientation(direction[:, 1], direction[:, 0]) is Orientation.IDENTITY, path


def test_a_class_has_a_name_to_type():
    assert [k.short_name for k in Orientation] == NAMES
    for k, name in enumerate(NAMES):
        for typed in (k, str(k), name, name.upper().replace("-", "_"), f" {name} "):
            assert Orientation.of(typed) is Orientation(k)


@pytest.mark.parametrize("given", [8, -1, "8", "-1", "", "sideways", "1.5", "rotate"])
def test_a_wrong_name_says_what_there_is(given):
    with pytest.raises(ValueError, match=r"0 identity, 1 flip-horizontal, .* 7 anti-transpose$"):
        Orientation.of(given)
