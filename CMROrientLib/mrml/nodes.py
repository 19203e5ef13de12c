"""Slicer's volume nodes ↔ Volume: voxels, grid and handedness.

MRML stores positions in RAS, the library in LPS; both in mm. Slicer holds right-handed grids only:
it reverses the slices of a left-handed file when it loads it. What is written here is therefore
right-handed before it is saved.

Slicer and VTK are imported inside functions: the module can be imported without them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from ..i18n import _
from ..progress import Progress
from ..volume import Grid, Volume
from .node_types import VolumeNode

if TYPE_CHECKING:
    from vtk import vtkMatrix4x4

#: RAS ↔ LPS: the first two axes change their sign.
FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])

#: Frames of one cine may differ by rounding of the stored geometry only (mm).
_SAME_PLACE = 1e-3


@dataclass(frozen=True)
class Placed:
    """A volume as it goes into a node.

    Parameters
    ----------
    volume:
        Right-handed in the order that the node stores.
    slices_reversed:
        Whether slice order, slice direction and origin had to be reversed to make it so.
    """

    volume: Volume
    slices_reversed: bool


def grid_from_node(node: VolumeNode) -> Grid:
    """Where the voxels of a volume node lie, in its own axes (i, j, k) and LPS (mm).

    A transform above the node is not part of it: what a header claims is the node's own matrix.
    """
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    ras = matrix_values(matrix)
    columns, rows, slices = node.GetImageData().GetDimensions()
    try:
        return Grid.from_affine((columns, rows, slices), FLIP @ ras)
    except ValueError as error:
        said = _("{error}: mend it in the Volumes module, under Volume Information")
        raise CMROrientError(said.format(error=error), node.GetName()) from None


def array_from_node(node: VolumeNode) -> NDArray[Any]:
    """A copy of the voxels, ``[k, j, i]`` in the node's own type: the node may go while work goes on."""
    return _voxels(node).copy()


def _voxels(node: VolumeNode) -> NDArray[Any]:
    """The node's own voxels ``[k, j, i]``, which live as long as this does."""
    from vtk.util.numpy_support import vtk_to_numpy

    image = node.GetImageData()
    scalars: NDArray[Any] = vtk_to_numpy(image.GetPointData().GetScalars())
    return scalars.reshape(image.GetDimensions()[::-1])


def volume_from_node(node: VolumeNode, slice_axis: int | None = None) -> Volume:
    """The image of a scalar volume node.

    Parameters
    ----------
    node:
        A ``vtkMRMLScalarVolumeNode``; it is not changed and no memory is shared with it.
    slice_axis:
        0, 1 or 2 for slices along i, j or k; found from spacing and size where not given.
    """
    return volume_from_nodes([node], slice_axis)


def volume_from_nodes(
    nodes: Sequence[VolumeNode], slice_axis: int | None = None, progress: Progress | None = None
) -> Volume:
    """The image of a volume node, or of the frames of a cine as ``[phase, slice, row, column]``.

    Parameters
    ----------
    progress:
        Called with (0, 0) before each frame of a cine; what it raises ends the reading.

    Raises
    ------
    CMROrientError
        Where frames differ in size or place.
    """
    grids = [grid_from_node(node) for node in nodes]
    for number, grid in enumerate(grids[1:], 2):
        if grid.size != grids[0].size or not np.allclose(grid.affine, grids[0].affine, atol=_SAME_PLACE):
            said = _("frame {number} differs from the first one in size or place; a cine needs frames on one grid")
            raise CMROrientError(said.format(number=number), nodes[0].GetName())
    if len(nodes) == 1:
        return Volume.from_stored(array_from_node(nodes[0]), grids[0], slice_axis)
    # Each is copied once, and events come through between them: a frame may go before its turn, its voxels not.
    frames = [_voxels(node) for node in nodes]
    array = np.empty((len(frames), *frames[0].shape), np.result_type(*frames))
    for phase, frame in enumerate(frames):
        if progress is not None:
            progress(0, 0)
        array[phase] = frame
    return Volume.from_stored(array, grids[0], slice_axis)


def right_handed(volume: Volume) -> Placed:
    """The same voxels at the same places with a right-handed grid, as Slicer stores it.

    Where the grid is left-handed, slice order, slice direction and origin are reversed together.
    """
    stored = volume.stored()[1]
    if np.linalg.det(stored.directions) > 0:
        return Placed(volume, False)
    return Placed(slices_reversed(volume), True)


def slices_reversed(volume: Volume) -> Volume:
    """The last slice first; every voxel keeps its place in the patient."""
    grid = volume.grid
    directions = grid.directions
    origin = np.array(grid.origin) + directions[:, 2] * grid.spacing[2] * (grid.size[2] - 1)
    directions[:, 2] *= -1
    turned = replace(
        grid,
        origin=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(value) for value in directions.ravel()),
    )
    return replace(volume, array=volume.array[..., ::-1, :, :], grid=turned)


def put_grid(node: VolumeNode, grid: Grid) -> None:
    """Set a volume node's matrix from a grid in its own axes (i, j, k)."""
    node.SetIJKToRASMatrix(vtk_matrix(FLIP @ grid.affine))


def put_array(node: VolumeNode, array: NDArray[Any], scalar_type: int) -> None:
    """Give a volume node voxels ``[k, j, i]`` (copied).

    Parameters
    ----------
    scalar_type:
        VTK's number of the voxel type; the input's own, because ``slicer.util`` refuses some types
        that files hold.
    """
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    image = vtk.vtkImageData()
    image.SetDimensions(*array.shape[::-1])
    image.AllocateScalars(scalar_type, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = array.ravel()
    node.SetAndObserveImageData(image)


def put_volume(node: VolumeNode, volume: Volume, scalar_type: int, phase: int = 0) -> None:
    """Give a volume node the voxels (of one phase) and the grid of a volume."""
    array, grid = volume.stored()
    put_array(node, array if array.ndim == 3 else array[phase], scalar_type)
    put_grid(node, grid)


def motion(before: Volume, after: Volume) -> NDArray[np.float64]:
    """(4, 4) RAS matrix (mm) that takes a place in the stored patient to its place in the corrected one.

    The identity where every voxel keeps its place; a rotation or a reflection about the volume's
    centre otherwise. What follows the image (segmentations) moves by it.

    Parameters
    ----------
    before, after:
        The image as stored and what ``Correction.apply`` or ``right_handed`` made of it.
    """
    turned = before.pixels_turned.inverse
    unmoved = before.reindexed(after.pixels_turned.after(turned), after.pixels_turned.after(turned)).grid
    if np.dot(unmoved.directions[:, 2], after.grid.directions[:, 2]) < 0:
        # The slices of ``after`` were reversed; the same reversal on this side cancels out.
        unmoved = slices_reversed(Volume(np.empty(unmoved.size[::-1], np.uint8), unmoved)).grid
    if np.allclose(after.grid.affine, unmoved.affine, rtol=0, atol=1e-9):
        return np.eye(4)
    lps = after.grid.affine @ np.linalg.inv(unmoved.affine)
    return FLIP @ lps @ FLIP


def vtk_matrix(values: NDArray[np.float64]) -> vtkMatrix4x4:
    """A ``vtkMatrix4x4`` with the values of a (4, 4) array."""
    import vtk

    matrix = vtk.vtkMatrix4x4()
    for row in range(4):
        for column in range(4):
            matrix.SetElement(row, column, values[row, column])
    return matrix


def matrix_values(matrix: vtkMatrix4x4) -> NDArray[np.float64]:
    """(4, 4) values of a ``vtkMatrix4x4``."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
