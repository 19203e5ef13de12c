"""The context menu of Slicer's subject hierarchy: its handler and its scripted plugins, on the real hierarchy node.

As qSlicerSubjectHierarchyScriptedPlugin does it, the class is taken by the name of its file, loaded as a module of its
own; as the tree does it, a right-click hides every action and asks each plugin which of its own to show.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import Property, QObject
from pythonqt import properties_as_attributes


class _ScriptedPlugin(QObject):
    """``qSlicerSubjectHierarchyScriptedPlugin``."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._own_name, self._python = "UnnamedScriptedPlugin", None

    def _get(self) -> str:
        return self._own_name

    def _put(self, name: str) -> None:
        self._own_name = name

    name = Property(str, _get, _put)

    def setPythonSource(self, file: str) -> bool:
        if not isinstance(file, str):
            raise ValueError(f"PythonQt takes a string here, not {file!r}")
        if not file.endswith(".py"):
            return False
        module_name = Path(file).stem
        class_name = (
            module_name if module_name.endswith("SubjectHierarchyPlugin") else f"{module_name}SubjectHierarchyPlugin"
        )
        if module_name not in sys.modules:
            spec = importlib.util.spec_from_file_location(module_name, file)
            sys.modules[module_name] = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(sys.modules[module_name])
        self._python = getattr(sys.modules[module_name], class_name)(self)
        setattr(slicer, class_name, self._python)
        return True

    def self(self) -> Any:
        return self._python


class _DefaultPlugin:
    """``qSlicerSubjectHierarchyDefaultPlugin``: opens modules for the others."""

    def switchToModule(self, name: str) -> Any:
        window = getattr(slicer.modules, name.lower()).widgetRepresentation()
        if not window.isEntered:
            window.isEntered = True
            window.self().enter()
        return window


class _Handler:
    """``qSlicerSubjectHierarchyPluginHandler``."""

    def __init__(self) -> None:
        self.plugins: list[_ScriptedPlugin] = []
        self._current = 0

    def registerPlugin(self, plugin: _ScriptedPlugin) -> bool:
        if any(one.name == plugin.name for one in self.plugins):
            return False
        self.plugins.append(plugin)
        return True

    def pluginByName(self, name: str) -> _DefaultPlugin:
        if name != "Default":
            raise NotImplementedError(f"the host has no plugin {name}")
        return _DefaultPlugin()

    def currentItem(self) -> int:
        return self._current

    def right_click(self, node: Any) -> dict[str, Any]:
        """The actions that a right-click on a node's item shows, by their text."""
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(hierarchy.GetSceneItemID(), node)
        self._current = item
        shown = {}
        for plugin in self.plugins:
            actions = plugin.self().itemContextMenuActions()
            for action in actions:
                action.visible = False
            plugin.self().showContextMenuActionsForItem(item)
            shown.update({action.text: action for action in actions if action.visible})
        return shown


HANDLER = _Handler()


class _AbstractScriptedSubjectHierarchyPlugin:
    """Slicer's ``AbstractScriptedSubjectHierarchyPlugin``."""

    def __init__(self, scriptedPlugin: _ScriptedPlugin) -> None:
        self.scriptedPlugin = scriptedPlugin
        self.register()

    def register(self) -> None:
        slicer.qSlicerSubjectHierarchyPluginHandler.instance().registerPlugin(self.scriptedPlugin)


def install() -> None:
    """Put handler, plugin and package under their real names."""
    slicer.qSlicerSubjectHierarchyScriptedPlugin = properties_as_attributes(_ScriptedPlugin)
    slicer.qSlicerSubjectHierarchyPluginHandler = types.SimpleNamespace(instance=lambda: HANDLER)
    package = types.ModuleType("SubjectHierarchyPlugins")
    package.AbstractScriptedSubjectHierarchyPlugin = _AbstractScriptedSubjectHierarchyPlugin
    sys.modules["SubjectHierarchyPlugins"] = package
