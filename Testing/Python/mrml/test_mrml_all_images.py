# ruff: noqa: F401 (pytest takes fixtures by their names)
"""Every image of a scene corrected at once: segmentations and label maps follow the image that they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slicer_host import add_cine, add_volume, application, places, scene, slicer, voxels

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml import session
from CMROrientLib.mrml.all_images import correct_all
from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Grid, Volume

pytestmark = pytest.mark.usefixtures("scene")

SMALL = (40, 50)


def person(orientation: int, name: str, shift: float = 0.0) -> tuple[Any, Any]:
    """(image, label map) of somebody who lies ``shift`` mm away from the others."""
    both = make_phantom(size=SMALL, slices=3, orientation=orientation, header="false", with_mask=True)
    image, mask = (right_handed(moved(volume, shift)).volume for volume in both)
    return add_volume(image, name), add_volume(mask, f"{name} labels", "vtkMRMLLabelMapVolumeNode")


def moved(volume: Volume, shift: float) -> Volume:
    grid = volume.grid
    origin = tuple(float(value + shift) for value in grid.origin)
    return Volume(volume.array, Grid(grid.size, grid.spacing, origin, grid.direction), volume.slice_axis)


def drawn_on(image: Any, labels: Any, name: str, reference: bool = True) -> Any:
    """A segmentation as the Segment Editor leaves it, or as a file brings it: without a reference."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.SetReferenceImageGeometryParameterFromVolumeNode(image)
    node.GetSegmentation().AddEmptySegment("LV", "left ventricle")
    slicer.util.updateSegmentBinaryLabelmapFromArray((voxels(labels) == 3).astype(np.uint8), node, "LV", image)
    if not reference:
        node.SetNodeReferenceID(node.GetReferenceImageGeometryReferenceRole(), None)
    return node


def all_decided(*decisions: tuple[Any, int], **options: Any) -> tuple[dict[str, list[str]], dict[str, str]]:
    """What followed each result, by name, and why something was left alone."""
    found = [session.decide(node, orientation) for node, orientation in decisions]
    made, left = correct_all(slicer.mrmlScene, found, "keep", True, **options)
    return {one.main.GetName(): [node.GetName() for node in one.segmentations] for one in made}, dict(left)


def test_each_follows_its_own_image() -> None:
    (one, labels), (two, others) = person(2, "one"), person(5, "two", 100)
    drawn_on(one, labels, "on one")
    drawn_on(two, others, "on two", reference=False)
    made, left = all_decided((one, 2), (two, 5))
    assert made == {
        "one standard": ["on one standard", "one labels standard"],
        "two standard": ["on two standard", "two labels standard"],
    }
    assert not left
    followed, image = (slicer.util.getNode(f"two{name} standard") for name in (" labels", ""))
    np.testing.assert_allclose(places(followed), places(image), atol=1e-6)
    # As it lay on the heart: the ventricle's voxels are those that they were.
    before = voxels(two)[voxels(others) == 3]
    assert sorted(voxels(image)[voxels(followed) == 3]) == sorted(before)


def test_nothing_follows_an_image_that_is_left_alone() -> None:
    one, labels = person(0, "one")
    drawn_on(one, labels, "on one")
    made, left = all_decided((one, 0))
    assert not made and left.keys() == {"one"}


def test_a_mask_on_images_that_are_corrected_alike_follows_once() -> None:
    one, _labels = person(2, "LGE")
    two = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, one, "T2")
    made, left = all_decided((one, 2), (two, 2))
    assert made == {"LGE standard": ["LGE labels standard"], "T2 standard": []} and not left


def test_a_mask_that_could_belong_to_either_is_named() -> None:
    one, _labels = person(2, "LGE")
    two = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, one, "T2")
    made, left = all_decided((one, 2), (two, 3))
    assert made == {"LGE standard": [], "T2 standard": []}
    assert "several images" in left["LGE labels"]


def test_a_mask_that_lies_elsewhere_or_between_voxels_stays() -> None:
    one, labels = person(2, "one")
    add_volume(
        moved(right_handed(make_phantom(size=SMALL, slices=3)).volume, 0.7), "shifted", "vtkMRMLLabelMapVolumeNode"
    )
    slicer.mrmlScene.RemoveNode(labels)
    other = add_volume(make_phantom(size=(32, 32), slices=2), "other")
    assert all_decided((one, 2)) == ({"one standard": []}, {})
    assert other.GetName() == "other"


def test_a_part_of_an_image_in_another_order_of_voxels_belongs_to_it() -> None:
    one, labels = person(2, "one")
    stored = right_handed(make_phantom(size=SMALL, slices=3, orientation=2, header="false")).volume
    part = Volume(
        np.ones((2, 6, 5), np.int16),
        Grid((5, 6, 2), stored.grid.spacing, tuple(stored.grid.affine[:3] @ [4, 9, 1, 1]), stored.grid.direction),
    )
    slicer.mrmlScene.RemoveNode(labels)
    add_volume(right_handed(part.reindexed(*(2 * [Orientation(3)]))).volume, "part", "vtkMRMLLabelMapVolumeNode")
    assert all_decided((one, 2))[0] == {"one standard": ["part standard"]}


def test_what_was_ticked_follows_the_chosen_image_wherever_it_lies() -> None:
    (one, labels), (two, _others) = person(2, "one"), person(5, "two", 100)
    coarse = add_volume(make_phantom(size=(32, 32), slices=2), "coarse", "vtkMRMLLabelMapVolumeNode")
    made, _left = all_decided((one, 2), (two, 5), ticked=(two, [coarse, labels]))
    assert made == {
        "one standard": [],
        "two standard": ["coarse standard", "one labels standard", "two labels standard"],
    }


def test_only_the_masks_that_are_given_or_none() -> None:
    one, labels = person(2, "one")
    drawn_on(one, labels, "on one")
    assert all_decided((one, 2), masks=[labels])[0] == {"one standard": ["one labels standard"]}
    assert all_decided((one, 2), masks=[])[0] == {"one standard_1": []}


def test_results_and_what_followed_them_follow_nothing() -> None:
    one, labels = person(2, "one")
    drawn_on(one, labels, "on one")
    assert len(all_decided((one, 2))[0]["one standard"]) == 2
    assert len(next(iter(all_decided((one, 2))[0].values()))) == 2


def test_a_segmentation_of_a_cine_follows_its_sequence() -> None:
    cine = right_handed(make_phantom(size=SMALL, slices=2, phases=3, orientation=3, header="false")).volume
    proxy, sequence, _browser = add_cine(cine)
    labels = add_volume(
        Volume(np.ones(cine.array.shape[1:], np.int16), cine.grid), "phase", "vtkMRMLLabelMapVolumeNode"
    )
    drawn_on(proxy, labels, "ED")
    made, left = all_decided((sequence, 3))
    assert made == {"cine standard": ["ED standard", "phase standard"]} and not left


def test_an_error_leaves_the_scene_as_it_was() -> None:
    one, labels = person(2, "one")
    drawn_on(one, labels, "on one")
    before = slicer.mrmlScene.GetNumberOfNodes()
    with pytest.raises(CMROrientError):
        all_decided((one, 2), ticked=(one, [one]))
    assert slicer.mrmlScene.GetNumberOfNodes() == before
