"""Qt as PythonQt shows it, on top of PySide6: properties are attributes, signals connect by signature.

Only the names in ``NAMES`` exist; each is one that Slicer's binding has. Everything else raises
AttributeError, and so does setting an attribute that is neither a Qt property nor set in Python
by a subclass: the host never answers for Slicer what Slicer would not answer.
"""

from __future__ import annotations

import types
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import shiboken6
from PySide6 import QtCore, QtGui, QtUiTools, QtWidgets

#: Classes that are no QObjects (or need no properties): PySide's own behave as PythonQt's.
_PLAIN = {
    QtCore: ["QByteArray", "QFile", "QObject", "QPoint", "QPointF", "QRect", "QRectF", "QSettings", "QSize", "Qt"],
    QtGui: [
        "QBrush",
        "QColor",
        "QFont",
        "QFontMetrics",
        "QIcon",
        "QPainter",
        "QPainterPath",
        "QPalette",
        "QPen",
        "QPixmap",
        "QTransform",
    ],
    QtWidgets: ["QApplication", "QSizePolicy", "QTableWidgetItem"],
}

#: Widgets and layouts: subclassed, so that properties are attributes.
_OBJECTS = [
    "QAbstractItemView",
    "QCheckBox",
    "QComboBox",
    "QDoubleSpinBox",
    "QFormLayout",
    "QFrame",
    "QHBoxLayout",
    "QHeaderView",
    "QLabel",
    "QLineEdit",
    "QMessageBox",
    "QProgressBar",
    "QPushButton",
    "QScrollBar",
    "QSlider",
    "QSpinBox",
    "QTableWidget",
    "QTextEdit",
    "QToolButton",
    "QVBoxLayout",
    "QWidget",
]

#: Properties whose getter is virtual in some class: PySide's property() would ask Python for it, and so without end.
_VIRTUAL = ("minimumSizeHint", "sizeHint", "text")

#: Names that PySide's widgets have and PythonQt's wrappers of Qt 5.15 have not (compared by script with
#: the wrappers, slots and properties; virtual functions that Qt itself looks up in Python left out).
PYSIDE_ONLY = frozenset(
    """
    createWindowContainer del_ emit encodeMetricF exec internalWinId isQmlExposed isQuickItemType
    receivers setAccessibleIdentifier setKeyboardSearchFlags setLabelDrawingMode setUpdateThreshold tr
    """.split()  # noqa: SIM905
)

#: The same of what is no widget.
PYSIDE_ONLY_PLAIN = frozenset(
    """
    accent colorNames deviceIndependentSize dotProduct featureTags featureValue isValidColorName
    setFeature setVariableAxis toSizeF toTuple
    """.split()  # noqa: SIM905
)


def properties_as_attributes(base: type) -> type:
    """A subclass of a PySide class that reads and writes like PythonQt's wrapper of it."""

    def get(self: QtCore.QObject, name: str) -> object:
        if name.startswith("__"):
            return base.__getattribute__(self, name)
        _need_life(self, base, name)
        meta = base.metaObject(self)
        if meta.indexOfProperty(name) >= 0:
            return as_read(name, _value(self, base, name))
        if name == "name":
            return base.objectName(self)
        if name == "className":
            return lambda: type(self).__name__
        if name == "exec_":
            return base.__getattribute__(self, "exec")
        if name in PYSIDE_ONLY:
            raise AttributeError(f"{base.__name__}.{name}: PySide has it, PythonQt has not")
        if name == "findChildren":
            return lambda kind=QtCore.QObject, pattern="": base.findChildren(self, plain(kind), pattern)
        return base.__getattribute__(self, name)

    def put(self: QtCore.QObject, name: str, value: object) -> None:
        _need_life(self, base, name)
        if base.metaObject(self).indexOfProperty(name) >= 0:
            before = _value(self, base, name)
            # PythonQt makes "None" and 2 of these.
            lossy = (isinstance(before, str) and value is None) or (type(before) is int and isinstance(value, float))
            # PythonQt takes any sequence for a QStringList.
            if lossy or not base.setProperty(self, name, list(value) if isinstance(value, tuple) else value):
                raise TypeError(f"{type(self).__name__}.{name} cannot be set to {value!r}")
        elif name == "name":
            base.setObjectName(self, value)
        elif name.startswith("_") or (isinstance(value, QtCore.QObject) and value.objectName == name):
            # PySide's loader hangs every child on its root by name.
            base.__setattr__(self, name, value)
        else:
            raise AttributeError(f"{type(self).__name__} has no property {name!r}")

    def connect(self: QtCore.QObject, signature: str, receiver: object) -> None:
        signal_of(self, signature).connect(receiver)

    def disconnect(self: QtCore.QObject, signature: str, receiver: object) -> None:
        signal_of(self, signature).disconnect(receiver)

    # PySide looks connect up in each class body: inherited from a mixin it would be ignored.
    body = {"__getattribute__": get, "__setattr__": put, "connect": connect, "disconnect": disconnect}
    return type(base.__name__, (base,), body)


def _value(widget: QtCore.QObject, base: type, name: str) -> object:
    if name in _VIRTUAL and issubclass(base, QtWidgets.QWidget) and callable(getter := getattr(base, name)):
        return getter(widget)
    return base.property(widget, name)


def as_read(name: str, value: object) -> object:
    """The value of a property as the binding gives it: lists as tuples, plain tooltips as paragraphs."""
    if isinstance(value, list):
        return tuple(value)
    if name == "toolTip" and value and not QtGui.Qt.mightBeRichText(str(value)):
        return f"<p>{value}</p>"
    return value


def _need_life(widget: QtCore.QObject, base: type, name: str) -> None:
    if not shiboken6.isValid(widget):
        raise ValueError(f"trying to reach {name!r} of a destroyed {base.__name__}")


def stored(name: str, kind: type, default: object) -> QtCore.Property:
    """A Qt property that only keeps its value, and tells its widget (``onStored``)."""
    attribute = f"_{name}"

    def get(self: QtCore.QObject) -> object:
        return self.__dict__.get(attribute, default)

    def put(self: QtCore.QObject, value: object) -> None:
        self.__dict__[attribute] = value
        self.onStored(name)

    return QtCore.Property("QStringList" if kind is list else kind, get, put)


def signal_of(widget: QtCore.QObject, signature: str) -> object:
    """The signal with exactly this C++ signature; AttributeError where the class has none."""
    name = signature.partition("(")[0]
    known = getattr(type(widget), "SIGNALS", ())
    normalized = QtCore.QMetaObject.normalizedSignature(signature).data().decode()
    if signature not in known and QtCore.QObject.metaObject(widget).indexOfSignal(normalized) < 0:
        raise AttributeError(f"{type(widget).__name__} has no signal {signature}")
    return QtCore.QObject.__getattribute__(widget, name)


def plain(kind: type) -> type:
    """PySide's own class behind one that reads like PythonQt's."""
    return next(base for base in kind.__mro__ if base.__module__.startswith("PySide6"))


class _Menu(QtWidgets.QMenu):
    """``QMenu``, whose parent may be what is no widget: Slicer's own section for developers gives it the module's."""

    def __init__(self, parent: object = None) -> None:
        super().__init__(parent if isinstance(parent, QtWidgets.QWidget) else None)


class _Module(types.ModuleType):
    def __getattr__(self, name: str) -> object:
        raise AttributeError(f"{self.__name__} has no {name!r} in this host; add it only where Slicer's binding has it")


def make_qt() -> types.ModuleType:
    """The module ``qt``."""
    qt = _Module("qt")
    for module, names in _PLAIN.items():
        for name in names:
            setattr(qt, name, getattr(module, name))
    for name in _OBJECTS:
        setattr(qt, name, properties_as_attributes(getattr(QtWidgets, name)))
    qt.QAction = properties_as_attributes(QtGui.QAction)
    qt.QMenu = properties_as_attributes(_Menu)
    qt.QTableWidget = _with_parts(qt)
    qt.QTimer = QtCore.QTimer
    qt.QUiLoader = make_loader(qt)
    return qt


def _with_parts(qt: types.ModuleType) -> type:
    """``QTableWidget`` whose horizontal header and scroll bar read like PythonQt's, too."""

    class QTableWidget(qt.QTableWidget):
        def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
            super().__init__(parent)
            header = qt.QHeaderView(QtCore.Qt.Horizontal, self)
            header.setSectionsClickable(True)
            self.setHorizontalHeader(header)
            self.setHorizontalScrollBar(qt.QScrollBar(QtCore.Qt.Horizontal, self))

        connect, disconnect = qt.QTableWidget.connect, qt.QTableWidget.disconnect

    return QTableWidget


def make_loader(qt: types.ModuleType) -> type:
    """``QUiLoader`` that makes this host's widgets, those of ``ctk`` and ``slicer`` among them."""

    class QUiLoader(QtUiTools.QUiLoader):
        def createWidget(self, class_name: str, parent: object = None, name: str = "") -> object:
            import ctk
            import slicer

            home = ctk if class_name.startswith("ctk") else slicer if class_name.startswith("qMRML") else qt
            widget = getattr(home, class_name)(parent)
            widget.setObjectName(name)
            for attribute, value in self._enums.get(name, ()):
                setattr(widget, attribute, value)
            self._made.append(widget)
            return widget

        def load(self, file: QtCore.QFile, parent: object = None) -> object:
            self._made: list[object] = []
            tree = ElementTree.parse(Path(file.fileName()))
            links = tree.find("connections")
            receivers = [link.findtext("receiver") for link in links if _hands_scene_on(link, tree.findtext("class"))]
            # Qt knows nothing of the scene's signals: the host hands it on itself.
            tree.getroot().remove(links)
            self._enums = _take_enums(tree.getroot())
            text = QtCore.QBuffer()
            text.setData(ElementTree.tostring(tree.getroot()))
            text.open(QtCore.QBuffer.ReadOnly)
            root = super().load(text, parent)
            # Python's side of each widget has to live as long as the window does.
            root._made, root._scene_receivers = self._made, receivers
            return root

    return QUiLoader


def _take_enums(root: ElementTree.Element) -> dict[str, list[tuple[str, object]]]:
    """Take the properties out that Qt's loader cannot set on Python's classes; (name, value) by the widget's name."""
    taken: dict[str, list[tuple[str, object]]] = {}
    for widget in root.iter("widget"):
        if not widget.get("class", "").startswith("qMRML"):
            continue
        for one in [one for one in widget.findall("property") if one.find("enum") is not None]:
            home, _, value = one.findtext("enum").rpartition("::")
            taken.setdefault(widget.get("name"), []).append((one.get("name"), getattr(getattr(QtWidgets, home), value)))
            widget.remove(one)
    return taken


def _hands_scene_on(link: ElementTree.Element, root: str) -> bool:
    said = [link.findtext(part) for part in ("sender", "signal", "slot")]
    return said == [root, "mrmlSceneChanged(vtkMRMLScene*)", "setMRMLScene(vtkMRMLScene*)"]
