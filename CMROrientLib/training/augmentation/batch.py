"""A batch of slices on its way through augmentation, with what has been done to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Applied:
    """What transforms have done to N slices, for those that come after and for the labels. On the CPU.

    Parameters
    ----------
    strength, chance:
        (N,) how strong what happens to the contrast is, 0…1, and what multiplies the shares of what happens.
    rotation:
        (N,) degrees clockwise by which the anatomy has been turned.
    orientation:
        (N,) class that each slice is stored in.
    window:
        (N, 2, 3) what of the slice will be shown: from places (x, y) in the picture to those in the
        slice, both −1…1. Spatial transforms collect it, so that ``Resampling`` interpolates once.
    """

    strength: Tensor
    chance: Tensor
    rotation: Tensor
    orientation: Tensor
    window: Tensor

    @classmethod
    def nothing(cls, count: int) -> Applied:
        """To ``count`` slices."""
        whole = torch.eye(2, 3).repeat(count, 1, 1)
        return cls(
            torch.ones(count), torch.ones(count), torch.zeros(count), torch.zeros(count, dtype=torch.int64), whole
        )

    def seen_through(self, linear: Tensor) -> Applied:
        """With a linear map (N, 2, 2) of the picture in front of the window."""
        turned = torch.cat([self.window[:, :, :2] @ linear, self.window[:, :, 2:]], dim=2)
        return replace(self, window=turned)


@dataclass(frozen=True)
class Batch:
    """Slices in standard orientation, and what is known about them.

    Parameters
    ----------
    images:
        (N, side, side) float32, 0…1 at the start.
    masks:
        (N, side, side) uint8, 0 background, 1 right ventricle, 2 myocardium, 3 left ventricle.
    angles:
        (N,) degrees from right to left ventricle before any rotation, nan where unknown. On the CPU.
    hearts:
        (N, 3) centre (x, y) and diameter of the heart as shares of the side before anything was done,
        nan where unknown. On the CPU.
    negative:
        (N,) bool: not a short-axis slice. On the CPU.
    drawn:
        (N,) bool: whether ``masks`` says where the tissues are; an empty mask may say that there are none.
    levels:
        (N, 2) level between apex (0) and base (1), and how much that counts; nan and 0 where unknown. On the CPU.
    applied:
        What has been done.
    """

    images: Tensor
    masks: Tensor
    angles: Tensor
    hearts: Tensor
    negative: Tensor
    drawn: Tensor
    levels: Tensor
    applied: Applied

    def __len__(self) -> int:
        return len(self.images)

    @property
    def known(self) -> Tensor:
        """(N,) bool: whether the angle of the ventricles is known."""
        return torch.isfinite(self.angles) & ~self.negative

    def to(self, device: torch.device) -> Batch:
        """With its pictures on a device; what is drawn at random stays on the CPU."""
        return replace(self, images=self.images.to(device), masks=self.masks.to(device), drawn=self.drawn.to(device))

    def with_images(self, chosen: Tensor, images: Tensor) -> Batch:
        """With other images for the chosen (indices)."""
        return replace(self, images=self.images.index_copy(0, chosen.to(self.images.device), images))
