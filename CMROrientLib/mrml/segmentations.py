"""Segmentations and label maps that follow their image: the same motion, the same order of voxels.

Nothing is resampled: a label map's voxels are put in another order and its matrix is moved by the
image's motion, so that labels stay bit-identical and lie on the corrected image as they lay on the
stored one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..volume import Grid
from .display import copy_display
from .node_types import SegmentationNode, VolumeNode
from .nodes import FLIP, array_from_node, grid_from_node, matrix_values, put_array, vtk_matrix

if TYPE_CHECKING:
    from vtk import vtkOrientedImageData


def reordered(
    array: NDArray[Any], affine: NDArray[np.float64], directions: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Put voxels in the order that fits given axes, every voxel at its place.

    Parameters
    ----------
    array:
        ``[k, j, i]``.
    affine:
        (4, 4) from the index (i, j, k, 1) to a place (mm), in the system of ``directions``.
    directions:
        (3, 3): columns are the directions of growing i, j and k that are wanted.

    Returns
    -------
    A view ``[k, j, i]`` and its affine, each axis along the wanted one that it is closest to.
    """
    unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    cosines = directions.T @ unit  # [wanted axis, stored axis]
    order: list[int] = []
    for wanted in range(3):
        free = [axis for axis in range(3) if axis not in order]
        order.append(max(free, key=lambda axis: abs(cosines[wanted, axis])))
    turned = np.transpose(array, [2 - order[2], 2 - order[1], 2 - order[0]])
    result = affine.copy()
    result[:3, :3] = affine[:3, order]
    for wanted, axis in enumerate(order):
        if cosines[wanted, axis] < 0:
            length = turned.shape[2 - wanted]
            turned = np.flip(turned, 2 - wanted)
            result[:3, 3] += result[:3, wanted] * (length - 1)
            result[:3, wanted] *= -1
    return turned, result


def follow_label_map(source: VolumeNode, target: VolumeNode, motion_ras: NDArray[np.float64], image: Grid) -> None:
    """Write into ``target`` the label map ``source`` as it lies on the corrected image.

    Parameters
    ----------
    motion_ras:
        What ``mrml.motion`` gave for the image.
    image:
        The corrected image's grid in its stored axes (LPS, mm).
    """
    affine = motion_ras @ FLIP @ grid_from_node(source).affine
    array, placed = reordered(array_from_node(source), affine, FLIP[:3, :3] @ image.directions)
    put_array(target, array, source.GetImageData().GetScalarType())
    target.SetIJKToRASMatrix(vtk_matrix(placed))


def follow_segmentation(
    source: SegmentationNode, target: SegmentationNode, motion_ras: NDArray[np.float64], image_node: VolumeNode
) -> None:
    """Write into ``target`` the segmentation ``source`` as it lies on the corrected image.

    Segments keep their identifiers, names, colours, terminologies and layers; every representation
    moves, label maps without resampling.

    Parameters
    ----------
    image_node:
        The corrected image, which becomes the reference of the new segmentation.
    """
    directions = FLIP[:3, :3] @ grid_from_node(image_node).directions
    target.GetSegmentation().DeepCopy(source.GetSegmentation())
    copy_display(target, source)
    segmentation = target.GetSegmentation()
    # Moves surfaces and the matrices of label maps; voxels are put in order below.
    target.ApplyTransformMatrix(vtk_matrix(motion_ras))
    done: set[str] = set()
    for index in range(segmentation.GetNumberOfSegments()):
        segment = segmentation.GetNthSegment(index)
        for name in ("Binary labelmap", "Fractional labelmap"):
            label_map = segment.GetRepresentation(name)
            # Segments of one layer share a label map: it must be turned once.
            if label_map is not None and label_map.GetAddressAsString("") not in done:
                done.add(label_map.GetAddressAsString(""))
                _reorder_label_map(label_map, directions)
    target.SetReferenceImageGeometryParameterFromVolumeNode(image_node)


def _reorder_label_map(label_map: vtkOrientedImageData, directions: NDArray[np.float64]) -> None:
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    scalars = label_map.GetPointData().GetScalars()
    extent = label_map.GetExtent()
    if scalars is None or label_map.GetNumberOfPoints() == 0:
        return
    matrix = vtk.vtkMatrix4x4()
    label_map.GetImageToWorldMatrix(matrix)
    affine = matrix_values(matrix)
    # From now on the first voxel of the array is index 0: the extent's offset goes into the origin.
    affine[:3, 3] += affine[:3, :3] @ np.array(extent[::2], float)
    stored = vtk_to_numpy(scalars).reshape(label_map.GetDimensions()[::-1])
    array, placed = reordered(stored, affine, directions)
    array = array.copy()
    kind, components = label_map.GetScalarType(), label_map.GetNumberOfScalarComponents()
    label_map.SetExtent(0, array.shape[2] - 1, 0, array.shape[1] - 1, 0, array.shape[0] - 1)
    label_map.AllocateScalars(kind, components)
    vtk_to_numpy(label_map.GetPointData().GetScalars())[:] = array.ravel()
    label_map.SetImageToWorldMatrix(vtk_matrix(placed))
    label_map.Modified()
