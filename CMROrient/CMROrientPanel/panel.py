"""What happens when the person presses something; the module's widget brings the scene and its parameter node."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import qt
import slicer
from slicer.i18n import tr as _

from CMROrientLib.mrml import session
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.result import Recognition

from . import packages, show, slice_table, texts
from .apply_all import ApplyAll, Choices
from .errors_shown import errors_shown
from .logic import CMROrientLogic
from .package_line import PackageLine
from .parameters import CMROrientParameterNode
from .save_dicom import Decided, SaveAsDicom
from .task import Task, wait_cursor
from .views import Shown, Views
from .widgets import Widgets
from .write import write_corrected

if TYPE_CHECKING:
    from CMROrientLib.mrml.node_types import Node


class Panel:
    """The widgets, the work behind them, and what was found in the chosen image.

    Parameters
    ----------
    ui:
        The widgets of the .ui file.
    logic:
        Does the work; the panel asks it and shows what it says.
    """

    def __init__(self, ui: Widgets, logic: CMROrientLogic) -> None:
        self.ui = ui
        self.logic = logic
        self.task = Task(self._show_progress)
        self.models = list(logic.modelNames())
        self._parameters: CMROrientParameterNode | None = None
        self._examined: session.Examined | None = None
        self._examined_id = ""
        self._examined_by = ""
        self._scene_loaded = False
        self._views = Views(ui, self._shown)
        show.set_up(ui, self.models, self._views.ratio)
        self._package_line = PackageLine(ui, self.task, self._errors_shown, self._say, logic.whyNoCuda)
        shared = (ui, logic, self.task, self._errors_shown, self._say)
        self.apply_all = ApplyAll(*shared, self._choices)
        self._save_dicom = SaveAsDicom(*shared, self._decision)
        for widget, signal, slot in (
            (ui.modelComboBox, "currentIndexChanged(int)", self.choose_model),
            (ui.modelPathEdit, "currentPathChanged(QString)", self.choose_model_file),
            (ui.classComboBox, "currentIndexChanged(int)", self.choose_class),
            (ui.recognizeButton, "clicked(bool)", self.recognize),
            (ui.correctButton, "clicked(bool)", self.correct),
            (ui.cancelButton, "clicked(bool)", self.cancel),
        ):
            widget.connect(signal, slot)

    def follow(self, parameters: CMROrientParameterNode | None) -> None:
        """Show a parameter node from now on, None to let go of it."""
        self._parameters = parameters
        if parameters is not None and (self._scene_loaded or not self._examined_id):
            self._scene_loaded = False
            self._take_over(parameters)
        if parameters is not None:
            self._package_line.refresh()
        self.update()

    def scene_loaded(self) -> None:
        """The parameter node to come may hold an image and a class that belong together."""
        self._scene_loaded = True

    def scene_closes(self) -> None:
        """Hold on to nothing of a scene that closes."""
        self.task.cancel(_("Cancelled, because the scene was closed."))
        self._forget()

    def update(self) -> None:
        """Show what the parameter node and the last result say."""
        chosen = self._parameters
        if chosen is None:
            return
        node = chosen.inputVolume
        if (node.GetID() if node else "") != self._examined_id:
            self._forget()
            chosen.userClass = -1
        self.ui.deviceLabel.text = self.logic.deviceDescription(chosen.device.value)
        show.choices(self.ui, chosen, self.models)
        show.result(self.ui, self._examined, self._decided(), self._is_stale())
        show.buttons(self.ui, self._reasons())
        self._save_dicom.refresh()
        self._views.draw()

    def choose_model(self, index: int) -> None:
        """A bundled model, or one from a file."""
        if self._parameters:
            self._parameters.modelName = self.models[index] if index < len(self.models) else ""

    def choose_model_file(self, path: str) -> None:
        """The file of a model that is not bundled."""
        if self._parameters:
            self._parameters.modelFile = path

    def choose_class(self, index: int) -> None:
        """The person decides; without a result the image is read for the preview."""
        chosen = self._parameters
        if chosen is None or index - 1 == chosen.userClass:
            return
        if index > 0 and self._examined is None and chosen.inputVolume is not None:
            # Events come through meanwhile, as they do while it is recognized.
            node = chosen.inputVolume
            with self._errors_shown():
                with self.task(_("Reading the image")) as task:
                    examined = session.decide(node, index - 1, progress=task.progress)
                if self._keep(examined, node):
                    self._say("")
        chosen.userClass = index - 1 if self._examined is not None else -1

    def recognize(self, checked: bool = False) -> bool:
        """Find out how the chosen image is stored; whether there is a new result of it."""
        # Events come through meanwhile: the module may be left, the input deleted or changed.
        chosen = self._parameters
        node, model, device = chosen.inputVolume, self._model(), chosen.device.value
        with self._errors_shown():
            with self.task(_("Looking at the slices")) as task:
                note = packages.ensure(task, device)
                examined = self.logic.examine(node, model, device, progress=task.progress)
                seen = (examined.volume, examined.recognition, self._views.ratio)
                icons = slice_table.thumbnails(*seen, task.progress)
            if self._keep(examined, node, icons):
                self._examined_by = model
                self._say(note)
                return True
        return False

    def correct(self, checked: bool = False) -> None:
        """Write the corrected image."""
        chosen, decided = self._parameters, self._decided()
        with self._errors_shown():
            geometry, output = chosen.geometry.value, chosen.outputVolume
            self._say(write_corrected(self.ui, self.task, self._examined, decided, geometry, output))

    def run_for(self, node: Node, and_correct: bool) -> None:
        """Choose an image and recognize it; correct it, too, where that is wanted and something was decided."""
        gone = not slicer.mrmlScene.IsNodePresent(node)
        if gone or self.task.running:
            wait = _("Wait until the work is done, or press Cancel.")
            self._say(_("The volume was removed from the scene.") if gone else wait, is_error=True)
            return
        self._parameters.inputVolume = node
        # An older result is not what was asked for here.
        if not self.recognize() or not and_correct:
            return
        why = texts.MODULE_LEFT if self._parameters is None else self._reasons().correct
        self.correct() if why is None else self._say(why)

    def cancel(self, checked: bool = False) -> None:
        """End the running work at its next step."""
        self.task.cancel()

    def _show_progress(self, running: bool, sentence: str, done: int, total: int) -> None:
        show.progress(self.ui, running, sentence, done, total)
        self.ui.cancelButton.enabled = self.task.can_be_cancelled
        show.buttons(self.ui, self._reasons())
        self._package_line.lock()
        self._save_dicom.refresh()

    def _errors_shown(self) -> AbstractContextManager[None]:
        return errors_shown(self._say, self.task, self._show_again)

    def _show_again(self) -> None:
        self._package_line.refresh()
        self.update()

    def _say(self, sentence: str, is_error: bool = False) -> None:
        show.say(self.ui, sentence, is_error)

    def _take_over(self, parameters: CMROrientParameterNode) -> None:
        """What the person had decided when the scene was saved; only the image has to be read again."""
        node = parameters.inputVolume
        if node is None or node.GetID() == self._examined_id:
            return
        self._forget()
        if parameters.userClass >= 0:
            with self._errors_shown(), wait_cursor():
                self._remember(session.decide(node, parameters.userClass), node)
            if self._examined is None:
                parameters.userClass = -1

    def _keep(self, examined: session.Examined, node: Node, icons: Sequence[qt.QIcon] = ()) -> bool:
        """Remember what was found, unless its image was removed, or another one chosen, meanwhile: that is said."""
        removed = not slicer.mrmlScene.IsNodePresent(node)
        if removed or (self._parameters is not None and self._parameters.inputVolume is not node):
            self._say(texts.not_kept(examined.image.name, removed=removed))
            return False
        self._remember(examined, node, icons)
        return True

    def _remember(self, examined: session.Examined, node: Node, icons: Sequence[qt.QIcon] = ()) -> None:
        self._examined = examined
        self._examined_id = node.GetID()
        slice_table.fill(self.ui.sliceTable, examined.volume, examined.recognition, icons)

    def _forget(self) -> None:
        node = self._parameters.inputVolume if self._parameters else None
        self._examined, self._examined_id = None, node.GetID() if node else ""
        show.forget(self.ui)

    def _user_class(self) -> Orientation | None:
        chosen = self._parameters
        return Orientation(chosen.userClass) if chosen is not None and chosen.userClass >= 0 else None

    def _decided(self) -> Recognition | None:
        """What would be acted on; None where nothing was examined."""
        return self._examined.decided(self._user_class()) if self._examined is not None else None

    def _model(self) -> str:
        return self._parameters.modelName or self._parameters.modelFile

    def _is_stale(self) -> bool:
        """Whether another model than the chosen one has looked."""
        examined = self._examined
        return examined is not None and examined.model is not None and self._examined_by != self._model()

    def _choices(self) -> Choices:
        chosen = self._parameters
        return Choices(self._model(), chosen.device.value, chosen.inputVolume, chosen.geometry.value)

    def _decision(self) -> Decided | None:
        chosen = self._parameters
        return Decided(chosen.inputVolume, self._decided(), chosen.geometry.value) if chosen is not None else None

    def _reasons(self) -> show.Reasons:
        return show.reasons(self._parameters, self._examined, self._decided(), self.task.running)

    def _shown(self) -> Shown | None:
        chosen = self._parameters
        return Shown(self._examined, self._decided(), chosen.geometry.value) if chosen is not None else None
