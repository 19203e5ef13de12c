"""What the tests of the Slicer parts share: the host, an empty scene, and volumes in it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import parts
import pytest
from numpy.typing import NDArray

# Qt's widgets, because a host with PySide6 but without its libraries fails to import these.
parts.need_module("PySide6.QtWidgets")
parts.need_module("slicer")
sys.path.insert(0, str(parts.REPOSITORY / "Testing" / "host"))

import host  # noqa: E402

slicer = host.start()
# The library takes a process with slicer.app for Slicer itself: other tests of this run must not see one.
_APPLICATION = slicer.__dict__.pop("app")

from CMROrientLib.mrml.nodes import grid_from_node, put_array, put_grid  # noqa: E402
from CMROrientLib.volume import Grid, Volume  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def application() -> Iterator[None]:
    """Slicer's application, for the test module that imports this."""
    slicer.app = _APPLICATION
    yield
    del slicer.app


@pytest.fixture
def scene() -> Iterator[Any]:
    """An empty scene with slice views, closed afterwards."""
    slicer.app.hasViews = True
    host.clear_scene()
    yield slicer.mrmlScene
    host.clear_scene()


def add_volume(volume: Volume, name: str = "heart", kind: str = "vtkMRMLScalarVolumeNode") -> Any:
    """A node with the voxels and grid of a volume, as loading its file makes one."""
    from vtk.util.numpy_support import get_vtk_array_type

    array, grid = volume.stored()
    node = slicer.mrmlScene.AddNewNodeByClass(kind, name)
    put_array(node, array, get_vtk_array_type(array.dtype))
    put_grid(node, grid)
    node.CreateDefaultDisplayNodes()
    return node


def add_cine(volume: Volume, name: str = "cine", with_browser: bool = True) -> tuple[Any, Any, Any]:
    """(proxy, sequence, browser) of a volume with phases; proxy and browser are None without one."""
    sequence = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetIndexName("trigger time")
    sequence.SetIndexUnit("ms")
    for phase, array in enumerate(volume.array):
        frame = add_volume(Volume(array, volume.grid, volume.slice_axis), f"{name} frame")
        sequence.SetDataNodeAtValue(frame, str(phase * 40))
        slicer.mrmlScene.RemoveNode(frame)
    if not with_browser:
        return None, sequence, None
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{name} browser")
    browser.AddSynchronizedSequenceNode(sequence)
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return browser.GetProxyNode(sequence), sequence, browser


def voxels(node: Any) -> NDArray[Any]:
    """The node's voxels ``[k, j, i]``, as ``slicer.util`` gives them."""
    return np.array(slicer.util.arrayFromVolume(node))


def places(node: Any) -> NDArray[np.float64]:
    """(8, 3) LPS positions of the corner voxels in the order of their indices (mm)."""
    grid = grid_from_node(node)
    corners = np.array(
        [[i, j, k, 1] for k in (0, grid.size[2] - 1) for j in (0, grid.size[1] - 1) for i in (0, grid.size[0] - 1)]
    )
    return (grid.affine @ corners.T).T[:, :3]


def save_and_load(node: Any, path: Path) -> Any:
    """The node that Slicer makes of the file that it makes of a node."""
    storage = _storage(path)
    if not storage.WriteData(node):
        raise OSError(f"cannot write {path}")
    return load(path, node.GetClassName())


def load(path: Path, kind: str = "vtkMRMLScalarVolumeNode") -> Any:
    """The node that Slicer makes of a file."""
    node = slicer.mrmlScene.AddNewNodeByClass(kind, path.name)
    if not _storage(path).ReadData(node):
        raise OSError(f"cannot read {path}")
    return node


def _storage(path: Path) -> Any:
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(path))
    storage.SetSingleFile(True)
    return storage


def loaded_one_by_one(volume: Volume, name: str = "SAX", *, backwards: bool = False) -> list[Any]:
    """A node for each slice, as scanners that write a series a slice leave them; the last slice first, if asked."""
    nodes = []
    numbers = range(volume.grid.size[2])
    for number in reversed(numbers) if backwards else numbers:
        grid = volume.grid
        origin = tuple(float(value) for value in (grid.affine @ [0, 0, number, 1])[:3])
        one = Grid((*grid.size[:2], 1), grid.spacing, origin, grid.direction)
        nodes.append(add_volume(Volume(volume.array[number : number + 1], one), f"{name} {number + 1}"))
    return nodes


def in_study(nodes: list[Any], uid: str = "1.2.3") -> int:
    """Put nodes into one study, as the DICOM module does; returns its item."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    study = hierarchy.CreateStudyItem(hierarchy.GetSceneItemID(), "study")
    if uid:
        hierarchy.SetItemUID(study, slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMUIDName(), uid)
    for node in nodes:
        item = hierarchy.GetItemByDataNode(node) or hierarchy.CreateItem(study, node)
        hierarchy.SetItemParent(item, study)
    return int(study)
