"""Results in the scene: display, place, provenance, table, segmentations, and nothing left after an error."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from corrections import SMALL, correct, decided_and_corrected, node_ids, stored
from slicer_host import add_cine, add_volume, application, places, save_and_load, scene, slicer, voxels  # noqa: F401

from CMROrientLib.correction import GEOMETRY_MODES
from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml import rollback
from CMROrientLib.mrml.display import show
from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.rollback import scene_as_it_was
from CMROrientLib.mrml.votes import votes_table
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.recognition.recognizer import decided
from CMROrientLib.volume import Grid, Volume

pytestmark = pytest.mark.usefixtures("scene")


def test_the_result_is_a_new_volume_that_looks_like_the_input() -> None:
    node = add_volume(stored(), "SAX")
    display = node.GetDisplayNode()
    display.SetAutoWindowLevel(False)
    display.SetWindowLevel(321, 123)
    display.SetAndObserveColorNodeID("vtkMRMLColorTableNodeRed")
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    study = hierarchy.CreateStudyItem(hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "P1"), "MR")
    hierarchy.CreateItem(study, node)
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "registration")
    node.SetAndObserveTransformNodeID(transform.GetID())
    before, grid = voxels(node), places(node)

    written = correct(node, 2)

    assert written.node.GetName() == "SAX standard" and written.node is not node
    shown = written.node.GetDisplayNode()
    assert shown is not display and (shown.GetWindow(), shown.GetLevel()) == (321, 123)
    assert not shown.GetAutoWindowLevel() and shown.GetColorNodeID() == "vtkMRMLColorTableNodeRed"
    assert hierarchy.GetItemParent(hierarchy.GetItemByDataNode(written.node)) == study
    assert written.node.GetTransformNodeID() == transform.GetID()
    assert np.array_equal(voxels(node), before) and np.array_equal(places(node), grid), "the input was changed"


@pytest.mark.parametrize("geometry", GEOMETRY_MODES)
def test_all_eight_orientations_come_back_saved_and_reloaded(tmp_path: Path, geometry: str) -> None:
    original = make_phantom(size=SMALL, slices=4)
    for orientation in Orientation:
        node = add_volume(
            right_handed(make_phantom(size=SMALL, slices=4, orientation=orientation)).volume, f"class {orientation}"
        )
        reversed_on_loading = right_handed(make_phantom(size=SMALL, slices=4, orientation=orientation)).slices_reversed
        written = correct(node, orientation, geometry)
        reloaded = save_and_load(written.node, tmp_path / f"{geometry}{orientation}.nii.gz")
        reversals = reversed_on_loading + written.slices_reversed
        order = slice(None, None, -1) if reversals == 1 else slice(None)
        assert np.array_equal(voxels(reloaded)[order], original.array), (orientation, geometry)
        corners = {tuple(np.round(place, 3) + 0.0) for place in places(node)}
        after = {tuple(np.round(place, 3) + 0.0) for place in places(reloaded)}
        assert (after == corners) == (geometry != "keep" or not orientation.exchanges_axes), (orientation, geometry)
        np.testing.assert_allclose(places(reloaded).mean(0), places(node).mean(0), atol=1e-3)
        np.testing.assert_allclose(places(reloaded), places(written.node), atol=1e-4)


def test_dicom_ties_go_when_voxels_are_reordered_and_stay_when_nothing_is() -> None:
    turned, kept = add_volume(stored(2), "turned"), add_volume(stored(0), "kept")
    for node in (turned, kept):
        node.SetAttribute("DICOM.instanceUIDs", "1.2 1.3")
        node.SetAttribute("DICOM.MagneticFieldStrength", "1.5")
    first, second = correct(turned, 2).node, correct(kept, 0).node
    assert first.GetAttribute("DICOM.instanceUIDs") is None
    assert first.GetAttribute("DICOM.MagneticFieldStrength") == "1.5"
    assert second.GetAttribute("DICOM.instanceUIDs") == "1.2 1.3"


def test_provenance_is_kept_as_attributes() -> None:
    node = add_volume(stored(1), "SAX")
    made = correct(node, 1, "follow").node
    said = {name: made.GetAttribute(name) for name in made.GetAttributeNames()}
    assert said["CMROrient.Orientation"] == "1 FLIP_HORIZONTAL"
    assert said["CMROrient.DecidedBy"] == "user"
    assert said["CMROrient.Geometry"] == "follow" and said["CMROrient.GeometryClass"] == "1 FLIP_HORIZONTAL"
    assert said["CMROrient.Model"] == "universal" and said["CMROrient.ModelChecksum"] == "ab" * 32
    assert said["CMROrient.Version"] and said["CMROrient.SlicesReversed"] in ("yes", "no")
    assert made.GetNodeReference("CMROrient.source") is node


def test_a_mirrored_result_says_that_its_slices_were_reversed() -> None:
    node = add_volume(stored(1, header="false"), "SAX")
    written = correct(node, 1, "follow")
    assert written.slices_reversed and written.node.GetAttribute("CMROrient.SlicesReversed") == "yes"


def test_an_existing_volume_can_be_the_output_but_not_the_input() -> None:
    node = add_volume(stored(3), "SAX")
    target = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "mine")
    assert correct(node, 3, output=target).node is target and target.GetName() == "mine"
    assert np.array_equal(voxels(target), np.rot90(voxels(node), 2, (1, 2)))
    with pytest.raises(CMROrientError, match="the input stays as it is"):
        correct(node, 3, output=node)


@pytest.mark.parametrize("orientation", list(Orientation))
@pytest.mark.parametrize("geometry", GEOMETRY_MODES)
def test_masks_follow_their_image(orientation: Orientation, geometry: str) -> None:
    image, mask = make_phantom(size=SMALL, slices=4, orientation=orientation, header="false", with_mask=True)
    node = add_volume(right_handed(image).volume, "SAX")
    labels = add_volume(right_handed(mask).volume, "labels", "vtkMRMLLabelMapVolumeNode")
    segmentation = segmentation_of(labels, node)
    written = correct(node, orientation, geometry, segmentations=[labels, segmentation])
    followed, segments = written.segmentations
    # Voxel for voxel on the corrected image: what lay on a voxel of the image still does.
    expected = {(value, int(label)) for value, label in zip(voxels(node).ravel(), voxels(labels).ravel(), strict=True)}
    got = {
        (value, int(label)) for value, label in zip(voxels(written.node).ravel(), voxels(followed).ravel(), strict=True)
    }
    assert got == expected
    np.testing.assert_allclose(places(followed), places(written.node), atol=1e-6)
    for index, segment in enumerate(("RV", "MYO", "LV"), 1):
        array = slicer.util.arrayFromSegmentBinaryLabelmap(segments, segment, written.node)
        assert np.array_equal(array > 0, voxels(followed) == index), segment
    assert segments.GetName() == "segmentation standard"
    assert segments.GetSegmentation().GetSegment("LV").GetName() == "left ventricle"
    assert segments.GetAttribute("CMROrient.Geometry") == geometry


def segmentation_of(labels: Any, image: Any) -> Any:
    """A segmentation with a segment for each value, on the image's grid."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "segmentation")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(image)
    for value, (name, title) in enumerate(
        (("RV", "right ventricle"), ("MYO", "myocardium"), ("LV", "left ventricle")), 1
    ):
        node.GetSegmentation().AddEmptySegment(name, title)
        array = (voxels(labels) == value).astype(np.uint8)
        slicer.util.updateSegmentBinaryLabelmapFromArray(array, node, name, image)
    return node


def test_segments_of_one_layer_are_turned_once() -> None:
    image, mask = make_phantom(size=SMALL, slices=4, orientation=6, header="false", with_mask=True)
    node, labels = add_volume(image, "SAX"), add_volume(mask, "labels", "vtkMRMLLabelMapVolumeNode")
    segmentation = segmentation_of(labels, node)
    segmentation.GetSegmentation().CollapseBinaryLabelmaps(True)
    assert segmentation.GetSegmentation().GetNumberOfLayers() == 1
    written = correct(node, 6, "keep", segmentations=[segmentation])
    followed = written.segmentations[0]
    assert followed.GetSegmentation().GetNumberOfLayers() == 1
    array = slicer.util.arrayFromSegmentBinaryLabelmap(followed, "LV", written.node)
    assert np.array_equal(array > 0, Orientation(6).inverse.apply(mask.array == 3))


def test_a_mask_smaller_than_its_image_keeps_its_place_on_the_heart() -> None:
    image = make_phantom(size=SMALL, slices=4, orientation=5, header="false")
    node = add_volume(image, "SAX")
    part = Volume(
        np.arange(2 * 6 * 5, dtype=np.int16).reshape(2, 6, 5),
        Grid((5, 6, 2), image.grid.spacing, tuple(image.grid.affine[:3] @ [4, 9, 1, 1]), image.grid.direction),
    )
    labels = add_volume(part, "part", "vtkMRMLLabelMapVolumeNode")
    written = correct(node, 5, "keep", segmentations=[labels])
    whole = np.full(image.array.shape, -1, np.int16)
    whole[1:3, 9:15, 4:9] = part.array
    expected = Orientation(5).inverse.apply(whole)
    followed = written.segmentations[0]
    offset = np.linalg.inv(grid(written.node)) @ [*places(followed)[0], 1]
    i, j, k = (round(value) for value in offset[:3])
    np.testing.assert_allclose(offset[:3], [i, j, k], atol=1e-6)
    size = voxels(followed).shape
    assert np.array_equal(expected[k : k + size[0], j : j + size[1], i : i + size[2]], voxels(followed))


def grid(node: Any) -> np.ndarray:
    from CMROrientLib.mrml.nodes import grid_from_node

    return grid_from_node(node).affine


def test_votes_are_a_table_that_saves(tmp_path: Path) -> None:
    result = decided(stored(), 2)
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(8), 4)
    seen = SimpleNamespace(
        slice_order="unknown",
        slice_indices=np.array([[0, s] for s in range(4)]),
        slice_probabilities=probabilities,
        agreement=np.array([1, 0.875, 1, 0.5]),
        votes=np.bincount(probabilities.argmax(1), minlength=8),
    )
    node = votes_table(slicer.mrmlScene, seen, "SAX")
    assert result.decided_by == "user" and node.GetName() == "SAX votes"
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTableStorageNode")
    storage.SetFileName(str(tmp_path / "votes.tsv"))
    assert storage.WriteData(node)
    lines = (tmp_path / "votes.tsv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 5 and lines[0].split("\t")[:4] == ["Phase", "Slice", "Class", "Orientation"]
    assert lines[0].split("\t")[6:] == [f"P{k.value} {k.label}" for k in Orientation]
    assert node.GetTable().GetColumnByName("Slice").GetValue(0) == 1
    assert node.GetTable().GetColumnByName("Agreement").GetValue(1) == pytest.approx(0.875)


def test_the_votes_are_headed_in_the_application_s_language_and_named_in_english(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(slicer.app, "translator", lambda _context, text: {"Slice": "Schicht"}.get(text, text[::-1]))
    seen = SimpleNamespace(
        slice_order="unknown",
        slice_indices=np.array([[0, 3]]),
        slice_probabilities=np.eye(8)[2:3],
        agreement=np.ones(1),
        votes=np.eye(8)[2],
    )
    node = votes_table(slicer.mrmlScene, seen, "SAX")
    table = node.GetTable()
    assert node.GetColumnTitle("Slice") == "Schicht" and table.GetColumnByName("Slice").GetValue(0) == 4
    assert node.GetColumnTitle("P2 flipped upside down") == "P2 nwod edispu deppilf"
    assert table.GetColumnByName("P2 flipped upside down").GetValue(0) == 1


def test_results_are_shown_turned_to_their_plane() -> None:
    written = correct(add_volume(stored(2), "SAX"), 2)
    assert show(written.node)
    composite = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetBackgroundVolumeID() == written.node.GetID()
    # The first view shows the slices as they are stored: columns to the right, rows downwards.
    view = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode().GetSliceToRAS()
    axes = np.array([[view.GetElement(row, column) for column in range(3)] for row in range(3)])
    directions = (grid(written.node)[:3, :3] / np.linalg.norm(grid(written.node)[:3, :3], axis=0)) * [[-1], [-1], [1]]
    np.testing.assert_allclose(axes[:, 0], directions[:, 0], atol=1e-6)
    np.testing.assert_allclose(axes[:, 1], -directions[:, 1], atol=1e-6)


def test_without_views_nothing_is_shown() -> None:
    slicer.app.hasViews = False
    assert not show(add_volume(stored()))


def test_an_error_leaves_the_scene_as_it_was() -> None:
    node = add_volume(stored(2), "SAX")
    before = node_ids()
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "empty")
    with pytest.raises(CMROrientError, match="no voxels"):
        correct(node, 2, segmentations=[empty])
    slicer.mrmlScene.RemoveNode(empty)
    assert node_ids() == before
    with pytest.raises(KeyboardInterrupt), scene_as_it_was(slicer.mrmlScene):
        add_volume(stored(2), "half done")
        raise KeyboardInterrupt
    assert node_ids() == before


def coded(*said: str) -> Any:
    """An entry of a terminology: (value, scheme, meaning)."""
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(*said)
    return entry


def test_what_can_be_undone_is_noted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    noted, watch = [], rollback._noted
    copied, copy = [], rollback._copy
    monkeypatch.setattr(rollback, "_noted", lambda *given: (noted.append(given), watch(*given))[1])
    monkeypatch.setattr(rollback, "_copy", lambda display: (copied.append(display), copy(display))[1])
    decided_and_corrected(add_volume(stored(2)), 2, output=add_volume(stored(0), "mine"))
    assert len(noted) == len(copied) == 1


@pytest.mark.parametrize("phases", [1, 2])
def test_a_follower_that_fails_takes_everything_back(phases: int, monkeypatch: pytest.MonkeyPatch) -> None:
    from CMROrientLib.mrml import output as mrml_output

    def fail(*_: Any) -> None:
        raise MemoryError

    image, mask = make_phantom(size=SMALL, slices=4, orientation=3, phases=phases, with_mask=True)
    labels = Volume(mask.array if phases == 1 else mask.array[0], mask.grid)
    following = [add_volume(labels, f"labels {n}", "vtkMRMLLabelMapVolumeNode") for n in range(2)]
    output = browser = None
    if phases == 1:
        node = add_volume(image)
        output = add_volume(stored(0), "mine")
        before, corners = voxels(output), places(output)
        node.SetVoxelValueQuantity(coded("110852", "DCM", "MR signal intensity"))
        node.SetVoxelValueUnits(coded("1", "UCUM", "no units"))
        output.SetVoxelValueUnits(units := coded("ms", "UCUM", "millisecond"))
    else:
        node, _, browser = add_cine(image)
    ids = node_ids()
    follow, calls = mrml_output.follow_label_map, []
    monkeypatch.setattr(
        mrml_output, "follow_label_map", lambda *given: (calls.append(1), fail() if calls[1:] else follow(*given))
    )
    with pytest.raises(MemoryError):
        decided_and_corrected(node, 3, output=output, segmentations=following)
    assert node_ids() == ids
    if output is not None:
        assert np.array_equal(voxels(output), before) and np.array_equal(places(output), corners)
        assert output.GetAttribute("CMROrient.Orientation") is None
        assert output.GetVoxelValueQuantity() is None and output.GetVoxelValueUnits() is units
    if browser is not None:
        assert browser.GetNumberOfSynchronizedSequenceNodes(True) == 1
