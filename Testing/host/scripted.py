"""The little of Slicer's Base/Python that the module needs, for hosts without Slicer's own files.

``ScriptedLoadableModule``, ``parameterNodeWrapper`` and ``i18n`` with the names and the behaviour
that the panel relies on. With Slicer's ``Base/Python`` given, the host uses the real ones instead.
"""

from __future__ import annotations

import enum
import sys
import types
import typing
import unittest
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
import vtk


class ScriptedLoadableModule:
    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self.moduleName = type(self).__name__


class ScriptedLoadableModuleWidget:
    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Widget")
        self.developerMode = slicer.util.settingsValue("Developer/DeveloperMode", False, converter=slicer.util.toBool)
        self.parent = parent
        self.layout = parent.layout()

    def resourcePath(self, filename: str) -> str:
        return str(Path(slicer.util.modulePath(self.moduleName)).parent / "Resources" / filename)

    def setup(self) -> None:
        if not self.developerMode:
            return
        section = ctk.ctkCollapsibleButton()
        section.text = "Reload && Test"
        self.layout.addWidget(section)
        self.reloadButton = qt.QPushButton("Reload")
        self.reloadButton.connect("clicked()", self.onReload)
        qt.QFormLayout(section).addRow(self.reloadButton)

    def cleanup(self) -> None: ...

    def onReload(self) -> None:
        slicer.util.reloadScriptedModule(self.moduleName)


class ScriptedLoadableModuleLogic:
    def __init__(self, parent: Any = None) -> None:
        self.moduleName = type(self).__name__.removesuffix("Logic")

    def getParameterNode(self) -> Any:
        node = slicer.mrmlScene.GetSingletonNode(self.moduleName, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScriptedModuleNode")
            node.SetSingletonTag(self.moduleName)
            node = slicer.mrmlScene.AddNode(node)
        node.SetAttribute("ModuleName", self.moduleName)
        return node


class ScriptedLoadableModuleTest(unittest.TestCase):
    def runTest(self) -> None: ...

    def delayDisplay(self, message: str, msec: int | None = None) -> None:
        print(message)


def _alternatives(kind: Any) -> list[Any]:
    union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return [one for one in typing.get_args(kind) if one is not type(None)] if union else [kind]


def _holds_nodes(kind: Any) -> bool:
    return all(isinstance(one, type) and issubclass(one, slicer.vtkMRMLNode) for one in _alternatives(kind))


class _Field:
    """One typed parameter of a parameter node."""

    def __init__(self, name: str, kind: Any, default: Any) -> None:
        self.name, self.kind, self.default = name, kind, default
        if not _holds_nodes(kind) and not issubclass(kind, (enum.Enum, str, int)):
            raise TypeError(f"parameter {name}: the host has no {kind}")

    def __get__(self, owner: Any, _type: type) -> Any:
        node = owner.parameterNode
        if _holds_nodes(self.kind):
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if issubclass(self.kind, enum.Enum):
            return self.kind[text]
        return self.kind(text)

    def __set__(self, owner: Any, value: Any) -> None:
        node = owner.parameterNode
        if _holds_nodes(self.kind):
            if value is not None and not any(value.IsA(one.__name__) for one in _alternatives(self.kind)):
                raise TypeError(f"{self.name} does not take a {value.GetClassName()}")
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
        elif not isinstance(value, self.kind):
            raise TypeError(f"{self.name} does not take {value!r}")
        else:
            node.SetParameter(self.name, value.name if isinstance(value, enum.Enum) else str(value))


def parameterNodeWrapper(kind: type) -> type:
    """A class of annotated fields that reads from and writes to a parameter node, and binds to a GUI."""
    fields = {name: _Field(name, hint, getattr(kind, name, None)) for name, hint in typing.get_type_hints(kind).items()}

    def init(self: Any, node: Any) -> None:
        self.parameterNode, self._bindings = node, {}
        for name, field in fields.items():
            if not _holds_nodes(field.kind) and not node.HasParameter(name):
                setattr(self, name, field.default if field.default is not None else field.kind())

    def connect(self: Any, gui: Any) -> int:
        bound = []
        for widget in vars(gui).values():
            name = widget.property("SlicerParameterName")
            if name:
                bound.append(_Binding(self, fields[name], widget))
        tag = self.parameterNode.AddObserver(vtk.vtkCommand.ModifiedEvent, lambda *_: [one.show() for one in bound])
        self._bindings[tag] = bound
        return tag

    def disconnect(self: Any, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)
        for binding in self._bindings.pop(tag):
            binding.drop()

    body = dict(vars(kind), **fields, __init__=init, connectGui=connect, disconnectGui=disconnect)
    body["AddObserver"] = lambda self, *given: self.parameterNode.AddObserver(*given)
    body["RemoveObserver"] = lambda self, tag: self.parameterNode.RemoveObserver(tag)
    body["Modified"] = lambda self: self.parameterNode.Modified()
    return type(
        kind.__name__, (), {name: value for name, value in body.items() if name not in ("__dict__", "__weakref__")}
    )


class _Binding:
    """One widget and one field that follow each other."""

    def __init__(self, parameters: Any, field: _Field, widget: Any) -> None:
        self.parameters, self.field, self.widget = parameters, field, widget
        self._showing = False
        if _holds_nodes(field.kind) and type(widget) is slicer.qMRMLNodeComboBox:
            widget.nodeTypes = [one.__name__ for one in _alternatives(field.kind)]
            self._signal, self._read, self._write = (
                "currentNodeChanged(vtkMRMLNode*)",
                self._node,
                widget.setCurrentNode,
            )
        elif issubclass(field.kind, enum.Enum) and type(widget) is qt.QComboBox:
            widget.clear()
            for member in field.kind:
                widget.addItem(member.label())
            self._signal, self._read, self._write = "currentIndexChanged(int)", self._member, self._choose
        else:
            raise TypeError(f"no connector from {field.kind} to {type(widget).__name__}")
        self.show()
        widget.connect(self._signal, self.changed)

    def changed(self, *_: Any) -> None:
        if not self._showing:
            setattr(self.parameters, self.field.name, self._read())

    def show(self) -> None:
        self._showing, before = True, self._showing
        self._write(getattr(self.parameters, self.field.name))
        self._showing = before

    def drop(self) -> None:
        self.widget.disconnect(self._signal, self.changed)

    def _node(self) -> Any:
        return self.widget.currentNode()

    def _member(self) -> Any:
        return list(self.field.kind)[self.widget.currentIndex]

    def _choose(self, member: enum.Enum) -> None:
        self.widget.currentIndex = list(self.field.kind).index(member)


def translate(context: str, text: str) -> str:
    return slicer.app.translate(context, text)


def getContext(source: str) -> str:
    file = Path(source)
    name = file.name.removesuffix(".py")
    return f"{file.parent.name}.{name}" if (file.parent / "__init__.py").is_file() else name


def tr(text: str) -> str:
    return translate(getContext(sys._getframe(1).f_code.co_filename), text)
