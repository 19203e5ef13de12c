"""What the panel does, for Slicer's Python console and for scripts; no call opens a window."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import slicer
from slicer.i18n import tr as _
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

from CMROrientLib.errors import CMROrientError
from CMROrientLib.mrml import all_images, session
from CMROrientLib.mrml.dicom_series import DicomSeries, SavedSeries, dicom_series, save_series, why_no_series
from CMROrientLib.mrml.input import scene_image
from CMROrientLib.mrml.provenance import made_here
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition import cuda
from CMROrientLib.recognition.wording import words

from . import dicom, packages
from .parameters import CMROrientParameterNode
from .task import Task

if TYPE_CHECKING:
    from CMROrientLib.correction import GeometryMode
    from CMROrientLib.mrml.node_types import Node, ShownNode, VolumeNode
    from CMROrientLib.progress import Progress
    from CMROrientLib.recognition.recognizer import Recognizer
    from CMROrientLib.recognition.result import Recognition


class CMROrientLogic(ScriptedLoadableModuleLogic):
    """Recognize and correct the images of the scene."""

    def __init__(self, parent: object = None) -> None:
        ScriptedLoadableModuleLogic.__init__(self, parent)
        #: What each choice of a device turned out to be.
        self._devices: dict[str, str] = {}
        #: What PyTorch, or the model, had against CUDA when a network was last to choose by itself.
        self._refused: str | None = None

    def getParameterNode(self) -> CMROrientParameterNode:
        """The typed parameter node of this module."""
        return CMROrientParameterNode(super().getParameterNode())

    def modelNames(self) -> Sequence[str]:
        """Names of the bundled models."""
        from CMROrientLib.recognition.cards.model_files import bundled

        return bundled() or ["universal"]

    def deviceDescription(self, device: str) -> str:
        """What will run: "CUDA: <name>" or "CPU"; no package is loaded to find out."""
        if device == "cpu":
            return "CPU"
        if device in self._devices:
            return self._devices[device]
        return _("CUDA if it can be used, else CPU") if cuda.why_no_cuda_yet() is None else "CPU"

    def whyNoCuda(self) -> str | None:
        """Why CUDA is not used, as far as is known; None where nothing speaks against it, or it is used."""
        return cuda.why_no_cuda_yet() or self._refused

    def recognizer(self, model: str = "universal", device: str = "auto") -> Recognizer:
        """The network; the library loads each once. Raises CMROrientError where a package or the model is missing."""
        packages.refuse_without_packages()
        from CMROrientLib.recognition.recognizer import Recognizer

        if not str(model):
            raise CMROrientError(_("Choose the model's file."))
        # In full: the panel shows every slice's vote, and how many of its copies agree.
        recognizer = Recognizer(model=model, device=device, looks="full")
        self._devices[device] = recognizer.device_description
        if device == "auto":
            # What can be told without PyTorch is told anew each time, as it can be mended meanwhile.
            open_question = not recognizer.device_description.startswith("CUDA") and cuda.why_no_cuda_yet() is None
            self._refused = cuda.why_not_auto(recognizer.model) if open_question else None
        return recognizer

    def examine(
        self,
        node: Node | None,
        model: str = "universal",
        device: str = "auto",
        sliceAxis: int | None = None,
        progress: Progress | None = None,
    ) -> session.Examined:
        """The image of a node and what was found in it."""
        scene_image(node)
        return session.examine(node, self.recognizer(model, device), sliceAxis, progress)

    def recognize(
        self,
        node: Node | None,
        model: str = "universal",
        device: str = "auto",
        sliceAxis: int | None = None,
        progress: Progress | None = None,
    ) -> Recognition:
        """How a volume or a cine is stored (``CMROrientLib.Recognition``); nothing is written."""
        return self.examine(node, model, device, sliceAxis, progress).recognition

    def correct(
        self,
        node: Node | None,
        geometry: GeometryMode = "auto",
        orientation: Orientation | int | None = None,
        output: VolumeNode | None = None,
        segmentations: Sequence[ShownNode] = (),
        target: Orientation | int = 0,
        model: str = "universal",
        device: str = "auto",
        sliceAxis: int | None = None,
        progress: Progress | None = None,
    ) -> session.Corrected:
        """Recognize and correct; the input stays as it is.

        :param orientation: class 0 to 7 that you decided on; the network is not asked then.
        :param model, device, sliceAxis, progress: as for ``recognize``.
        :return: ``session.Corrected`` with ``.node``, ``.sequence``, ``.table``, ``.segmentations``,
          ``.recognition``, ``.slices_reversed`` and ``.words``.
        :raises CMROrientError: where nothing was decided or the node cannot be used.
        """
        if orientation is None:
            examined = self.examine(node, model, device, sliceAxis, progress)
        else:
            examined = session.decide(node, orientation, sliceAxis, progress)
        options = {"target": target, "output": output, "segmentations": segmentations, "progress": progress}
        return session.correct(examined, examined.recognition, geometry, **options)

    def examineAll(
        self, model: str = "universal", device: str = "auto", task: Task | None = None
    ) -> tuple[list[session.Examined], list[tuple[str, str]]]:
        """Recognize every image of the scene: (what was found, [(name, why not), …])."""
        recognizer = self.recognizer(model, device)
        return all_images.examine_all(slicer.mrmlScene, recognizer, task.progress if task else None)

    #: Its name in scripts for version 1.0.
    lookAtAll = examineAll

    def correctAll(
        self,
        found: Iterable[session.Examined] | None = None,
        geometry: GeometryMode = "auto",
        mirrored: str = "leave",
        task: Task | None = None,
        segmentations: Sequence[ShownNode] | None = None,
        ticked: tuple[Node, Sequence[ShownNode]] | None = None,
    ) -> tuple[list[session.Corrected], list[tuple[str, str]]]:
        """Correct every image of the scene (or of ``examineAll``); an error leaves the scene as it was.

        :param mirrored: "leave" or "write" images whose pixels and header differ by a mirror.
        :param segmentations: what follows, each the image that it belongs to; all of the scene where None.
        :param ticked: (image, segmentations that follow this one whether or not they can be seen to belong to it)
        :return: ([``session.Corrected``, …], [(name, why it was left alone), …])
        """
        left: list[tuple[str, str]] = []
        if found is None:
            found, left = self.examineAll()
        progress = task.progress if task else None
        write = mirrored == "write"
        options = {"masks": segmentations, "ticked": ticked}
        made, more = all_images.correct_all(slicer.mrmlScene, list(found), geometry, write, progress, **options)
        return made, left + more

    def whyNotDicom(self, node: Node | None) -> str | None:
        """Why a volume or cine cannot be saved as DICOM, in a sentence that says what to do; None where it can."""
        return why_no_series(node, dicom.database())

    def dicomSeries(
        self,
        node: Node | None,
        geometry: GeometryMode = "auto",
        orientation: Orientation | int | None = None,
        target: Orientation | int = 0,
        progress: Progress | None = None,
    ) -> DicomSeries:
        """The DICOM files that a node was loaded from, and what would be done to them; nothing is written.

        :param orientation: the node's class; a result of ``correct`` knows it, and its geometry and target, itself.
        """
        packages.refuse_without_dicom()
        chosen = None if orientation is None else Orientation(orientation)
        return dicom_series(node, dicom.database(), chosen, geometry, target, progress)

    def saveSeries(
        self,
        series: DicomSeries,
        progress: Progress | None = None,
        take: Callable[[Path], None] = dicom.take_copies,
    ) -> SavedSeries:
        """Write what ``dicomSeries`` planned as a derived series into Slicer's DICOM database.

        :param take: has the database take the files of a folder.
        """
        return save_series(series, dicom.database(), take, progress)

    def saveAsDicom(
        self,
        node: Node | None,
        geometry: GeometryMode = "auto",
        orientation: Orientation | int | None = None,
        target: Orientation | int = 0,
        model: str = "universal",
        device: str = "auto",
        progress: Progress | None = None,
    ) -> SavedSeries:
        """Write the corrected image as a derived series into Slicer's DICOM database, and have it listed there.

        :param node: a volume or cine that was loaded from the database, or what ``correct`` made of one.
        :param geometry, orientation, target, model, device: as for ``correct``; a result of it needs none of them.
        :return: ``SavedSeries`` with ``.series`` (its UID), ``.description``, ``.files`` and ``.known``.
        :raises CMROrientError: where the node has no DICOM files, nothing was decided or nothing is to be corrected.
        """
        why = self.whyNotDicom(node)
        if why is not None:
            raise CMROrientError(why, None if node is None else node.GetName())
        if orientation is None and not made_here(node):
            result = self.recognize(node, model, device, progress=progress)
            if not result.acted_on:
                said = _("{result} Decide yourself: give its orientation, 0 to 7.").format(result=words(result))
                raise CMROrientError(said, node.GetName())
            orientation = result.orientation
        return self.saveSeries(self.dicomSeries(node, geometry, orientation, target, progress), progress)
