"""Apply to all: recognize and correct every image of the scene."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _

from CMROrientLib.mrml import session

from . import packages, texts
from .errors_shown import Say
from .logic import CMROrientLogic
from .task import Task
from .widgets import Widgets

if TYPE_CHECKING:
    from CMROrientLib.correction import GeometryMode
    from CMROrientLib.mrml.node_types import Node, ShownNode


@dataclass(frozen=True)
class Choices:
    """What was chosen on the panel when the button was pressed.

    Parameters
    ----------
    model, device:
        The network, and where it runs.
    node:
        The chosen image, which what is ticked follows.
    geometry:
        ``auto``, ``follow`` or ``keep``.
    """

    model: str
    device: str
    node: Node | None
    geometry: GeometryMode


class ApplyAll:
    """The button and its work.

    Parameters
    ----------
    ui, logic, task:
        The panel's.
    errors_shown:
        What is done within it tells its errors on the panel.
    say:
        Tells a sentence on the panel.
    chosen:
        What is chosen on the panel now.
    """

    def __init__(
        self,
        ui: Widgets,
        logic: CMROrientLogic,
        task: Task,
        errors_shown: Callable[[], AbstractContextManager[None]],
        say: Say,
        chosen: Callable[[], Choices],
    ) -> None:
        self._ui = ui
        self._logic = logic
        self._task = task
        self._errors_shown = errors_shown
        self._say = say
        self._chosen = chosen
        ui.applyAllButton.connect("clicked(bool)", self.__call__)

    def __call__(self, checked: bool = False) -> None:
        """Recognize and correct every image of the scene; what is not decided is left alone and named."""
        chosen = self._chosen()
        with self._errors_shown():
            with self._task(_("Looking at all images")) as task:
                note = packages.ensure(task, chosen.device)
                found, left = self._logic.examineAll(chosen.model, chosen.device, task)
            mirrored = [one.image.name for one in found if session.would_mirror(one, chosen.geometry)]
            question = texts.mirror_question_all(mirrored)
            write = "write" if mirrored and slicer.util.confirmYesNoDisplay(question, "CMROrient") else "leave"
            with self._task(_("Writing")) as task:
                ticked = self._ticked(chosen.node)
                corrected, more = self._logic.correctAll(found, chosen.geometry, write, task, ticked=ticked)
            followers = [node.GetName() for made in corrected for node in made.segmentations]
            self._ui.resultLabel.text = texts.summary(
                [made.main.GetName() for made in corrected], left + more, followers
            )
            self._say(note)

    def _ticked(self, node: Node | None) -> tuple[Node, Sequence[ShownNode]] | None:
        ticked = self._ui.segmentationsSelector.checkedNodes()
        return (node, ticked) if node is not None and ticked and slicer.mrmlScene.IsNodePresent(node) else None
