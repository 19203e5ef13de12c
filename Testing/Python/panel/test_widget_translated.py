"""The panel in another language: every sentence that it shows went through Slicer's translator, under its own file."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import parts
import pytest
from sentences import context, marked

from CMROrientLib.mrml.requirements import FOR_CUDA, FOR_FILES, FOR_NETWORK

parts.need_module("slicer")
parts.need_module("PySide6.QtUiTools")

#: A language that puts every sentence into brackets; the panel is driven in it and everything shown is printed.
DRIVE = """
import json, sys
sys.path[:0] = [{host!r}, {support!r}]
import host
slicer = host.start()
asked = set()
def translated(context, text):
    asked.add((context, text))
    return "⟦" + text + "⟧"
slicer.app.translator = translated
widget, window = host.open_panel()
import numpy as np
from CMROrientPanel.self_test import SMALL, phantom_node
from PySide6.QtWidgets import QMessageBox
from mrml_widgets import ANSWERS
from CMROrientLib.errors import CMROrientError
from CMROrientLib.orientation import Orientation
ui, shown = widget.ui, []
def read():
    shown.extend(getattr(getattr(ui, name), kind) for name, kind in {by_code})
    shown.extend(ui.classComboBox.itemText(row) for row in range(ui.classComboBox.count))
    table = ui.sliceTable
    shown.extend(table.horizontalHeaderItem(column).text() for column in range(table.columnCount))
    for row in range(table.rowCount):
        for column in range(table.columnCount):
            shown.extend((table.item(row, column).text(), table.item(row, column).toolTip()))
def select(node):
    ui.inputSelector.setCurrentNode(node)
    read()
read()
for header, geometry in (("true", 0), ("false", 1), ("empty", 2)):
    for orientation in (0, 1, 2, 6):
        select(phantom_node(Orientation(orientation), header, **SMALL))
        ui.geometryComboBox.setCurrentIndex(geometry)
        if ui.recognizeButton.enabled:
            ui.recognizeButton.click()
        read()
        if ui.correctButton.enabled:
            ANSWERS.prepared.append(QMessageBox.StandardButton.Yes)
            ui.correctButton.click()
            ANSWERS.prepared.clear()
        read()
        ui.classComboBox.setCurrentIndex(6)
        read()
ANSWERS.prepared.append(QMessageBox.StandardButton.No)
ui.applyAllButton.click()
read()
from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.samples import add_cine
from CMROrientLib.phantom.phantom import make_phantom
tiny = right_handed(make_phantom(size=(36, 40), slices=2, phases=3, orientation=3)).volume
showing = widget.panel.task._show
masks = []
def correct_and_meanwhile(action, before=lambda: None):
    # Events come through while a cine is read: then, and not before, something is removed.
    left = [3]
    def show(running, said, done, total):
        showing(running, said, done, total)
        read()
        left[0] -= running
        if not left[0]:
            action()
    select(add_cine(tiny, "phantom")[1])
    ui.classComboBox.setCurrentIndex(1 + 3)
    before()
    widget.panel.task._show = show
    ui.correctButton.click()
    widget.panel.task._show = showing
    assert left[0] < 0, "the work ended before"
    read()
correct_and_meanwhile(lambda: slicer.mrmlScene.RemoveNode(ui.inputSelector.currentNode()))
correct_and_meanwhile(lambda: ui.inputSelector.currentNode().RemoveDataNodeAtValue("0"))
import qt
def tick():
    mask = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "phantom")
    mask.SetReferenceImageGeometryParameterFromVolumeNode(ui.inputSelector.currentNode().GetNthDataNode(0))
    ui.segmentationsSelector.setCheckState(mask, qt.Qt.Checked)
    return mask
correct_and_meanwhile(lambda: slicer.mrmlScene.RemoveNode(masks[0]), lambda: masks.extend((tick(), tick())))
qt.QTimer.singleShot(0, widget.exit)
widget.panel.run_for(phantom_node(Orientation(4), **SMALL), True)
widget.enter()
read()
noise = phantom_node(Orientation(0), **SMALL)
voxels = slicer.util.arrayFromVolume(noise)
voxels[:] = np.random.default_rng(0).integers(0, 999, voxels.shape)
select(noise)
ui.recognizeButton.click()
read()
ui.modelComboBox.setCurrentIndex(len(widget.panel.models))
read()
ui.modelPathEdit.currentPath = "/nowhere/model.onnx"
ui.recognizeButton.click()
read()
for node in (None, slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "SAX")):
    try:
        widget.logic.recognize(node)
    except CMROrientError as error:
        shown.append(error.message)
widget.logic.deviceDescription("auto")
from CMROrientPanel import packages
from CMROrientLib.mrml import requirements
from CMROrientLib.recognition import cuda
from pip_stand_in import Pip
class Patch:
    setattr = staticmethod(setattr)
pip = Pip(Patch)
lacks, old = {{"onnxruntime", "nibabel"}}, {{"pydicom"}}
def state(name, requirement):
    problem = "missing" if name in lacks else "old" if name in old else ""
    return requirements.State(name, "0.1", "0.2", problem)
requirements._state = state
def press(button, answer, meanwhile=lambda: None, error=None):
    pip.meanwhile = lambda: (read(), meanwhile())
    pip.errors = {{"": error}} if error else {{}}
    ANSWERS.prepared[:] = [answer]
    widget.panel.update()
    widget.panel._package_line.refresh()
    read()
    button.click()
    ANSWERS.prepared.clear()
    read()
ok, no = QMessageBox.StandardButton.Ok, QMessageBox.StandardButton.Cancel
select(phantom_node(Orientation(2), **SMALL))
ui.modelComboBox.setCurrentIndex(0)
for button in (ui.recognizeButton, ui.packagesButton):
    press(button, no)
    press(button, ok)
    press(button, ok, error=RuntimeError("404"))
    press(button, ok, meanwhile=widget.panel.recognize)
press(ui.packagesButton, ok, meanwhile=lambda: (lacks.clear(), old.clear()))
press(ui.recognizeButton, ok)
ui.modelComboBox.setCurrentIndex(1)
read()
lacks.add("safetensors")
cuda.has_driver = cuda.has_torch = lambda: True
cuda._built_without_cuda = lambda: False
for safetensors in (False, True):
    cuda.has_safetensors = lambda: safetensors
    widget.panel._package_line.refresh()
    read()
cuda.has_safetensors = lambda: False
press(ui.recognizeButton, ok, error=RuntimeError("404"))
shown += ANSWERS.texts
print(json.dumps({{"shown": sorted(set(map(str, shown))), "asked": sorted(asked)}}))
"""

#: Where the code puts words; those of the .ui file are translated by Qt.
BY_CODE = (
    ("recognizeButton", "toolTip"),
    ("correctButton", "toolTip"),
    ("applyAllButton", "toolTip"),
    ("outputSelector", "toolTip"),
    ("progressBar", "format"),
    ("statusLabel", "text"),
    ("conflictLabel", "text"),
    ("verdictLabel", "text"),
    ("geometryExplanation", "text"),
    ("beforePicture", "text"),
    ("afterPicture", "text"),
    ("resultLabel", "text"),
    ("deviceLabel", "text"),
    ("packagesLabel", "text"),
    ("packagesLabel", "toolTip"),
    ("packagesButton", "toolTip"),
)


@pytest.fixture(scope="module")
def said() -> dict[str, list[str]]:
    code = DRIVE.format(
        host=str(parts.REPOSITORY / "Testing" / "host"),
        support=str(parts.REPOSITORY / "Testing" / "Python" / "support"),
        by_code=BY_CODE,
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_everything_that_is_shown_was_translated(said: dict[str, list[str]]) -> None:
    assert len(said["shown"]) > 100
    left = set()
    for text in said["shown"]:
        rest = re.sub(r"<[^<>]*>", "", text)
        while rest != (rest := re.sub(r"⟦[^⟦⟧]*⟧", "", rest)):
            pass
        left |= set(re.findall(r"[^\W\d_]{2,}", rest))
    files = {"CPU", "phantom", "nowhere", "model", "onnx"}
    packages = {*FOR_NETWORK, *FOR_CUDA, *FOR_FILES, "pillow", "torch"}
    assert files <= left <= files | packages, "a device, a node's name, a file's path, a package: no sentence"


@pytest.mark.parametrize(
    "sentence",
    [
        "⟦Reading the image⟧",
        "⟦Nothing was written: “phantom” was removed meanwhile.⟧",
        "phantom: ⟦the image has changed since it was looked at; press Recognize again⟧",
        "⟦Followed: ⟦“phantom standard_1”⟧.⟧",
        "⟦Nothing was written: the module was left while the image was looked at. Press Correct.⟧",
    ],
)
def test_what_happens_while_an_image_is_read_is_told(said: dict[str, list[str]], sentence: str) -> None:
    assert [text for text in said["shown"] if sentence in text]


def test_the_translator_is_asked_for_what_is_extracted(said: dict[str, list[str]]) -> None:
    extracted = {(context(path), text) for path, texts in marked().items() for text in texts}
    asked = {(where, text) for where, text in said["asked"] if where != "qSlicerAbstractCoreModule"}
    # Slicer's own Base/Python, where it is used, translates sentences of its own.
    own = {one for one in asked if not one[0].startswith(("slicer.", "parameterNodeWrapper."))}
    # Scripts and notebooks hear the sentences of the rooms below; no panel shows them.
    of_scripts = ("adapters.", "transforms.", "recognition.notebook")
    assert own <= extracted and len(own) > sum(not one[0].startswith(of_scripts) for one in extracted) * 0.45
    files = {"CMROrientLib.orientation", "recognition.wording", "mrml.input", "CMROrientPanel.texts"}
    assert files <= {where for where, _text in own}
