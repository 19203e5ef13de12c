"""Save as DICOM: the button, what it asks, and the sentence for an image that cannot be saved so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from CMROrientLib.mrml import session
from CMROrientLib.mrml.provenance import made_here

from . import dicom, packages, texts
from .errors_shown import Say
from .logic import CMROrientLogic
from .task import Task
from .widgets import Widgets

if TYPE_CHECKING:
    from CMROrientLib.correction import GeometryMode
    from CMROrientLib.mrml.node_types import Node
    from CMROrientLib.recognition.result import Recognition


@dataclass(frozen=True)
class Decided:
    """What is chosen on the panel, and what was decided about it.

    Parameters
    ----------
    node:
        The chosen image.
    result:
        What would be acted on; None where nothing was examined.
    geometry:
        ``auto``, ``follow`` or ``keep``.
    """

    node: Node | None
    result: Recognition | None
    geometry: GeometryMode


class SaveAsDicom:
    """The button and its work.

    Parameters
    ----------
    ui, logic, task:
        The panel's.
    errors_shown:
        What is done within it tells its errors on the panel.
    say:
        Tells a sentence on the panel.
    decided:
        What is chosen and decided on the panel now; None while it follows no scene.
    """

    def __init__(
        self,
        ui: Widgets,
        logic: CMROrientLogic,
        task: Task,
        errors_shown: Callable[[], AbstractContextManager[None]],
        say: Say,
        decided: Callable[[], Decided | None],
    ) -> None:
        self._ui = ui
        self._logic = logic
        self._task = task
        self._errors_shown = errors_shown
        self._say = say
        self._decided = decided
        ui.saveDicomButton.connect("clicked(bool)", self.save)

    def refresh(self) -> None:
        """A button that cannot be pressed says why."""
        why = self._why_not()
        self._ui.saveDicomButton.enabled = why is None
        self._ui.saveDicomButton.toolTip = why or _(
            "Write the corrected image as a derived series into Slicer's DICOM database; the original files stay."
        )

    def save(self, checked: bool = False) -> None:
        """Write the derived series, after a question where it would be a mirrored one."""
        chosen = self._decided()
        with self._errors_shown():
            orientation = None if made_here(chosen.node) else chosen.result.orientation
            with self._task(_("Reading the DICOM files")) as task:
                packages.ensure_dicom(task)
                series = self._logic.dicomSeries(chosen.node, chosen.geometry, orientation, progress=task.progress)
            if session.writes_a_mirror(series.result, series.correction) and not slicer.util.confirmYesNoDisplay(
                texts.mirror_question(series.result, series.name), "CMROrient"
            ):
                self._say(_("Nothing was written: the mirrored image was declined."))
                return
            with self._task(_("Writing the DICOM files")) as task:
                saved = self._logic.saveSeries(series, task.progress, lambda folder: _take(task, folder))
            self._ui.resultLabel.text = texts.saved_as_dicom(saved)
            self._say("")

    def _why_not(self) -> str | None:
        if self._task.running:
            return _("Wait until the work is done, or press Cancel.")
        chosen = self._decided()
        if chosen is None:
            return _("The scene is closing.")
        why = self._logic.whyNotDicom(chosen.node)
        if why is not None or chosen.node is None or made_here(chosen.node):
            return why
        if chosen.result is None:
            return _("Press Recognize first, or decide yourself under “Stored as”.")
        if not chosen.result.acted_on:
            return _("The network does not decide. Look at the pictures and decide yourself under “Stored as”.")
        return None


def _take(task: Task, folder: Path) -> None:
    with task.uninterrupted(_("Importing into the DICOM database")):
        dicom.take_copies(folder)
