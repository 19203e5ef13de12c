"""Values that ran over an end of 8 bit: too bright starts again at 0, below nothing is white."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class WrapAround:
    """A third of a share overflows at the bright end, the rest at the dark one, where noise takes it."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        count, images = len(chosen), batch.images[chosen]
        bright = draws.uniform(count) < 1 / 3
        factor = torch.where(bright, draws.uniform(count, 1.05, 2.0), 1.0)[:, None, None]
        below = torch.where(bright, 0.0, draws.uniform(count, -0.01, 0.03))[:, None, None]
        deviation = torch.where(bright, 0.0, draws.uniform(count, 0.003, 0.03))[:, None, None]
        noise = draws.normal(*images.shape) * deviation
        return batch.with_images(chosen, torch.remainder(images * factor.to(images) + (noise - below).to(images), 1.0))
