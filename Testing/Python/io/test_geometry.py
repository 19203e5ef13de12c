"""Voxels stay where they are through read, turn and write; SimpleITK and nibabel are the judges."""

import nibabel
import nrrd as pynrrd
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import (
    RAS_FROM_LPS,
    SUFFIXES,
    direction_matrix,
    furthest,
    places_with_itk,
    places_with_nibabel,
    write_with_itk,
)

from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation

TOLERANCE = 1e-4  # mm

classes = st.sampled_from(list(Orientation))
spacings = st.tuples(*[st.floats(0.4, 12)] * 3)
origins = st.tuples(*[st.floats(-300, 300)] * 3)
rotations = st.tuples(*[st.floats(-3, 3)] * 3)


def numbered(*shape, dtype=np.int32):
    """An array whose voxels all differ."""
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape)


@pytest.mark.parametrize("slice_axis", [0, 1, 2])
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=4)
@given(spacing=spacings, origin=origins, rotation=rotations, left_handed=st.booleans())
def test_follow_moves_no_voxel(tmp_path_factory, suffix, slice_axis, spacing, origin, rotation, left_handed):
    folder = tmp_path_factory.mktemp("follow")
    direction = direction_matrix(rotation, left_handed)
    original = write_with_itk(folder / f"a{suffix}", numbered(2, 3, 4), spacing, origin, direction)
    before = places_with_itk(original)
    volume = read(original, slice_axis)
    assert volume.has_geometry
    for k in Orientation:
        turned = volume.reindexed(k, k)
        result = folder / f"turned{int(k)}{suffix}"
        write(turned, result)
        assert furthest(before, places_with_itk(result)) < TOLERANCE
        if suffix.startswith(".nii"):
            assert furthest(before, places_with_nibabel(result)) < TOLERANCE
        again = read(result, slice_axis)
        assert np.array_equal(again.array, turned.array)
        assert again.array.dtype == np.int32
        np.testing.assert_allclose(again.grid.affine, turned.grid.affine, atol=TOLERANCE)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=15)
@given(pixels=classes, directions=classes, axis=st.sampled_from([0, 1, 2]), spacing=spacings, rotation=rotations)
def test_any_pair_of_turns_is_written_as_it_is(tmp_path_factory, suffix, pixels, directions, axis, spacing, rotation):
    folder = tmp_path_factory.mktemp("modes")
    original = write_with_itk(
        folder / f"a{suffix}", numbered(3, 4, 5, dtype=np.int16), spacing, (7, -5, 60), direction_matrix(rotation)
    )
    volume = read(original, axis)
    turned = volume.reindexed(pixels, directions)
    write(turned, folder / f"turned{suffix}")
    array, grid = turned.stored()
    judged = sitk.ReadImage(str(folder / f"turned{suffix}"))
    assert np.array_equal(sitk.GetArrayFromImage(judged), array)
    np.testing.assert_allclose(judged.GetSpacing(), grid.spacing, rtol=1e-5)
    np.testing.assert_allclose(judged.GetOrigin(), grid.origin, atol=TOLERANCE)
    np.testing.assert_allclose(judged.GetDirection(), grid.direction, atol=1e-5)
    first = sitk.ReadImage(str(original))
    centres = [
        image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
        for image in (first, judged)
    ]
    np.testing.assert_allclose(*centres, atol=TOLERANCE)
    # And back: everything as it was.
    undone = read(folder / f"turned{suffix}", axis).reindexed(pixels.inverse, directions.inverse)
    write(undone, folder / f"undone{suffix}")
    assert furthest(places_with_itk(original), places_with_itk(folder / f"undone{suffix}")) < TOLERANCE


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("slice_axis", [0, 1, 2])
def test_a_cine_keeps_phases_and_places(tmp_path, suffix, slice_axis):
    original = write_with_itk(
        tmp_path / f"a{suffix}",
        numbered(3, 2, 4, 5, dtype=np.int16),
        (1.4, 1.1, 8),
        (3, 4, 5),
        direction_matrix((0.3, 2, 1)),
    )
    volume = read(original, slice_axis)
    assert volume.array.shape[0] == 3
    for k in Orientation:
        result = tmp_path / f"turned{int(k)}{suffix}"
        write(volume.reindexed(k, k), result)
        assert sitk.ReadImage(str(result)).GetDimension() == 4
        assert furthest(places_with_itk(original), places_with_itk(result)) < TOLERANCE


@pytest.mark.parametrize("time_first", [True, False])
@pytest.mark.parametrize("suffix", [".nrrd", ".nhdr"])
def test_a_nrrd_cine_keeps_its_time_axis(tmp_path, suffix, time_first):
    array = numbered(2, 5, 4, 3, dtype=np.int16)  # (time, i, j, k) in the order of the file
    vectors = [(0.9, 0.3, 0.1), (-0.2, 1.2, 0.3), (0.5, -1, 7.0)]
    none = [np.nan] * 3
    if time_first:
        header = {"kinds": ["list"] + ["domain"] * 3, "space directions": np.array([none, *vectors])}
    else:
        array = np.moveaxis(array, 0, -1)
        header = {"kinds": ["domain"] * 3 + ["list"], "space directions": np.array([*vectors, none])}
    header |= {"space": "left-posterior-superior", "space origin": [1, 2, 3]}
    original = tmp_path / f"a{suffix}"
    pynrrd.write(str(original), array, header)
    volume = read(original)
    assert volume.array.shape == (2, 3, 4, 5)
    places = {}
    spatial_first = np.moveaxis(array, 0, -1) if time_first else array
    for index, value in np.ndenumerate(spatial_first):
        places[int(value)] = np.array([1, 2, 3]) + np.array(index[:3]) @ np.array(vectors)
    for k in Orientation:
        result = tmp_path / f"turned{int(k)}{suffix}"
        write(volume.reindexed(k, k), result)
        data, kept = pynrrd.read(str(result))
        assert list(kept["kinds"]) == header["kinds"]
        axis = 0 if time_first else 3
        assert data.shape[axis] == 2
        matrix = np.delete(kept["space directions"], axis, axis=0)
        found = {
            int(value): kept["space origin"] + np.array(index[:3]) @ matrix
            for index, value in np.ndenumerate(np.moveaxis(data, axis, -1))
        }
        assert furthest(places, found) < TOLERANCE


@settings(max_examples=15)
@given(
    rotation=rotations, nearly=st.booleans(), origin=origins, left_handed=st.booleans(), code=st.sampled_from([1, 2])
)
def test_qform_alone_keeps_its_code_and_the_places(tmp_path_factory, rotation, nearly, origin, left_handed, code):
    """Near half turns a float32 quaternion is not exact; then the sform has to say the place."""
    folder = tmp_path_factory.mktemp("qform")
    affine = np.eye(4)
    affine[:3, :3] = direction_matrix(np.array(rotation) * (1e-3 if nearly else 1), left_handed) * [1.4, 1.3, 8]
    affine[:3, 3] = origin
    image = nibabel.Nifti1Image(numbered(40, 30, 2), None)
    image.set_qform(RAS_FROM_LPS @ affine, code)
    image.set_sform(None, 0)
    nibabel.save(image, folder / "a.nii")
    volume = read(folder / "a.nii")
    before = {
        int(value): (volume.grid.affine @ [*index, 1])[:3]
        for index, value in np.ndenumerate(nibabel.load(folder / "a.nii").dataobj)
    }
    # The reading itself: nibabel rounds nearly half turns more coarsely.
    assert furthest(before, places_with_nibabel(folder / "a.nii")) < 0.1
    for k in (Orientation.ROTATE_180, Orientation.FLIP_VERTICAL, Orientation.ROTATE_90):
        write(volume.reindexed(k, k), folder / f"{int(k)}.nii")
        result = nibabel.load(folder / f"{int(k)}.nii")
        assert int(result.header["qform_code"]) == code
        assert int(result.header["sform_code"]) in (0, code)
        assert furthest(before, places_with_nibabel(folder / f"{int(k)}.nii")) < TOLERANCE


def test_sform_and_qform_agree_on_what_is_written(tmp_path):
    affine = np.eye(4)
    affine[:3, :3] = direction_matrix((0.5, 0.4, -0.9)) * [1.4, 1.3, 8]
    moved = affine.copy()
    moved[:3, 3] += 25
    for codes, chosen in [((1, 1), affine), ((2, 1), affine), ((2, 0), affine), ((0, 3), moved)]:
        image = nibabel.Nifti1Image(numbered(4, 5, 3), None)
        image.set_sform(affine, codes[0])
        image.set_qform(moved, codes[1])
        nibabel.save(image, tmp_path / "a.nii.gz")
        volume = read(tmp_path / "a.nii.gz")
        np.testing.assert_allclose(RAS_FROM_LPS @ volume.grid.affine, chosen, atol=1e-4)
        write(volume.reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90), tmp_path / "b.nii.gz")
        result = nibabel.load(tmp_path / "b.nii.gz")
        np.testing.assert_allclose(result.get_sform(), result.get_qform(), atol=1e-4)
        assert (int(result.header["sform_code"]), int(result.header["qform_code"])) == codes


def test_a_template_sform_gives_way_to_the_scanners_qform_as_in_itk(tmp_path):
    image = nibabel.Nifti1Image(numbered(4, 5, 3), None)
    image.set_sform(np.diag([2, 2, 2, 1.0]), 4)
    scanner = np.eye(4)
    scanner[:3, :3] = direction_matrix((0.5, 0.4, -0.9)) * 2
    image.set_qform(scanner, 1)
    nibabel.save(image, tmp_path / "a.nii")
    np.testing.assert_allclose(RAS_FROM_LPS @ read(tmp_path / "a.nii").grid.affine, scanner, atol=1e-5)
    np.testing.assert_allclose(
        read(tmp_path / "a.nii").grid.direction, sitk.ReadImage(str(tmp_path / "a.nii")).GetDirection(), atol=1e-5
    )


@pytest.mark.parametrize("k", list(Orientation))
def test_shear_survives(tmp_path, k):
    affine = np.eye(4)
    affine[:3, :3] = direction_matrix((0.5, 0.4, -0.9)) @ np.array([[1.3, 0.2, 0.5], [0, 1.2, -1.0], [0, 0, 8]])
    affine[:3, 3] = 10, 20, 30
    image = nibabel.Nifti1Image(numbered(4, 5, 3), None)
    image.set_sform(affine, 1)
    nibabel.save(image, tmp_path / "a.nii.gz")
    write(read(tmp_path / "a.nii.gz").reindexed(k, k), tmp_path / "b.nii.gz")
    assert furthest(places_with_nibabel(tmp_path / "a.nii.gz"), places_with_nibabel(tmp_path / "b.nii.gz")) < TOLERANCE
    write(read(tmp_path / "a.nii.gz").reindexed(k, k), tmp_path / "b.nrrd")
    data, header = pynrrd.read(str(tmp_path / "b.nrrd"))
    found = {
        int(value): header["space origin"] + np.array(index) @ header["space directions"]
        for index, value in np.ndenumerate(data)
    }
    assert furthest(places_with_nibabel(tmp_path / "a.nii.gz"), found) < TOLERANCE


@pytest.mark.parametrize("space", ["RAS", "right-anterior-superior", "left-anterior-superior", "LPS"])
@pytest.mark.parametrize("k", [Orientation.FLIP_VERTICAL, Orientation.ROTATE_270])
def test_nrrd_spaces_are_those_of_itk(tmp_path, space, k):
    header = {
        "space": space,
        "space directions": direction_matrix((0.5, 0.4, -0.9)) * [[1.4], [1.2], [7.0]],
        "space origin": [10, 20, 30],
    }
    pynrrd.write(str(tmp_path / "a.nrrd"), numbered(4, 5, 3), header)
    volume = read(tmp_path / "a.nrrd")
    judged = sitk.ReadImage(str(tmp_path / "a.nrrd"))
    np.testing.assert_allclose(volume.grid.direction, judged.GetDirection(), atol=1e-6)
    np.testing.assert_allclose(volume.grid.origin, judged.GetOrigin())
    write(volume.reindexed(k, k), tmp_path / "b.nrrd")
    assert pynrrd.read_header(str(tmp_path / "b.nrrd"))["space"] == space
    assert furthest(places_with_itk(tmp_path / "a.nrrd"), places_with_itk(tmp_path / "b.nrrd")) < TOLERANCE


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("k", list(Orientation))
def test_one_slice(tmp_path, suffix, k):
    """A two-dimensional file is a volume of one slice, and is written as two-dimensional."""
    image = sitk.GetImageFromArray(numbered(4, 5))
    image.SetSpacing((1.5, 0.7))
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
    volume = read(tmp_path / f"a{suffix}")
    assert volume.array.shape == (1, 4, 5)
    assert volume.header_state == "none"
    write(volume.reindexed(k, k), tmp_path / f"b{suffix}")
    judged = sitk.ReadImage(str(tmp_path / f"b{suffix}"))
    assert judged.GetDimension() == 2
    assert np.array_equal(sitk.GetArrayFromImage(judged), k.apply(numbered(4, 5)))
    np.testing.assert_allclose(judged.GetSpacing(), (0.7, 1.5) if k.exchanges_axes else (1.5, 0.7), rtol=1e-6)
    if not suffix.startswith(".nii"):  # ITK takes two dimensions of a NIfTI file without their place
        assert furthest(places_with_itk(tmp_path / f"a{suffix}"), places_with_itk(tmp_path / f"b{suffix}")) < TOLERANCE


@pytest.mark.parametrize("source", SUFFIXES)
@pytest.mark.parametrize("target", SUFFIXES)
def test_one_format_becomes_another(tmp_path, source, target):
    """The grid, the values and, for a cine, the phases go along."""
    for shape in [(3, 4, 5), (2, 3, 4, 5)]:
        original = write_with_itk(
            tmp_path / f"a{source}", numbered(*shape), (1.4, 1.2, 8), (9, 8, 7), direction_matrix((1, 0.2, 0.4))
        )
        volume = read(original)
        result = tmp_path / f"result{target}"
        write(volume.reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90), result)
        again = read(result)
        assert again.array.dtype == volume.array.dtype
        assert np.array_equal(Orientation.ROTATE_270.apply(again.array), volume.array)
        np.testing.assert_allclose(
            again.reindexed(Orientation.ROTATE_270, Orientation.ROTATE_270).grid.affine, volume.grid.affine, atol=1e-4
        )
        assert again.has_geometry
        if len(shape) == 3:
            assert furthest(places_with_itk(original), places_with_itk(result)) < TOLERANCE


@pytest.mark.parametrize("target", SUFFIXES)
def test_real_volumes(data_root, tmp_path, target):
    """Full size, true, empty and constant headers."""
    for name in ["myops", "acdc", "emidec"]:
        original = next(path for path in sorted((data_root / name).rglob("*.nii.gz")) if "_seg" not in path.name)
        judged = sitk.ReadImage(str(original))
        volume = read(original)
        assert np.array_equal(volume.array, sitk.GetArrayFromImage(judged))
        write(volume.reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90), tmp_path / f"turned{target}")
        result = sitk.ReadImage(str(tmp_path / f"turned{target}"))
        assert np.array_equal(sitk.GetArrayFromImage(result), np.rot90(sitk.GetArrayFromImage(judged), -1, (1, 2)))
        if volume.has_geometry:
            columns, rows, slices = judged.GetSize()
            for i, j, k in [(0, 0, 0), (columns - 1, 0, slices - 1), (columns // 3, rows - 1, 0)]:
                np.testing.assert_allclose(
                    result.TransformIndexToPhysicalPoint((rows - 1 - j, i, k)),
                    judged.TransformIndexToPhysicalPoint((i, j, k)),
                    atol=TOLERANCE,
                )
