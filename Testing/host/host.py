"""A host for the panel without Slicer: real Qt (PySide6, off-screen) and real MRML (slicer-core).

``start()`` puts ``qt``, ``ctk`` and what ``slicer-core`` lacks of ``slicer`` in place; after it the
module file can be imported as Slicer would. Where the environment variable ``SLICER_BASE_PYTHON``
names Slicer's own ``Base/Python``, the real ``ScriptedLoadableModule`` and ``parameterNodeWrapper``
are used; otherwise the small ones of ``scripted``. What the host does not have raises.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import os
import sys
import tempfile
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
MODULE = REPOSITORY / "CMROrient" / "CMROrient.py"

#: Widgets that Slicer's own connectors compare types with; nothing here can make one.
_ONLY_NAMED = {
    "ctk": (
        "ctkCheckBox ctkCheckablePushButton ctkColorPickerButton ctkComboBox ctkDirectoryButton ctkDoubleRangeSlider "
        "ctkDoubleSlider ctkDoubleSpinBox ctkRangeWidget ctkSliderWidget"
    ),
    "slicer": "qMRMLRangeWidget qMRMLSliderWidget qMRMLSpinBox",
}


class _Modules:
    """``slicer.modules``: the logics that slicer-core has, and this module with its window."""

    def __init__(self, **logics: Any) -> None:
        for name, logic in logics.items():
            setattr(self, name, types.SimpleNamespace(logic=lambda logic=logic: logic))
        self.cmrorient = types.SimpleNamespace(path=str(MODULE))

    def opened(self, widget: Any) -> None:
        """Name the module's widget as Slicer does."""
        self.CMROrientWidget = widget.parent._python = widget
        self.cmrorient.widgetRepresentation = lambda: widget.parent


class _LayoutManager:
    """Three slice views: real slice nodes and slice logics, no windows."""

    def __init__(self) -> None:
        self._logics: dict[str, Any] = {}
        self.reset()

    def reset(self) -> None:
        import slicer

        application = slicer.vtkMRMLApplicationLogic()
        application.SetMRMLScene(slicer.mrmlScene)
        slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(slicer.mrmlScene)
        for name, orientation in (("Red", "Axial"), ("Green", "Coronal"), ("Yellow", "Sagittal")):
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(application)
            logic.SetMRMLScene(slicer.mrmlScene)
            logic.AddSliceNode(name).SetOrientation(orientation)
            self._logics[name] = logic
        self._application = application

    def sliceViewNames(self) -> tuple[str, ...]:
        return tuple(self._logics)

    def sliceWidget(self, name: str) -> Any:
        return types.SimpleNamespace(mrmlSliceNode=self._logics[name].GetSliceNode)

    def mrmlSliceLogics(self) -> Any:
        import vtk

        collection = vtk.vtkCollection()
        for logic in self._logics.values():
            collection.AddItem(logic)
        return collection


class _App:
    """``slicer.app``, as far as the panel and ``slicer.util`` ask for it."""

    applicationName = "Slicer"

    def __init__(self, application: Any) -> None:
        self._application = application
        self.hasViews = True
        #: (context, text) to the text in the application's language.
        self.translator: Callable[[str, str], str] = lambda _context, text: text
        self._views = _LayoutManager()
        #: What Slicer calls when it has started.
        self.started: list[Callable[[], None]] = []

    def connect(self, signal: str, receiver: Callable[[], None]) -> None:
        if signal != "startupCompleted()":
            raise AttributeError(f"the host's application has no signal {signal}")
        self.started.append(receiver)

    def processEvents(self) -> None:
        self._application.processEvents()

    def testingEnabled(self) -> bool:
        return False

    def commandOptions(self) -> Any:
        return types.SimpleNamespace(noMainWindow=False)

    def layoutManager(self) -> _LayoutManager | None:
        return self._views if self.hasViews else None

    def moduleManager(self) -> Any:
        nothing: Callable[..., None] = lambda *_: None  # noqa: E731
        return types.SimpleNamespace(connect=nothing, disconnect=nothing)

    def restart(self) -> None:
        raise NotImplementedError("the host cannot start again")

    def topLevelWidgets(self) -> list[Any]:
        return []

    def setOverrideCursor(self, cursor: Any) -> None:
        self._application.setOverrideCursor(cursor)

    def restoreOverrideCursor(self) -> None:
        self._application.restoreOverrideCursor()

    def translate(self, context: str, text: str) -> str:
        return self.translator(context, text)


def _settings_folder() -> str:
    """A folder that is gone with the process."""
    folder = tempfile.TemporaryDirectory(prefix="slicer-host-settings-")
    atexit.register(folder.cleanup)
    return folder.name


@functools.cache
def start() -> types.ModuleType:
    """Put the host in place, once a process. Returns the package ``slicer``."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    sys.path[:0] = [str(Path(__file__).parent), str(REPOSITORY)]
    if sys.version_info < (3, 12):
        # PySide 6.12 hands out constants without counting them, as if they were immortal, which they
        # are from 3.12 on only: long runs would free None.
        for constant in (None, True, False, (), "", b"", *range(-5, 257)):
            ctypes.c_ssize_t.from_address(id(constant)).value += 1 << 40
    from PySide6.QtCore import QCoreApplication, QSettings
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication([])
    application.setStyle("Fusion")
    QCoreApplication.setOrganizationName("CMROrientTest")
    QSettings.setDefaultFormat(QSettings.IniFormat)
    # Of this process only: what one test sets would hold for all later ones, from the user's own folder.
    QSettings.setPath(QSettings.IniFormat, QSettings.UserScope, _settings_folder())

    import slicer
    from pythonqt import _Module, make_qt

    slicer.mrmlScene = slicer.vtkMRMLScene()
    sequences = slicer.vtkSlicerSequencesLogic()
    colors = slicer.vtkMRMLColorLogic()
    segmentations = slicer.vtkSlicerSegmentationsModuleLogic()
    volumes = slicer.vtkSlicerVolumesLogic()
    for logic in (sequences, colors, segmentations, volumes):
        logic.SetMRMLScene(slicer.mrmlScene)
    slicer.modules = _Modules(sequences=sequences, segmentations=segmentations, colors=colors, volumes=volumes)
    slicer.selfTests = {}
    sys.modules["qt"] = make_qt()
    sys.modules["ctk"] = ctk = _Module("ctk")
    import mrml_widgets
    import sample_data

    mrml_widgets.install(ctk)
    import dicom_database
    import subject_hierarchy

    dicom_database.install(ctk)
    subject_hierarchy.install()
    for home, names in _ONLY_NAMED.items():
        for name in names.split():
            setattr(sys.modules[home], name, type(name, (), {"__init__": _cannot_make}))
    slicer.app = _App(application)
    base_python = os.environ.get("SLICER_BASE_PYTHON")
    _install_base(slicer, base_python)
    sample_data.install(Path(base_python) if base_python else None)
    return slicer


def _cannot_make(self: Any, *_: Any) -> None:
    raise NotImplementedError(f"the host cannot make a {type(self).__name__}")


def _install_base(slicer: types.ModuleType, base_python: str | None) -> None:
    if base_python:
        slicer.__path__.append(str(Path(base_python) / "slicer"))
        for name in ("i18n", "ScriptedLoadableModule", "parameterNodeWrapper"):
            importlib.import_module(f"slicer.{name}")
        return
    import scripted

    for name, exported in (
        ("i18n", ["tr", "translate", "getContext"]),
        ("ScriptedLoadableModule", [name for name in vars(scripted) if name.startswith("ScriptedLoadableModule")]),
        ("parameterNodeWrapper", ["parameterNodeWrapper"]),
    ):
        module = types.ModuleType(f"slicer.{name}")
        for item in exported:
            setattr(module, item, getattr(scripted, item))
        module.__all__ = exported
        sys.modules[module.__name__] = module
        setattr(slicer, name, module)


def load_module() -> types.ModuleType:
    """The module file, imported as Slicer does."""
    start()
    folder = str(MODULE.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module("CMROrient")


def open_panel() -> tuple[Any, Any]:
    """The panel as Slicer opens it: the module's widget and its window."""
    module = load_module()
    import qt
    import slicer

    window = slicer.qSlicerScriptedLoadableModuleWidget()
    window.setLayout(qt.QVBoxLayout())
    widget = module.CMROrientWidget(window)
    slicer.modules.opened(widget)
    widget.setup()
    window.isEntered = True
    widget.enter()
    return widget, window


def close_panel(panel: Any, window: Any) -> None:
    """Close the panel as Slicer does when it ends: its selectors let go of the scene, and what it kept there goes."""
    panel.cleanup()
    items = [panel.layout.itemAt(index).widget() for index in range(panel.layout.count())]
    (form,) = [item for item in items if isinstance(item, start().qMRMLWidget)]
    form.setMRMLScene(None)
    window.close()
    # Slicer 5.10's wrapper leaves an observer on the parameter node, which must not outlive the panel.
    slicer = start()
    kept = slicer.mrmlScene.GetSingletonNode("CMROrient", "vtkMRMLScriptedModuleNode")
    if kept is not None:
        slicer.mrmlScene.RemoveNode(kept)


def clear_scene() -> None:
    """Close the scene as the person does; the slice views come back."""
    slicer = start()
    slicer.mrmlScene.Clear(0)
    slicer.app._views.reset()
