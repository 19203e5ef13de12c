"""CMROrient: recognize and correct the in-plane orientation of short-axis cardiac MR, in 3D Slicer.

The four classes that Slicer asks a module for; what they do is in ``CMROrientPanel``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# Installed, the library lies beside this file; in a source tree, beside this folder.
if not (Path(__file__).parent / "CMROrientLib").is_dir() and str(Path(__file__).resolve().parents[1]) not in sys.path:
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from CMROrientPanel import samples, texts
from CMROrientPanel.logic import CMROrientLogic
from CMROrientPanel.panel import Panel

from CMROrientLib.mrml.input import images_of_scene


class CMROrient(ScriptedLoadableModule):
    """The module: what Slicer shows of it before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("CMROrient")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        parent.dependencies = ["Volumes", "Sequences", "Segmentations", "SubjectHierarchy", "Tables"]
        parent.contributors = ["CMROrient contributors"]
        parent.helpText = texts.HELP
        parent.acknowledgementText = texts.ACKNOWLEDGEMENT
        # By then the module Sample Data is there.
        slicer.app.connect("startupCompleted()", samples.register)

    def setup(self):
        """Called when Slicer has loaded its modules: the subject hierarchy gets two actions for volumes."""
        folder = Path(__file__).parent / "SubjectHierarchyPlugins"
        plugin = slicer.qSlicerSubjectHierarchyScriptedPlugin(None)
        plugin.setPythonSource(str(folder / "CMROrientSubjectHierarchyPlugin.py"))


class CMROrientWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel in Slicer's window: it comes and goes with the module and with the scene."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        """Called when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/CMROrient.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = CMROrientLogic()
        self.panel = Panel(self.ui, self.logic)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartImportEvent, self.onSceneStartImport)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndImportEvent, self.onSceneEndImport)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.NodeAboutToBeRemovedEvent, self.onNodeAboutToBeRemoved)
        self.initializeParameterNode()

    def cleanup(self):
        """Called when the application closes."""
        self.panel.cancel()
        self.setParameterNode(None)
        self.removeObservers()

    def enter(self):
        """Called each time the module is opened."""
        self.initializeParameterNode()

    def exit(self):
        """Called each time another module is opened."""
        self.setParameterNode(None)

    def onReload(self):
        """Developer's reload: the library and the panel's pieces are read again, too."""
        for name in list(sys.modules):
            if name.partition(".")[0] in ("CMROrientLib", "CMROrientPanel"):
                del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event):
        """Nothing may hold on to nodes of a scene that closes."""
        self.setParameterNode(None)
        self.panel.scene_closes()

    def onSceneEndClose(self, caller, event):
        """An open panel goes on with the empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def onSceneStartImport(self, caller, event):
        """Nothing is read while a scene comes in: choices arrive before the nodes that they stand for."""
        self.setParameterNode(None)

    def onSceneEndImport(self, caller, event):
        """An open panel shows what was chosen in the scene that came in."""
        self.panel.scene_loaded()
        if self.parent.isEntered:
            self.initializeParameterNode()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(self, caller, event, node):
        """An output that goes leaves "new volume": the selector would take its neighbour, to be written over."""
        if self._parameterNode and self._parameterNode.outputVolume is node:
            self._parameterNode.outputVolume = None

    def initializeParameterNode(self):
        """Make sure that there is a parameter node, and an image where the scene holds one."""
        self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.inputVolume is None:
            images = images_of_scene(slicer.mrmlScene)
            if images:
                self._parameterNode.inputVolume = images[0].node or images[0].sequence

    def setParameterNode(self, parameterNode):
        """Show and follow a parameter node, None to let go of it."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameterNodeModified)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParameterNodeModified)
        self.panel.follow(self._parameterNode)

    def onParameterNodeModified(self, caller, event):
        """Something was chosen, here or by a script."""
        self.panel.update()


class CMROrientTest(ScriptedLoadableModuleTest):
    """Runs inside the application, from the developer's Reload & Test and by CTest."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """All eight orientations of the synthetic heart, and the sample data."""
        self.setUp()
        from CMROrientPanel.self_test import check_all_orientations, check_sample_data, need_onnx_runtime

        need_onnx_runtime()
        check_all_orientations(self, CMROrientLogic())
        check_sample_data(self, CMROrientLogic())
        self.delayDisplay("CMROrient: passed")
