"""Pictures of the steps of the tutorial, each the part of the panel that the step is about; called by ``screenshots``.

All show the synthetic heart, and all are made by pressing what the tutorial says.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QMenu, QMessageBox, QWidget

_MARGIN = 6


def packages(panel: Any, window: Any) -> QPixmap:
    """The question at the first Recognize in a Slicer without ONNX Runtime."""
    from CMROrientPanel import packages as own

    sample(panel, "stack")
    real = own.missing
    own.missing = lambda needed: [one for one in needed.values() if one.startswith("onnxruntime")]
    try:
        return _question(panel.ui.recognizeButton.click, QMessageBox.StandardButton.Cancel)
    finally:
        own.missing = real


def chosen(panel: Any, window: Any) -> QPixmap:
    """The sample is chosen, nothing was looked at yet."""
    sample(panel, "stack")
    return _part(panel, window, panel.ui.inputSelector, panel.ui.recognizeButton)


def votes(panel: Any, window: Any) -> QPixmap:
    """Verdict, chart and table after Recognize."""
    sample(panel, "stack")
    panel.ui.recognizeButton.click()
    return _part(panel, window, panel.ui.verdictLabel, panel.ui.sliceTable)


def correct(panel: Any, window: Any) -> QPixmap:
    """Pictures of before and after, geometry, and what Correct wrote."""
    sample(panel, "stack")
    panel.ui.recognizeButton.click()
    panel.ui.correctButton.click()
    return _part(panel, window, panel.ui.classComboBox, panel.ui.resultLabel)


def mirror(panel: Any, window: Any) -> QPixmap:
    """The banner of a mirrored stack."""
    sample(panel, "mirrored")
    panel.ui.recognizeButton.click()
    return _part(panel, window, panel.ui.conflictLabel, panel.ui.verdictLabel)


def question(panel: Any, window: Any) -> QPixmap:
    """What is asked before it is written."""
    sample(panel, "mirrored")
    panel.ui.recognizeButton.click()
    return _question(panel.ui.correctButton.click, QMessageBox.StandardButton.No)


def cine(panel: Any, window: Any) -> QPixmap:
    """Verdict and table of a cine: slices of several phases, one decision."""
    sample(panel, "cine")
    panel.ui.recognizeButton.click()
    return _part(panel, window, panel.ui.verdictLabel, panel.ui.sliceTable)


def series(panel: Any, window: Any) -> QPixmap:
    """One series of a stack that the scanner stored as a series a slice: decided on with the others."""
    from dataclasses import replace

    import slicer

    from CMROrientLib.mrml.nodes import right_handed
    from CMROrientLib.mrml.samples import add_stack
    from CMROrientLib.phantom.phantom import make_phantom

    stack = right_handed(make_phantom(orientation=2, slices=8)).volume
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "examination")
    hierarchy.SetItemUID(study, slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMUIDName(), "1.2.3")
    nodes = []
    for n, pixels in enumerate(stack.array):
        origin = tuple((stack.grid.affine @ [0, 0, n, 1])[:3])
        grid = replace(stack.grid, size=(*stack.grid.size[:2], 1), origin=origin)
        nodes.append(add_stack(replace(stack, array=pixels[None], grid=grid), f"{n + 11}: SAX {n + 1}"))
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(nodes[-1]) or hierarchy.CreateItem(study, nodes[-1]), study)
    panel.initializeParameterNode()
    panel._parameterNode.inputVolume = nodes[3]
    panel.ui.recognizeButton.click()
    return _part(panel, window, panel.ui.verdictLabel, panel.ui.sliceTable)


def follow(panel: Any, window: Any) -> QPixmap:
    """A segmentation that follows its image."""
    import qt

    segmentation = _drawn_on(sample(panel, "stack"))
    panel.ui.segmentationsSelector.setCheckState(segmentation, qt.Qt.Checked)
    panel.ui.recognizeButton.click()
    panel.ui.correctButton.click()
    return _part(panel, window, panel.ui.segmentationsSelector, panel.ui.resultLabel)


def apply_to_all(panel: Any, window: Any) -> QPixmap:
    """What Apply to all says: the stack with its segmentation, the cine, and a mirrored stack that was declined."""
    from mrml_widgets import ANSWERS

    _drawn_on(sample(panel, "stack"))
    sample(panel, "cine")
    sample(panel, "mirrored")
    ANSWERS.prepared.append(QMessageBox.StandardButton.No)
    panel.ui.applyAllButton.click()
    return _part(panel, window, panel.ui.applyAllButton, panel.ui.resultLabel)


def save_as_dicom(panel: Any, window: Any) -> QPixmap:
    """A stack of the DICOM database, and the derived series that was saved."""
    import ctk
    import slicer
    from DICOMLib import DICOMUtils

    from CMROrientLib.mrml.samples import add_stack
    from CMROrientLib.phantom.phantom import make_phantom

    support = Path(__file__).resolve().parents[1] / "Python" / "support"
    sys.path[:0] = [str(support), str(support / "dicom")]
    from phantom_dicom import SIZE, phantom_files
    from pydicom import dcmread

    with tempfile.TemporaryDirectory() as folder:
        files = phantom_files(Path(folder) / "in", orientation=3, slices=7)
        slicer.dicomDatabase = ctk.ctkDICOMDatabase()
        slicer.dicomDatabase.openDatabase(str(Path(folder) / "ctkDICOM.sql"))
        DICOMUtils.importDicom(str(Path(folder) / "in"))
        node = add_stack(make_phantom(orientation=3, size=SIZE, slices=7), "SAX")
        node.SetAttribute("DICOM.instanceUIDs", " ".join(str(dcmread(file).SOPInstanceUID) for file in files))
        panel._parameterNode.inputVolume = node
        panel.ui.recognizeButton.click()
        panel.ui.saveDicomButton.click()
        shown = _part(panel, window, panel.ui.correctButton, panel.ui.resultLabel)
        slicer.dicomDatabase.closeDatabase()
        del slicer.dicomDatabase
    return shown


def context_menu(panel: Any, window: Any) -> QPixmap:
    """What a right-click on a volume offers of this module."""
    import host
    import slicer

    host.load_module().CMROrient.setup(None)
    handler = slicer.qSlicerSubjectHierarchyPluginHandler.instance()
    menu = QMenu()
    for action in handler.right_click(sample(panel, "stack")).values():
        menu.addAction(action)
    return _grabbed(menu)


STEPS: tuple[Callable[[Any, Any], QPixmap], ...] = (
    packages,
    chosen,
    votes,
    correct,
    mirror,
    question,
    cine,
    series,
    follow,
    apply_to_all,
    save_as_dicom,
    context_menu,
)


def sample(panel: Any, key: str) -> Any:
    """One of the samples of the module Sample Data, chosen on the panel."""
    from CMROrientLib.mrml.samples import SAMPLES, add_sample

    node = add_sample(next(one for one in SAMPLES if one.key == key))
    panel.initializeParameterNode()
    panel._parameterNode.inputVolume = node
    return node


def _drawn_on(node: Any) -> Any:
    import slicer

    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode", "ventricles")
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
    return segmentation


def _question(press: Callable[[], object], answer: QMessageBox.StandardButton) -> QPixmap:
    """The box that a press brings up."""
    from mrml_widgets import ANSWERS

    seen: list[QPixmap] = []
    ANSWERS.prepared.append(answer)
    ANSWERS.watch = lambda box: seen.append(_grabbed(box))
    try:
        press()
    finally:
        ANSWERS.watch = None
    return seen[-1]


def _grabbed(widget: QWidget) -> QPixmap:
    widget.setPalette(QApplication.palette())
    widget.show()
    QApplication.processEvents()
    shown = widget.grab()
    widget.hide()
    return shown


def _part(panel: Any, window: Any, first: Any, last: Any) -> QPixmap:
    """The panel from the top of one widget to the bottom of another, in full width."""
    import screenshots

    screenshots.lay_out(panel, window)
    top = first.mapTo(window, QPoint(0, 0)).y() - _MARGIN
    bottom = last.mapTo(window, QPoint(0, last.height)).y() + _MARGIN
    return window.grab(QRect(0, max(top, 0), screenshots.WIDTH, bottom - max(top, 0)))
