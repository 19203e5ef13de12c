"""First pass of a contrast agent: dark, then the right heart bright, then the left, then the muscle."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..batch import Batch
from ..draws import Draws
from .tissues import body, unit_range

#: Signal of right ventricle, muscle and left ventricle, phase after phase.
_PHASES = torch.tensor([[0.15, 0.15, 0.15], [1.0, 0.12, 0.2], [0.9, 0.15, 0.9], [0.6, 0.35, 1.0], [0.55, 0.5, 0.65]])


@dataclass(frozen=True)
class Perfusion:
    """A share as a frame of a perfusion series, with its noise."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        count, images, masks = len(chosen), batch.images[chosen], batch.masks[chosen].long()
        if not count:
            return batch
        phase = _PHASES[draws.whole(count, len(_PHASES))] * torch.exp(0.2 * draws.normal(count, 3))
        gains = torch.cat([torch.zeros(count, 1), phase], dim=1).to(images)
        rest = images.clamp(0, 1) ** draws.uniform(count, 0.5, 1.2).to(images)[:, None, None]
        rest = rest * draws.uniform(count, 0.15, 0.5).to(images)[:, None, None] * body(images)
        heart = gains.gather(1, masks.flatten(1)).view_as(images) * (0.8 + 0.4 * images)
        signal = torch.where(masks > 0, heart, rest)
        deviation = draws.uniform(count, 0.01, 0.08).to(images)[:, None, None]
        return batch.with_images(
            chosen, unit_range((signal + deviation * draws.normal(*images.shape).to(images)).abs())
        )
