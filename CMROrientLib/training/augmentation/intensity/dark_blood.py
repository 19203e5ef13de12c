"""Dark-blood images: no signal of what flows, except where it stands still."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn import functional

from ..batch import Batch
from ..draws import Draws
from .tissues import unit_range


@dataclass(frozen=True)
class DarkBlood:
    """A share with the ventricles' blood dark, where masks say where it is, and slow blood at the wall bright."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        count, images, masks = len(chosen), batch.images[chosen], batch.masks[chosen]
        if not count:
            return batch
        blood = functional.avg_pool2d(((masks == 1) | (masks == 3)).float()[:, None], 3, 1, 1)[:, 0]
        muscle = functional.avg_pool2d((masks == 2).float()[:, None], 3, 1, 1)[:, 0]
        deep = functional.avg_pool2d((blood > 0.99).float()[:, None], 7, 1, 3)[:, 0]
        slow = draws.uniform(count, 0.0, 0.5).to(images)[:, None, None] * (1 - deep)
        standing = (draws.uniform(count) < 0.3).to(images)[:, None, None]
        dark = draws.uniform(count, 0.0, 0.12).to(images)[:, None, None] + slow * standing
        bright = draws.uniform(count, 0.25, 0.7).to(images)[:, None, None] * (0.8 + 0.4 * images)
        deviation = draws.uniform(count, 0.01, 0.05).to(images)[:, None, None]
        signal = images * (1 - blood - muscle).clamp(min=0) + dark * blood + bright * muscle
        return batch.with_images(
            chosen, unit_range((signal + deviation * draws.normal(*images.shape).to(images)).abs())
        )
