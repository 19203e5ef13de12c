"""Images of other libraries are recognized, corrected and brought back as what they are."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from held_images import HELD, PLACED, as_nibabel, as_simpleitk, place, voxels

import CMROrientLib as cmr
from CMROrientLib.adapters.images import from_volume, to_volume
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Grid, Volume

CLASSES = pytest.mark.parametrize("stored", list(Orientation), ids=lambda k: k.name)
KINDS = pytest.mark.parametrize("kind", HELD)
PLACED_KINDS = pytest.mark.parametrize("kind", PLACED)


@pytest.fixture(scope="module")
def recognizer() -> cmr.Recognizer:
    return cmr.Recognizer(device="cpu", threads=2)


def stack(shape: tuple[int, ...] = (5, 6, 8), *, slice_axis: int = 2, dtype: str = "int16") -> Volume:
    """Every value once, on an oblique grid whose slices lie along a stored axis."""
    random = np.random.default_rng(4)
    array = random.permutation(np.prod(shape)).reshape(shape).astype(dtype)
    directions, _ = np.linalg.qr(random.normal(size=(3, 3)))
    slices, rows, columns = shape[-3:]
    grid = Grid((columns, rows, slices), (1.25, 1.5, 10.0), (-20.0, 7.0, 31.5), tuple(directions.ravel().tolist()))
    return Volume(array, grid, slice_axis)


@lru_cache
def phantom(stored: Orientation) -> Volume:
    volume = make_phantom(orientation=stored, header="true", slices=4, size=(112, 128))
    assert isinstance(volume, Volume)
    return volume


@KINDS
@pytest.mark.parametrize("stored", [Orientation.FLIP_VERTICAL, Orientation.ROTATE_90], ids=lambda k: k.name)
def test_the_library_recognizes_what_the_phantom_is(kind: str, stored: Orientation, recognizer: cmr.Recognizer) -> None:
    volume = phantom(stored)
    result = recognizer.recognize(HELD[kind](volume))
    assert result.orientation is stored and result.acted_on
    assert result.header_state == ("known" if kind in PLACED else "none")


@KINDS
@CLASSES
@pytest.mark.parametrize("shape", [(5, 6, 8), (3, 5, 6, 8)], ids=["stack", "cine"])
def test_correcting_gives_the_same_type_with_the_pixels_turned(
    kind: str, stored: Orientation, shape: tuple[int, ...]
) -> None:
    volume = stack(shape)
    image = HELD[kind](volume)
    before = voxels(image).copy()
    fixed = cmr.correct(image, stored)
    assert type(fixed) is type(image)
    assert voxels(fixed).dtype == before.dtype == np.int16
    np.testing.assert_array_equal(voxels(fixed), stored.inverse.apply(before))
    np.testing.assert_array_equal(voxels(image), before)
    back = cmr.undo(fixed, image, stored)
    np.testing.assert_array_equal(voxels(back), before)


@PLACED_KINDS
@CLASSES
@pytest.mark.parametrize("slice_axis", [0, 1, 2])
def test_every_voxel_keeps_its_place_where_the_geometry_follows(
    kind: str, stored: Orientation, slice_axis: int
) -> None:
    image = PLACED[kind](stack(slice_axis=slice_axis))
    fixed = cmr.correct(image, stored, geometry="follow", slice_axis=slice_axis)
    before, after = voxels(image), voxels(fixed)
    for k, j, i in [(0, 0, 0), (1, 2, 3), tuple(n - 1 for n in before.shape), (0, 1, before.shape[2] - 1)]:
        ((a, b, c),) = np.argwhere(after == before[k, j, i])
        np.testing.assert_allclose(place(fixed, (c, b, a)), place(image, (i, j, k)), atol=1e-4)


@PLACED_KINDS
@CLASSES
def test_the_geometry_is_that_of_the_library_and_comes_back(kind: str, stored: Orientation) -> None:
    volume = phantom(stored)
    image = PLACED[kind](volume)
    expected = cmr.correct(volume, stored)
    fixed = cmr.correct(image, stored)
    again = to_volume(fixed)
    np.testing.assert_allclose(again.grid.affine, expected.grid.affine, atol=1e-4)
    assert again.header_orientation() is Orientation.IDENTITY
    back = cmr.undo(fixed, image, stored)
    for index in ((0, 0, 0), (7, 3, 2)):
        np.testing.assert_allclose(place(back, index), place(image, index), atol=1e-4)


@KINDS
@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float32", "float64"])
def test_values_and_their_type_stay_bit_for_bit(kind: str, dtype: str) -> None:
    volume = stack(dtype=dtype)
    if dtype.startswith("float"):
        volume.array[0, 0] = [np.nan, np.inf, -np.inf, 1e-40, -0.0, 1, 2, 3]
    image = HELD[kind](volume)
    fixed = cmr.correct(image, 4)
    wanted = np.ascontiguousarray(Orientation.TRANSPOSE.apply(voxels(image)))
    assert voxels(fixed).dtype == wanted.dtype and np.ascontiguousarray(voxels(fixed)).tobytes() == wanted.tobytes()


@KINDS
def test_writing_into_the_result_leaves_the_input_alone(kind: str) -> None:
    image = HELD[kind](stack())
    before = voxels(image).copy()
    for k in (0, 1, 4):
        fixed = cmr.correct(image, k)
        if not isinstance(fixed, sitk.Image):
            voxels(fixed)[...] = 0
        np.testing.assert_array_equal(voxels(image), before)


@KINDS
def test_the_order_of_slices_is_turned_and_undone(kind: str, recognizer: cmr.Recognizer) -> None:
    image = HELD[kind](phantom(Orientation.IDENTITY))
    result = replace(recognizer.recognize(image), slice_order="apex_first", orientation=Orientation.ROTATE_90)
    fixed = cmr.correct(image, result, slice_order="base_first")
    np.testing.assert_array_equal(voxels(fixed), Orientation.ROTATE_270.apply(voxels(image))[::-1])
    back = cmr.undo(fixed, image, result, slice_order="base_first")
    np.testing.assert_array_equal(voxels(back), voxels(image))


# One slice.


def test_a_two_dimensional_array_is_a_slice(recognizer: cmr.Recognizer) -> None:
    torch = pytest.importorskip("torch")
    volume = phantom(Orientation(6))
    flat = np.ascontiguousarray(volume.array[2])
    steps = volume.grid.spacing[1::-1]
    for image in (flat, torch.from_numpy(flat), sitk.GetImageFromArray(flat)):
        result = recognizer.recognize(image, spacing=None if isinstance(image, sitk.Image) else steps)
        assert result.orientation == 6 and result.slice_indices.tolist() == [[0, 0]]
        fixed = cmr.correct(image, result)
        assert type(fixed) is type(image)
        np.testing.assert_array_equal(voxels(fixed), np.rot90(flat, -1))


def test_a_flat_simpleitk_image_keeps_its_frame() -> None:
    image = sitk.GetImageFromArray(np.arange(12, dtype=np.uint8).reshape(3, 4))
    image.SetSpacing((2.0, 3.0))
    image.SetOrigin((10.0, -4.0))
    image.SetDirection((0.6, -0.8, 0.8, 0.6))
    fixed = cmr.correct(image, 5, geometry="follow")
    assert fixed.GetSize() == (3, 4) and fixed.GetSpacing() == (3.0, 2.0)
    for index in ((0, 0), (2, 1)):
        ((b, a),) = np.argwhere(voxels(fixed) == image[index])
        np.testing.assert_allclose(
            fixed.TransformIndexToPhysicalPoint((int(a), int(b))), image.TransformIndexToPhysicalPoint(index)
        )


def test_a_flat_nibabel_image_and_a_flat_metatensor_are_slices(recognizer: cmr.Recognizer) -> None:
    pytest.importorskip("torch")
    data = pytest.importorskip("monai.data")
    nibabel = pytest.importorskip("nibabel")
    volume = phantom(Orientation(1))
    flat = np.ascontiguousarray(volume.array[2].T)
    image = nibabel.Nifti1Image(flat, np.diag([1.3, 1.3, 8, 1]))
    assert recognizer.recognize(image).orientation == 1
    fixed = cmr.correct(image, 1)
    assert fixed.shape == image.shape and np.array_equal(np.asanyarray(fixed.dataobj), flat[::-1])
    for affine in (np.eye(3), np.eye(4)):
        tensor = data.MetaTensor(flat[np.newaxis], affine=affine)
        assert recognizer.recognize(tensor).orientation == 1
        turned = cmr.correct(tensor, 1)
        assert turned.shape == tensor.shape and turned.affine.shape == affine.shape
        assert np.array_equal(turned.numpy()[0], flat[::-1])


# What a library says besides.


def test_what_simpleitk_says_besides_is_kept() -> None:
    fixed = cmr.correct(as_simpleitk(stack((3, 5, 6, 8))), 6)
    assert fixed.GetMetaData("0008|103e") == "short axis"
    assert fixed.GetDimension() == 4 and fixed.GetSpacing()[3] == 0.04 and fixed.GetOrigin()[3] == 0.5


def test_a_nibabel_header_keeps_its_codes_and_what_names_an_axis_follows(tmp_path: Any) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = as_nibabel(stack())
    for sform, qform in ((1, 1), (2, 1), (1, 0), (0, 1)):
        image.set_sform(image.affine, sform)
        image.set_qform(image.affine, qform)
        fixed = cmr.correct(image, 4)
        assert (int(fixed.header["sform_code"]), int(fixed.header["qform_code"])) == (sform, qform)
        assert fixed.header.get_dim_info() == (1, 0, 2)
        assert bytes(fixed.header["descrip"]).rstrip(b"\0") == b"short axis"
        nibabel.save(fixed, tmp_path / "fixed.nii.gz")
        again = nibabel.load(tmp_path / "fixed.nii.gz")
        np.testing.assert_allclose(again.affine, fixed.affine, atol=1e-4)
        np.testing.assert_array_equal(np.asanyarray(again.dataobj), np.asanyarray(fixed.dataobj))


def test_a_nibabel_image_that_knows_no_place_stays_so() -> None:
    nibabel = pytest.importorskip("nibabel")
    image = nibabel.Nifti1Image(np.zeros((6, 5, 4), np.int16), None)
    image.header["sform_code"] = image.header["qform_code"] = 0
    assert to_volume(image).header_state == "none"
    fixed = cmr.correct(image, 4)
    assert fixed.shape == (5, 6, 4)
    assert int(fixed.header["sform_code"]) == int(fixed.header["qform_code"]) == 0


def test_other_nibabel_images_work_too() -> None:
    nibabel = pytest.importorskip("nibabel")
    volume = stack(dtype="float32")
    image = nibabel.MGHImage(np.ascontiguousarray(volume.array.T), np.diag([-1, -1, 1, 1]) @ volume.grid.affine)
    fixed = cmr.correct(image, 5, geometry="follow")
    assert isinstance(fixed, nibabel.MGHImage)
    np.testing.assert_array_equal(voxels(fixed), Orientation.ROTATE_270.apply(volume.array))


def test_scaled_nibabel_values_are_those_that_nibabel_shows(tmp_path: Any) -> None:
    nibabel = pytest.importorskip("nibabel")
    image = as_nibabel(stack())
    image.header.set_slope_inter(0.5, -3)
    nibabel.save(image, tmp_path / "scaled.nii")
    scaled = nibabel.load(tmp_path / "scaled.nii")
    np.testing.assert_array_equal(cmr.correct(scaled, 1).get_fdata(), scaled.get_fdata()[::-1])


def test_a_metatensor_keeps_metadata_and_trace_and_has_its_own() -> None:
    image = HELD["MetaTensor"](stack())
    fixed = cmr.correct(image, 4)
    assert fixed.meta["filename_or_obj"] == "case.nii.gz"
    assert fixed.applied_operations == [{"class": "LoadImage"}]
    fixed.applied_operations.append({})
    fixed.meta["more"] = 1
    assert len(image.applied_operations) == 1 and "more" not in image.meta


def test_a_metatensor_in_lps_stays_in_lps() -> None:
    image = HELD["MetaTensor"](stack())
    turned = image.clone()
    turned.affine = np.diag([-1.0, -1, 1, 1]) @ np.asarray(image.affine)
    turned.meta["space"] = "LPS"
    np.testing.assert_allclose(to_volume(turned).grid.affine, to_volume(image).grid.affine)
    fixed = cmr.correct(turned, 5, geometry="follow")
    np.testing.assert_allclose(to_volume(fixed).grid.affine, to_volume(cmr.correct(image, 5, "follow")).grid.affine)


def test_an_image_loaded_by_monai_is_taken_with_and_without_its_axis_of_channels(tmp_path: Any) -> None:
    pytest.importorskip("torch")
    transforms = pytest.importorskip("monai.transforms")
    volume = phantom(Orientation(3))
    cmr.write(volume, tmp_path / "case.nii.gz")
    plain = transforms.LoadImage(image_only=True)(tmp_path / "case.nii.gz")
    first = transforms.EnsureChannelFirst()(plain.clone())
    for image in (plain, first):
        read = to_volume(image)
        np.testing.assert_array_equal(read.array, volume.array)
        np.testing.assert_allclose(read.grid.affine, volume.grid.affine, atol=1e-4)
        assert cmr.correct(image, 3).shape == image.shape


def test_gradients_device_and_bfloat16_of_a_tensor_stay() -> None:
    torch = pytest.importorskip("torch")
    leaf = torch.rand(3, 4, 5, requires_grad=True)
    cmr.correct(leaf, 5)[0, 0, 0].backward()
    assert leaf.grad is not None and leaf.grad.sum() == 1
    half = torch.rand(3, 4, 5).to(torch.bfloat16)
    fixed = cmr.correct(half, 1)
    assert fixed.dtype is torch.bfloat16 and torch.equal(fixed, half.flip(-1))


def test_a_torchio_image_keeps_its_other_entries() -> None:
    fixed = cmr.correct(HELD["torchio"](stack()), 4)
    assert fixed["series"] == "short axis"


# Spacing.


def test_the_spacing_of_an_array_is_that_of_its_axes() -> None:
    assert to_volume(np.ones((3, 4, 5)), (8.0, 2.0, 1.0)).grid.spacing == (1.0, 2.0, 8.0)
    assert to_volume(np.ones((4, 5)), (2.0, 1.0)).grid.spacing[:2] == (1.0, 2.0)
    assert to_volume(np.ones((2, 3, 4, 5)), 1.5).grid.spacing == (1.5, 1.5, 1.5)


@pytest.mark.parametrize("spacing", [(1.0, 2.0), (1.0, 2.0, 0.0), (1.0, float("nan"), 1.0), -1.0])
def test_a_spacing_that_does_not_fit_is_told(spacing: Any) -> None:
    with pytest.raises(ValueError, match="lengths in mm"):
        to_volume(np.ones((3, 4, 5)), spacing)


@PLACED_KINDS
def test_an_image_that_has_a_spacing_takes_no_other(kind: str) -> None:
    with pytest.raises(ValueError, match="leave out 'spacing'"):
        to_volume(PLACED[kind](stack()), 1.0)
    with pytest.raises(ValueError, match="leave out 'spacing'"):
        to_volume(stack(), 1.0)


# What is no image says what to do.


@pytest.mark.parametrize(
    ("image", "error", "said"),
    [
        ("case.nii.gz", TypeError, r"case\.nii\.gz is a path.*CMROrientLib\.read"),
        ([[1, 2], [3, 4]], TypeError, r"builtins\.list is no image.*\[slice, row, column\]"),
        (np.ones(5), ValueError, r"1 axes: give \[row, column\]"),
        (np.ones((40, 50, 3)), ValueError, "colour picture"),
        (np.ones((3, 4, 5), complex), TypeError, "magnitude"),
        (np.full((3, 4, 5), "a"), TypeError, "not grey values"),
        (np.ones((3, 4, 1)), ValueError, "4 × 1 pixels"),
        (np.ones((0, 4, 5)), ValueError, "empty"),
        (sitk.Image([4, 4, 4], sitk.sitkVectorFloat32, 2), TypeError, "2 values a pixel"),
    ],
)
def test_what_is_no_image_says_what_to_do(image: Any, error: type, said: str, recognizer: cmr.Recognizer) -> None:
    for call in (recognizer.recognize, lambda given: cmr.correct(given, 1)):
        with pytest.raises(error, match=said):
            call(image)


def test_batches_and_subjects_say_what_to_do() -> None:
    torch = pytest.importorskip("torch")
    data = pytest.importorskip("monai.data")
    torchio = pytest.importorskip("torchio")
    batch = data.list_data_collate([data.MetaTensor(torch.ones(1, 4, 4, 4)) for _ in range(2)])
    with pytest.raises(ValueError, match="decollate_batch"):
        to_volume(batch)
    subject = torchio.Subject(mri=HELD["torchio"](stack()))
    with pytest.raises(TypeError, match=r"mri.*ToStandardOrientation"):
        to_volume(subject)


def test_undoing_needs_the_corrected_grid() -> None:
    image = as_simpleitk(stack())
    with pytest.raises(ValueError, match="give an image on the corrected grid"):
        cmr.undo(image, image, 4)


def test_a_volume_made_of_an_image_is_given_back_as_it_was() -> None:
    for kind, make in HELD.items():
        image = make(stack())
        same = from_volume(to_volume(image), image)
        np.testing.assert_array_equal(voxels(same), voxels(image), err_msg=kind)


def test_no_library_is_imported_to_ask() -> None:
    code = (
        "import sys, numpy, CMROrientLib as cmr\n"
        "cmr.correct(numpy.ones((3, 4, 5)), 4)\n"
        "found = {'torch', 'monai', 'torchio', 'SimpleITK', 'onnxruntime'} & sys.modules.keys()\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
