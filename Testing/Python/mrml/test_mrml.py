"""Slicer's nodes ↔ Volume: voxels, places, handedness, and what a saved file says after reloading."""

from __future__ import annotations

import numpy as np
import pytest
from slicer_host import add_cine, add_volume, application, places, save_and_load, scene, slicer, voxels  # noqa: F401

from CMROrientLib.correction import GEOMETRY_MODES, plan
from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml.input import images_of_scene, scene_image, slices_are_phases, volume_of, why_not
from CMROrientLib.mrml.nodes import (
    grid_from_node,
    motion,
    put_volume,
    right_handed,
    volume_from_node,
    volume_from_nodes,
)
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Grid, Volume

pytestmark = pytest.mark.usefixtures("scene")

SMALL = (36, 40)


@pytest.fixture(scope="module")
def phantom() -> Volume:
    return make_phantom(size=SMALL, slices=5)


def test_a_node_gives_the_voxels_and_places_it_was_made_of(phantom: Volume) -> None:
    volume = volume_from_node(add_volume(phantom))
    assert np.array_equal(volume.array, phantom.array) and volume.array.dtype == np.int16
    np.testing.assert_allclose(volume.grid.affine, phantom.grid.affine, atol=1e-6)


def test_a_volume_does_not_share_memory_with_its_node(phantom: Volume) -> None:
    node = add_volume(phantom)
    volume = volume_from_node(node)
    slicer.util.arrayFromVolume(node)[:] = 0
    assert np.array_equal(volume.array, phantom.array)


@pytest.mark.parametrize("kind", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "float32", "float64", "int64"])
def test_every_voxel_type_survives(kind: str) -> None:
    array = np.arange(24, dtype=kind).reshape(2, 3, 4)
    node = add_volume(Volume(array, Grid((4, 3, 2))))
    volume = volume_from_node(node, slice_axis=2)
    assert volume.array.dtype == array.dtype
    target = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "out")
    put_volume(
        target, volume.reindexed(Orientation.ROTATE_90, Orientation.IDENTITY), node.GetImageData().GetScalarType()
    )
    assert np.array_equal(voxels(target), np.rot90(array, -1, (1, 2))) and voxels(target).dtype == array.dtype


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_may_lie_along_any_stored_axis(axis: int) -> None:
    rng = np.random.default_rng(axis)
    shape, spacing = [30, 32, 34], [1.0, 1.2, 1.4]
    shape[axis], spacing[axis] = 6, 9.0
    node = add_volume(
        Volume(
            rng.integers(0, 9, shape[::-1], np.int16),
            Grid((shape[0], shape[1], shape[2]), (spacing[0], spacing[1], spacing[2])),
        )
    )
    volume = volume_from_node(node)
    assert volume.slice_axis == axis and volume.grid.size[2] == 6
    target = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "out")
    put_volume(target, volume, node.GetImageData().GetScalarType())
    assert np.array_equal(voxels(target), voxels(node))
    np.testing.assert_allclose(grid_from_node(target).affine, grid_from_node(node).affine, atol=1e-6)


@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("geometry", GEOMETRY_MODES)
@pytest.mark.parametrize("header", ["true", "false", "empty"])
def test_a_result_is_right_handed_with_every_voxel_in_its_place(
    orientation: Orientation, geometry: str, header: str
) -> None:
    stored = right_handed(make_phantom(size=SMALL, slices=4, orientation=orientation, header=header)).volume
    corrected = plan(orientation, stored.header_orientation(orientation), geometry).apply(stored)
    placed = right_handed(corrected)
    assert np.linalg.det(placed.volume.stored()[1].directions) > 0
    assert placed.slices_reversed == (np.linalg.det(corrected.grid.directions) < 0)
    # The last slice of the one is the first slice of the other, at the same place.
    last = corrected.grid.affine @ [0, 0, corrected.grid.size[2] - 1, 1]
    first = placed.volume.grid.affine @ [0, 0, 0 if placed.slices_reversed else corrected.grid.size[2] - 1, 1]
    np.testing.assert_allclose(first, last, atol=1e-9)
    order = slice(None, None, -1) if placed.slices_reversed else slice(None)
    assert np.array_equal(placed.volume.array[order], corrected.array)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd"])
@pytest.mark.parametrize("geometry", GEOMETRY_MODES)
def test_a_saved_result_reloads_with_the_same_voxels_at_the_same_places(tmp_path, suffix: str, geometry: str) -> None:
    for orientation in Orientation:
        stored = volume_from_node(
            add_volume(right_handed(make_phantom(size=SMALL, slices=4, orientation=orientation)).volume)
        )
        placed = right_handed(plan(orientation, stored.header_orientation(orientation), geometry).apply(stored))
        node = add_volume(placed.volume, f"result {orientation}")
        reloaded = save_and_load(node, tmp_path / f"{orientation}{suffix}")
        assert np.array_equal(voxels(reloaded), voxels(node)), orientation
        np.testing.assert_allclose(places(reloaded), places(node), atol=1e-4)


def test_slicer_reverses_left_handed_files_so_we_do_not_write_them(tmp_path, phantom: Volume) -> None:
    left = phantom.reindexed(Orientation.IDENTITY, Orientation.FLIP_HORIZONTAL)
    reloaded = save_and_load(add_volume(left), tmp_path / "left.nrrd")
    assert np.array_equal(voxels(reloaded), left.array[::-1]), (
        "Slicer changed its rule: the reversal is no longer needed"
    )
    assert right_handed(left).slices_reversed


@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("geometry", GEOMETRY_MODES)
def test_motion_takes_stored_places_to_corrected_places(orientation: Orientation, geometry: str) -> None:
    stored = make_phantom(size=SMALL, slices=4, orientation=orientation, header="false")
    corrected = plan(orientation, Orientation.IDENTITY, geometry).apply(stored)
    placed = right_handed(corrected)
    moved = motion(stored, placed.volume)
    np.testing.assert_allclose(abs(np.linalg.det(moved)), 1, atol=1e-9)
    if geometry == "follow":
        np.testing.assert_array_equal(moved, np.eye(4))
    # Follow one voxel by its value: an image of indices.
    marks = np.arange(stored.array.size).reshape(stored.array.shape)
    marked = plan(orientation, Orientation.IDENTITY, geometry).apply(Volume(marks, stored.grid))
    value = marks[1, 7, 11]
    k, j, i = (int(n) for n in np.argwhere(marked.array == value)[0])
    flip = np.diag([-1.0, -1, 1, 1])
    np.testing.assert_allclose(
        moved @ flip @ stored.grid.affine @ [11, 7, 1, 1], flip @ marked.grid.affine @ [i, j, k, 1], atol=1e-6
    )


def test_frames_on_different_grids_are_refused(phantom: Volume) -> None:
    other = Volume(phantom.array, Grid(phantom.grid.size, phantom.grid.spacing))
    with pytest.raises(CMROrientError, match="frame 2 differs"):
        volume_from_nodes([add_volume(phantom), add_volume(other)])


def test_a_cine_is_found_from_its_proxy_and_from_its_sequence() -> None:
    cine = make_phantom(size=SMALL, slices=3, phases=4)
    proxy, sequence, browser = add_cine(cine)
    for node in (proxy, sequence):
        image = scene_image(node)
        assert image.is_cine and image.sequence is sequence and image.browser is browser and image.node is proxy
        assert np.array_equal(volume_of(image).array, cine.array)


def test_a_sequence_without_a_browser_is_a_cine_too() -> None:
    _, sequence, _ = add_cine(make_phantom(size=SMALL, slices=3, phases=2), with_browser=False)
    image = scene_image(sequence)
    assert image.is_cine and image.node is None and volume_of(image).array.shape[0] == 2


def test_phases_stored_as_slices_are_refused_with_what_to_do() -> None:
    cine = make_phantom(size=(64, 64), slices=1, phases=12)
    as_slices = Volume(cine.array[:, 0], Grid((64, 64, 12), (1.5, 1.5, 1.0)))
    assert slices_are_phases(as_slices)
    with pytest.raises(CMROrientError, match=r"phases of one slice.*sequence"):
        volume_of(scene_image(add_volume(as_slices)))


def test_stacks_are_not_taken_for_phases(phantom: Volume) -> None:
    assert not slices_are_phases(make_phantom(size=(64, 64), slices=16))
    assert not slices_are_phases(Volume(np.zeros((8, 4, 4)), Grid((4, 4, 8))))
    assert not slices_are_phases(phantom)


def test_real_stacks_are_not_taken_for_phases_but_real_cines_are(data_root) -> None:
    pydicom = pytest.importorskip("pydicom")
    nibabel = pytest.importorskip("nibabel")
    for path in sorted((data_root / "mscmr").glob("*_DE.nii.gz"))[::5]:
        array = np.asanyarray(nibabel.load(path).dataobj).T
        assert not slices_are_phases(Volume(array, Grid(array.shape[::-1]))), path.name
    for folder in sorted((data_root / "dicom").glob("SCD*/cine_one_slice")):
        array = np.stack([pydicom.dcmread(file).pixel_array for file in sorted(folder.iterdir())])
        assert slices_are_phases(Volume(array, Grid(array.shape[::-1]))), folder


def test_reasons_say_what_to_do(phantom: Volume) -> None:
    label_map = add_volume(phantom, "labels", "vtkMRMLLabelMapVolumeNode")
    colour = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    slicer.util.updateVolumeFromArray(colour, np.zeros((2, 3, 4, 3), np.uint8))
    phases = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "phases")
    slicer.util.updateVolumeFromArray(phases, np.zeros((2, 3, 4, 20), np.uint8))
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", "empty sequence")
    for node, said in (
        (None, "Select a volume"),
        (label_map, "label map"),
        (colour, "colour image"),
        (phases, "Load it as a sequence"),
        (empty, "no voxels"),
        (sequence, "no frames"),
    ):
        reason = why_not(node)
        assert reason is not None and said in reason
    assert why_not(add_volume(phantom)) is None


class _MultiVolume:
    """A node of MultiVolumeExplorer's class, which the host's MRML lacks."""

    def IsA(self, name: str) -> bool:
        return name in ("vtkMRMLMultiVolumeNode", "vtkMRMLScalarVolumeNode")


def test_a_multi_volume_is_refused_with_what_to_do() -> None:
    reason = why_not(_MultiVolume())
    assert reason is not None and "multi-volume" in reason and "Volume Sequence" in reason


def test_the_scene_lists_each_image_once(phantom: Volume) -> None:
    volume = add_volume(phantom, "stack")
    add_volume(phantom, "labels", "vtkMRMLLabelMapVolumeNode")
    _, sequence, _ = add_cine(make_phantom(size=SMALL, slices=3, phases=2))
    found = images_of_scene(slicer.mrmlScene)
    assert [image.main for image in found] == [volume, sequence]
