"""Stand-ins for the widgets of CTK and MRML that the panel uses: their real names, and no others."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import slicer
from node_selectors import CheckableNodeComboBox, NodeComboBox
from PySide6.QtCore import Property, QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QWidget,
)
from pythonqt import properties_as_attributes, stored

_HEADER = 26


class _MRMLWidget(QWidget):
    """``qMRMLWidget``: hands the scene on along the connections of the .ui file."""

    SIGNALS = ("mrmlSceneChanged(vtkMRMLScene*)",)

    def setMRMLScene(self, scene: object) -> None:
        for name in self.__dict__.get("_scene_receivers", ()):
            child = QWidget.findChild(self, QObject, name)
            if child is None:
                raise LookupError(f"the .ui file connects {name}, which is not in it")
            child.setMRMLScene(scene)


class _ModuleWidget(QWidget):
    """``qSlicerScriptedLoadableModuleWidget``: what a module's widget gets as its parent."""

    isEntered = stored("isEntered", bool, False)

    def reload(self) -> None:
        """Make the module's widget anew, of the class that is in ``sys.modules`` now; nobody enters it."""
        widget = sys.modules["CMROrient"].CMROrientWidget(self)
        slicer.modules.opened(widget)
        widget.setup()

    def self(self) -> object:
        return self._python

    def onStored(self, _name: str) -> None: ...


class _CollapsibleButton(QWidget):
    text = stored("text", str, "")
    collapsed = stored("collapsed", bool, False)
    contentsCollapsed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setContentsMargins(0, _HEADER, 0, 0)

    def onStored(self, _name: str) -> None:
        for child in QWidget.children(self):
            if child.isWidgetType():
                child.setVisible(not self.__dict__.get("_collapsed", False))
        self.update()

    def paintEvent(self, _event: QEvent) -> None:
        painter = QPainter(self)
        option = QStyleOptionButton()
        option.initFrom(self)
        option.rect.setHeight(_HEADER - 4)
        # Text and arrow are drawn apart: push buttons centre their text, CTK's headers do not.
        self.style().drawControl(QStyle.CE_PushButtonBevel, option, painter, self)
        header = QRect(option.rect)
        option.rect = QRect(6, 6, header.height() - 12, header.height() - 12)
        closed = self.__dict__.get("_collapsed", False)
        kind = QStyle.PE_IndicatorArrowRight if closed else QStyle.PE_IndicatorArrowDown
        self.style().drawPrimitive(kind, option, painter, self)
        painter.drawText(header.adjusted(24, 0, 0, 0), Qt.AlignVCenter, self.__dict__.get("_text", ""))


class _PathLineEdit(QWidget):
    currentPathChanged = Signal(str)
    SIGNALS = ("currentPathChanged(QString)",)
    nameFilters = stored("nameFilters", list, [])

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._edit = QLineEdit(self)
        browse = QToolButton(self)
        browse.setText("…")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._edit)
        layout.addWidget(browse)
        self._edit.textChanged.connect(lambda text: QWidget.__getattribute__(self, "currentPathChanged").emit(text))

    def onStored(self, _name: str) -> None: ...

    def _get(self) -> str:
        return self._edit.text()

    def _put(self, path: str) -> None:
        self._edit.setText("" if path == str(Path()) else path)

    currentPath = Property(str, _get, _put)


class Answers:
    """What the person will press in the message boxes to come, and the texts that were shown.

    A question that nobody prepared an answer for raises: the host never presses a button itself.
    """

    def __init__(self) -> None:
        self.prepared: list[QMessageBox.StandardButton] = []
        self.texts: list[str] = []
        #: Called with each box before it is answered.
        self.watch: Callable[[QMessageBox], None] | None = None


ANSWERS = Answers()


class _MessageBox(QMessageBox):
    def exec(self) -> int:
        ANSWERS.texts.append(QMessageBox.text(self))
        if ANSWERS.watch is not None:
            ANSWERS.watch(self)
        if not ANSWERS.prepared:
            raise AssertionError(f"a message box that nobody answers: {QMessageBox.text(self)}")
        answer = ANSWERS.prepared.pop(0)
        if not QMessageBox.standardButtons(self) & answer:
            raise AssertionError(f"the box has no button {answer}: {QMessageBox.text(self)}")
        return answer


def install(ctk: object) -> None:
    """Put the widgets under their real names into ``slicer`` and ``ctk``."""
    for name, kind in (
        ("qMRMLWidget", _MRMLWidget),
        ("qMRMLNodeComboBox", NodeComboBox),
        ("qMRMLCheckableNodeComboBox", CheckableNodeComboBox),
        ("qSlicerScriptedLoadableModuleWidget", _ModuleWidget),
    ):
        setattr(slicer, name, _named(name, kind))
    for name, kind in (
        ("ctkCollapsibleButton", _CollapsibleButton),
        ("ctkPathLineEdit", _PathLineEdit),
        ("ctkMessageBox", _MessageBox),
    ):
        setattr(ctk, name, _named(name, kind))


def _named(name: str, kind: type) -> type:
    made = properties_as_attributes(kind)
    made.__name__ = made.__qualname__ = name
    return made
