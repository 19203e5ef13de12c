"""How a result looks and where it stands: window and level, subject hierarchy, transform, slice views."""

from __future__ import annotations

import numpy as np

from .node_types import Node, ShownNode, VolumeNode, is_shown
from .nodes import FLIP, matrix_values, volume_from_node


def dress(node: ShownNode, like: ShownNode) -> None:
    """Window, level and colour, transform and subject-hierarchy parent of another node."""
    copy_display(node, like)
    place(node, like)


def copy_display(node: ShownNode, like: ShownNode) -> None:
    """Window, level and colours of another node."""
    node.CreateDefaultDisplayNodes()
    shown, display = like.GetDisplayNode(), node.GetDisplayNode()
    if shown and display:
        display.Copy(shown)


def place(node: Node, like: Node) -> None:
    """Under the same transform and in the same place of the subject hierarchy as another node."""
    if is_shown(node) and is_shown(like):
        node.SetAndObserveTransformNodeID(like.GetTransformNodeID())
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    stored = hierarchy.GetItemByDataNode(like)
    if not stored:
        return
    parent = hierarchy.GetItemParent(stored)
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, parent)
    else:
        hierarchy.CreateItem(parent, node)


def show(node: VolumeNode) -> bool:
    """Show a volume in the slice views; the first one shows its slices as they are stored.

    Columns grow to the right and rows downwards there, so that a corrected volume looks as it
    should. The other views turn to the volume's other planes. False where there are no views.
    """
    import slicer
    import vtk

    layout = slicer.app.layoutManager()
    if layout is None or not layout.sliceViewNames():
        return False
    # Turned one by one to their closest planes, no view need show the slices of an oblique stack.
    slicer.util.setSliceViewerLayers(background=node, rotateToVolumePlane=True)
    to_world = vtk.vtkMatrix4x4()
    transform = node.GetParentTransformNode()
    if transform is not None and transform.IsTransformToWorldLinear():
        transform.GetMatrixTransformToWorld(to_world)
    world = matrix_values(to_world)
    volume = volume_from_node(node)
    columns, rows, _ = (world[:3, :3] @ FLIP[:3, :3] @ volume.grid.directions).T
    centre = (world @ FLIP @ [*volume.grid.centre, 1.0])[:3]
    names = list(layout.sliceViewNames())
    first = "Red" if "Red" in names else names[0]
    view = layout.sliceWidget(first).mrmlSliceNode()
    view.SetSliceToRASByNTP(*np.cross(columns, -rows), *columns, *centre, 0)
    slicer.util.setSliceViewerLayers(fit=True)
    return True
