"""Slices that are hard in few ways only, and some in none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..batch import Batch
from ..draws import Draws


@dataclass(frozen=True)
class VariedStrength:
    """One strength for each slice, between none and full, for all that happens to its contrast afterwards."""

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        strength = draws.uniform(len(batch))
        # Twice, so that shares are right on average.
        return replace(batch, applied=replace(batch.applied, strength=strength, chance=2 * strength))
