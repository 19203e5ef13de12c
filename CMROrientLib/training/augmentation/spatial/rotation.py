"""Rotation of the anatomy in the plane."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class Rotation:
    """Either way, about the middle of what is shown.

    Parameters
    ----------
    largest, largest_unknown:
        In degrees, where the ventricles' angle is known and where it is not.
    varied:
        Give each slice a strength of its own, so that most are turned little.
    """

    largest: float
    largest_unknown: float
    varied: bool = True

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        largest = torch.where(batch.known, self.largest, self.largest_unknown)
        degrees = draws.uniform(len(batch), -1, 1) * largest
        if self.varied:
            degrees = degrees * draws.uniform(len(batch))
        # The window turns the other way than what is seen through it.
        radians = torch.deg2rad(-degrees)
        cosine, sine = torch.cos(radians), torch.sin(radians)
        turn = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
        applied = batch.applied.seen_through(turn)
        return replace(batch, applied=replace(applied, rotation=applied.rotation + degrees))
