"""Noise of magnitude images."""

from __future__ import annotations

from dataclasses import dataclass

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class Noise:
    """A share gets noise.

    Parameters
    ----------
    largest:
        Largest deviation, as a share of the range.
    """

    largest: float
    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        images = batch.images[chosen]
        noise = draws.normal(*images.shape) * draws.uniform(len(chosen), 0, self.largest)[:, None, None]
        # Magnitude images: noise cannot take them below nothing.
        return batch.with_images(chosen, (images + noise.to(images)).abs())
