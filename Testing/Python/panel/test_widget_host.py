"""The host answers like Slicer's binding, and raises at everything that it cannot answer."""

from __future__ import annotations

import typing

import pytest
from slicer_host import application, scene, slicer  # noqa: F401

pytestmark = pytest.mark.usefixtures("scene")


def test_qt_properties_are_attributes() -> None:
    import qt

    label = qt.QLabel()
    label.text = "heart"
    label.toolTip = "why"
    label.name = "title"
    assert (label.text, label.toolTip, label.objectName, label.enabled) == ("heart", "why", "title", True)
    with pytest.raises(TypeError):
        label.text()


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
