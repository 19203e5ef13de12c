"""What other sequences are made from: where the body is, and smooth classes of tissue by grey value and mask."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ..draws import Draws


def body(images: Tensor) -> Tensor:
    """(N, rows, columns) 0…1: how much signal there is round each pixel, 0 in air and lungs."""
    around = functional.avg_pool2d(images[:, None], 7, 1, 3)[:, 0]
    usual = torch.quantile(around.flatten(1), 0.9, dim=1)[:, None, None].clamp(min=1e-3)
    return torch.sigmoid((around / usual - 0.15) * 30)


def classes(images: Tensor, draws: Draws, low: float, high: float) -> Tensor:
    """A property of the tissues from ``low`` to ``high``: any curve of the grey value."""
    points = draws.uniform(len(images) * 6, low, high).view(-1, 6).to(images)
    smooth = functional.avg_pool2d(images[:, None], 3, 1, 1)[:, 0]
    place = smooth.flatten(1).clamp(0, 1) * 5
    lower = place.long().clamp(max=4)
    first, second = points.gather(1, lower), points.gather(1, lower + 1)
    return (first + (second - first) * (place - lower)).view_as(images)


def with_heart(values: Tensor, masks: Tensor, blood: Tensor, muscle: Tensor) -> Tensor:
    """The property with that of blood and muscle (N,) where masks say that they are."""
    inside = functional.avg_pool2d((masks == 2).float()[:, None], 3, 1, 1)[:, 0]
    filled = functional.avg_pool2d(((masks == 1) | (masks == 3)).float()[:, None], 3, 1, 1)[:, 0]
    rest = (1 - inside - filled).clamp(min=0)
    return rest * values + inside * muscle[:, None, None] + filled * blood[:, None, None]


def unit_range(images: Tensor) -> Tensor:
    """Each between its extremes."""
    low, high = images.amin(dim=(1, 2), keepdim=True), images.amax(dim=(1, 2), keepdim=True)
    return (images - low) / (high - low).clamp(min=1e-6)
