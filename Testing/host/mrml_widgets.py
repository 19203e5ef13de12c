"""Stand-ins for the widgets of CTK and MRML that the panel uses: their real names, and no others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import shiboken6
import slicer
from PySide6.QtCore import Property, QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPalette, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QMessageBox,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QWidget,
)
from pythonqt import properties_as_attributes

_HEADER = 26


def _stored(name: str, kind: type, default: object) -> Property:
    """A Qt property that only keeps its value."""
    attribute = f"_{name}"

    def get(self: QObject) -> object:
        return self.__dict__.get(attribute, default)

    def put(self: QObject, value: object) -> None:
        self.__dict__[attribute] = value
        self.onStored(name)

    return Property("QStringList" if kind is list else kind, get, put)


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

    isEntered = _stored("isEntered", bool, False)

    def self(self) -> object:
        return self._python

    def onStored(self, _name: str) -> None: ...


class _NodeComboBox(QWidget):
    currentNodeChanged = Signal(object)
    SIGNALS = ("currentNodeChanged(vtkMRMLNode*)",)

    nodeTypes = _stored("nodeTypes", list, [])
    hideChildNodeTypes = _stored("hideChildNodeTypes", list, [])
    showChildNodeTypes = _stored("showChildNodeTypes", bool, True)
    noneEnabled = _stored("noneEnabled", bool, False)
    noneDisplay = _stored("noneDisplay", str, "None")
    addEnabled = _stored("addEnabled", bool, True)
    removeEnabled = _stored("removeEnabled", bool, True)
    editEnabled = _stored("editEnabled", bool, False)
    renameEnabled = _stored("renameEnabled", bool, False)
    selectNodeUponCreation = _stored("selectNodeUponCreation", bool, True)
    baseName = _stored("baseName", str, "")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None
        self._tags: list[int] = []
        self._box = QComboBox(self)
        self._box.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self._box.setMinimumContentsLength(12)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._ids: list[str | None] = []
        self._current: str | None = None
        self._box.activated.connect(lambda index: self._select(self._ids[index]))

    def onStored(self, _name: str) -> None:
        self._refresh()

    def setMRMLScene(self, scene: object) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene = scene
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent) if scene else ()
        self._tags = [scene.AddObserver(event, self._follower()) for event in events]
        self._refresh()

    def _follower(self) -> Callable[..., None]:
        # The window may be gone while the scene still calls.
        return lambda *_: self._refresh() if shiboken6.isValid(self) else None

    def nodeCount(self) -> int:
        return len([node_id for node_id in self._ids if node_id])

    def currentNode(self) -> object:
        return self._scene.GetNodeByID(self._current) if self._scene and self._current else None

    def setCurrentNode(self, node: object) -> None:
        self._select(node.GetID() if node is not None else None)

    def _select(self, node_id: str | None) -> None:
        if node_id not in self._ids and node_id is not None:
            node_id = None
        changed = node_id != self._current
        self._current = node_id
        self._box.setCurrentIndex(self._ids.index(node_id) if node_id in self._ids else -1)
        if changed:
            QWidget.__getattribute__(self, "currentNodeChanged").emit(self.currentNode())

    def _fits(self, node: object) -> bool:
        if node.GetHideFromEditors():
            return False
        exact = node.GetClassName() in self.__dict__.get("_nodeTypes", [])
        child = any(node.IsA(kind) for kind in self.__dict__.get("_nodeTypes", []))
        hidden = any(node.IsA(kind) for kind in self.__dict__.get("_hideChildNodeTypes", []))
        return exact or (self.__dict__.get("_showChildNodeTypes", True) and child and not hidden)

    def _nodes(self) -> list[object]:
        if self._scene is None:
            return []
        nodes = [self._scene.GetNthNode(index) for index in range(self._scene.GetNumberOfNodes())]
        return [node for node in nodes if self._fits(node)]

    def _refresh(self) -> None:
        nodes = self._nodes()
        first = [None] if self.__dict__.get("_noneEnabled", False) else []
        self._ids = [*first, *(node.GetID() for node in nodes)]
        self._box.clear()
        self._box.addItems([*(self.__dict__.get("_noneDisplay", "None") for _ in first), *(n.GetName() for n in nodes)])
        self._select(self._current)


class _CheckableNodeComboBox(_NodeComboBox):
    checkedNodesChanged = Signal()
    SIGNALS = (*_NodeComboBox.SIGNALS, "checkedNodesChanged()")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._checked: set[str] = set()
        self._box.setModel(QStandardItemModel(self._box))
        # CTK writes the checked names in the colour of text, Qt a placeholder in grey.
        palette = self._box.palette()
        palette.setColor(QPalette.PlaceholderText, palette.color(QPalette.Text))
        self._box.setPalette(palette)

    def checkedNodes(self) -> tuple[object, ...]:
        return tuple(node for node in self._nodes() if node.GetID() in self._checked)

    def noneChecked(self) -> bool:
        return not self.checkedNodes()

    def setCheckState(self, node: object, state: Qt.CheckState) -> None:
        (self._checked.add if state == Qt.Checked else self._checked.discard)(node.GetID())
        self._refresh()
        QWidget.__getattribute__(self, "checkedNodesChanged").emit()

    def checkState(self, node: object) -> Qt.CheckState:
        return Qt.Checked if node.GetID() in self._checked else Qt.Unchecked

    def _refresh(self) -> None:
        if "_checked" not in self.__dict__:
            return
        nodes = self._nodes()
        self._checked &= {node.GetID() for node in nodes}
        self._ids = [node.GetID() for node in nodes]
        model = self._box.model()
        model.clear()
        for node in nodes:
            item = QStandardItem(node.GetName())
            item.setCheckable(True)
            item.setCheckState(self.checkState(node))
            model.appendRow(item)
        names = [node.GetName() for node in nodes if node.GetID() in self._checked]
        self._box.setPlaceholderText(", ".join(names) or "None")
        self._box.setCurrentIndex(-1)


class _CollapsibleButton(QWidget):
    text = _stored("text", str, "")
    collapsed = _stored("collapsed", bool, False)
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
    nameFilters = _stored("nameFilters", list, [])

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
        ("qMRMLNodeComboBox", _NodeComboBox),
        ("qMRMLCheckableNodeComboBox", _CheckableNodeComboBox),
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
