"""torchio's images ``[channel, W, H, D]``; a subject is standardized by the transform."""

from __future__ import annotations

import copy

import torchio

from ..i18n import _
from ..volume import Volume
from . import channel_first
from .checks import no_spacing
from .ras import affine_of

_WHAT = "torchio image"


def holds(image: object) -> bool:
    """Whether it is a torchio image; raises TypeError for a subject, which holds several."""
    if isinstance(image, torchio.Subject):
        said = _(
            "a torchio Subject holds several images: give one of them ({names}), "
            "or use CMROrientLib.transforms.ToStandardOrientation, which turns them together"
        )
        raise TypeError(said.format(names=", ".join(image.get_images_names())))
    return isinstance(image, torchio.Image)


def to_volume(image: torchio.Image, spacing: object, slice_axis: int | None) -> Volume:
    """The image as a volume."""
    no_spacing(spacing, _WHAT)
    # torchio gives a single slice a third axis of one voxel.
    flat = image.data.shape[-1] == 1 and slice_axis is None
    return channel_first.volume_of(image.data, image.affine, 2 if flat else slice_axis, _WHAT)


def from_volume(volume: Volume, given: torchio.Image) -> torchio.Image:
    """A new image of the given one's class with its other entries."""
    turned = channel_first.turned_tensor(given.data, volume)
    _array, grid = volume.stored()
    image = copy.copy(given)
    image.set_data(turned)
    image.affine = affine_of(grid, given.affine)
    return image
