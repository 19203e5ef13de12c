"""What every transform is, and several one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .batch import Batch
from .draws import Draws


class Transform(Protocol):
    """Gives back a new batch; keeps nothing of a call."""

    def __call__(self, batch: Batch, draws: Draws) -> Batch: ...


@dataclass(frozen=True)
class Compose:
    """Transforms one after the other; a transform itself."""

    transforms: tuple[Transform, ...]

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        for transform in self.transforms:
            batch = transform(batch, draws)
        return batch
