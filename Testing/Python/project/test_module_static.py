"""What can be seen of the Slicer module without running it: imports, names, bindings, sizes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import parts
import pytest

MODULE = parts.REPOSITORY / "CMROrient" / "CMROrient.py"
PANEL = sorted((MODULE.parent / "CMROrientPanel").glob("*.py")) + sorted(
    (MODULE.parent / "SubjectHierarchyPlugins").glob("*.py")
)
MRML = sorted((parts.REPOSITORY / "CMROrientLib" / "mrml").glob("*.py"))
UI = MODULE.parent / "Resources" / "UI" / "CMROrient.ui"

#: What Slicer brings; every other package may be missing when the module is loaded.
AT_FILE_SCOPE = {*sys.stdlib_module_names, "slicer", "vtk", "qt", "ctk", "numpy", "SimpleITK"}
OWN = {"CMROrientLib", "CMROrientPanel"}
#: Slicer's own package of them, under the same name as the folder.
SLICERS = {"SubjectHierarchyPlugins"}


def imports(path: Path) -> set[str]:
    """The packages that a file imports when it is loaded."""
    found: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").partition(".")[0])
    return found


def tree() -> ElementTree.Element:
    return ElementTree.parse(UI).getroot()


def widgets() -> dict[str, str]:
    """Class of each widget of the .ui file by its name."""
    return {widget.get("name", ""): widget.get("class", "") for widget in tree().iter("widget")}


@pytest.mark.parametrize("path", [MODULE, *PANEL], ids=lambda path: path.name)
def test_at_file_scope_only_what_slicer_brings(path: Path) -> None:
    assert imports(path) <= AT_FILE_SCOPE | OWN | SLICERS


@pytest.mark.parametrize("path", MRML, ids=lambda path: path.name)
def test_the_library_imports_slicer_and_vtk_inside_functions_and_no_qt_at_all(path: Path) -> None:
    assert imports(path) <= {*sys.stdlib_module_names, "numpy"}
    named = {node.name for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.alias)}
    assert not {"qt", "ctk"} & named


@pytest.mark.parametrize("path", [MODULE, *PANEL, *MRML], ids=lambda path: path.name)
def test_files_stay_small(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 250


def parameters() -> set[str]:
    """The fields of the parameter node."""
    return set(fields("parameters.py", "CMROrientParameterNode"))


def fields(file: str, name: str) -> dict[str, str]:
    """The annotated fields of a class of the panel, and their types as written."""
    parsed = ast.parse((MODULE.parent / "CMROrientPanel" / file).read_text(encoding="utf-8"))
    found = next(node for node in parsed.body if isinstance(node, ast.ClassDef) and node.name == name)
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def test_every_bound_parameter_is_a_field_of_the_parameter_node() -> None:
    bound = [
        entry.findtext("string") for entry in tree().iter("property") if entry.get("name") == "SlicerParameterName"
    ]
    assert bound and set(bound) <= parameters() and len(set(bound)) == len(bound)


@pytest.mark.parametrize("path", [MODULE, *PANEL], ids=lambda path: path.name)
def test_every_widget_that_the_code_names_is_in_the_ui_file(path: Path) -> None:
    named = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = node.value
            is_ui = isinstance(owner, ast.Name) and owner.id == "ui"
            if is_ui or (isinstance(owner, ast.Attribute) and owner.attr == "ui"):
                named.add(node.attr)
    assert named <= set(fields("widgets.py", "Widgets"))


def test_the_widgets_have_the_classes_of_the_ui_file() -> None:
    declared = {name: kind.partition(".")[2] for name, kind in fields("widgets.py", "Widgets").items()}
    assert declared and declared.items() <= widgets().items()


def test_every_scene_widget_gets_the_scene() -> None:
    connected = {
        link.findtext("receiver")
        for link in tree().iter("connection")
        if link.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)" and link.findtext("sender") == "CMROrient"
    }
    assert connected == {name for name, kind in widgets().items() if kind.startswith("qMRML") and "ComboBox" in kind}


def test_selectors_say_what_they_are_for() -> None:
    for widget in tree().iter("widget"):
        if widget.get("class", "").endswith(("ComboBox", "PathLineEdit", "TableWidget")):
            tip = [entry.findtext("string") for entry in widget.findall("property") if entry.get("name") == "toolTip"]
            assert tip and tip[0], f"{widget.get('name')} has no tooltip"


def test_custom_widgets_are_declared() -> None:
    declared = {entry.findtext("class") for entry in tree().iter("customwidget")}
    assert {kind for kind in widgets().values() if not kind.startswith("Q")} <= declared


@pytest.mark.parametrize("path", [MODULE, *PANEL], ids=lambda path: path.name)
def test_names_of_qt_are_those_of_slicers_binding(path: Path) -> None:
    parts.need_module("PySide6.QtUiTools")
    sys.path.insert(0, str(parts.REPOSITORY / "Testing" / "host"))
    from pythonqt import PYSIDE_ONLY, PYSIDE_ONLY_PLAIN, make_qt

    qt = make_qt()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Attribute):
            continue
        assert node.attr not in PYSIDE_ONLY | PYSIDE_ONLY_PLAIN, node.attr
        if isinstance(node.value, ast.Name) and node.value.id == "qt":
            assert hasattr(qt, node.attr), f"qt.{node.attr}"
        if (
            isinstance(node.value, ast.Attribute)
            and isinstance(node.value.value, ast.Name)
            and node.value.value.id == "qt"
        ):
            # Flat, as Qt 5's binding has enumerations: qt.Qt.AlignCenter, not qt.Qt.AlignmentFlag.AlignCenter.
            assert hasattr(getattr(qt, node.value.attr), node.attr)
            assert not node.attr[0].isupper() or not isinstance(getattr(getattr(qt, node.value.attr), node.attr), type)


WITHOUT_PACKAGES = """
import sys
class Present:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in {absent} else self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)
sys.meta_path[:] = [Present(finder) for finder in sys.meta_path]
sys.path.insert(0, {host!r})
import host
panel, window = host.open_panel()
loaded = {absent} & {{name.partition(".")[0] for name in sys.modules}}
print("loaded:", sorted(loaded), panel.ui.recognizeButton.toolTip)
"""


def test_the_panel_opens_without_any_package_that_slicer_lacks() -> None:
    parts.need_module("slicer")
    parts.need_module("PySide6.QtUiTools")
    absent = {"torch", "onnxruntime", "skimage", "pydicom", "nibabel", "scipy", "monai", "safetensors", "tqdm", "PIL"}
    code = WITHOUT_PACKAGES.format(absent=absent, host=str(parts.REPOSITORY / "Testing" / "host"))
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().endswith("loaded: [] <p>Select a volume or a cine sequence.</p>")
