"""The host answers like Slicer's binding, and raises at everything that it cannot answer."""

from __future__ import annotations

import os
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from parts import REPOSITORY
from slicer_host import application, host, scene, slicer  # noqa: F401

from PySide6.QtCore import QCoreApplication, QEvent  # isort: skip (the host says first whether there is a PySide6)

pytestmark = pytest.mark.usefixtures("scene")


def test_qt_properties_are_attributes() -> None:
    import qt

    label = qt.QLabel()
    label.text = "heart"
    label.toolTip = "why"
    label.name = "title"
    assert (label.text, label.objectName, label.enabled) == ("heart", "title", True)
    with pytest.raises(TypeError):
        label.text()


def test_tooltips_read_back_as_paragraphs() -> None:
    import qt

    label = qt.QLabel()
    assert label.toolTip == ""
    label.toolTip = "why"
    assert label.toolTip == "<p>why</p>"
    label.setToolTip("<b>why</b>")
    assert label.toolTip == "<b>why</b>"


def test_lists_read_back_as_tuples() -> None:
    selector = slicer.qMRMLCheckableNodeComboBox()
    selector.nodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    assert selector.nodeTypes == ("vtkMRMLLabelMapVolumeNode",) and selector.checkedNodes() == ()


def test_a_destroyed_widget_raises_a_value_error() -> None:
    import qt

    label, box = qt.QLabel("heart"), slicer.qMRMLNodeComboBox()
    for widget in (label, box):
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.DeferredDelete)
    for wrong in (
        lambda: label.text,
        lambda: setattr(label, "text", "other"),
        lambda: label.setText("other"),
        lambda: box.currentNode(),
        lambda: box.connect("currentNodeChanged(vtkMRMLNode*)", print),
    ):
        with pytest.raises(ValueError, match="destroyed"):
            wrong()


def test_properties_are_stricter_than_slicers() -> None:
    import qt

    label, box = qt.QLabel("heart"), qt.QSpinBox()
    for wrong in (lambda: setattr(label, "text", None), lambda: setattr(box, "value", 2.7)):
        with pytest.raises(TypeError, match="cannot be set"):
            wrong()
    assert (label.text, box.value) == ("heart", 0)


def test_a_progress_bar_says_how_far_it_is() -> None:
    import qt

    bar = qt.QProgressBar()
    bar.setRange(0, 4)
    bar.value, bar.format = 1, "Writing %v/%m"
    assert bar.text == "Writing 1/4"


def test_names_that_slicers_binding_does_not_have_raise() -> None:
    import ctk
    import qt

    label = qt.QLabel()
    for wrong in (
        lambda: qt.QGraphicsView,
        lambda: qt.QWizard,
        lambda: ctk.ctkFlowLayout,
        lambda: label.set_text,
        lambda: label.emit,
        lambda: qt.QMessageBox().exec,
        lambda: setattr(label, "caption", "heart"),
        lambda: setattr(label, "enabled", object()),
        lambda: label.connect("clicked(bool)", print),
        lambda: qt.QPushButton().connect("clicked(int)", print),
        lambda: slicer.qMRMLNodeComboBox().currentText,
        lambda: slicer.qMRMLNodeComboBox().connect("nodeChanged()", print),
    ):
        with pytest.raises((AttributeError, TypeError)):
            wrong()


def test_widgets_that_are_only_named_cannot_be_made() -> None:
    import ctk

    with pytest.raises(NotImplementedError):
        ctk.ctkSliderWidget()


def test_a_question_that_nobody_answers_raises() -> None:
    with pytest.raises(AssertionError, match="nobody answers"):
        slicer.util.confirmYesNoDisplay("Really?")


def test_node_selectors_show_what_fits() -> None:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.setMRMLScene(slicer.mrmlScene)
    heard: list[object] = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", heard.append)
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "heart")
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "surface")
    assert selector.nodeCount() == 2
    selector.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    assert selector.nodeCount() == 1
    selector.setCurrentNode(volume)
    assert selector.currentNode() is volume and heard == [volume]
    selector.setCurrentNode(labels)
    assert selector.currentNode() is None
    selector.setCurrentNode(volume)
    slicer.mrmlScene.RemoveNode(volume)
    assert selector.currentNode() is None and heard[-1] is None
    selector.setMRMLScene(None)


@pytest.fixture
def selector() -> Iterator[Any]:
    """Volumes a, b and c under "None", as the panel's selectors show them; ``heard`` are the changes of the choice."""
    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes, made.noneEnabled = ["vtkMRMLScalarVolumeNode"], True
    made.setMRMLScene(slicer.mrmlScene)
    for name in "abc":
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    yield made
    made.setMRMLScene(None)


def chosen(selector: Any) -> str:
    node = selector.currentNode()
    return node.GetName() if node is not None else "none"


def test_a_selector_whose_node_is_removed_takes_the_neighbour(selector: Any) -> None:
    assert chosen(selector) == "none"
    heard: list[tuple[str, bool]] = []
    node = slicer.util.getNode("c")

    def hear(_node: object) -> None:
        heard.append((chosen(selector), bool(slicer.mrmlScene.IsNodePresent(node))))

    selector.connect("currentNodeChanged(vtkMRMLNode*)", hear)
    selector.setCurrentNode(node)
    slicer.mrmlScene.RemoveNode(node)
    # The row goes first: who hears of it still finds the node in the scene.
    assert heard == [("c", True), ("b", True)]
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("a"))
    assert chosen(selector) == "b"
    slicer.mrmlScene.RemoveNode(slicer.util.getNode("b"))
    assert chosen(selector) == "none"


def test_a_selector_without_none_takes_the_first_node() -> None:
    made = slicer.qMRMLNodeComboBox()
    made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    made.setMRMLScene(slicer.mrmlScene)
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a")
    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "b")
    assert chosen(made) == "a"
    made.setMRMLScene(None)


def test_a_selector_takes_no_row_while_a_scene_is_imported_and_loses_its_choice_by_it(
    selector: Any, tmp_path: Path
) -> None:
    path = tmp_path / "scene.mrml"
    slicer.mrmlScene.SetURL(str(path))
    assert slicer.mrmlScene.Commit(str(path))
    selector.setCurrentNode(slicer.util.getNode("b"))
    seen: list[int] = []

    def look(*_: Any) -> None:
        if slicer.mrmlScene.IsImporting():
            seen.append(selector.nodeCount())

    tag = slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeAddedEvent, look)
    slicer.mrmlScene.Import()
    slicer.mrmlScene.RemoveObserver(tag)
    assert seen and set(seen) == {3}
    assert selector.nodeCount() == 6 and chosen(selector) == "none"


def test_what_is_checked_is_not_after_an_import(tmp_path: Path) -> None:
    import qt

    made = slicer.qMRMLCheckableNodeComboBox()
    made.nodeTypes = ["vtkMRMLLabelMapVolumeNode"]
    made.setMRMLScene(slicer.mrmlScene)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    path = tmp_path / "scene.mrml"
    assert slicer.mrmlScene.Commit(str(path))
    made.setCheckState(node, qt.Qt.Checked)
    assert made.checkedNodes() == (node,)
    slicer.mrmlScene.SetURL(str(path))
    slicer.mrmlScene.Import()
    assert made.nodeCount() == 2 and made.checkedNodes() == ()
    made.setMRMLScene(None)


def test_a_selector_is_as_wide_as_its_longest_name_unless_told_otherwise() -> None:
    import qt

    slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "a series with a name that scanners give " * 3)
    widths = []
    for policy in (None, qt.QComboBox.AdjustToMinimumContentsLengthWithIcon):
        made = slicer.qMRMLNodeComboBox()
        if policy is not None:
            made.sizeAdjustPolicy = policy
        made.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        made.setMRMLScene(slicer.mrmlScene)
        widths.append(made.sizeHint.width())
        made.setMRMLScene(None)
    assert widths[0] > 500 and widths[1] < 100


def test_a_dock_is_as_wide_as_its_module_wants_to_be() -> None:
    import qt
    from dock import Dock

    window = slicer.qSlicerScriptedLoadableModuleWidget()
    window.setLayout(qt.QVBoxLayout())
    button = qt.QPushButton("Recognize")
    window.layout().addWidget(button)
    dock = Dock(window)
    assert dock.drag(400) == 400
    button.text = "The wish of a button is the least width of the whole module, for its window cannot shrink. " * 2
    assert dock.drag(320) == dock.least > 600
    dock.release()


def test_parameter_nodes_keep_their_types() -> None:
    from slicer.parameterNodeWrapper import parameterNodeWrapper

    @parameterNodeWrapper
    class Chosen:
        node: typing.Union[slicer.vtkMRMLScalarVolumeNode, slicer.vtkMRMLSequenceNode, None]  # noqa: UP007
        count: int = 3
        name: str = "heart"

    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "parameters")
    chosen = Chosen(node)
    assert (chosen.node, chosen.count, chosen.name) == (None, 3, "heart")
    volume = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "heart")
    chosen.node, chosen.count = volume, -1
    again = Chosen(node)
    assert (again.node, again.count) == (volume, -1)
    with pytest.raises((TypeError, ValueError)):
        chosen.count = "three"
    with pytest.raises((TypeError, ValueError)):
        chosen.node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLModelNode", "surface")


def test_a_selector_shows_a_node_under_its_new_name_and_chooses_nothing_by_it() -> None:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.setMRMLScene(slicer.mrmlScene)
    first, second = (slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name) for name in ("one", "two"))
    selector.setCurrentNode(second)
    chosen: list[Any] = []
    selector.connect("currentNodeChanged(vtkMRMLNode*)", chosen.append)
    first.SetName("renamed")
    second.SetName("renamed, too")
    assert [selector._box.itemText(row) for row in range(2)] == ["renamed", "renamed, too"]
    assert selector.currentNode() is second and not chosen
    selector.setMRMLScene(None)


def test_what_is_checked_is_shown_under_its_new_name() -> None:
    import qt

    selector = slicer.qMRMLCheckableNodeComboBox()
    selector.nodeTypes = ["vtkMRMLSegmentationNode"]
    selector.setMRMLScene(slicer.mrmlScene)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "heart")
    selector.setCheckState(node, qt.Qt.Checked)
    node.SetName("ventricle")
    assert selector._box.placeholderText() == "ventricle"
    assert selector.checkedNodes() == (node,)
    selector.setMRMLScene(None)


SETTINGS = """
import sys; sys.path.insert(0, {host!r})
import host; host.start()
import qt
print(qt.QSettings().value("Developer/DeveloperMode"))
qt.QSettings().setValue("Developer/DeveloperMode", True)
"""


def test_settings_of_one_process_are_not_those_of_the_next(tmp_path: Path) -> None:
    """Else a test that turns developer mode on turns it on for all later ones, in the user's own folder."""
    script = SETTINGS.format(host=str(REPOSITORY / "Testing" / "host"))
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["None"]
    assert not list(tmp_path.rglob("*.ini"))
