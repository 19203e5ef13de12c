"""Inversion recovery: phase-sensitive and magnitude images at any inversion time."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from ..batch import Batch
from ..draws import Draws
from .tissues import body, classes, unit_range, with_heart


@dataclass(frozen=True)
class InversionRecovery:
    """A share as an inversion prepares it.

    Parameters
    ----------
    signed:
        Keep the sign (phase-sensitive: air and lungs are noise at mid-grey), or take the magnitude (the
        series that T1 maps are computed from; where tissue crosses nothing it is dark).
    """

    share: float
    signed: bool

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        count, images, masks = len(chosen), batch.images[chosen], batch.masks[chosen]
        if not count:
            return batch
        # In seconds, with and without contrast agent.
        enhanced = draws.uniform(count) < 0.6
        blood = torch.where(enhanced, draws.uniform(count, 0.2, 0.5), draws.uniform(count, 1.3, 1.9))
        muscle = torch.where(enhanced, draws.uniform(count, 0.3, 0.65), draws.uniform(count, 0.85, 1.3))
        relaxation = with_heart(classes(images, draws, 0.2, 1.8), masks, blood.to(images), muscle.to(images))
        density = 0.3 + 0.7 * classes(images, draws, 0.3, 1.0)
        time = torch.where(enhanced, draws.uniform(count, 0.15, 0.5), draws.uniform(count, 0.1, 1.6))
        signal = density * (1 - 2 * torch.exp(-time.to(images)[:, None, None] / relaxation)) * body(images)
        deviation = draws.uniform(count, 0.01, 0.08).to(images)[:, None, None]
        signal = signal + deviation * draws.normal(*images.shape).to(images)
        if not self.signed:
            return batch.with_images(chosen, unit_range(signal.abs()))
        # Without signal the phase is any: as much noise as the reconstruction lets through.
        in_air = draws.uniform(count, 0.02, 0.3).to(images)[:, None, None] * (1 - body(images))
        return batch.with_images(chosen, unit_range(signal + in_air * draws.normal(*images.shape).to(images)))
