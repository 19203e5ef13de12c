"""A scene as it stands, to be compared: nodes, what they say and hold, where they are listed; cursor and buttons."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from typing import Any

from slicer_host import slicer

#: Addresses, clocks and counts of holders, which differ though nothing does.
_NOISE = re.compile(
    r"0x[0-9a-f]+|\(\w+\)\s*$|"
    r".*(Modified Time|MTime|Reference Count|Registered Events|Debug|\w+ ?Time:|\bGeneration:|\bTag:).*"
)


def snapshot(panel: Any) -> dict[str, Any]:
    """Everything that a person could find changed."""
    nodes = _nodes()
    return {
        "nodes": {node.GetID(): _node(node) for node in nodes},
        "browsers": {
            node.GetID(): [(sequence.GetID(), _id(node.GetProxyNode(sequence))) for sequence in _sequences(node)]
            for node in nodes
            if node.IsA("vtkMRMLSequenceBrowserNode")
        },
        "hierarchy": _hierarchy(),
        "panel": panel_state(panel),
    }


def panel_state(panel: Any) -> dict[str, Any]:
    """The cursor, what can be pressed, and whether something is said to be going on."""
    from PySide6.QtWidgets import QApplication

    ui = panel.ui
    locked = [f"{name}Button" for name in ("recognize", "correct", "applyAll", "saveDicom")]
    locked += [f"{name}ComboBox" for name in ("model", "device", "class", "geometry")] + ["inputSelector"]
    return {
        "cursor": QApplication.overrideCursor(),
        "enabled": {name: getattr(ui, name).enabled for name in locked},
        "tips": {name: getattr(ui, name).toolTip for name in locked},
        "progress": not ui.progressFrame.isHidden(),
        "running": panel.panel.task.running,
        "rows": ui.sliceTable.rowCount,
    }


def counts() -> Counter[str]:
    """How many nodes of each class there are."""
    return Counter(node.GetClassName() for node in _nodes())


def differences(before: Any, now: Any, path: str = "") -> list[str]:
    """What of two snapshots differs, each as a line."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line for key in {**before, **now} for line in differences(before.get(key), now.get(key), f"{path}/{key}")
        ]
    if isinstance(before, list) and isinstance(now, list) and before != now:
        kept = [one for one in before if one in now]
        before, now = ([one for one in said if one not in kept] or said for said in (before, now))
    return [] if before == now else [f"{path}: {before!s:.120} became {now!s:.120}"]


def _nodes() -> list[Any]:
    """Every node, but for the planes that slice views draw themselves on."""
    found = _items(slicer.mrmlScene.GetNumberOfNodes(), slicer.mrmlScene.GetNthNode)
    planes = [node for node in found if node.IsA("vtkMRMLModelNode") and "Volume Slice" in node.GetName()]
    theirs = {id(node) for plane in planes for node in (plane, plane.GetDisplayNode())}
    return [node for node in found if id(node) not in theirs]


def _node(node: Any) -> dict[str, Any]:
    said = [line.rstrip() for line in str(node).splitlines()]
    roles = [node.GetNthNodeReferenceRole(index) for index in range(node.GetNumberOfNodeReferenceRoles())]
    found = {
        "class": node.GetClassName(),
        "name": node.GetName(),
        "attributes": {name: node.GetAttribute(name) for name in node.GetAttributeNames() or ()},
        "references": {
            role: ids
            for role in roles
            if (ids := [node.GetNthNodeReferenceID(role, n) for n in range(node.GetNumberOfNodeReferences(role))])
        },
        "values": [line for line in said if not _NOISE.search(line)],
    }
    if node.IsA("vtkMRMLVolumeNode"):
        found["voxels"] = _voxels(node)
    if node.IsA("vtkMRMLSequenceNode"):
        frames = _items(node.GetNumberOfDataNodes(), node.GetNthDataNode)
        found["frames"] = [(node.GetNthIndexValue(number), _voxels(frame)) for number, frame in enumerate(frames)]
    return found


def _voxels(node: Any) -> tuple[Any, ...]:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    if not node.IsA("vtkMRMLVolumeNode") or node.GetImageData() is None:
        return ()
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    scalars = node.GetImageData().GetPointData().GetScalars()
    place = tuple(matrix.GetElement(row, column) for row in range(4) for column in range(4))
    if scalars is None:
        return (node.GetImageData().GetDimensions(), place)
    return (node.GetImageData().GetDimensions(), place, hashlib.sha256(vtk_to_numpy(scalars).tobytes()).hexdigest())


def _hierarchy() -> list[tuple[str, str]]:
    """(item, its parent) of the subject hierarchy, items by the names of what they stand for."""
    import vtk

    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    if hierarchy is None:
        return []
    items = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
    listed = [items.GetId(index) for index in range(items.GetNumberOfIds())]
    return [(_item(hierarchy, item), _item(hierarchy, hierarchy.GetItemParent(item))) for item in listed]


def _item(hierarchy: Any, item: int) -> str:
    return f"{_id(hierarchy.GetItemDataNode(item))} {hierarchy.GetItemName(item)}"


def _sequences(browser: Any) -> list[Any]:
    import vtk

    found = vtk.vtkCollection()
    browser.GetSynchronizedSequenceNodes(found, True)
    return _items(found.GetNumberOfItems(), found.GetItemAsObject)


def _id(node: Any) -> str:
    return "" if node is None else str(node.GetID())


def _items(count: int, nth: Any) -> list[Any]:
    return [nth(index) for index in range(count)]
