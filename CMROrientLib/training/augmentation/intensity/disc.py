"""Nothing outside a disc, as some scanners and anonymizers leave it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class Disc:
    """A share shown in a disc only, which nearly touches the edges or reaches a little beyond."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        images = batch.images[chosen]
        axis = torch.linspace(-1, 1, images.shape[-1], device=images.device)
        distance = torch.hypot(axis[:, None], axis[None])[None]
        radius = draws.uniform(len(chosen), 0.8, 1.1).to(images)[:, None, None]
        return batch.with_images(chosen, images * (distance < radius))
