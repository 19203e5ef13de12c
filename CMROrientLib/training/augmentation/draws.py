"""Random numbers of augmentation: all from one generator, on the CPU whatever the device of the images."""

from __future__ import annotations

import torch
from torch import Tensor

from .batch import Batch


class Draws:
    """A seed fixes what every slice looks like.

    Parameters
    ----------
    generator:
        On the CPU.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator

    def uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """(count,) numbers from ``low`` to ``high``."""
        return low + (high - low) * torch.rand(count, generator=self.generator)

    def normal(self, *shape: int) -> Tensor:
        """Numbers with mean 0 and deviation 1."""
        return torch.randn(*shape, generator=self.generator)

    def whole(self, count: int, below: int) -> Tensor:
        """(count,) whole numbers from 0 on."""
        return torch.randint(below, (count,), generator=self.generator)

    def chosen(self, batch: Batch, share: float) -> Tensor:
        """Indices of the slices that get what happens to a share of them."""
        return torch.nonzero(self.uniform(len(batch)) < share * batch.applied.chance)[:, 0]
