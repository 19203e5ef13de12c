# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""A right-click on a volume in the subject hierarchy."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from panel_driver import SIZE, answer, names, opened, panel, phantom_node, press, select
from slicer_host import add_cine, add_volume, application, host, scene, slicer

from CMROrientLib.errors import CMROrientError
from CMROrientLib.phantom.phantom import make_phantom

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]

RECOGNIZE, CORRECT = "Recognize orientation", "Correct orientation"


@pytest.fixture(scope="module")
def handler() -> Any:
    """The subject hierarchy's, after the module was set up as at Slicer's start."""
    module = host.load_module()
    module.CMROrient.setup(None)
    return slicer.qSlicerSubjectHierarchyPluginHandler.instance()


def test_the_actions_are_offered_for_volumes_and_proxies_only(panel: Any, handler: Any) -> None:
    stack = make_phantom(size=(40, 40), slices=3)
    proxy, sequence, _browser = add_cine(make_phantom(size=(40, 40), slices=2, phases=2))
    for node in (add_volume(stack, "SAX"), proxy):
        assert list(handler.right_click(node)) == [RECOGNIZE, CORRECT]
    others = [
        sequence,
        add_volume(stack, "labels", "vtkMRMLLabelMapVolumeNode"),
        add_volume(stack, "colour", "vtkMRMLVectorVolumeNode"),
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode"),
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty"),
    ]
    for node in others:
        assert not handler.right_click(node), node.GetClassName()
    # A folder has no node.
    plugin = slicer.CMROrientSubjectHierarchyPlugin
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    plugin.showContextMenuActionsForItem(hierarchy.CreateFolderItem(hierarchy.GetSceneItemID(), "folder"))
    assert not plugin.recognizeAction.visible


def test_recognize_opens_the_module_with_the_volume(panel: Any, handler: Any) -> None:
    other, node = phantom_node(0, name="other"), phantom_node(2)
    select(panel, other)
    panel.exit()
    panel.parent.isEntered = False
    handler.right_click(node)[RECOGNIZE].trigger()
    assert panel.parent.isEntered and panel._parameterNode is not None
    slicer.app.processEvents()
    assert panel._parameterNode.inputVolume is node
    assert "upside down" in panel.ui.verdictLabel.text and "SAX standard" not in names()


def test_correct_writes_what_is_decided_and_says_why_not_else(panel: Any, handler: Any) -> None:
    handler.right_click(phantom_node(2))[CORRECT].trigger()
    slicer.app.processEvents()
    assert "SAX standard" in names() and "Written" in panel.ui.resultLabel.text
    handler.right_click(phantom_node(0, name="fine"))[CORRECT].trigger()
    slicer.app.processEvents()
    assert "nothing to correct" in panel.ui.statusLabel.text and "fine standard" not in names()


def test_a_mirror_is_asked_for_here_too(panel: Any, handler: Any) -> None:
    texts = answer("No")
    handler.right_click(phantom_node(1, "false"))[CORRECT].trigger()
    slicer.app.processEvents()
    assert "differ by a mirror" in texts[-1] and "SAX standard" not in names()


def test_a_cine_by_its_proxy(panel: Any, handler: Any) -> None:
    proxy, _sequence, browser = add_cine(make_phantom(size=SIZE, slices=2, phases=2, orientation=3))
    handler.right_click(proxy)[CORRECT].trigger()
    slicer.app.processEvents()
    made = slicer.util.getNode("cine standard")
    assert (made if made.IsA("vtkMRMLSequenceNode") else browser.GetSequenceNode(made)).GetNumberOfDataNodes() == 2


def test_nothing_starts_while_something_is_done(panel: Any, handler: Any) -> None:
    first, second = phantom_node(2, name="first"), phantom_node(3, name="second")
    select(panel, first)
    import qt

    qt.QTimer.singleShot(0, handler.right_click(second)[CORRECT].trigger)
    press(panel.ui.recognizeButton)
    assert panel._parameterNode.inputVolume is first and "upside down" in panel.ui.verdictLabel.text
    assert "second standard" not in names()


def test_correct_writes_no_older_result_where_the_person_cancels(panel: Any, handler: Any) -> None:
    import qt

    node = phantom_node(2)
    select(panel, node)
    press(panel.ui.recognizeButton)
    qt.QTimer.singleShot(0, lambda: qt.QTimer.singleShot(0, panel.ui.cancelButton.click))
    handler.right_click(node)[CORRECT].trigger()
    slicer.app.processEvents()
    assert "Cancelled" in panel.ui.statusLabel.text and "SAX standard" not in names()
    assert panel.ui.correctButton.enabled  # the older result can still be used


def test_correct_writes_no_older_result_where_recognizing_fails(
    panel: Any, handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = phantom_node(2)
    select(panel, node)
    press(panel.ui.recognizeButton)

    def fail(*_: object, **__: object) -> None:
        raise CMROrientError("the model's file is damaged; copy it anew")

    monkeypatch.setattr(panel.logic, "examine", fail)
    handler.right_click(node)[CORRECT].trigger()
    slicer.app.processEvents()
    assert "copy it anew" in panel.ui.statusLabel.text and "SAX standard" not in names()


def test_a_volume_that_is_deleted_before_it_starts(panel: Any, handler: Any) -> None:
    node = phantom_node(2)
    action = handler.right_click(node)[CORRECT]
    action.trigger()
    slicer.mrmlScene.RemoveNode(node)
    slicer.app.processEvents()
    assert "removed" in panel.ui.statusLabel.text


def test_set_up_twice_it_is_offered_once(handler: Any) -> None:
    before = len(handler.plugins)
    host.load_module().CMROrient.setup(None)
    assert len(handler.plugins) == before
