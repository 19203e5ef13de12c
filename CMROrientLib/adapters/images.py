"""From any image to a volume and back: finds the adapter by the image's type.

A library whose package has not been imported cannot have made the image, so none is imported to ask.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar, cast

from ..i18n import _
from ..volume import Volume
from .checks import no_spacing

if TYPE_CHECKING:
    import SimpleITK as sitk
    import torch
    import torchio
    from nibabel.spatialimages import SpatialImage
    from numpy.typing import NDArray

#: What people hold in their hands. A MONAI MetaTensor is a torch tensor.
Image: TypeAlias = "Volume | sitk.Image | SpatialImage | NDArray[Any] | torch.Tensor | torchio.Image"

#: An image that comes back as the type that was given.
ImageT = TypeVar("ImageT", bound="Image")

#: Millimetres: one number, or one for each axis of an array.
Spacing: TypeAlias = "float | Sequence[float]"


class Adapter(Protocol[ImageT]):
    """What the module of a library has."""

    def holds(self, image: object) -> bool:
        """Whether an image is of this library."""

    def to_volume(self, image: ImageT, spacing: Spacing | None, slice_axis: int | None) -> Volume:
        """The image as a volume; it may share its memory. Raises TypeError or ValueError, which say what to do."""

    def from_volume(self, volume: Volume, given: ImageT) -> ImageT:
        """A new image of the type of ``given``, which the volume was made of and turned since."""


#: The package that an image comes from, and the adapter; the more special types first.
_ADAPTERS = (
    ("SimpleITK", "simpleitk"),
    ("nibabel", "nibabel"),
    ("torchio", "torchio"),
    ("monai", "monai"),
    ("torch", "tensors"),
    ("numpy", "arrays"),
)


def to_volume(image: Image, spacing: Spacing | None = None, slice_axis: int | None = None) -> Volume:
    """Any image as a volume.

    Parameters
    ----------
    image:
        A volume, a SimpleITK or nibabel image, a numpy or torch array ``[slice, row, column]`` (with two
        axes one slice, with four a cine, phases first), a MONAI MetaTensor or torchio image
        ``[channel, X, Y, Z]``, whose channels count as the phases of a cine do.
    spacing:
        Of numpy and torch arrays, in mm: one number, or one for each axis (of a cine without the phases)
        in the array's order. 1 mm where None; recognition needs only the ratio within a slice.
    slice_axis:
        0, 1 or 2: the stored axis (0 fastest) that slices lie along; found from spacing and size where
        None, and the first axis of an array.

    Raises
    ------
    TypeError
        For what is no image, or one whose values are no grey values.
    ValueError
        Where the axes or the spacing do not fit.
    """
    if isinstance(image, Volume):
        no_spacing(spacing, "Volume")
        return image
    return _adapter(image).to_volume(image, spacing, slice_axis)


def from_volume(volume: Volume, given: ImageT) -> ImageT:
    """A volume that was made of an image, and turned since, as a new image of its type."""
    if isinstance(given, Volume):
        return cast("ImageT", volume)
    return _adapter(given).from_volume(volume, given)


def _adapter(image: ImageT) -> Adapter[ImageT]:
    for package, name in _ADAPTERS:
        if package in sys.modules:
            adapter = cast("Adapter[ImageT]", importlib.import_module(f".{name}", __package__))
            if adapter.holds(image):
                return adapter
    if isinstance(image, (str, os.PathLike)):
        said = _("{path} is a path, not an image: read it first, with CMROrientLib.read(path)")
        raise TypeError(said.format(path=os.fspath(image)))
    said = _(
        "an object of the type {type} is no image that can be taken: give a Volume (CMROrientLib.read), a SimpleITK, "
        "nibabel, MONAI or torchio image, or a numpy or torch array [slice, row, column]"
    )
    raise TypeError(said.format(type=f"{type(image).__module__}.{type(image).__qualname__}"))
