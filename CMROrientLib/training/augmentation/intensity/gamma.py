"""Grey values in 0…1, and their curve bent."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class UnitRange:
    """The brightest pixel becomes 1, and nothing is below 0."""

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        brightest = batch.images.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6)
        return replace(batch, images=(batch.images / brightest).clamp(0, 1))


@dataclass(frozen=True)
class Gamma:
    """A power of each image, which lies in 0…1.

    Parameters
    ----------
    largest:
        Largest logarithm of the power.
    """

    largest: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        power = torch.exp(draws.uniform(len(batch), -1, 1) * self.largest * batch.applied.strength)
        return replace(batch, images=batch.images ** power.to(batch.images)[:, None, None])
