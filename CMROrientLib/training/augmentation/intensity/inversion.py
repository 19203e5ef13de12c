"""Bright made dark."""

from __future__ import annotations

from dataclasses import dataclass

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class Inversion:
    """A share with inverted contrast."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        images = batch.images[chosen]
        return batch.with_images(chosen, images.amax(dim=(1, 2), keepdim=True) - images)
