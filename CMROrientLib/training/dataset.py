"""What is shown in training: slices, and pictures that are no short-axis slices, as torch's ``Dataset``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader, Dataset

from .augmentation.batch import Applied, Batch
from .slices import Slices

#: (M, side, side) pictures in 0…1 that are not short-axis slices.
Negatives = NDArray[np.float16]


class ShownPictures(Dataset[Batch]):
    """Slices, and after them negatives. An item is a batch of one; a loader asks for a batch at once.

    Parameters
    ----------
    slices:
        In the standard orientation.
    negatives:
        Of the same side as the slices; None for none.
    """

    def __init__(self, slices: Slices, negatives: Negatives | None = None) -> None:
        self.slices = len(slices)
        self.negatives = 0 if negatives is None else len(negatives)
        self._squares = torch.from_numpy(slices.squares)
        self._masks = torch.from_numpy(slices.masks)
        self._hearts = torch.from_numpy(slices.hearts[slices.case])
        angles = np.array([np.nan if case.angle is None else case.angle for case in slices.cases], np.float32)
        self._angles = torch.from_numpy(angles[slices.case])
        self._levels = torch.from_numpy(slices.levels)
        self._drawn = torch.from_numpy(np.array([case.drawn for case in slices.cases], bool)[slices.case])
        self._negatives = None if negatives is None else torch.from_numpy(negatives)

    def __len__(self) -> int:
        return self.slices + self.negatives

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([index])

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        chosen = torch.as_tensor(indices)
        count, negative = len(chosen), chosen >= self.slices
        own = chosen[~negative]
        side = self._squares.shape[1:]
        images, masks = torch.zeros(count, *side), torch.zeros(count, *side, dtype=torch.uint8)
        angles, hearts = torch.full((count,), torch.nan), torch.full((count, 3), torch.nan)
        drawn, levels = torch.zeros(count, dtype=torch.bool), torch.tensor([torch.nan, 0.0]).repeat(count, 1)
        images[~negative] = self._squares[own].float()
        masks[~negative], drawn[~negative] = self._masks[own], self._drawn[own]
        levels[~negative] = self._levels[own]
        angles[~negative], hearts[~negative] = self._angles[own], self._hearts[own]
        if self._negatives is not None:
            images[negative] = self._negatives[chosen[negative] - self.slices].float()
        return Batch(images, masks, angles, hearts, negative, drawn, levels, Applied.nothing(count))

    def order(self, share: float, random: np.random.Generator) -> NDArray[np.int_]:
        """Indices of an epoch: every slice once, and some of the negatives.

        Parameters
        ----------
        share:
            Negatives shown, as a share of the slices.
        """
        count = min(round(share * self.slices), self.negatives)
        chosen = random.choice(self.negatives, count, replace=False) if count else np.zeros(0, int)
        return random.permutation(np.concatenate([np.arange(self.slices), self.slices + chosen]))


def loader(pictures: ShownPictures, order: NDArray[np.int_], batch: int) -> DataLoader[Batch]:
    """The batches of an epoch, of ``batch`` pictures or a few more, in one process.

    Worker processes would cost more than they save: the pictures are in memory, and Slicer's Python
    cannot start any.
    """
    parts = np.array_split(order, max(len(order) // batch, 1))
    return DataLoader(
        pictures,
        batch_sampler=[part.tolist() for part in parts],
        # The pictures already come as a batch.
        collate_fn=cast(Callable[[list[Batch]], Batch], lambda batch: batch),
        # One of its own: a loader draws from the global one otherwise.
        generator=torch.Generator(),
    )
