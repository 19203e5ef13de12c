"""Coarse along one direction: as a plane cut from thick slices, which nothing else may tell a network."""

from __future__ import annotations

from dataclasses import dataclass

from torch.nn import functional

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class Anisotropic:
    """A share resampled along its rows or its columns to 0.12 to 0.5 of the pixels and back."""

    share: float

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        chosen = draws.chosen(batch, self.share)
        factor = float(draws.uniform(1, 0.12, 0.5))
        along_rows = bool(draws.uniform(1) < 0.5)
        if len(chosen) == 0:
            return batch
        images = batch.images[chosen][:, None]
        rows, columns = images.shape[2:]
        coarse = (max(4, round(rows * factor)), columns) if along_rows else (rows, max(4, round(columns * factor)))
        small = functional.interpolate(images, size=coarse, mode="area")
        return batch.with_images(chosen, functional.interpolate(small, size=(rows, columns), mode="bilinear")[:, 0])
