"""Fewer pixels than the slice has."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn import functional

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class LowResolution:
    """A share resampled to 0.35 to 0.9 of its side and back, all of a batch alike."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        factor = float(draws.uniform(1, 0.35, 0.9))
        if len(chosen) == 0:
            return batch
        images = batch.images[chosen][:, None]
        small = functional.interpolate(images, scale_factor=factor, mode="area")
        return batch.with_images(chosen, functional.interpolate(small, size=images.shape[2:], mode="bilinear")[:, 0])
