"""Coils that see one side better than the other."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class BiasField:
    """A share multiplied by a smooth field.

    Parameters
    ----------
    deviation:
        Of the field's logarithm.
    """

    deviation: float
    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        if len(chosen) == 0:
            return batch
        images = batch.images[chosen]
        coarse = draws.normal(len(chosen), 1, 3, 3) * self.deviation
        smooth = functional.interpolate(coarse.to(images), size=images.shape[1:], mode="bicubic", align_corners=True)
        return batch.with_images(chosen, images * torch.exp(smooth[:, 0]))
