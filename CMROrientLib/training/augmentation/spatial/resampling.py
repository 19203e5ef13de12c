"""The picture through the window that the spatial transforms have collected: interpolated once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch.nn import functional

from ..batch import Applied, Batch
from ..draws import Draws


@dataclass(frozen=True)
class Resampling:
    """Images bilinear, masks by their nearest pixel; the window is then the whole picture.

    Parameters
    ----------
    size:
        Side of the result.
    bright_fill:
        Share whose surroundings are not dark.
    """

    size: int
    bright_fill: float = 0.0

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        count = len(batch)
        fill = torch.zeros(count)
        chosen = draws.chosen(batch, self.bright_fill)
        fill[chosen] = draws.uniform(len(chosen))
        around = fill.to(batch.images)[:, None, None, None]
        shape = [count, 1, self.size, self.size]
        grid = functional.affine_grid(batch.applied.window.to(batch.images), shape, align_corners=False)
        images = functional.grid_sample(batch.images[:, None] - around, grid, "bilinear", "zeros", align_corners=False)
        masks = functional.grid_sample(batch.masks[:, None].float(), grid, "nearest", "zeros", align_corners=False)
        return replace(
            batch,
            images=(images + around)[:, 0],
            masks=masks[:, 0].to(batch.masks.dtype),
            applied=replace(batch.applied, window=Applied.nothing(count).window),
        )
