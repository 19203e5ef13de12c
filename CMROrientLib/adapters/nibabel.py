"""nibabel images ``[i, j, (k, (phase))]`` with an affine in RAS: NIfTI and every other spatial image.

Values are those that nibabel shows: where the header scales the stored ones, the scaled ones.
"""

from __future__ import annotations

import numpy as np
from nibabel.nifti1 import Nifti1Header, Nifti1Pair
from nibabel.spatialimages import SpatialImage

from ..i18n import _
from ..io.nifti.axes import exchange_axes
from ..io.nifti.geometry import SCANNER
from ..volume import Grid, Volume
from .checks import check_kind, check_slices, no_spacing
from .ras import affine_of, grid_of

_WHAT = "nibabel image"


def holds(image: object) -> bool:
    """Whether it is a nibabel image of voxels."""
    return isinstance(image, SpatialImage)


def to_volume(image: SpatialImage, spacing: object, slice_axis: int | None) -> Volume:
    """The image as a volume; the affine is the image's own, whatever sform and qform say besides."""
    no_spacing(spacing, _WHAT)
    shape = image.shape
    if len(shape) not in (2, 3, 4):
        said = _("the {what} has {count} axes: give 2, 3 or, for a cine, 4 (nibabel.funcs.squeeze_image)")
        raise ValueError(said.format(what=_WHAT, count=len(shape)))
    values = np.asanyarray(image.dataobj)
    check_kind(values.dtype, _WHAT)
    array = values.reshape((*shape, 1)[: max(3, len(shape))]).T
    known = image.affine is not None and not _says_nothing(image)
    size = (array.shape[-1], array.shape[-2], array.shape[-3])
    if image.affine is None:
        steps = [*(float(step) for step in image.header.get_zooms()[:3]), 1.0][:3]
        grid = Grid(size, (steps[0], steps[1], steps[2]))
    else:
        grid = grid_of(size, image.affine, _WHAT)
    if slice_axis is None and len(shape) == 2:
        slice_axis = 2
    volume = Volume.from_stored(array, grid, slice_axis, has_geometry=known)
    check_slices(volume.array.shape, _WHAT)
    return volume


def from_volume(volume: Volume, given: SpatialImage) -> SpatialImage:
    """A new image of the given one's class with its header, in which what names an axis follows the pixels."""
    array, grid = volume.stored()
    values = array.T.copy(order="F")
    if len(given.shape) == 2:
        values = values[..., 0]
    affine = None if given.affine is None else affine_of(grid, given.affine)
    if not isinstance(given, Nifti1Pair):
        return type(given)(values, affine, given.header.copy())
    header: Nifti1Header = given.header.copy()
    exchange_axes(header, volume)
    codes = int(header["sform_code"]), int(header["qform_code"])
    image = type(given)(values, affine, header)
    # nibabel gives a new affine codes of its own; which frame the numbers are in has not changed.
    if affine is not None:
        if codes[1] > 0:
            image.header.set_qform(affine, SCANNER)
        if codes[0] > 0:
            image.header.set_sform(affine, SCANNER)
    image.header["sform_code"], image.header["qform_code"] = codes
    return image


def _says_nothing(image: SpatialImage) -> bool:
    if not isinstance(image, Nifti1Pair):
        return False
    return int(image.header["sform_code"]) <= 0 and int(image.header["qform_code"]) <= 0
