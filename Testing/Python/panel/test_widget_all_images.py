# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Apply to all on the panel: every image of the scene, what is left, what follows, and cancel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from panel_driver import answer, heart, names, opened, panel, phantom_node, press
from slicer_host import add_cine, application, host, scene, slicer

pytestmark = pytest.mark.usefixtures("scene")


def test_apply_to_all_corrects_names_what_is_left_and_asks_once(panel: Any) -> None:
    phantom_node(2, name="upside down")
    phantom_node(0, name="in order")
    phantom_node(1, "false", name="mirrored")
    add_cine(heart(3, phases=2, slices=3))
    panel.enter()
    texts = answer("No")
    press(panel.ui.applyAllButton)
    assert len(texts) == 1 and "mirrored" in texts[0] and "upside down" not in texts[0].splitlines()
    found = names()
    assert {"upside down standard", "cine standard"} <= found
    assert not {"in order standard", "mirrored standard"} & found
    said = panel.ui.resultLabel.text
    assert "2 images corrected" in said and "in order" in said and "mirror" in said
    # What was made is not corrected again; what was declined can be accepted now.
    answer("Yes")
    press(panel.ui.applyAllButton)
    assert "mirrored standard" in names() and "upside down standard standard" not in names()


def test_segmentations_follow_under_apply_to_all(panel: Any) -> None:
    one = phantom_node(2, name="one")
    phantom_node(3, name="two")
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "ventricles")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(one)
    panel.enter()
    press(panel.ui.applyAllButton)
    followed = slicer.util.getNode("ventricles standard")
    assert followed.GetNodeReference("CMROrient.source") is segmentation
    said = panel.ui.resultLabel.text
    assert "2 images corrected" in said and "Followed: “ventricles standard”." in said


def apply_all_and_meanwhile(panel: Any, action: Callable[[], object]) -> None:
    """Apply to all; when one image is written, and events come through for the next, something happens."""
    import qt

    writing, done_once = panel.panel.task._show, []

    def show(running: bool, sentence: str, done: int, total: int) -> None:
        writing(running, sentence, done, total)
        if sentence == "Writing" and done == 1 and not done_once:
            done_once.append(True)
            qt.QTimer.singleShot(0, action)

    panel.panel.task._show = show
    try:
        press(panel.ui.applyAllButton)
    finally:
        panel.panel.task._show = writing
    assert done_once


def node_ids() -> set[str]:
    scene = slicer.mrmlScene
    return {scene.GetNthNode(index).GetID() for index in range(scene.GetNumberOfNodes())}


def test_cancelling_apply_to_all_leaves_the_scene_as_it_was(panel: Any) -> None:
    phantom_node(2, name="one")
    phantom_node(3, name="two")
    panel.enter()
    before = names()
    apply_all_and_meanwhile(panel, panel.ui.cancelButton.click)
    assert "Cancelled" in panel.ui.statusLabel.text and names() == before


def test_cancelling_apply_to_all_leaves_what_the_person_added_meanwhile(panel: Any) -> None:
    phantom_node(2, name="one")
    phantom_node(3, name="two")
    panel.enter()
    before, kept = names(), set[str]()

    def draw_load_and_cancel() -> None:
        assert "one standard" in names()
        others = node_ids()
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn").CreateDefaultDisplayNodes()
        phantom_node(0, name="loaded")
        kept.update(node_ids() - others)
        panel.ui.cancelButton.click()

    apply_all_and_meanwhile(panel, draw_load_and_cancel)
    assert "Cancelled" in panel.ui.statusLabel.text
    assert len(kept) >= 4 and kept <= node_ids()
    assert "one standard" not in names() and {"drawn", "loaded"} | before <= names()


def test_closing_the_scene_during_apply_to_all_leaves_the_new_one(panel: Any) -> None:
    phantom_node(2, name="one")
    phantom_node(3, name="two")
    panel.enter()
    new: set[str] = set()

    def close_and_load() -> None:
        host.clear_scene()
        slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
        phantom_node(0, name="of the new scene")
        new.update(node_ids())

    apply_all_and_meanwhile(panel, close_and_load)
    assert "the scene was closed" in panel.ui.statusLabel.text
    assert new and new <= node_ids() and "one standard" not in names()
