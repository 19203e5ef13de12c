"""What an error or a cancel undoes: nodes that were added, and a volume that was written into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .node_types import Node, Scene, VolumeNode
from .sequences import out_of_browsers


@contextmanager
def scene_as_it_was(scene: Scene) -> Iterator[None]:
    """Whatever is added to the scene inside is taken out again where an error or a cancel ends it."""
    import vtk

    added: list[Node] = []

    def remember(_caller: Scene, _event: str, node: Node) -> None:
        added.append(node)

    tag = scene.AddObserver(scene.NodeAddedEvent, vtk.calldata_type(vtk.VTK_OBJECT)(remember))
    try:
        yield
    except BaseException:
        scene.RemoveObserver(tag)
        # Browsers first: they make a new proxy for a sequence that has lost its own.
        for node in added:
            if scene.IsNodePresent(node):
                out_of_browsers(node)
        for node in reversed(added):
            if scene.IsNodePresent(node):
                scene.RemoveNode(node)
        raise
    scene.RemoveObserver(tag)


@contextmanager
def image_as_it_was(node: VolumeNode | None) -> Iterator[None]:
    """A volume that is written into keeps its voxels and place where an error ends the writing."""
    if node is None:
        yield
        return
    import vtk

    image, matrix = node.GetImageData(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    try:
        yield
    except BaseException:
        node.SetAndObserveImageData(image)
        node.SetIJKToRASMatrix(matrix)
        raise
