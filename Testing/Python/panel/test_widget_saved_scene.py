# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""A saved scene that is loaded under the open panel: what the person chose is back, and can be acted on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from panel_driver import came_back, heart, names, opened, panel, phantom_node, press, select
from slicer_host import application, host, scene, slicer, voxels

from CMROrientLib.orientation import Orientation

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


def save_scene(folder: Path) -> Path:
    """Save the scene's volumes and the scene, as Slicer does."""
    stored = slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode")
    for index in range(stored):
        node = slicer.mrmlScene.GetNthNodeByClass(index, "vtkMRMLScalarVolumeNode")
        node.AddDefaultStorageNode()
        node.GetStorageNode().SetFileName(str(folder / f"{node.GetName()}.nrrd"))
        assert node.GetStorageNode().WriteData(node)
    path = folder / "scene.mrml"
    slicer.mrmlScene.SetRootDirectory(str(folder))
    assert slicer.mrmlScene.Commit(str(path))
    return path


def load_scene(path: Path, *, close_first: bool = True, complete: bool = True) -> None:
    if close_first:
        host.clear_scene()
    slicer.mrmlScene.SetURL(str(path))
    slicer.mrmlScene.SetRootDirectory(str(path.parent))
    assert bool(slicer.mrmlScene.Import()) == complete


def test_a_loaded_scene_is_shown_by_the_open_panel(panel: Any, tmp_path: Path) -> None:
    select(panel, phantom_node(2, name="other"))
    select(panel, phantom_node(3, name="mine"))
    panel.ui.geometryComboBox.setCurrentIndex(1)
    path = save_scene(tmp_path)
    load_scene(path)
    assert panel.ui.inputSelector.currentNode().GetName() == "mine"
    assert panel._parameterNode.inputVolume is panel.ui.inputSelector.currentNode()
    assert panel.ui.geometryComboBox.currentIndex == 1
    assert panel.ui.recognizeButton.enabled, panel.ui.recognizeButton.toolTip
    press(panel.ui.recognizeButton)
    assert "180°" in panel.ui.verdictLabel.text


def test_the_class_that_the_person_decided_on_is_back_and_can_be_written(panel: Any, tmp_path: Path) -> None:
    select(panel, phantom_node(3))
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_180)
    path = save_scene(tmp_path)
    load_scene(path)
    assert panel._parameterNode.userClass == Orientation.ROTATE_180
    assert panel.ui.classComboBox.currentIndex == 1 + Orientation.ROTATE_180
    press(panel.ui.correctButton)
    assert came_back(voxels(slicer.util.getNode("SAX standard")), heart().array)


def test_a_class_saved_for_one_image_is_not_taken_for_another(panel: Any, tmp_path: Path) -> None:
    select(panel, phantom_node(3))
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_180)
    path = save_scene(tmp_path)
    load_scene(path)
    select(panel, phantom_node(2, name="another"))
    assert panel._parameterNode.userClass == -1 and not panel.ui.correctButton.enabled


def test_a_module_that_is_opened_after_the_scene_shows_the_class_too(panel: Any, tmp_path: Path) -> None:
    select(panel, phantom_node(3))
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_180)
    path = save_scene(tmp_path)
    panel.exit()
    panel.parent.isEntered = False
    try:
        load_scene(path)
        assert panel._parameterNode is None
    finally:
        panel.parent.isEntered = True
        panel.enter()
    assert panel._parameterNode.userClass == Orientation.ROTATE_180 and panel.ui.correctButton.enabled


def test_data_added_from_a_scene_leave_the_result_alone(panel: Any, tmp_path: Path) -> None:
    phantom_node(2, name="added")
    parameters = panel._parameterNode.parameterNode
    parameters.SetSaveWithScene(False)
    path = save_scene(tmp_path)
    parameters.SetSaveWithScene(True)
    host.clear_scene()
    select(panel, phantom_node(3, name="mine"))
    press(panel.ui.recognizeButton)
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_90)
    load_scene(path, close_first=False)
    assert "added" in names() and panel._parameterNode.inputVolume.GetName() == "mine"
    assert "Your decision" in panel.ui.verdictLabel.text and panel.ui.sliceTable.rowCount


def test_a_scene_added_to_a_result_brings_its_own_choices(panel: Any, tmp_path: Path) -> None:
    select(panel, phantom_node(3, name="saved"))
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_180)
    path = save_scene(tmp_path)
    host.clear_scene()
    select(panel, phantom_node(2, name="mine"))
    press(panel.ui.recognizeButton)
    load_scene(path, close_first=False)
    assert panel._parameterNode.inputVolume.GetName() == "saved" and panel.ui.sliceTable.rowCount == 0
    assert panel._parameterNode.userClass == Orientation.ROTATE_180 and panel.ui.correctButton.enabled


def test_a_class_saved_for_an_image_that_cannot_be_read_is_dropped_and_told(panel: Any, tmp_path: Path) -> None:
    select(panel, phantom_node(3))
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_180)
    path = save_scene(tmp_path)
    (tmp_path / "SAX.nrrd").unlink()
    load_scene(path, complete=False)
    assert panel._parameterNode.userClass == -1 and not panel.ui.correctButton.enabled
    assert "holds no voxels" in panel.ui.recognizeButton.toolTip
