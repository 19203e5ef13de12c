"""CMROrient: recognize and correct the in-plane orientation of short-axis cardiac MR, in 3D Slicer."""

from __future__ import annotations

import contextlib
import enum
import importlib.util
import logging
import sys
from pathlib import Path
from typing import Union

import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSequenceNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# Installed, the library lies beside this file; in a source tree, beside this folder.
if not (Path(__file__).parent / "CMROrientLib").is_dir():
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from CMROrientPanel import packages, panel_state, slice_table, texts
from CMROrientPanel.task import Cancelled, Task

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml import input as mrml_input
from CMROrientLib.mrml import output as mrml_output
from CMROrientLib.mrml import session
from CMROrientLib.orientation import Orientation


class CMROrient(ScriptedLoadableModule):
    """The module: what Slicer shows of it before it is opened."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        parent.title = _("CMROrient")
        parent.categories = [translate("qSlicerAbstractCoreModule", "Cardiac")]
        parent.dependencies = ["Volumes", "Sequences", "Segmentations", "Tables"]
        parent.contributors = ["CMROrient contributors"]
        parent.helpText = _(texts.HELP)
        parent.acknowledgementText = _(texts.ACKNOWLEDGEMENT)


class DeviceChoice(enum.Enum):
    """Where the network runs."""

    AUTO = "auto"
    CPU = "cpu"

    def label(self):
        """The text in the selector."""
        return {"auto": _("Automatic"), "cpu": _("CPU only")}[self.value]


class GeometryChoice(enum.Enum):
    """What happens to the header's directions."""

    AUTO = "auto"
    FOLLOW = "follow"
    KEEP = "keep"

    def label(self):
        """The text in the selector."""
        return {
            "auto": _("Automatic"),
            "follow": _("Voxels stay in place (follow)"),
            "keep": _("Directions stay (keep)"),
        }[self.value]


@parameterNodeWrapper
class CMROrientParameterNode:
    """What the person chose; it saves with the scene.

    inputVolume: the volume, or the cine's sequence or proxy.
    modelName: a bundled model, or "" for modelFile.
    userClass: the class that the person decided on, -1 to take the network's.
    outputVolume: None for a new one.
    """

    inputVolume: Union[vtkMRMLScalarVolumeNode, vtkMRMLSequenceNode, None]  # noqa: UP007  Slicer's wrapper asks for it
    modelName: str = "universal"
    modelFile: str = ""
    device: DeviceChoice = DeviceChoice.AUTO
    geometry: GeometryChoice = GeometryChoice.AUTO
    outputVolume: vtkMRMLScalarVolumeNode
    userClass: int = -1


class CMROrientWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.task = Task(self._showProgress)
        self._parameterNode = None
        self._parameterNodeGuiTag = None
        self._looked = None
        self._lookedAt = ""

    def setup(self):
        """Called when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/CMROrient.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = CMROrientLogic()
        self._models = self.logic.modelNames()
        panel_state.set_up(self.ui, self._models, self._ratio())

        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        for widget, signal, slot in (
            (self.ui.modelComboBox, "currentIndexChanged(int)", self.onModelChosen),
            (self.ui.modelPathEdit, "currentPathChanged(QString)", self.onModelFileChosen),
            (self.ui.classComboBox, "currentIndexChanged(int)", self.onClassChosen),
            (self.ui.sliceTable, "itemSelectionChanged()", self.updatePreview),
            (self.ui.recognizeButton, "clicked(bool)", self.onRecognize),
            (self.ui.correctButton, "clicked(bool)", self.onCorrect),
            (self.ui.applyAllButton, "clicked(bool)", self.onApplyAll),
            (self.ui.cancelButton, "clicked(bool)", self.onCancel),
        ):
            widget.connect(signal, slot)
        self.initializeParameterNode()

    def cleanup(self):
        """Called when the application closes."""
        self.task.cancel()
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
        self.task.cancel(_("Cancelled, because the scene was closed."))
        self.setParameterNode(None)
        self._forget()

    def onSceneEndClose(self, caller, event):
        """An open panel goes on with the empty scene."""
        if self.parent.isEntered:
            self.initializeParameterNode()

    def initializeParameterNode(self):
        """Make sure that there is a parameter node, and an image where the scene holds one."""
        self.setParameterNode(self.logic.getParameterNode())
        if self._parameterNode.inputVolume is None:
            sources = mrml_input.sources_of_scene(slicer.mrmlScene)
            if sources:
                self._parameterNode.inputVolume = sources[0].node or sources[0].sequence

    def setParameterNode(self, parameterNode):
        """Show and follow a parameter node, None to let go of it."""
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.update)
        self._parameterNode = parameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.update)
            self.update()

    def update(self, caller=None, event=None):
        """Show what the parameter node and the last result say."""
        chosen = self._parameterNode
        if chosen is None:
            return
        node = chosen.inputVolume
        if (node.GetID() if node else "") != self._lookedAt:
            self._forget()
            chosen.userClass = -1
        self.ui.deviceLabel.text = self.logic.deviceDescription(chosen.device.value)
        panel_state.show_choices(self.ui, chosen, self._models)
        panel_state.show_result(self.ui, self._looked, self._decided(), self._ratio())
        panel_state.show_buttons(self.ui, self._reasons())
        self.updatePreview()

    def updatePreview(self):
        """The chosen row's slice, as stored and as it would come out."""
        if self._parameterNode is None:
            return
        looked, result = self._looked, self._decided()
        row = max(self.ui.sliceTable.currentRow(), 0)
        planned = None
        if looked is not None and result is not None:
            planned = session.planned(looked, result, self._parameterNode.geometry.value)
        panel_state.show_preview(self.ui, looked, planned, row, self._ratio())

    def onModelChosen(self, index):
        """A bundled model, or one from a file."""
        if self._parameterNode:
            self._parameterNode.modelName = self._models[index] if index < len(self._models) else ""

    def onModelFileChosen(self, path):
        """The file of a model that is not bundled."""
        if self._parameterNode:
            self._parameterNode.modelFile = path

    def onClassChosen(self, index):
        """The person decides; without a result the image is read for the preview."""
        chosen = self._parameterNode
        if chosen is None or index - 1 == chosen.userClass:
            return
        if index > 0 and self._looked is None and chosen.inputVolume is not None:
            with self._errorsShown():
                self._remember(session.look_by_person(chosen.inputVolume, index - 1))
        chosen.userClass = index - 1 if self._looked is not None else -1

    def onRecognize(self, checked=False):
        """Look at the image."""
        chosen = self._parameterNode
        with self._errorsShown():
            packages.ensure()
            with self.task(_("Looking at the slices")) as task:
                looked = self.logic.look(chosen.inputVolume, self._model(), chosen.device.value, progress=task.progress)
            self._remember(looked)
            self._say("")

    def onCorrect(self, checked=False):
        """Write the corrected image."""
        chosen = self._parameterNode
        with self._errorsShown():
            result = self._decided()
            correction = session.planned(self._looked, result, chosen.geometry.value)
            name = self._looked.source.name
            asked = session.writes_a_mirror(result, correction)
            if asked and not slicer.util.confirmYesNoDisplay(texts.mirror_question(result, name), "CMROrient"):
                self._say(_("Nothing was written: the mirrored image was declined."))
                return
            output = None if self._looked.source.is_cine else chosen.outputVolume
            following = self.ui.segmentationsSelector.checkedNodes()
            made = session.correct_looked(
                self._looked, result, chosen.geometry.value, output=output, segmentations=following
            )
            if made.node is not None:
                mrml_output.show(made.node)
            followers = [node.GetName() for node in made.segmentations]
            name = (made.sequence or made.node).GetName()
            self.ui.resultLabel.text = texts.written(name, made.slices_reversed, followers)
            self._say("")

    def onApplyAll(self, checked=False):
        """Recognize and correct every image of the scene; what is not decided is left alone and named."""
        chosen = self._parameterNode
        with self._errorsShown():
            packages.ensure()
            with self.task(_("Looking at all images")) as task:
                found, left = self.logic.lookAtAll(self._model(), chosen.device.value, task)
            geometry = chosen.geometry.value
            mirrored = [one.source.name for one in found if session.would_mirror(one, geometry)]
            question = texts.mirror_question_all(mirrored)
            write = "write" if mirrored and slicer.util.confirmYesNoDisplay(question, "CMROrient") else "leave"
            with self.task(_("Writing")) as task:
                corrected, more = self.logic.correctAll(found, geometry, write, task)
            names = [(made.sequence or made.node).GetName() for made in corrected]
            self.ui.resultLabel.text = texts.summary(names, left + more)
            self._say("")

    def onCancel(self, checked=False):
        """End the running work at its next step."""
        self.task.cancel()

    def _showProgress(self, running, sentence, done, total):
        panel_state.show_progress(self.ui, running, sentence, done, total)
        panel_state.show_buttons(self.ui, self._reasons())

    @contextlib.contextmanager
    def _errorsShown(self):
        """Sentences that a person can act on go to the panel, everything else to Slicer's error box."""
        try:
            yield
        except Cancelled as end:
            self._say(str(end))
        except CMROrientError as error:
            logging.info("CMROrient: %s", error)
            self._say(str(error), is_error=True)
        except Exception as error:
            self._say(_("Failed: {error}").format(error=error), is_error=True)
            slicer.util.errorDisplay(_("CMROrient failed.\n\n{error}").format(error=error))
            raise
        finally:
            self.update()

    def _say(self, sentence, is_error=False):
        panel_state.say(self.ui, sentence, is_error)

    def _remember(self, looked):
        self._looked = looked
        self._lookedAt = self._parameterNode.inputVolume.GetID()
        slice_table.fill(self.ui.sliceTable, looked.volume, looked.recognition, self._ratio())

    def _forget(self):
        node = self._parameterNode.inputVolume if self._parameterNode else None
        self._looked, self._lookedAt = None, node.GetID() if node else ""
        panel_state.forget(self.ui, self._ratio())

    def _userClass(self):
        return Orientation(self._parameterNode.userClass) if self._parameterNode.userClass >= 0 else None

    def _decided(self):
        """What would be acted on; None where nothing was looked at."""
        return self._looked.decided(self._userClass()) if self._looked is not None else None

    def _model(self):
        return self._parameterNode.modelName or self._parameterNode.modelFile

    def _reasons(self):
        return panel_state.reasons(self._parameterNode, self._looked, self._decided(), self.task.running)

    def _ratio(self):
        return self.ui.sliceTable.devicePixelRatioF()


class CMROrientLogic(ScriptedLoadableModuleLogic):
    """What the panel does, for Slicer's Python console and for scripts; no call opens a window."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleLogic.__init__(self, parent)
        self._recognizers = {}

    def getParameterNode(self):
        """The typed parameter node of this module."""
        return CMROrientParameterNode(super().getParameterNode())

    def modelNames(self):
        """Names of the bundled models."""
        from CMROrientLib.recognition.model_files import bundled

        return bundled() or ["universal"]

    def deviceDescription(self, device):
        """What will run: "CUDA: <name>" or "CPU"; no package is loaded to find out."""
        if device == "cpu":
            return "CPU"
        loaded = [one for (_model, wanted), one in self._recognizers.items() if wanted == device]
        if loaded:
            return loaded[-1].device_description
        if importlib.util.find_spec("torch") is None:
            return _("CPU (CUDA needs the PyTorch extension)")
        return _("CUDA if it can be used, else CPU")

    def recognizer(self, model="universal", device="auto"):
        """The network, loaded once. Raises CMROrientError where a package or the model is missing."""
        packages.ensure(ask=False)
        key = (str(model), device)
        if key not in self._recognizers:
            from CMROrientLib.recognition.recognizer import Recognizer

            if not str(model):
                raise CMROrientError(_("Choose the model's file."))
            self._recognizers[key] = Recognizer(model=model, device=device)
        return self._recognizers[key]

    def look(self, node, model="universal", device="auto", sliceAxis=None, progress=None):
        """The image of a node and what was found in it (``session.Looked``)."""
        mrml_input.source_of(node)
        return session.look(node, self.recognizer(model, device), sliceAxis, progress)

    def recognize(self, node, model="universal", device="auto", sliceAxis=None, progress=None):
        """How a volume or a cine is stored (``CMROrientLib.Recognition``); nothing is written."""
        return self.look(node, model, device, sliceAxis, progress).recognition

    def correct(self, node, geometry="auto", orientation=None, output=None, segmentations=(), target=0, **looking):
        """Recognize and correct; the input stays as it is.

        :param orientation: class 0 to 7 that you decided on; the network is not asked then.
        :param looking: ``model``, ``device``, ``sliceAxis`` and ``progress``, as for ``recognize``.
        :return: ``session.Corrected`` with ``.node``, ``.sequence``, ``.table``, ``.segmentations``,
          ``.recognition``, ``.slices_reversed`` and ``.words``.
        :raises CMROrientError: where nothing was decided or the node cannot be used.
        """
        if orientation is None:
            looked = self.look(node, **looking)
        else:
            looked = session.look_by_person(node, orientation, looking.get("sliceAxis"))
        options = {"target": target, "output": output, "segmentations": segmentations}
        return session.correct_looked(looked, looked.recognition, geometry, **options)

    def lookAtAll(self, model="universal", device="auto", task=None):
        """Look at every image of the scene: (what was looked at, [(name, why not), …])."""
        recognizer = self.recognizer(model, device)
        return session.look_at_all(slicer.mrmlScene, recognizer, task.progress if task else None)

    def correctAll(self, found=None, geometry="auto", mirrored="leave", task=None):
        """Correct every image of the scene (or of ``lookAtAll``); an error leaves the scene as it was.

        :param mirrored: "leave" or "write" images whose pixels and header differ by a mirror.
        :return: ([``session.Corrected``, …], [(name, why it was left alone), …])
        """
        left = []
        if found is None:
            found, left = self.lookAtAll()
        progress = task.progress if task else None
        made, more = session.correct_all(slicer.mrmlScene, found, geometry, mirrored == "write", progress)
        return made, left + more


class CMROrientTest(ScriptedLoadableModuleTest):
    """Runs inside the application, from the developer's Reload & Test and by CTest."""

    def setUp(self):
        """Start from an empty scene."""
        slicer.mrmlScene.Clear()

    def runTest(self):
        """All eight orientations of the synthetic heart."""
        self.setUp()
        from CMROrientPanel.self_test import check_all_orientations

        check_all_orientations(self, CMROrientLogic())
        self.delayDisplay("CMROrient: passed")
