"""Storing slices in one of the eight orientations."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ....orientation import Orientation
from ..batch import Batch
from ..draws import Draws

#: (8, 2, 2) from (x, y) of a stored slice to those of the standard one.
_UNTURN = torch.stack([torch.tensor(k.matrix, dtype=torch.float32) for k in Orientation]).transpose(1, 2).flip(1, 2)
#: (8, 2, 2) what a class does to vectors (row, column).
MATRICES = torch.stack([torch.tensor(k.matrix, dtype=torch.float32) for k in Orientation])
#: (8, 8) entry [k, base]: the class of a slice of class ``base`` that is turned by k.
AFTER = torch.tensor([[k.after(base) for base in Orientation] for k in Orientation])


@dataclass(frozen=True)
class StoredOrientation:
    """Any of the eight, all alike."""

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        turns = draws.whole(len(batch), len(Orientation))
        applied = batch.applied.seen_through(_UNTURN[turns])
        return replace(batch, applied=replace(applied, orientation=AFTER[turns, applied.orientation]))
