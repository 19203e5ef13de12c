"""Which segmentations and label maps of a scene belong to which image.

A segmentation that was drawn on an image refers to it. What came from a file does not: it belongs where its
voxels lie on the image's voxels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..volume import Grid
from .input import SceneImage
from .node_types import Node, Scene, ShownNode, is_segmentation, is_volume
from .nodes import FLIP, grid_from_node, matrix_values
from .provenance import made_here

#: What may follow an image.
FOLLOWERS = ("vtkMRMLSegmentationNode", "vtkMRMLLabelMapVolumeNode")

#: How far a mask's voxel may be from one of the image's, in voxels: files round their matrices.
_ON_A_VOXEL = 0.05


def masks_of_scene(scene: Scene) -> list[ShownNode]:
    """Everything that may follow an image; results of this module are left out."""
    found = []
    for class_name in FOLLOWERS:
        for index in range(scene.GetNumberOfNodesByClass(class_name)):
            node = scene.GetNthNodeByClass(index, class_name)
            if not made_here(node):
                found.append(cast(ShownNode, node))
    return found


def images_of(mask: ShownNode, images: Sequence[SceneImage]) -> list[SceneImage]:
    """The images that a mask belongs to: the one that it refers to, else all that its voxels lie on."""
    if is_segmentation(mask):
        drawn_on = mask.GetNodeReference(mask.GetReferenceImageGeometryReferenceRole())
        if drawn_on is not None:
            return [image for image in images if drawn_on in _nodes(image)]
    return [image for image in images if lies_on(mask, grid_from_node(image.frames[0]))]


def _nodes(image: SceneImage) -> tuple[Node | None, ...]:
    return image.main, image.node, image.sequence


def lies_on(mask: ShownNode, grid: Grid) -> bool:
    """Whether all voxels of a mask are voxels of an image; False for one that holds none.

    Parameters
    ----------
    grid:
        The image's, in its own axes (i, j, k) and LPS (mm).
    """
    found = False
    for affine, extent in _label_maps(mask):
        relative = np.linalg.inv(grid.affine) @ affine
        corners = np.array([[i, j, k, 1] for i in extent[:2] for j in extent[2:4] for k in extent[4:]]) @ relative.T
        steps = np.abs(relative[:3, :3])
        one_to_one = np.allclose(np.sort(steps, axis=0), [[0] * 3, [0] * 3, [1] * 3], atol=_ON_A_VOXEL)
        on_voxels = np.allclose(corners[:, :3], np.round(corners[:, :3]), atol=_ON_A_VOXEL)
        inside = np.all(corners[:, :3] > -0.5) and np.all(corners[:, :3] < np.array(grid.size) - 0.5)
        if not (one_to_one and on_voxels and inside):
            return False
        found = True
    return found


def _label_maps(mask: ShownNode) -> Iterator[tuple[NDArray[np.float64], tuple[int, ...]]]:
    """(affine from voxel to LPS, first and last index along i, j and k) of what a mask holds."""
    if is_volume(mask):
        image = mask.GetImageData()
        if image is not None and image.GetNumberOfPoints():
            yield grid_from_node(mask).affine, image.GetExtent()
    elif is_segmentation(mask):
        import vtk

        segmentation = mask.GetSegmentation()
        for index in range(segmentation.GetNumberOfSegments()):
            label_map = segmentation.GetNthSegment(index).GetRepresentation("Binary labelmap")
            if label_map is not None and label_map.GetNumberOfPoints():
                matrix = vtk.vtkMatrix4x4()
                label_map.GetImageToWorldMatrix(matrix)
                yield FLIP @ matrix_values(matrix), label_map.GetExtent()
