"""What an error or a cancel undoes: nodes that were added, and a volume that was written into."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from .node_types import DisplayNode, Node, Scene, VolumeNode
from .sequences import out_of_browsers

if TYPE_CHECKING:
    from vtk import vtkMatrix4x4


@contextmanager
def scene_as_it_was(scene: Scene) -> Iterator[None]:
    """Whatever is added to the scene inside is taken out again where an error or a cancel ends it.

    For work that lets no events through: what comes with them belongs to others.
    """
    with steps_undone(scene) as step, step():
        yield


@contextmanager
def steps_undone(scene: Scene) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """As ``scene_as_it_was``, for work in steps between which events come through.

    ``with steps_undone(scene) as step: … with step(): …`` takes out what was added within the steps; what people and
    Slicer added between them stays. Of a scene that is closed meanwhile nothing is left to undo.
    """
    added: list[Node] = []

    def forget(_caller: Scene, _event: str) -> None:
        added.clear()

    tag = scene.AddObserver(scene.StartCloseEvent, forget)
    try:
        yield partial(_noted, scene, added)
    except BaseException:
        _take_out(scene, added)
        raise
    finally:
        scene.RemoveObserver(tag)


@contextmanager
def _noted(scene: Scene, added: list[Node]) -> Iterator[None]:
    """What is added to the scene inside is noted in ``added``."""
    import vtk

    def remember(_caller: Scene, _event: str, node: Node) -> None:
        added.append(node)

    tag = scene.AddObserver(scene.NodeAddedEvent, vtk.calldata_type(vtk.VTK_OBJECT)(remember))
    try:
        yield
    finally:
        scene.RemoveObserver(tag)


def _take_out(scene: Scene, added: list[Node]) -> None:
    # Browsers first: they make a new proxy for a sequence that has lost its own.
    for node in added:
        if scene.IsNodePresent(node):
            out_of_browsers(node)
    # Display nodes last: a volume that a slice view shows gets another one for each that it loses.
    added.sort(key=lambda node: not node.IsA("vtkMRMLDisplayNode"))
    for node in reversed(added):
        if scene.IsNodePresent(node):
            scene.RemoveNode(node)


@contextmanager
def volume_as_it_was(node: VolumeNode | None) -> Iterator[None]:
    """A volume that is written into stays what it was where an error ends the writing.

    Its voxels and place, what they measure, what is noted on it, how it is shown, its transform and its place in the
    subject hierarchy.
    """
    if node is None:
        yield
        return
    image, matrix = node.GetImageData(), _matrix(node)
    quantity, units = node.GetVoxelValueQuantity(), node.GetVoxelValueUnits()
    attributes = {name: node.GetAttribute(name) for name in node.GetAttributeNames() or ()}
    references = _references(node)
    display = node.GetDisplayNode()
    shown = None if display is None else _copy(display)
    parent = _parent(node)
    try:
        yield
    except BaseException:
        node.SetAndObserveImageData(image)
        node.SetIJKToRASMatrix(matrix)
        node.SetVoxelValueQuantity(quantity)
        node.SetVoxelValueUnits(units)
        for name in node.GetAttributeNames() or ():
            if name not in attributes:
                node.RemoveAttribute(name)
        for name, value in attributes.items():
            node.SetAttribute(name, value)
        for role in {*_references(node), *references}:
            node.RemoveNodeReferenceIDs(role)
            for index, node_id in enumerate(references.get(role, ())):
                node.SetNthNodeReferenceID(role, index, node_id)
        if display is not None and shown is not None:
            display.Copy(shown)
        _put_below(node, parent)
        raise


def _copy(display: DisplayNode) -> DisplayNode:
    copy = display.CreateNodeInstance()
    copy.UnRegister(None)  # the Python object holds it now
    copy.Copy(display)
    return copy


def _matrix(node: VolumeNode) -> vtkMatrix4x4:
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def _references(node: Node) -> dict[str, tuple[str, ...]]:
    """The nodes that a node refers to, by role: its display and transform nodes among them."""
    roles = [node.GetNthNodeReferenceRole(index) for index in range(node.GetNumberOfNodeReferenceRoles())]
    return {
        role: tuple(node.GetNthNodeReferenceID(role, index) for index in range(node.GetNumberOfNodeReferences(role)))
        for role in roles
    }


def _parent(node: Node) -> int:
    """The subject-hierarchy item above a node's; 0 where it has none."""
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    return int(hierarchy.GetItemParent(item)) if item else 0


def _put_below(node: Node, parent: int) -> None:
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    if item and parent and hierarchy.GetItemParent(item) != parent:
        hierarchy.SetItemParent(item, parent)
