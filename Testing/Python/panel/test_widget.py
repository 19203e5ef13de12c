# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""The panel as a person drives it: select, press, read, override, cancel, close, press again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from panel_driver import (
    SIZE,
    SLICES,
    answer,
    came_back,
    column,
    heart,
    names,
    opened,
    panel,
    phantom_node,
    press,
    select,
)
from slicer_host import add_cine, add_volume, application, host, load, places, save_and_load, scene, slicer, voxels

from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.volume import Grid, Volume

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


def test_an_empty_panel_says_why_nothing_can_be_pressed(panel: Any) -> None:
    ui = panel.ui
    assert not ui.recognizeButton.enabled and "Select a volume" in ui.recognizeButton.toolTip
    assert not ui.correctButton.enabled and not ui.applyAllButton.enabled
    assert "no volume" in ui.applyAllButton.toolTip
    assert "Nothing recognized" in ui.verdictLabel.text and ui.sliceTable.rowCount == 0


def test_recognize_fills_verdict_chart_table_and_preview(panel: Any) -> None:
    node = phantom_node(2)
    select(panel, node)
    assert "Recognize first" in panel.ui.correctButton.toolTip
    press(panel.ui.recognizeButton)
    ui = panel.ui
    assert ui.statusLabel.text == ""
    assert "flipped upside down" in ui.verdictLabel.text and "confidence" in ui.verdictLabel.text
    assert ui.sliceTable.rowCount == SLICES and column(ui.sliceTable, 0) == [str(n + 1) for n in range(SLICES)]
    assert column(ui.sliceTable, 1).count("flipped upside down") >= SLICES - 1
    assert all(0 <= float(text) <= 1 for text in column(ui.sliceTable, 2))
    assert all(text.endswith("%") for text in column(ui.sliceTable, 3))
    assert not ui.sliceTable.item(0, 0).icon().isNull()
    for picture in (ui.votesLabel, ui.beforePicture, ui.afterPicture):
        assert not picture.pixmap.isNull()
    assert ui.conflictLabel.text == "" and ui.classComboBox.itemText(0) == "As recognized: 2  flipped upside down"
    assert ui.correctButton.enabled and ui.deviceLabel.text == "CPU"


def test_the_preview_shows_the_chosen_row_turned_by_the_chosen_class(panel: Any) -> None:
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)

    def shown(label: Any) -> np.ndarray:
        image = label.pixmap.toImage()
        return np.array([[image.pixelColor(x, y).red() for x in range(image.width())] for y in range(image.height())])

    first = shown(panel.ui.beforePicture)
    panel.ui.sliceTable.selectRow(1)
    second = shown(panel.ui.beforePicture)
    assert not np.array_equal(first, second)
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.IDENTITY)
    assert np.array_equal(shown(panel.ui.afterPicture), second)
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_180)
    assert np.abs(shown(panel.ui.afterPicture)[::-1, ::-1].astype(int) - second).mean() < 1


def test_correct_writes_a_new_volume_and_says_so(panel: Any) -> None:
    node = phantom_node(2)
    before = voxels(node)
    select(panel, node)
    press(panel.ui.recognizeButton)
    press(panel.ui.correctButton)
    made = slicer.util.getNode("SAX standard")
    assert np.array_equal(voxels(node), before)
    assert came_back(voxels(made), heart().array)
    assert "“SAX standard”" in panel.ui.resultLabel.text
    assert ("reversed" in panel.ui.resultLabel.text) == (made.GetAttribute("CMROrient.SlicesReversed") == "yes")
    assert made.GetAttribute("CMROrient.DecidedBy") == "network" and made.GetAttribute("CMROrient.Model") == "universal"
    assert len(made.GetAttribute("CMROrient.ModelChecksum")) == 64
    table = made.GetNodeReference("CMROrient.votes")
    assert table.GetName() == "SAX votes" and table.GetTable().GetNumberOfRows() == SLICES
    composite = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetBackgroundVolumeID() == made.GetID()


def test_a_real_volume_loaded_from_its_file(panel: Any, data_root: Path, tmp_path: Path) -> None:
    from CMROrientLib import io as files

    original = right_handed(files.read(data_root / "myops" / "Case3001_LGE.nii.gz")).volume
    stored = tmp_path / "stored.nii.gz"
    files.write(original.reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90), stored)
    select(panel, load(stored))
    press(panel.ui.recognizeButton)
    assert "90° clockwise" in panel.ui.verdictLabel.text and "The header says the same" in panel.ui.verdictLabel.text
    assert set(column(panel.ui.sliceTable, 1)) == {"turned by 90° clockwise"}
    press(panel.ui.correctButton)
    made = slicer.util.getNode("stored.nii.gz standard")
    again = save_and_load(made, tmp_path / "corrected.nrrd")
    assert came_back(voxels(again), original.array)
    np.testing.assert_allclose(places(again).mean(0), places(add_volume(original)).mean(0), atol=1e-3)


def test_what_is_in_order_already_cannot_be_corrected_and_says_why(panel: Any) -> None:
    select(panel, phantom_node(0))
    press(panel.ui.recognizeButton)
    assert not panel.ui.correctButton.enabled and "standard orientation already" in panel.ui.correctButton.toolTip


def test_a_mirror_conflict_is_shown_and_asked_about(panel: Any) -> None:
    select(panel, phantom_node(1, "false"))
    press(panel.ui.recognizeButton)
    assert "CONFLICT" in panel.ui.conflictLabel.text and "left and right" in panel.ui.conflictLabel.text
    before = names()
    texts = answer("No")
    press(panel.ui.correctButton)
    assert "differ by a mirror" in texts[0] and names() == before
    assert "Nothing was written" in panel.ui.statusLabel.text
    answer("Yes")
    press(panel.ui.correctButton)
    assert "SAX standard" in names()


def test_a_conflict_without_a_mirror_is_shown_and_not_asked_about(panel: Any) -> None:
    select(panel, phantom_node(3, "false"))
    press(panel.ui.recognizeButton)
    assert "CONFLICT" in panel.ui.conflictLabel.text and "different stories" in panel.ui.conflictLabel.text
    press(panel.ui.correctButton)
    assert "SAX standard" in names()


def test_keep_on_a_true_mirrored_header_asks_because_it_would_mirror_the_patient(panel: Any) -> None:
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    panel.ui.geometryComboBox.setCurrentIndex(2)
    assert "anatomy moves" in panel.ui.geometryExplanation.text
    answer("No")
    press(panel.ui.correctButton)
    assert "SAX standard" not in names()


def test_the_person_overrides_the_network(panel: Any) -> None:
    node = phantom_node(2)
    select(panel, node)
    press(panel.ui.recognizeButton)
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_90)
    assert "Your decision: stored turned by 90° clockwise" in panel.ui.verdictLabel.text
    assert "The network said" in panel.ui.verdictLabel.text and panel.ui.conflictLabel.text
    answer("Yes")
    press(panel.ui.correctButton)
    made = slicer.util.getNode("SAX standard")
    assert made.GetAttribute("CMROrient.DecidedBy") == "user"
    assert made.GetAttribute("CMROrient.Orientation") == "5 ROTATE_90"
    turned = Orientation.ROTATE_90.inverse.apply(voxels(node))
    assert came_back(voxels(made), turned)
    panel.ui.classComboBox.setCurrentIndex(0)
    assert "Your decision" not in panel.ui.verdictLabel.text


def test_the_person_decides_without_the_network(panel: Any) -> None:
    select(panel, phantom_node(3))
    panel.ui.classComboBox.setCurrentIndex(1 + Orientation.ROTATE_180)
    assert panel.ui.sliceTable.rowCount == 0 and not panel.ui.afterPicture.pixmap.isNull()
    press(panel.ui.correctButton)
    assert slicer.util.getNode("SAX standard").GetNodeReference("CMROrient.votes") is None


def test_segmentations_follow(panel: Any) -> None:
    import qt

    image, mask = make_phantom(size=SIZE, slices=SLICES, orientation=3, with_mask=True)
    node = add_volume(image, "SAX")
    labels = add_volume(mask, "labels", "vtkMRMLLabelMapVolumeNode")
    select(panel, node)
    panel.ui.segmentationsSelector.setCheckState(labels, qt.Qt.Checked)
    press(panel.ui.recognizeButton)
    press(panel.ui.correctButton)
    followed = voxels(slicer.util.getNode("labels standard"))
    expected = make_phantom(size=SIZE, slices=SLICES, with_mask=True)[1].array
    assert came_back(followed, expected)
    assert "“labels standard”" in panel.ui.resultLabel.text


def test_an_existing_output_is_written_into(panel: Any) -> None:
    node = phantom_node(3)
    target = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "mine")
    select(panel, node)
    panel.ui.outputSelector.setCurrentNode(target)
    press(panel.ui.recognizeButton)
    press(panel.ui.correctButton)
    assert voxels(target).shape == voxels(node).shape and "SAX standard" not in names()
    panel.ui.outputSelector.setCurrentNode(node)
    assert not panel.ui.correctButton.enabled and "input" in panel.ui.correctButton.toolTip


def test_removing_the_output_makes_no_other_volume_the_output(panel: Any) -> None:
    select(panel, phantom_node(3))
    other, mine = phantom_node(0, name="other"), phantom_node(0, name="mine")
    before = voxels(other)
    panel.ui.outputSelector.setCurrentNode(mine)
    press(panel.ui.recognizeButton)
    slicer.mrmlScene.RemoveNode(mine)
    # Qt's selector would take the neighbour, and Correct would write over it.
    assert panel._parameterNode.outputVolume is None and panel.ui.outputSelector.currentNode() is None
    press(panel.ui.correctButton)
    assert np.array_equal(voxels(other), before) and "SAX standard" in names()


def test_every_copy_of_every_slice_is_looked_at(panel: Any) -> None:
    """The table shows how many of a slice's copies agree: a share of all, also where fewer would have decided."""
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    early, full = (Recognizer(looks=looks).recognize(heart(2)) for looks in ("auto", "full"))
    assert early.inputs < full.inputs == panel.panel._examined.recognition.inputs
    assert column(panel.ui.sliceTable, 3) == [f"{share:.0%}" for share in full.agreement]


def test_what_correct_would_undo_is_noted_once(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from CMROrientLib.mrml import rollback

    copied, copy = [], rollback._copy
    monkeypatch.setattr(rollback, "_copy", lambda display: (copied.append(display), copy(display))[1])
    output = phantom_node(0, name="mine")
    select(panel, phantom_node(2))
    panel._parameterNode.outputVolume = output
    panel.ui.classComboBox.currentIndex = 1 + 2
    press(panel.ui.correctButton)
    assert "Written" in panel.ui.resultLabel.text and copied == [output.GetDisplayNode()]


def test_cancel_leaves_the_scene_as_it_was(panel: Any) -> None:
    import qt

    select(panel, phantom_node(2))
    before = names()
    qt.QTimer.singleShot(0, panel.ui.cancelButton.click)
    press(panel.ui.recognizeButton)
    assert "Cancelled" in panel.ui.statusLabel.text and names() == before
    assert panel.ui.sliceTable.rowCount == 0 and panel.ui.recognizeButton.enabled
    press(panel.ui.recognizeButton)
    assert panel.ui.sliceTable.rowCount == SLICES and panel.ui.statusLabel.text == ""


def test_while_it_runs_nothing_else_can_be_pressed(panel: Any) -> None:
    import qt

    select(panel, phantom_node(2))
    seen: dict[str, Any] = {}

    def look() -> None:
        ui = panel.ui
        seen.update(
            recognize=ui.recognizeButton.enabled,
            everything=ui.applyAllButton.enabled,
            tip=ui.recognizeButton.toolTip,
            input=ui.inputSelector.enabled,
            total=ui.progressBar.maximum,
            text=ui.progressBar.format,
        )

    qt.QTimer.singleShot(0, look)
    press(panel.ui.recognizeButton)
    assert seen["recognize"] is seen["everything"] is seen["input"] is False and "Cancel" in seen["tip"]
    assert seen["total"] == SLICES and "Looking at the slices" in seen["text"]
    assert panel.ui.recognizeButton.enabled and panel.ui.inputSelector.enabled


def test_closing_the_scene_in_the_middle_ends_the_work(panel: Any) -> None:
    import qt

    select(panel, phantom_node(2))
    qt.QTimer.singleShot(0, lambda: slicer.mrmlScene.Clear(0))
    panel.ui.recognizeButton.click()
    assert "scene was closed" in panel.ui.statusLabel.text
    assert panel.ui.sliceTable.rowCount == 0 and not panel.ui.recognizeButton.enabled
    assert "Select a volume" in panel.ui.recognizeButton.toolTip
    select(panel, phantom_node(5))
    press(panel.ui.recognizeButton)
    assert "90° clockwise" in panel.ui.verdictLabel.text


def test_closing_the_scene_afterwards_empties_the_panel_and_it_goes_on(panel: Any) -> None:
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    press(panel.ui.correctButton)
    host.clear_scene()
    assert panel.ui.sliceTable.rowCount == 0 and panel.ui.resultLabel.text == ""
    select(panel, phantom_node(1))
    press(panel.ui.recognizeButton)
    assert "left to right" in panel.ui.verdictLabel.text


def test_another_input_forgets_the_last_result(panel: Any) -> None:
    import qt

    first, second = phantom_node(2, name="first"), phantom_node(3, name="second")
    select(panel, first)
    press(panel.ui.recognizeButton)
    labels = add_volume(heart(), "labels of the first", "vtkMRMLLabelMapVolumeNode")
    panel.ui.segmentationsSelector.setCheckState(labels, qt.Qt.Checked)
    select(panel, second)
    assert panel.ui.sliceTable.rowCount == 0 and not panel.ui.correctButton.enabled
    assert not panel.ui.segmentationsSelector.checkedNodes(), "labels of another image would follow this one"
    press(panel.ui.recognizeButton)
    slicer.mrmlScene.RemoveNode(second)
    # Qt's selector takes the neighbour, which was not looked at.
    assert panel._parameterNode.inputVolume is first and panel.ui.sliceTable.rowCount == 0
    slicer.mrmlScene.RemoveNode(first)
    assert panel._parameterNode.inputVolume is None and not panel.ui.recognizeButton.enabled


def test_an_image_that_changed_is_not_corrected_by_an_old_result(panel: Any) -> None:
    node = phantom_node(2)
    select(panel, node)
    press(panel.ui.recognizeButton)
    slicer.util.arrayFromVolume(node)[:] += 1
    before = names()
    press(panel.ui.correctButton)
    assert "has changed" in panel.ui.statusLabel.text and names() == before


def test_leaving_and_entering_the_module_keeps_the_result(panel: Any) -> None:
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    panel.exit()
    panel.enter()
    assert panel.ui.sliceTable.rowCount == SLICES and panel.ui.correctButton.enabled


def test_a_cine_is_decided_once_and_written_into_its_browser(panel: Any) -> None:
    cine = heart(3, phases=4, slices=3)
    proxy, sequence, browser = add_cine(cine)
    select(panel, sequence)
    assert not panel.ui.outputSelector.enabled and "same browser" in panel.ui.outputSelector.toolTip
    press(panel.ui.recognizeButton)
    assert panel.ui.sliceTable.rowCount == 12 and "phase" in column(panel.ui.sliceTable, 0)[-1]
    press(panel.ui.correctButton)
    made = slicer.util.getFirstNodeByClassByName("vtkMRMLSequenceNode", "cine standard")
    assert made is not None and browser.IsSynchronizedSequenceNode(made) and made.GetNumberOfDataNodes() == 4
    composite = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSliceCompositeNode")
    assert composite.GetBackgroundVolumeID() == browser.GetProxyNode(made).GetID()
    select(panel, proxy)
    press(panel.ui.recognizeButton)
    assert panel.ui.sliceTable.rowCount == 12


def test_phases_stored_as_slices_are_refused_with_what_to_do(panel: Any) -> None:
    cine = make_phantom(size=(64, 64), slices=1, phases=12)
    select(panel, add_volume(Volume(cine.array[:, 0], Grid((64, 64, 12), (1.5, 1.5, 1.0))), "phases"))
    press(panel.ui.recognizeButton)
    assert "phases of one slice" in panel.ui.statusLabel.text and "sequence" in panel.ui.statusLabel.text


def test_a_colour_image_cannot_be_recognized_and_says_why(panel: Any) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVectorVolumeNode", "photo")
    slicer.util.updateVolumeFromArray(node, np.zeros((2, 3, 4, 3), np.uint8))
    select(panel, node)
    assert not panel.ui.recognizeButton.enabled and "colour image" in panel.ui.recognizeButton.toolTip


def test_a_model_from_a_file(panel: Any) -> None:
    from CMROrientLib.recognition.cards.model_files import find_model

    select(panel, phantom_node(2))
    panel.ui.modelComboBox.setCurrentIndex(len(panel.panel.models))
    assert not panel.ui.recognizeButton.enabled and "model's file" in panel.ui.recognizeButton.toolTip
    panel.ui.modelPathEdit.currentPath = "/nowhere/model.onnx"
    press(panel.ui.recognizeButton)
    assert "no model here" in panel.ui.statusLabel.text
    panel.ui.modelPathEdit.currentPath = str(find_model("universal").onnx)
    press(panel.ui.recognizeButton)
    assert "upside down" in panel.ui.verdictLabel.text


def test_the_cpu_can_be_forced(panel: Any) -> None:
    panel.ui.deviceComboBox.setCurrentIndex(1)
    assert panel.ui.deviceLabel.text == "CPU" and panel._parameterNode.device.value == "cpu"
    panel.ui.deviceComboBox.setCurrentIndex(0)


def test_the_device_that_runs_is_named(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel.logic, "_devices", {})
    loaded = SimpleNamespace(device_description="CUDA: NVIDIA H100")
    monkeypatch.setattr("CMROrientLib.recognition.recognizer.Recognizer", lambda **_: loaded)
    assert panel.logic.recognizer() is loaded
    panel.panel.update()
    assert panel.ui.deviceLabel.text == "CUDA: NVIDIA H100"


def test_choices_are_kept_in_the_scene(panel: Any) -> None:
    select(panel, phantom_node(2))
    panel.ui.geometryComboBox.setCurrentIndex(1)
    panel.exit()
    again = panel.logic.getParameterNode()
    assert again.geometry.value == "follow" and again.inputVolume.GetName() == "SAX"


def test_an_unexpected_error_is_shown_and_raised(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("broken")

    select(panel, phantom_node(2))
    monkeypatch.setattr(panel.logic, "examine", broken)
    with pytest.raises(ZeroDivisionError):
        panel.panel.recognize()
    assert "Failed: broken" in panel.ui.statusLabel.text and panel.ui.recognizeButton.enabled
