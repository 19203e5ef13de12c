# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Apply to all: every image of the scene, and what belongs together."""

from __future__ import annotations

from typing import Any

import pytest
from panel_driver import answer, heart, names, opened, panel, phantom_node, press
from slicer_host import add_cine, application, host, scene, slicer

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


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


def test_cancelling_apply_to_all_leaves_the_scene_as_it_was(panel: Any) -> None:
    import qt

    phantom_node(2, name="one")
    phantom_node(3, name="two")
    panel.enter()
    before = names()
    writing = panel.panel.task._show

    def cancel_while_writing(running: bool, sentence: str, done: int, total: int) -> None:
        writing(running, sentence, done, total)
        if sentence == "Writing" and done == 1:
            qt.QTimer.singleShot(0, panel.ui.cancelButton.click)

    panel.panel.task._show = cancel_while_writing
    try:
        press(panel.ui.applyAllButton)
    finally:
        panel.panel.task._show = writing
    assert "Cancelled" in panel.ui.statusLabel.text and names() == before
