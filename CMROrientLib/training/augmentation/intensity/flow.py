"""Magnitude images of flow measurements: flat tissue, and blood that is bright and speckled where it moves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from ..batch import Batch
from ..draws import Draws
from .tissues import unit_range


@dataclass(frozen=True)
class Flow:
    """A share as the magnitude of a flow measurement."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        count, images, masks = len(chosen), batch.images[chosen], batch.masks[chosen]
        if not count:
            return batch
        still = images.clamp(0, 1) ** draws.uniform(count, 0.3, 0.8).to(images)[:, None, None]
        still = still * draws.uniform(count, 0.2, 0.5).to(images)[:, None, None]
        grain = functional.avg_pool2d(draws.normal(count, 1, *images.shape[1:]), 3, 1, 1)[:, 0].to(images) * 3
        speckle = torch.exp(draws.uniform(count, 0.1, 0.6).to(images)[:, None, None] * grain)
        blood = functional.avg_pool2d(((masks == 1) | (masks == 3)).float()[:, None], 3, 1, 1)[:, 0]
        bright = draws.uniform(count, 0.4, 1.0).to(images)[:, None, None]
        deviation = draws.uniform(count, 0.01, 0.06).to(images)[:, None, None]
        signal = still * (1 - blood) + bright * speckle * blood + deviation * draws.normal(*images.shape).to(images)
        return batch.with_images(chosen, unit_range(signal.abs()))
