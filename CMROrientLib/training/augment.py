"""Augmentation of a whole batch at once, with labels as the anatomy then says.

A rotation moves the line between the ventricles. Where it takes it over a class border, the label
follows: the class is defined by anatomy (between −68° and 22°), not by how the slice was stored.
Near a border the target is shared between the two neighbours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..orientation import Orientation
from ..recognition.inference import SMALLEST_CROP
from .augmentation.settings import Augmentation

#: Centre of class 0 and distance of its borders, in degrees (design of the standard orientation).
MEAN_ANGLE, BORDER = -23.0, 45.0

#: Index of the output for "not a short-axis slice", as a label.
NOT_SHORT_AXIS = 8


@dataclass(frozen=True)
class Batch:
    """Slices before augmentation.

    Parameters
    ----------
    squares:
        (N, side, side) float32 in 0…1, in standard orientation.
    masks:
        (N, side, side) uint8, 0 background, 1 right ventricle, 2 myocardium, 3 left ventricle.
    angles:
        (N,) degrees from right to left ventricle, nan where unknown.
    hearts:
        (N, 3) centre (x, y) and diameter of the heart as shares of the side, nan where unknown.
    negative:
        (N,) bool: not a short-axis slice.
    drawn:
        (N,) bool: whether ``masks`` says where the tissues are; an empty mask may say that there are none.
    """

    squares: Tensor
    masks: Tensor
    angles: Tensor
    hearts: Tensor
    negative: Tensor
    drawn: Tensor


class Augmenter:
    """Draws from one generator, so that a seed fixes what every slice looks like.

    Parameters
    ----------
    settings:
        What may happen.
    size:
        Side of the result.
    outputs:
        Length of the targets, 8 or 9.
    generator:
        On the CPU; the random numbers are drawn there whatever the device of the images.
    """

    def __init__(self, settings: Augmentation, size: int, outputs: int, generator: torch.Generator) -> None:
        self.settings = settings
        self.size = size
        self.outputs = outputs
        self.generator = generator
        self._strength = torch.ones(0)
        self._window_of = torch.zeros(0, 2, 3)

    def __call__(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Squares (N, size, size) float32 and targets (N, outputs) that sum to one."""
        self._strength = self._strengths(len(batch.squares))
        images = self._tissue(batch.squares, batch.masks)
        images = self._wrap(images)
        images, targets = self._turn(images, batch)
        images = self._low_resolution(images)
        images = self._blur(images)
        images = self._bias(images)
        images = self._noise(images)
        images = self._contrast(images)
        return self._window(images), targets

    def tissues(self, masks: Tensor, side: int) -> Tensor:
        """Where the tissues came to lie in the last call: shares (N, 4, side, side) of each cell.

        Parameters
        ----------
        masks:
            Those of the batch of that call.
        """
        grid = functional.affine_grid(self._window_of.to(masks.device), [len(masks), 1, 2 * side, 2 * side], False)
        moved = functional.grid_sample(masks[:, None].float(), grid, "nearest", "zeros", align_corners=False)
        every = functional.one_hot(moved[:, 0].long(), 4).permute(0, 3, 1, 2).float()
        return functional.avg_pool2d(every, 2)

    def _strengths(self, count: int) -> Tensor:
        return torch.rand(count, generator=self.generator) if self.settings.varied else torch.ones(count)

    def _uniform(self, count: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=self.generator)

    def _chosen(self, count: int, share: float) -> Tensor:
        """Indices of those that get something which happens to a share."""
        # Twice, so that the share is right on average.
        chance = share * (2 * self._strength if self.settings.varied else self._strength)
        return torch.nonzero(torch.rand(count, generator=self.generator) < chance)[:, 0]

    def _tissue(self, images: Tensor, masks: Tensor) -> Tensor:
        """Synthetic contrast: blood and muscle made brighter or darker, as other sequences show them."""
        chosen = self._chosen(len(images), self.settings.tissue)
        if len(chosen) == 0:
            return images
        labels = masks[chosen].long()
        gains = torch.exp(self._uniform(len(chosen) * 4, -1.2, 0.7)).view(-1, 4)
        # Both pools hold the same blood, nearly.
        gains[:, 3] = gains[:, 1] * torch.exp(self._uniform(len(chosen), -0.2, 0.2))
        gains[:, 0] = 1
        # Those without a mask stay as they are.
        keep = labels.flatten(1).any(dim=1).cpu()
        picked = gains.to(images).gather(1, labels.flatten(1)).view_as(labels)
        result = images.clone()
        result[chosen[keep]] = (images[chosen] * picked)[keep].clamp(0, 1)
        return result

    def _wrap(self, images: Tensor) -> Tensor:
        """Values that ran over an end of 8 bit: too bright starts again at 0, below nothing is white."""
        chosen = self._chosen(len(images), self.settings.wrap)
        if len(chosen):
            images = images.clone()
            bright = (torch.rand(len(chosen), generator=self.generator) < 1 / 3)[:, None, None]
            factor = torch.where(bright, self._uniform(len(chosen), 1.05, 2.0)[:, None, None], 1.0)
            below = torch.where(bright, 0.0, self._uniform(len(chosen), -0.01, 0.03)[:, None, None])
            deviation = torch.where(bright, 0.0, self._uniform(len(chosen), 0.003, 0.03)[:, None, None])
            noise = torch.randn(len(chosen), *images.shape[1:], generator=self.generator) * deviation
            moved = images[chosen] * factor.to(images) + (noise - below).to(images)
            images[chosen] = torch.remainder(moved, 1.0)
        return images

    def _turn(self, images: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        settings, count = self.settings, len(images)
        known = torch.isfinite(batch.angles) & ~batch.negative
        largest = torch.where(known, settings.rotation, settings.rotation_unknown)
        rotation = self._uniform(count, -1, 1) * largest * self._strengths(count)
        width, height, shift = self._windows(batch.hearts)
        turns = torch.randint(len(Orientation) if settings.turns else 1, (count,), generator=self.generator)

        # The window in (x, y) = (column, row), each −1…1: turned first, then scaled, then rotated.
        signs = torch.stack([torch.tensor(Orientation(int(k)).matrix, dtype=torch.float32) for k in turns])
        unturn = signs.transpose(1, 2).flip(1, 2)
        scale = torch.diag_embed(torch.stack([width, height], dim=1))
        radians = torch.deg2rad(-rotation)
        cosine, sine = torch.cos(radians), torch.sin(radians)
        rotate = torch.stack([torch.stack([cosine, -sine], 1), torch.stack([sine, cosine], 1)], 1)
        self._window_of = torch.cat([rotate @ scale @ unturn, shift[:, :, None]], dim=2)
        grid = functional.affine_grid(self._window_of.to(images), [count, 1, self.size, self.size], align_corners=False)
        fill = self._fill(images)
        sampled = functional.grid_sample(images[:, None] - fill, grid, "bilinear", "zeros", align_corners=False) + fill
        return sampled[:, 0], self._targets(batch, known, rotation, turns).to(images.device)

    def _windows(self, hearts: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Width, height and centre (N, 2) of the field of view; the slice spans −1…1."""
        settings, count = self.settings, len(hearts)
        located = torch.isfinite(hearts).all(dim=1)
        heart = torch.where(located[:, None], 2 * hearts[:, :2] - 1, torch.zeros(count, 2))
        lowest = torch.full((count,), math.log(settings.zoom[0]))
        highest = math.log(settings.zoom[1])
        if settings.closest > 0:
            closest = torch.log((settings.closest * hearts[:, 2]).clamp(min=0.15))
            lowest = torch.where(located, torch.minimum(lowest, closest), lowest)
        zoom = torch.exp(lowest + (highest - lowest) * torch.rand(count, generator=self.generator))
        stretch = torch.exp(self._uniform(count, -1, 1) * math.log(settings.aspect) / 2)
        second = torch.rand(count, generator=self.generator) < settings.closer_share
        if second.any():
            seen = torch.where(located, settings.closer * hearts[:, 2], self._uniform(count, 0.5, 0.75))
            inexact = torch.exp(0.15 * torch.randn(count, generator=self.generator))
            zoom = torch.where(second, (seen * inexact).clamp(SMALLEST_CROP, 1), zoom)
        width, height = zoom * stretch, zoom / stretch
        if settings.shift is None:
            width, height = width.clamp(max=1), height.clamp(max=1)
            reach = torch.stack([1 - width, 1 - height], dim=1)
            anywhere = (2 * torch.rand(count, 2, generator=self.generator) - 1) * reach
            return width, height, torch.where(second[:, None], heart.clamp(-reach, reach), anywhere)
        sides = torch.stack([width, height], dim=1)
        # Where the window is larger than the slice, the slice may lie anywhere in it.
        reach = 2 * settings.shift * sides + (sides - 1).clamp(min=0) / 2
        shift = (2 * torch.rand(count, 2, generator=self.generator) - 1) * reach
        # Close crops are centred on the heart, wide ones anywhere between it and the slice's centre.
        close = second | (zoom < 0.6)
        pull = torch.where(close, torch.ones(count), torch.rand(count, generator=self.generator))
        return width, height, shift + pull[:, None] * heart

    def _fill(self, images: Tensor) -> Tensor:
        fill = torch.zeros(len(images))
        chosen = self._chosen(len(images), self.settings.bright_fill)
        fill[chosen] = self._uniform(len(chosen), 0, 1)
        return fill.to(images)[:, None, None, None]

    def _targets(self, batch: Batch, known: Tensor, rotation: Tensor, turns: Tensor) -> Tensor:
        settings, angles, negative = self.settings, batch.angles, batch.negative
        count = len(angles)
        targets = torch.zeros(count, self.outputs)
        angle = torch.where(known, angles, torch.full_like(angles, MEAN_ANGLE)) + rotation - MEAN_ANGLE
        spread = torch.where(known, settings.spread, settings.spread_unknown)
        beyond = torch.special.ndtr((angle - BORDER) / spread.clamp(min=1e-6)) * (spread > 0)
        before = torch.special.ndtr((-angle - BORDER) / spread.clamp(min=1e-6)) * (spread > 0)
        shares = {Orientation.IDENTITY: 1 - beyond - before, Orientation.ROTATE_90: beyond}
        shares[Orientation.ROTATE_270] = before
        for base, share in shares.items():
            labels = torch.tensor([Orientation(int(k)).after(base) for k in turns])
            targets[torch.arange(count), labels] += share
        if negative.any():
            targets[negative] = 0
            targets[negative, NOT_SHORT_AXIS] = 1
        return targets

    def _low_resolution(self, images: Tensor) -> Tensor:
        chosen = self._chosen(len(images), self.settings.low_resolution)
        factor = float(self._uniform(1, 0.35, 0.9)[0])
        if len(chosen):
            images = images.clone()
            small = functional.interpolate(images[chosen][:, None], scale_factor=factor, mode="area")
            images[chosen] = functional.interpolate(small, size=images.shape[1:], mode="bilinear")[:, 0]
        return images

    def _blur(self, images: Tensor) -> Tensor:
        chosen = self._chosen(len(images), self.settings.blur)
        sigma = float(self._uniform(1, 0.4, 1.5)[0])
        if len(chosen):
            images = images.clone()
            kernel = torch.exp(-0.5 * (torch.arange(-4, 5) / sigma) ** 2)
            kernel = (kernel / kernel.sum()).to(images)
            padded = functional.pad(images[chosen][:, None], (4, 4, 4, 4), mode="replicate")
            blurred = functional.conv2d(padded, kernel.view(1, 1, -1, 1))
            images[chosen] = functional.conv2d(blurred, kernel.view(1, 1, 1, -1))[:, 0]
        return images

    def _bias(self, images: Tensor) -> Tensor:
        chosen = self._chosen(len(images), self.settings.bias_share)
        if len(chosen):
            images = images.clone()
            coarse = torch.randn(len(chosen), 1, 3, 3, generator=self.generator) * self.settings.bias
            smooth = functional.interpolate(coarse, size=images.shape[1:], mode="bicubic", align_corners=True)
            images[chosen] = images[chosen] * torch.exp(smooth[:, 0].to(images))
        return images

    def _noise(self, images: Tensor) -> Tensor:
        chosen = self._chosen(len(images), self.settings.noise_share)
        if len(chosen):
            images = images.clone()
            level = self._uniform(len(chosen), 0, self.settings.noise)[:, None, None]
            noise = torch.randn(len(chosen), *images.shape[1:], generator=self.generator) * level
            # Magnitude images: noise cannot take them below nothing.
            images[chosen] = (images[chosen] + noise.to(images)).abs()
        return images

    def _contrast(self, images: Tensor) -> Tensor:
        count = len(images)
        images = (images / images.amax(dim=(1, 2), keepdim=True).clamp(min=1e-6)).clamp(0, 1)
        gamma = torch.exp(self._uniform(count, -1, 1) * self.settings.gamma * self._strength)[:, None, None]
        if self.settings.gamma > 0:
            images = images ** gamma.to(images)
        chosen = self._chosen(count, self.settings.remap)
        if len(chosen):
            # A random curve through six points; its ends far apart, the way between them bent.
            points = torch.linspace(0, 1, 6) + 0.35 * torch.randn(len(chosen), 6, generator=self.generator)
            place = images[chosen].flatten(1) * 5
            lower = place.long().clamp(max=4)
            points = points.to(images)
            low, high = points.gather(1, lower), points.gather(1, lower + 1)
            images[chosen] = (low + (high - low) * (place - lower)).view_as(images[chosen])
        chosen = self._chosen(count, self.settings.invert)
        images[chosen] = images[chosen].amax(dim=(1, 2), keepdim=True) - images[chosen]
        return images

    def _window(self, images: Tensor) -> Tensor:
        """Nothing outside a disc, as some scanners and anonymizers leave it."""
        chosen = self._chosen(len(images), self.settings.window)
        if len(chosen):
            axis = torch.linspace(-1, 1, self.size)
            distance = torch.sqrt(axis[:, None] ** 2 + axis[None] ** 2)[None]
            radius = self._uniform(len(chosen), 0.8, 1.1)[:, None, None]
            images[chosen] = images[chosen] * (distance < radius).to(images)
        return images
