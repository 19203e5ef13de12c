"""Synthetic contrast: blood and muscle as other sequences show them."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class TissueContrast:
    """Ventricles and muscle of a share made brighter or darker, where masks say where they are."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        gains = torch.exp(draws.uniform(len(chosen) * 4, -1.2, 0.7)).view(-1, 4)
        # Both pools hold the same blood, nearly.
        gains[:, 3] = gains[:, 1] * torch.exp(draws.uniform(len(chosen), -0.2, 0.2))
        images, labels = batch.images[chosen], batch.masks[chosen].long()
        picked = gains.to(images).gather(1, labels.flatten(1)).view_as(images)
        return batch.with_images(chosen, torch.where(labels > 0, (images * picked).clamp(0, 1), images))
