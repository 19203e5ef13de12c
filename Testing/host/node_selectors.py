"""Stand-ins for the node selectors of MRML's widgets: the rows are a real ``QComboBox``'s, and so is what it chooses.

As ``qMRMLSceneModel`` and ``qMRMLNodeComboBox`` do it: a row goes before its node leaves the scene, so that
Qt chooses a neighbour that the removed node's references still meet; no row comes in while a scene is
imported, and all rows are made anew afterwards, without a choice and without a check.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import shiboken6
import vtk
from PySide6.QtCore import Property, Qt, Signal
from PySide6.QtGui import QPalette, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget
from pythonqt import stored

#: As the scene model of MRML's widgets observes: removals after everybody else, the rest before.
_LAST, _FIRST = -10.0, 10.0


class NodeComboBox(QWidget):
    """``qMRMLNodeComboBox``."""

    currentNodeChanged = Signal(object)
    SIGNALS: tuple[str, ...] = ("currentNodeChanged(vtkMRMLNode*)",)

    nodeTypes = stored("nodeTypes", list, [])
    hideChildNodeTypes = stored("hideChildNodeTypes", list, [])
    showChildNodeTypes = stored("showChildNodeTypes", bool, True)
    noneEnabled = stored("noneEnabled", bool, False)
    noneDisplay = stored("noneDisplay", str, "None")
    addEnabled = stored("addEnabled", bool, True)
    removeEnabled = stored("removeEnabled", bool, True)
    editEnabled = stored("editEnabled", bool, False)
    renameEnabled = stored("renameEnabled", bool, False)
    selectNodeUponCreation = stored("selectNodeUponCreation", bool, True)
    baseName = stored("baseName", str, "")

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene = None
        self._tags: list[int] = []
        #: Each shown node's observer, by the node's ID.
        self._renamed: dict[str, tuple[object, int]] = {}
        self._box = QComboBox(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        #: The nodes' IDs, a row each; None for the row that stands for no node.
        self._ids: list[str | None] = []
        self._box.currentIndexChanged.connect(self._chosen)

    def _get_policy(self) -> QComboBox.SizeAdjustPolicy:
        return self._box.sizeAdjustPolicy()

    def _put_policy(self, policy: QComboBox.SizeAdjustPolicy) -> None:
        self._box.setSizeAdjustPolicy(policy)

    sizeAdjustPolicy = Property(QComboBox.SizeAdjustPolicy, _get_policy, _put_policy)

    def onStored(self, _name: str) -> None:
        if self.__dict__.get("_noneEnabled", False) and None in self._ids:
            self._box.setItemText(0, self.__dict__.get("_noneDisplay", "None"))
        self._match(self._nodes())

    def setMRMLScene(self, scene: object) -> None:
        for tag in self._tags:
            self._scene.RemoveObserver(tag)
        self._scene, self._tags = scene, []
        self._match([])
        if scene is not None:
            self._tags = [
                scene.AddObserver(scene.NodeAddedEvent, self._calls(self._node_added), _FIRST),
                scene.AddObserver(scene.NodeAboutToBeRemovedEvent, self._hears(self._node_goes), _LAST),
                scene.AddObserver(scene.EndCloseEvent, self._calls(self._anew)),
                scene.AddObserver(scene.EndImportEvent, self._calls(self._anew)),
            ]
            self._match(self._nodes())
        QWidget.setEnabled(self, scene is not None)

    def _calls(self, slot: Callable[[], None]) -> Callable[..., None]:
        # The window may be gone while the scene still calls.
        return lambda *_: slot() if shiboken6.isValid(self) else None

    def _hears(self, slot: Callable[[object], None]) -> Callable[..., None]:
        def heard(_scene: object, _event: str, node: object) -> None:
            if shiboken6.isValid(self):
                slot(node)

        heard.CallDataType = vtk.VTK_OBJECT
        return heard

    def nodeCount(self) -> int:
        return len([node_id for node_id in self._ids if node_id])

    def currentNode(self) -> object:
        row = self._box.currentIndex()
        node_id = self._ids[row] if 0 <= row < len(self._ids) else None
        return self._scene.GetNodeByID(node_id) if self._scene and node_id else None

    def setCurrentNode(self, node: object) -> None:
        node_id = node.GetID() if node is not None else None
        # Row 0 stands for no node where there is such a row.
        nothing = 0 if None in self._ids else -1
        self._box.setCurrentIndex(self._ids.index(node_id) if node_id in self._ids else nothing)

    def _chosen(self, row: int) -> None:
        node = self.currentNode()
        if node is None and row != (0 if None in self._ids else -1):
            # MRML's selector takes the last node where Qt has no choice and "no node" is another row.
            last = [node_id for node_id in self._ids if node_id]
            if last and self._scene is not None:
                self.setCurrentNode(self._scene.GetNodeByID(last[-1]))
            return
        QWidget.__getattribute__(self, "currentNodeChanged").emit(node)

    def _node_added(self) -> None:
        # IDs and references hold only when the import is over.
        if not self._scene.IsImporting():
            self._match(self._nodes())

    def _node_goes(self, node: object) -> None:
        if not self._scene.IsClosing():
            self._match([one for one in self._nodes() if one is not node])

    def _listen(self, nodes: Sequence[object]) -> None:
        """Hear of each shown node's new name, and of no other's."""
        shown = {node.GetID(): node for node in nodes}
        for node_id in [one for one in self._renamed if one not in shown]:
            node, tag = self._renamed.pop(node_id)
            node.RemoveObserver(tag)
        for node_id, node in shown.items():
            if node_id not in self._renamed:
                call = self._calls(functools.partial(self._show_name, node))
                self._renamed[node_id] = (node, node.AddObserver(vtk.vtkCommand.ModifiedEvent, call))

    def _show_name(self, node: object) -> None:
        node_id, name = node.GetID(), node.GetName() or ""
        if node_id in self._ids and self._box.itemText(self._ids.index(node_id)) != name:
            self._box.setItemText(self._ids.index(node_id), name)

    def _anew(self) -> None:
        self._match([])
        self._match(self._nodes())

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

    def _match(self, nodes: Sequence[object]) -> None:
        """Remove and insert rows, so that there is one for each of these nodes; Qt decides what is chosen then."""
        self._listen(nodes)
        names = {node.GetID(): node.GetName() or "" for node in nodes}
        if self.__dict__.get("_noneEnabled", False):
            names = {None: self.__dict__.get("_noneDisplay", "None"), **names}
        for row in reversed(range(len(self._ids))):
            if self._ids[row] not in names:
                del self._ids[row]
                self._box.removeItem(row)
        if self.currentNode() is None:
            self.setCurrentNode(None)
        for row, (node_id, name) in enumerate(names.items()):
            if node_id not in self._ids:
                self._ids.insert(row, node_id)
                self._box.insertItem(row, name)


class CheckableNodeComboBox(NodeComboBox):
    """``qMRMLCheckableNodeComboBox``."""

    checkedNodesChanged = Signal()
    SIGNALS = (*NodeComboBox.SIGNALS, "checkedNodesChanged()")

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
        self._match(self._nodes())
        QWidget.__getattribute__(self, "checkedNodesChanged").emit()

    def checkState(self, node: object) -> Qt.CheckState:
        return Qt.Checked if node.GetID() in self._checked else Qt.Unchecked

    def _match(self, nodes: Sequence[object]) -> None:
        """Make all rows anew; what is checked stays so as long as its row does."""
        if "_checked" not in self.__dict__:
            return
        self._listen(nodes)
        self._ids = [node.GetID() for node in nodes]
        self._checked &= set(self._ids)
        model = self._box.model()
        model.clear()
        for node in nodes:
            item = QStandardItem(node.GetName())
            item.setCheckable(True)
            item.setCheckState(self.checkState(node))
            model.appendRow(item)
        self._name_checked()
        self._box.setCurrentIndex(-1)

    def _show_name(self, node: object) -> None:
        super()._show_name(node)
        self._name_checked()

    def _name_checked(self) -> None:
        names = [node.GetName() for node in self.checkedNodes()]
        self._box.setPlaceholderText(", ".join(names) or "None")
