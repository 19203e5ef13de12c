"""SimpleITK images of two, three and four axes, the fourth for the phases of a cine."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from ..i18n import _
from ..volume import Grid, Volume
from .checks import check_kind, check_slices, no_spacing

_WHAT = "SimpleITK image"


def holds(image: object) -> bool:
    """Whether it is a SimpleITK image."""
    return isinstance(image, sitk.Image)


def to_volume(image: sitk.Image, spacing: object, slice_axis: int | None) -> Volume:
    """The image as a volume. One of two axes is a slice that lies nowhere in the patient."""
    no_spacing(spacing, _WHAT)
    if image.GetNumberOfComponentsPerPixel() > 1:
        said = _("the {what} has {count} values a pixel: give one channel, with SimpleITK.VectorIndexSelectionCast")
        raise TypeError(said.format(what=_WHAT, count=image.GetNumberOfComponentsPerPixel()))
    axes = image.GetDimension()
    if axes not in (2, 3, 4):
        raise ValueError(_("the {what} has {count} axes: give 2, 3 or, for a cine, 4").format(what=_WHAT, count=axes))
    array = sitk.GetArrayViewFromImage(image)
    check_kind(array.dtype, _WHAT)
    flat = axes == 2
    volume = Volume.from_stored(
        array[np.newaxis] if flat else array,
        _grid(image),
        2 if flat and slice_axis is None else slice_axis,
        has_geometry=not flat,
    )
    check_slices(volume.array.shape, _WHAT)
    return volume


def from_volume(volume: Volume, given: sitk.Image) -> sitk.Image:
    """A new image; what the given one says besides voxels and geometry is copied."""
    array, grid = volume.stored()
    axes = given.GetDimension()
    image = sitk.GetImageFromArray(np.ascontiguousarray(array[0] if axes == 2 else array), isVector=False)
    inner = min(axes, 3)
    direction = np.array(given.GetDirection(), float).reshape(axes, axes)
    direction[:inner, :inner] = grid.directions[:inner, :inner]
    image.SetSpacing([*grid.spacing[:inner], *given.GetSpacing()[inner:]])
    image.SetOrigin([*grid.origin[:inner], *given.GetOrigin()[inner:]])
    image.SetDirection(direction.ravel().tolist())
    for key in given.GetMetaDataKeys():
        image.SetMetaData(key, given.GetMetaData(key))
    return image


def _grid(image: sitk.Image) -> Grid:
    axes = image.GetDimension()
    inner = min(axes, 3)
    direction = np.eye(3)
    direction[:inner, :inner] = np.array(image.GetDirection(), float).reshape(axes, axes)[:inner, :inner]
    columns, rows, slices = [*image.GetSize()[:inner], 1][:3]
    across, down, between = [*image.GetSpacing()[:inner], 1.0][:3]
    x, y, z = [*image.GetOrigin()[:inner], 0.0][:3]
    return Grid(
        (columns, rows, slices), (across, down, between), (x, y, z), tuple(float(value) for value in direction.ravel())
    )
