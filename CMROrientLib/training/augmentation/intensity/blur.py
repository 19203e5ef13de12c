"""A little out of focus."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from ..batch import Batch
from ..draws import Draws

#: Pixels of the kernel on either side.
_REACH = 4


@dataclass(frozen=True)
class Blur:
    """A share blurred by a normal kernel of 0.4 to 1.5 pixels, all of a batch alike."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        sigma = float(draws.uniform(1, 0.4, 1.5))
        if len(chosen) == 0:
            return batch
        kernel = torch.exp(-0.5 * (torch.arange(-_REACH, _REACH + 1) / sigma) ** 2)
        kernel = (kernel / kernel.sum()).to(batch.images)
        padded = functional.pad(batch.images[chosen][:, None], (_REACH,) * 4, mode="replicate")
        blurred = functional.conv2d(padded, kernel.view(1, 1, -1, 1))
        return batch.with_images(chosen, functional.conv2d(blurred, kernel.view(1, 1, 1, -1))[:, 0])
