# ruff: noqa: F401 (pytest takes fixtures by their names)
"""Images of one study that share a grid or make one stack are decided on together, on real MRML."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from slicer_host import add_cine, add_volume, application, in_study, loaded_one_by_one, scene, slicer

from CMROrientLib.mrml.all_images import correct_all, examine_all
from CMROrientLib.mrml.groups import STUDY, Group, group_of, study_of
from CMROrientLib.mrml.input import scene_image
from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.session import correct, examine, examine_group
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.volume import Grid, Volume

pytestmark = pytest.mark.usefixtures("scene")

SIZE, SLICES = (130, 160), 5


def stack(orientation: int, slices: int = SLICES) -> Volume:
    volume = make_phantom(size=SIZE, slices=slices, orientation=orientation, header="false")
    return right_handed(volume).volume


def test_the_study_is_the_hierarchys_or_what_the_node_says() -> None:
    node = add_volume(stack(0, 2))
    assert study_of(scene_image(node)) == ()
    node.SetAttribute(STUDY, "9.8")
    assert study_of(scene_image(node)) == ("uid", "9.8")
    item = in_study([node], uid="")
    assert study_of(scene_image(node)) == ("item", str(item))
    in_study([node], uid="1.2.3")
    assert study_of(scene_image(node)) == ("uid", "1.2.3")


def test_series_of_one_stack_get_one_decision() -> None:
    nodes = loaded_one_by_one(stack(2))
    in_study(nodes)
    alone = Recognizer(looks="full").recognize(Volume(stack(2).array[:1], scene_grid(nodes[0])))
    examined = examine(nodes[0], Recognizer())
    group = examined.group
    assert group is not None and group.kind == "stack"
    assert {image.name for image in group.images} == {node.GetName() for node in nodes}
    result = examined.recognition
    assert result.orientation == 2 and result.together == SLICES and result.acted_on
    assert result.confidence > alone.confidence
    assert f"together with {SLICES - 1} other images" in result.words
    made = correct(examined, result, "keep")
    assert made.main.GetName() == "SAX 1 standard"


@pytest.mark.parametrize("backwards", [False, True])
def test_the_order_of_a_stack_is_that_in_which_the_scene_lists_it(backwards: bool) -> None:
    volume = stack(2, 8)
    whole = Recognizer(looks="full").recognize(volume)
    assert whole.slice_order != "unknown"
    other = {"base_first": "apex_first", "apex_first": "base_first"}[whole.slice_order]
    nodes = loaded_one_by_one(volume, backwards=backwards)
    in_study(nodes)
    found, _left = examine_all(slicer.mrmlScene, Recognizer())
    assert {one.recognition.slice_order for one in found} == {other if backwards else whole.slice_order}
    (made, *_rest), _left = correct_all(slicer.mrmlScene, found, "keep", write_mirrored=True)
    assert made.main.GetAttribute("CMROrient.SliceOrder") == found[0].recognition.slice_order


def scene_grid(node: Any) -> Grid:
    from CMROrientLib.mrml.nodes import volume_from_node

    return volume_from_node(node).grid


def test_apply_to_all_corrects_each_of_the_stack_alike_with_what_lies_on_it() -> None:
    nodes = loaded_one_by_one(stack(5))
    other = add_volume(stack(0), "other")
    in_study(nodes)
    labels = slicer.modules.volumes.logic().CreateAndAddLabelVolume(slicer.mrmlScene, nodes[1], "labels of 2")
    slicer.util.arrayFromVolume(labels)[:] = 1
    found, left = examine_all(slicer.mrmlScene, Recognizer())
    assert not left
    assert [one.image.main for one in found] == [*nodes, other]
    assert [one.recognition.together for one in found] == [SLICES] * SLICES + [1]
    made, left = correct_all(slicer.mrmlScene, found, "keep", write_mirrored=True)
    assert [one.main.GetName() for one in made] == [f"{node.GetName()} standard" for node in nodes]
    assert [one.correction for one in made] == [made[0].correction] * SLICES
    assert [[node.GetName() for node in one.segmentations] for one in made][1] == ["labels of 2 standard"]
    assert [name for name, _why in left] == ["other"]


@pytest.mark.parametrize("apart", ["no study", "two studies"])
def test_nothing_is_joined_without_a_study_or_across_studies(apart: str) -> None:
    nodes = loaded_one_by_one(stack(2, 3))
    if apart == "two studies":
        in_study(nodes[:1], "1.2.3")
        in_study(nodes[1:2], "1.2.4")
    assert group_of(scene_image(nodes[0])) is None
    assert examine(nodes[0], Recognizer()).recognition.together == 1


def test_sequences_on_one_grid_that_contradict_each_other_are_all_left_alone() -> None:
    one = add_volume(stack(2), "LGE")
    # The same place with other pixels: somebody turned them and left the header.
    turned = Volume(stack(2).array[:, ::-1], scene_grid(one))
    two = add_volume(Volume(np.ascontiguousarray(turned.array), turned.grid), "T2")
    in_study([one, two])
    found, _left = examine_all(slicer.mrmlScene, Recognizer())
    assert [examined.recognition.decision for examined in found] == ["uncertain", "uncertain"]
    assert found[0].recognition.dissent == (0, 2)
    made, left = correct_all(slicer.mrmlScene, found)
    assert not made and all("different orientations" in why for _name, why in left)


def test_what_cannot_be_looked_at_has_no_part_in_the_decision() -> None:
    nodes = loaded_one_by_one(stack(2))
    in_study(nodes)
    slicer.util.arrayFromVolume(nodes[2])[:] = 7
    found, left = examine_all(slicer.mrmlScene, Recognizer())
    assert [one.recognition.together for one in found] == [SLICES - 1] * (SLICES - 1)
    assert [name for name, _why in left] == ["SAX 3"] and "nothing to see" in left[0][1]
    assert examine(nodes[0], Recognizer()).recognition.together == SLICES - 1


def test_results_are_not_looked_at_with_what_they_were_made_of() -> None:
    nodes = loaded_one_by_one(stack(2))
    in_study(nodes)
    found, _left = examine_all(slicer.mrmlScene, Recognizer())
    made, _left = correct_all(slicer.mrmlScene, found, "keep", write_mirrored=True)
    assert len(made) == SLICES
    again = examine(nodes[0], Recognizer())
    assert again.group is not None and len(again.group.images) == SLICES


def test_a_cine_belongs_to_the_study_of_its_proxy() -> None:
    cine = right_handed(make_phantom(size=(40, 50), slices=2, phases=2, header="false")).volume
    proxy, sequence, _browser = add_cine(cine)
    still = add_volume(Volume(cine.array[0], cine.grid), "still")
    in_study([proxy, still])
    group = group_of(scene_image(sequence))
    assert group is not None and group.kind == "sequences" and len(group.images) == 2


def test_one_that_is_removed_meanwhile_is_named() -> None:
    nodes = loaded_one_by_one(stack(2))
    in_study(nodes)
    done: list[int] = []

    def remove_the_last(_done: int, _total: int) -> None:
        if not done:
            done.append(1)
            slicer.mrmlScene.RemoveNode(nodes[-1])

    found, left = examine_all(slicer.mrmlScene, Recognizer(), remove_the_last)
    assert [one.image.main for one in found] == nodes[:-1]
    assert [name for name, _why in left] == [f"SAX {SLICES}"] and "removed" in left[0][1]


def test_a_stack_whose_series_are_all_removed_meanwhile_is_named_and_the_others_go_on() -> None:
    stays, goes = loaded_one_by_one(stack(2), "stays"), loaded_one_by_one(stack(3), "goes")
    in_study(stays, "1.2.3")
    in_study(goes, "4.5.6")

    def remove(_done: int, _total: int) -> None:
        while goes:
            slicer.mrmlScene.RemoveNode(goes.pop())

    found, left = examine_all(slicer.mrmlScene, Recognizer(), remove)
    assert not goes and len(found) == SLICES
    assert {one.image.name for one in found} == {node.GetName() for node in stays}
    assert {name: "removed" in why for name, why in left} == {f"goes {n + 1}": True for n in range(SLICES)}
    nothing = Group("stack", ())
    assert examine_group(nothing, Recognizer()) == ([], [])
