"""The contrast of ``Preprocessing.normalise`` for tensors, where they are: a step of training leaves no device."""

from __future__ import annotations

import torch
from torch import Tensor

from ..recognition.preprocessing import Preprocessing

#: Grey levels of the histograms, as in recognition.
_LEVELS, _BOUNDED_LEVELS = 4096, 256
#: Shares of pixels beyond the ends of what counts.
_ENDS = 0.005


def normalised(images: Tensor, preprocessing: Preprocessing) -> Tensor:
    """The contrast of images: (N, size, size) float32 to (N, channels, size, size), mean 0 and deviation 1."""
    flat = images.flatten(1)
    if preprocessing.contrast == "truncated":
        channels = _truncated(flat, preprocessing.truncations)
    elif preprocessing.contrast == "bounded":
        channels = _bounded(flat, preprocessing.gain)[:, None]
    else:
        low, high = _ends(flat)
        channels = flat.clamp(low, high)[:, None]
    centred = channels - channels.mean(dim=(1, 2), keepdim=True)
    deviation = centred.square().mean(dim=(1, 2), keepdim=True).sqrt()
    result = torch.where(deviation > 1e-6, centred / deviation.clamp(min=1e-6), 0.0)
    return result.view(len(images), -1, *images.shape[1:])


def _bounded(flat: Tensor, gain: float) -> Tensor:
    levels = _quantized(flat, *_ends(flat)) // (_LEVELS // _BOUNDED_LEVELS)
    ramp = (_histogram(levels, _BOUNDED_LEVELS) / flat.shape[1]).clamp(max=gain / _BOUNDED_LEVELS)
    # Half of a level lies below its pixels: an inverted image gives the inverted result.
    table = (ramp.cumsum(1) - ramp / 2) / ramp.sum(1, keepdim=True)
    return table.gather(1, levels)


def _truncated(flat: Tensor, shares: tuple[float, ...]) -> Tensor:
    lowest, highest = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    levels = _quantized(flat, lowest, highest)
    cumulative = _histogram(levels, _LEVELS).cumsum(1) / flat.shape[1]
    steps = torch.arange(_LEVELS, device=flat.device)
    cuts = [_quantized(torch.maximum(share * highest, lowest), lowest, highest) for share in shares]
    return torch.stack([torch.where(steps < cut, cumulative, 1.0).gather(1, levels) for cut in cuts], dim=1)


def _ends(flat: Tensor) -> tuple[Tensor, Tensor]:
    """(N, 1) the 0.5th and the 99.5th percentile; the extremes where these are one."""
    place = _ENDS * (flat.shape[1] - 1)
    count = min(int(place) + 2, flat.shape[1])
    # Selecting the few at either end is an order of magnitude faster than sorting all.
    smallest = flat.topk(count, largest=False).values
    largest = flat.topk(count).values
    before, after, part = int(place), count - 1, place - int(place)
    low = torch.lerp(smallest[:, before], smallest[:, after], part)[:, None]
    high = torch.lerp(largest[:, before], largest[:, after], part)[:, None]
    same = high <= low
    return torch.where(same, smallest[:, :1], low), torch.where(same, largest[:, :1], high)


def _quantized(values: Tensor, low: Tensor, high: Tensor) -> Tensor:
    scale = torch.where(high > low, _LEVELS / (high - low).clamp(min=1e-30), 0.0)
    return ((values - low) * scale).clamp(0, _LEVELS - 1).long()


def _histogram(levels: Tensor, count: int) -> Tensor:
    """(N, count) pixels of each level. Whole numbers: the order of adding cannot change them."""
    found = torch.zeros(len(levels), count, device=levels.device)
    return found.scatter_add_(1, levels, torch.ones((), device=levels.device).expand_as(levels))
