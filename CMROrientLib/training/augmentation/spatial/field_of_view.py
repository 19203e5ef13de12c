"""How much of the slice is shown, and which part: wide fields, tight crops, crops round the heart."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ....recognition.crops import SMALLEST_CROP
from ..batch import Batch
from ..draws import Draws

#: Fields narrower than this share of the slice are centred on the heart.
_CLOSE = 0.6


@dataclass(frozen=True)
class FieldOfView:
    """A window of random size, shape and place.

    Parameters
    ----------
    zoom, aspect, shift, closest, crop_diameters, crop_share:
        As in ``Augmentation``.
    """

    zoom: tuple[float, float]
    aspect: float = 1.0
    shift: float | None = 0.0
    closest: float = 0.0
    crop_diameters: float = 0.0
    crop_share: float = 0.0

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        located = torch.isfinite(batch.hearts).all(dim=1)
        cropped = draws.uniform(len(batch)) < self.crop_share
        zoom = torch.where(cropped, self._crop(batch.hearts, located, draws), self._zoom(batch.hearts, located, draws))
        stretch = torch.exp(draws.uniform(len(batch), -1, 1) * math.log(self.aspect) / 2)
        sides = torch.stack([zoom * stretch, zoom / stretch], dim=1)
        heart = torch.where(located[:, None], 2 * batch.hearts[:, :2] - 1, torch.zeros(len(batch), 2))
        if self.shift is None:
            sides = sides.clamp(max=1)
            reach = 1 - sides
            centre = torch.where(cropped[:, None], heart.clamp(-reach, reach), _anywhere(reach, draws))
        else:
            # Where the window is larger than the slice, the slice may lie anywhere in it.
            reach = 2 * self.shift * sides + (sides - 1).clamp(min=0) / 2
            # Close crops are centred on the heart, wide ones anywhere between it and the slice's centre.
            pull = torch.where(cropped | (zoom < _CLOSE), torch.ones(len(batch)), draws.uniform(len(batch)))
            centre = _anywhere(reach, draws) + pull[:, None] * heart
        applied = batch.applied.seen_through(torch.diag_embed(sides))
        moved = applied.window + torch.cat([torch.zeros(len(batch), 2, 2), centre[:, :, None]], dim=2)
        return replace(batch, applied=replace(applied, window=moved))

    def _zoom(self, hearts: Tensor, located: Tensor, draws: Draws) -> Tensor:
        """(N,) side of a field, shares of the slice's."""
        lowest = torch.full((len(hearts),), math.log(self.zoom[0]))
        if self.closest > 0:
            closest = torch.log((self.closest * hearts[:, 2]).clamp(min=0.15))
            lowest = torch.where(located, torch.minimum(lowest, closest), lowest)
        return torch.exp(lowest + (math.log(self.zoom[1]) - lowest) * draws.uniform(len(hearts)))

    def _crop(self, hearts: Tensor, located: Tensor, draws: Draws) -> Tensor:
        """(N,) side of a crop round the heart, as inexact as a network's own finding."""
        side = torch.where(located, self.crop_diameters * hearts[:, 2], draws.uniform(len(hearts), 0.5, 0.75))
        return (side * torch.exp(0.15 * draws.normal(len(hearts)))).clamp(SMALLEST_CROP, 1)


def _anywhere(reach: Tensor, draws: Draws) -> Tensor:
    """(N, 2) places up to ``reach`` from the centre."""
    return draws.uniform(reach.numel(), -1, 1).view_as(reach) * reach
