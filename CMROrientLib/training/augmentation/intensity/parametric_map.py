"""Maps of T1, T2 and T2*: a number for each tissue, and anything where there is none."""

from __future__ import annotations

from dataclasses import dataclass

from ..batch import Batch
from ..draws import Draws
from .tissues import body, classes, unit_range, with_heart


@dataclass(frozen=True)
class ParametricMap:
    """A share as a map: zero, or noise over the whole range, where a fit has no signal."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        count, images, masks = len(chosen), batch.images[chosen], batch.masks[chosen]
        if not count:
            return batch
        blood, muscle = draws.uniform(count, 0.3, 1.0), draws.uniform(count, 0.15, 0.8)
        values = with_heart(classes(images, draws, 0.05, 1.0), masks, blood.to(images), muscle.to(images))
        values = values * (1 + draws.uniform(count, 0.01, 0.12).to(images)[:, None, None] * draws.normal(*images.shape))
        noisy = (draws.uniform(count) < 0.5).to(images)[:, None, None]
        highest = draws.uniform(count, 0.6, 1.6).to(images)[:, None, None]
        nothing = noisy * highest * draws.uniform(images.numel()).view_as(images).to(images)
        # A fit has a value or none: no soft edge.
        inside = (body(images) > 0.5).to(images)
        return batch.with_images(chosen, unit_range(inside * values.clamp(min=0) + (1 - inside) * nothing))
