# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Work during which the person opens another module, deletes the input or closes nodes: nothing is lost or mixed up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from panel_driver import SLICES, names, opened, panel, phantom_node, press, select
from slicer_host import application, host, scene, slicer

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


def meanwhile(action: Callable[[], object]) -> None:
    """Let something happen when the work next lets events through."""
    import qt

    qt.QTimer.singleShot(0, action)


def test_opening_another_module_in_the_middle_keeps_the_work(panel: Any) -> None:
    select(panel, phantom_node(2))
    meanwhile(panel.exit)
    panel.panel.recognize()
    assert panel._parameterNode is None
    panel.enter()
    assert panel.ui.sliceTable.rowCount == SLICES and "upside down" in panel.ui.verdictLabel.text
    assert panel.ui.statusLabel.text == "" and panel.ui.correctButton.enabled


def test_opening_another_module_keeps_an_older_result_usable(panel: Any) -> None:
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    meanwhile(panel.exit)
    panel.panel.recognize()
    assert panel._parameterNode is None
    panel.enter()
    press(panel.ui.correctButton)
    assert "SAX standard" in names()


def test_opening_another_module_after_a_right_click_on_correct_says_what_is_left_to_do(panel: Any) -> None:
    meanwhile(panel.exit)
    panel.panel.run_for(phantom_node(2), True)
    said = panel.ui.statusLabel.text
    assert "closing" not in said and "module was left" in said and "Press Correct" in said
    panel.enter()
    assert panel.ui.statusLabel.text == said
    press(panel.ui.correctButton)
    assert "SAX standard" in names() and panel.ui.statusLabel.text == ""


def test_opening_another_module_while_all_are_corrected_keeps_the_work(panel: Any) -> None:
    phantom_node(2, name="one")
    phantom_node(3, name="two")
    panel.enter()
    meanwhile(panel.exit)
    press(panel.ui.applyAllButton)
    assert panel._parameterNode is None
    panel.enter()
    assert {"one standard", "two standard"} <= names()
    assert "2 images corrected" in panel.ui.resultLabel.text


def test_deleting_the_input_in_the_middle_ends_quietly(panel: Any) -> None:
    node = phantom_node(2)
    select(panel, node)
    meanwhile(lambda: slicer.mrmlScene.RemoveNode(node))
    panel.panel.recognize()
    assert panel.ui.sliceTable.rowCount == 0
    assert "removed" in panel.ui.statusLabel.text and "“SAX”" in panel.ui.statusLabel.text


def test_a_result_is_never_shown_for_the_neighbour_that_qt_selects(panel: Any) -> None:
    node, neighbour = phantom_node(2, name="mine"), phantom_node(0, name="neighbour")
    select(panel, node)

    def delete() -> None:
        slicer.mrmlScene.RemoveNode(node)
        panel.ui.inputSelector.setCurrentNode(neighbour)

    meanwhile(delete)
    panel.panel.recognize()
    assert panel._parameterNode.inputVolume is neighbour
    assert panel.ui.sliceTable.rowCount == 0 and not panel.ui.correctButton.enabled
    assert "“mine”" in panel.ui.statusLabel.text


def test_another_input_chosen_by_a_script_gets_no_result_of_the_first(panel: Any) -> None:
    node, other = phantom_node(2, name="mine"), phantom_node(0, name="other")
    select(panel, node)

    def choose() -> None:
        panel._parameterNode.inputVolume = other

    meanwhile(choose)
    panel.panel.recognize()
    assert panel.ui.sliceTable.rowCount == 0 and not panel.ui.correctButton.enabled
    assert "“mine”" in panel.ui.statusLabel.text


@pytest.mark.parametrize("sentence", ["Looking at all images", "Writing"])
def test_an_image_deleted_while_all_are_corrected_is_named_and_the_others_go_on(panel: Any, sentence: str) -> None:
    phantom_node(2, name="one")
    two = phantom_node(3, name="two")
    panel.enter()
    showing, done_once = panel.panel.task._show, []

    def delete_then(running: bool, said: str, done: int, total: int) -> None:
        showing(running, said, done, total)
        if said == sentence and total and not done_once:
            done_once.append(True)
            slicer.mrmlScene.RemoveNode(two)

    panel.panel.task._show = delete_then
    try:
        press(panel.ui.applyAllButton)
    finally:
        panel.panel.task._show = showing
    assert done_once and "one standard" in names() and "two standard" not in names()
    assert "“two” left alone" in panel.ui.resultLabel.text and "removed" in panel.ui.resultLabel.text
