"""MONAI's MetaTensor ``[channel, X, Y, (Z)]``: affine and trace of transforms go along."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import torch
from monai.data.meta_tensor import MetaTensor
from monai.utils.enums import MetaKeys, SpaceKeys

from ..i18n import _
from ..volume import Volume
from . import channel_first
from .checks import no_spacing
from .ras import affine_of

_WHAT = "MetaTensor"


def holds(image: object) -> bool:
    """Whether it is a MetaTensor."""
    return isinstance(image, MetaTensor)


def to_volume(image: MetaTensor, spacing: object, slice_axis: int | None) -> Volume:
    """The tensor as a volume. Raises ValueError for batches and where operations are pending."""
    no_spacing(spacing, _WHAT)
    if image.is_batch:
        raise ValueError(_("the {what} is a batch: take it apart with decollate_batch").format(what=_WHAT))
    if image.pending_operations:
        raise ValueError(_("the {what} has pending operations: call apply_pending first").format(what=_WHAT))
    tensor = image.as_tensor()
    if _without_channel(image):
        tensor = tensor[np.newaxis]
    if tensor.ndim not in (3, 4):
        said = _("the {what} has {count} axes: give [channel, X, Y] or [channel, X, Y, Z]")
        raise ValueError(said.format(what=_WHAT, count=image.ndim))
    return channel_first.volume_of(tensor, image.affine.cpu().numpy(), slice_axis, _WHAT, lps=_in_lps(image))


def from_volume(volume: Volume, given: MetaTensor) -> MetaTensor:
    """A new MetaTensor with the given one's metadata and trace, and the volume's affine."""
    unchannelled = _without_channel(given)
    tensor = given.as_tensor()
    turned = channel_first.turned_tensor(tensor[np.newaxis] if unchannelled else tensor, volume)
    _array, grid = volume.stored()
    meta = deepcopy(given.meta)
    affine = affine_of(grid, given.affine.cpu().numpy(), lps=_in_lps(given))
    meta[MetaKeys.AFFINE] = torch.as_tensor(affine, dtype=given.affine.dtype, device=given.affine.device)
    if MetaKeys.PIXDIM in meta:
        # One by one: it is an array, or a tensor after batches were taken apart.
        for axis, step in zip(range(1, len(meta[MetaKeys.PIXDIM])), grid.spacing, strict=False):
            meta[MetaKeys.PIXDIM][axis] = step
    return MetaTensor(
        turned[0] if unchannelled else turned, meta=meta, applied_operations=deepcopy(given.applied_operations)
    )


def _without_channel(image: MetaTensor) -> bool:
    """Whether a file was loaded and the axis of channels is still missing."""
    channel = image.meta.get(MetaKeys.ORIGINAL_CHANNEL_DIM)
    no_channel = channel == "no_channel" or (isinstance(channel, float) and np.isnan(channel))
    loaded = image.meta.get(MetaKeys.SPATIAL_SHAPE)
    return no_channel and loaded is not None and tuple(int(n) for n in loaded) == tuple(image.shape)


def _in_lps(image: MetaTensor) -> bool:
    return image.meta.get(MetaKeys.SPACE) == SpaceKeys.LPS
