"""Another curve from grey to grey."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class GreyCurve:
    """A share, in 0…1, through a random curve of six points: its ends far apart, the way between them bent."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        images = batch.images[chosen]
        points = (torch.linspace(0, 1, 6) + 0.35 * draws.normal(len(chosen), 6)).to(images)
        place = images.flatten(1) * 5
        lower = place.long().clamp(max=4)
        low, high = points.gather(1, lower), points.gather(1, lower + 1)
        return batch.with_images(chosen, (low + (high - low) * (place - lower)).view_as(images))
