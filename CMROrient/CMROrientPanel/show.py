"""Puts results and choices into the panel's widgets; decides nothing."""

from __future__ import annotations

from dataclasses import dataclass

import qt
import slicer
from slicer.i18n import tr as _

from CMROrientLib.mrml import session
from CMROrientLib.mrml.input import images_of_scene, why_not
from CMROrientLib.mrml.session import Examined
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.result import Recognition

from . import slice_table, texts
from .parameters import CMROrientParameterNode
from .pictures import class_pixmap
from .widgets import Widgets

_ICON = 18

_CONFLICT_STYLE = "QLabel { background: #b3261e; color: #ffffff; padding: 8px; border-radius: 4px; }"
_CARD_STYLE = "QLabel {{ border-left: 4px solid {colour}; background: palette(alternate-base); padding: 6px 8px; }}"
_ERROR_COLOUR = "#c8433b"
_NOTE_COLOUR = "#d9902f"
_PRIMARY_STYLE = "QPushButton { font-weight: bold; }"
_NO_COLOUR = "#8a8f94"


@dataclass(frozen=True)
class Reasons:
    """Why a button cannot be pressed, as its tooltip; None where it can."""

    recognize: str | None
    correct: str | None
    apply_all: str | None


def set_up(ui: Widgets, models: list[str], ratio: float) -> None:
    """What a .ui file cannot say: choices with pictures, and looks."""
    for name in models:
        ui.modelComboBox.addItem(name)
    ui.modelComboBox.addItem(_("From a file…"))
    ui.classComboBox.setIconSize(qt.QSize(_ICON, _ICON))
    ui.classComboBox.addItem(_("As recognized"))
    for k in Orientation:
        ui.classComboBox.addItem(qt.QIcon(class_pixmap(k, _ICON, ratio)), f"{k.value}  {k.label}")
    slice_table.set_up(ui.sliceTable)
    ui.recognizeButton.setStyleSheet(_PRIMARY_STYLE)
    ui.correctButton.setStyleSheet(_PRIMARY_STYLE)
    ui.conflictLabel.setStyleSheet(_CONFLICT_STYLE)
    ui.geometryExplanation.setStyleSheet(_CARD_STYLE.format(colour=_NO_COLOUR))
    ui.resultLabel.setStyleSheet(_CARD_STYLE.format(colour=texts.COLOURS["standard"]))
    for label in (
        ui.conflictLabel,
        ui.factsLabel,
        ui.statusLabel,
        ui.geometryExplanation,
        ui.resultLabel,
        ui.progressFrame,
    ):
        label.hide()


def forget(ui: Widgets) -> None:
    """Nothing of another image stays: no rows, no sentence, and no segmentation that would follow this one."""
    slice_table.fill(ui.sliceTable, None, None)
    ui.resultLabel.text = ""
    ui.resultLabel.hide()
    for node in ui.segmentationsSelector.checkedNodes():
        ui.segmentationsSelector.setCheckState(node, qt.Qt.Unchecked)


def choices(ui: Widgets, chosen: CMROrientParameterNode, models: list[str]) -> None:
    """What follows from the selectors."""
    offered = [*models, ""]
    ui.modelComboBox.currentIndex = offered.index(chosen.modelName) if chosen.modelName in offered else 0
    ui.classComboBox.currentIndex = chosen.userClass + 1
    if ui.modelPathEdit.currentPath != chosen.modelFile:
        ui.modelPathEdit.currentPath = chosen.modelFile
    is_file = chosen.modelName == ""
    ui.modelPathEdit.setVisible(is_file)
    ui.modelFileLabel.setVisible(is_file)
    ui.geometryExplanation.text = texts.GEOMETRY[chosen.geometry.value]
    ui.geometryExplanation.show()
    is_cine = chosen.inputVolume is not None and chosen.inputVolume.IsA("vtkMRMLSequenceNode")
    ui.outputSelector.enabled = not is_cine
    if is_cine:
        ui.outputSelector.toolTip = _("A cine is written as a new sequence into the same browser.")
    else:
        ui.outputSelector.toolTip = _("Where the corrected volume goes. The input is never changed.")


def result(ui: Widgets, examined: Examined | None, decided: Recognition | None, stale: bool = False) -> None:
    """Verdict and conflict; ``stale`` where another model than the chosen one has looked."""
    seen = examined.recognition if examined is not None else None
    if seen is None:
        ui.verdictLabel.text = texts.NO_VERDICT
        colour = _NO_COLOUR
    else:
        ui.verdictLabel.text = texts.verdict(seen, decided)
        acted_on = decided if decided is not None else seen
        colour = _ERROR_COLOUR if acted_on.conflict else texts.COLOURS[acted_on.decision]
    if stale and examined is not None and examined.model is not None:
        ui.verdictLabel.text = texts.stale(examined.model.name, ui.verdictLabel.text)
        colour = _NOTE_COLOUR
    ui.verdictLabel.setStyleSheet(_CARD_STYLE.format(colour=colour))
    ui.factsLabel.text = texts.facts(examined) if examined is not None else ""
    ui.factsLabel.setVisible(bool(ui.factsLabel.text))
    banner = texts.conflict(decided) if decided is not None else None
    ui.conflictLabel.text = banner or ""
    ui.conflictLabel.setVisible(banner is not None)
    first = _("As recognized")
    if seen is not None and seen.decided_by == "network":
        first = _("As recognized: {label}").format(label=f"{seen.orientation.value}  {seen.orientation.label}")
    ui.classComboBox.setItemText(0, first)


def progress(ui: Widgets, running: bool, sentence: str, done: int, total: int) -> None:
    """The bar and Cancel while something runs; a bar that only moves where nothing can be counted."""
    ui.progressFrame.setVisible(running)
    ui.progressBar.setRange(0, total)
    ui.progressBar.value = done
    ui.progressBar.format = f"{sentence} %v/%m" if total else sentence
    for box in (ui.inputSelector, ui.modelComboBox, ui.deviceComboBox, ui.classComboBox, ui.geometryComboBox):
        box.enabled = not running


def buttons(ui: Widgets, why: Reasons) -> None:
    """A button that cannot be pressed says why."""
    for button, reason, tip in (
        (
            ui.recognizeButton,
            why.recognize,
            _("Look at the slices and say how the image is stored; nothing is written."),
        ),
        (ui.correctButton, why.correct, _("Write the image in standard orientation into a new node.")),
        (
            ui.applyAllButton,
            why.apply_all,
            _("Recognize and correct every volume and cine of the scene; what is not decided is left alone and named."),
        ),
    ):
        button.enabled = reason is None
        button.toolTip = reason or tip


def reasons(
    chosen: CMROrientParameterNode, examined: Examined | None, decided: Recognition | None, running: bool
) -> Reasons:
    """Why each button cannot be pressed."""
    if running:
        wait = _("Wait until the work is done, or press Cancel.")
        return Reasons(wait, wait, wait)
    if chosen is None:
        closed = _("The scene is closing.")
        return Reasons(closed, closed, closed)
    node = chosen.inputVolume
    recognize = why_not(node)
    if recognize is None and chosen.modelName == "" and not chosen.modelFile:
        recognize = _("Choose the model's file.")
    return Reasons(recognize, why_not(node) or _why_not_correct(chosen, examined, decided), _why_not_all(chosen))


def _why_not_correct(
    chosen: CMROrientParameterNode, examined: Examined | None, decided: Recognition | None
) -> str | None:
    if examined is None or decided is None:
        return _("Press Recognize first, or decide yourself under “Stored as”.")
    if not decided.acted_on:
        return _("The network does not decide. Look at the pictures and decide yourself under “Stored as”.")
    if session.planned(examined, decided, chosen.geometry.value).changes_nothing:
        return _("There is nothing to correct: pixels and header are in standard orientation already.")
    output = chosen.outputVolume
    if output is not None and output is chosen.inputVolume:
        return _("The output is the input; choose another output volume, the input stays as it is.")
    return None


def _why_not_all(chosen: CMROrientParameterNode) -> str | None:
    if chosen.modelName == "" and not chosen.modelFile:
        return _("Choose the model's file.")
    return None if images_of_scene(slicer.mrmlScene) else _("The scene holds no volume and no cine yet.")


def say(ui: Widgets, sentence: str, is_error: bool = False) -> None:
    """A sentence under the buttons; nothing where it is empty."""
    ui.statusLabel.text = sentence
    ui.statusLabel.setStyleSheet(_CARD_STYLE.format(colour=_ERROR_COLOUR if is_error else _NOTE_COLOUR))
    ui.statusLabel.setVisible(bool(sentence))
    ui.resultLabel.setVisible(bool(ui.resultLabel.text))
