"""``Preprocessing`` for tensors where they are, all slices of a stack at once: what CUDA's network is shown.

Pixels are those that numpy makes, bit for bit, up to the grey levels of the histograms: each is summed tap after tap
as there, and what decides on a level is reckoned in float64 as there. Sums over a slice (mean, deviation, a
histogram's total) are added in another order, so that inputs differ by the last digits of a float32.

Imports torch: import this only where torch runs the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...order_statistics import Places
from ...orientation import Orientation
from ..crops import FINER, Crop
from ..preprocessing import BOUNDED_LEVELS, ENDS, LARGEST, LEVELS, SMALLEST, Preprocessing
from ..resampling import Frame, Window, weights


class Prepared(NamedTuple):
    """What of N slices is resampled.

    Parameters
    ----------
    images:
        float32 (N, rows, columns), finite.
    parts:
        Of each the rows and columns that count: first row, first column, how many rows, how many columns.
    flat:
        bool (N,) whether that part has one value only.
    values:
        (N,) its first value.
    """

    images: Tensor
    parts: Sequence[tuple[int, int, int, int]]
    flat: Tensor
    values: Tensor


class DevicePreprocessing:
    """The inputs that a ``Preprocessing`` makes, made on a device.

    Parameters
    ----------
    preprocessing:
        That of the network.
    device:
        Where.
    """

    def __init__(self, preprocessing: Preprocessing, device: torch.device) -> None:
        self.preprocessing, self.device = preprocessing, device

    def prepared(self, voxels: Tensor) -> Prepared:
        """``Preprocessing.prepared`` of slices (N, rows, columns), of any type. Where it trims it waits."""
        images = _finite(voxels.float())
        count, rows, columns = images.shape
        everything = (0, 0, rows, columns)
        if not self.preprocessing.trim:
            return Prepared(images, [everything] * count, _is_flat(images), images[:, 0, 0])
        first_row, last_row = _first_and_last((images != images[:, :, :1]).any(2))
        first_column, last_column = _first_and_last((images != images[:, :1]).any(1))
        found = torch.stack([first_row, first_column, last_row + 1 - first_row, last_column + 1 - first_column], dim=1)
        cut = (found[:, 2:] >= SMALLEST).all(1, keepdim=True)
        found = torch.where(cut, found, torch.tensor(everything, device=self.device))
        down, across = (torch.arange(extent, device=self.device) for extent in (rows, columns))
        inside = (
            _within(down, found[:, 0], found[:, 2])[:, :, None] & _within(across, found[:, 1], found[:, 3])[:, None]
        )
        values = images[torch.arange(count, device=self.device), found[:, 0], found[:, 1]]
        parts = [(top, left, height, width) for top, left, height, width in found.tolist()]
        return Prepared(images, parts, _is_flat(images, inside), values)

    def inputs(self, slices: Prepared, spacing: tuple[float, float] = (1.0, 1.0), crop: Crop | None = None) -> Tensor:
        """float32 (N, channels, size, size) of slices, whole or cropped, as ``Preprocessing.normalise`` gives them."""
        size = self.preprocessing.size
        if crop is None:
            return self.normalise(self.framed(slices, spacing, size))
        side = FINER * size
        # Their pixels are as wide as high, whatever the slice's are.
        close = self.framed(slices, spacing, side, crop.window(side))
        return self.normalise(self.framed(self.prepared(close), (1.0, 1.0), size))

    def framed(self, slices: Prepared, spacing: tuple[float, float], side: int, window: Window | None = None) -> Tensor:
        """``Preprocessing.framed`` of slices: (N, side, side), or a window of that."""
        inside = (slice(0, side), slice(0, side)) if window is None else window
        keeps_aspect = self.preprocessing.fit == "aspect"
        shapes = list(dict.fromkeys(part[2:] for part in slices.parts))
        frames = [Frame.of(shape, spacing, side, keeps_aspect=keeps_aspect) for shape in shapes]
        padded = not all(frame.shows_all_of(inside) for frame in frames)
        # The padding has the lowest value of the whole slice.
        made = (slice(0, side), slice(0, side)) if padded else inside
        which = [shapes.index(part[2:]) for part in slices.parts]
        rows = [(shape[0], frame.rows, frame.top) for shape, frame in zip(shapes, frames, strict=True)]
        columns = [(shape[1], frame.columns, frame.left) for shape, frame in zip(shapes, frames, strict=True)]
        down = self._taps(rows, side, made[0], which, [part[0] for part in slices.parts])
        across = self._taps(columns, side, made[1], which, [part[1] for part in slices.parts])
        squares = across.of(down.of(slices.images, 1), 2)
        if padded:
            shown = down.used[:, :, None] & across.used[:, None]
            lowest = torch.where(shown, squares, torch.inf).amin((1, 2), keepdim=True)
            squares = torch.where(shown, squares, lowest)[:, inside[0], inside[1]]
        # Rounding in the resampling would make up something to see.
        return torch.where(slices.flat[:, None, None], slices.values[:, None, None], squares)

    def normalise(self, squares: Tensor) -> Tensor:
        """``Preprocessing.normalise``: (N, size, size) to float32 (N, channels, size, size)."""
        channels = self.contrasted(squares)
        channels = channels - channels.mean(dim=(1, 2, 3), keepdim=True)
        # The mean once more, as numpy has it: of a constant square a rest is left that is no contrast.
        rest = channels - channels.mean(dim=(1, 2, 3), keepdim=True)
        deviation = rest.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        inputs: Tensor = torch.where(deviation > 1e-6, channels / deviation, 0.0)
        return inputs

    def contrasted(self, squares: Tensor) -> Tensor:
        """``Preprocessing.contrasted``: what ``normalise`` brings to one mean and deviation."""
        flat = _finite(squares).flatten(1)
        if self.preprocessing.contrast == "truncated":
            channels = _truncated(flat, self.preprocessing.truncations)
        elif self.preprocessing.contrast == "bounded":
            channels = _bounded(flat, *_ends(flat), self.preprocessing.gain)[:, None]
        else:
            low, high = _ends(flat)
            channels = torch.minimum(torch.maximum(flat, low.float()), high.float())[:, None]
        contrasted: Tensor = channels.unflatten(2, squares.shape[1:])
        return contrasted

    def turned(self, inputs: Tensor, turns: Tensor) -> Tensor:
        """(N, G, channels, size, size): inputs (N, channels, size, size), the n-th turned by classes ``turns[n]``."""
        count, channels, size, _ = inputs.shape
        pixels = _turned_pixels(size, self.device)[turns]
        shape = (count, turns.shape[1], channels, size * size)
        copies = inputs.flatten(2)[:, None].expand(shape).gather(3, pixels[:, :, None].expand(shape))
        turned: Tensor = copies.unflatten(3, (size, size))
        return turned

    def _taps(
        self, axes: Sequence[tuple[int, int, int]], side: int, part: slice, which: Sequence[int], starts: Sequence[int]
    ) -> _Taps:
        table = _taps_of(tuple(axes), side, part.start, part.stop, self.device)
        if len(axes) == 1 and len(set(starts)) == 1:
            # As most stacks are: nothing has to be sent to the device.
            each = [one.expand(len(which), *one.shape[1:]) for one in table]
            return _Taps(each[0] + starts[0], each[1], each[2])
        chosen, first = torch.tensor([which, starts]).to(self.device)
        return _Taps(table.samples[chosen] + first[:, None, None], table.shares[chosen], table.used[chosen])


class _Taps(NamedTuple):
    """Interpolation along an axis of N images: ``resampling.Weights``, and where in the square they are.

    Parameters
    ----------
    samples, shares:
        (N, taps, outputs); a tap that an image does not need counts nothing.
    used:
        bool (N, outputs) whether that pixel of the square is one of the slice, not padding.
    """

    samples: Tensor
    shares: Tensor
    used: Tensor

    def of(self, images: Tensor, axis: int) -> Tensor:
        """Images (N, rows, columns) along their axis 1 or 2, summed tap after tap."""
        shape = list(images.shape)
        shape[axis] = self.samples.shape[2]
        result = torch.zeros(shape, device=images.device)
        for samples, shares in zip(self.samples.unbind(1), self.shares.unbind(1), strict=True):
            # A product and a sum, each rounded, as numpy has it: no fused multiply-add.
            result += images.gather(axis, samples.unsqueeze(3 - axis).expand(shape)) * shares.unsqueeze(3 - axis)
        return result


@lru_cache(maxsize=64)
def _taps_of(axes: tuple[tuple[int, int, int], ...], side: int, start: int, stop: int, device: torch.device) -> _Taps:
    """For each kind of image (samples, pixels that they become, pixels of padding before these) its taps."""
    found = [weights(samples, outputs) for samples, outputs, _ in axes]
    shape = (len(axes), max(len(one.samples) for one in found), side)
    samples, shares, used = np.zeros(shape, np.int64), np.zeros(shape, np.float32), np.zeros((shape[0], side), bool)
    for number, ((_, outputs, before), one) in enumerate(zip(axes, found, strict=True)):
        at = number, slice(0, len(one.samples)), slice(before, before + outputs)
        samples[at], shares[at], used[number, at[2]] = one.samples, one.shares, True
    parts = (torch.from_numpy(np.ascontiguousarray(one[..., start:stop])) for one in (samples, shares, used))
    return _Taps(*(part.to(device) for part in parts))


@lru_cache(maxsize=8)
def _turned_pixels(size: int, device: torch.device) -> Tensor:
    """(8, size²) of each pixel of a square turned by each class, which of the square it is."""
    pixels = np.arange(size * size).reshape(size, size)
    return torch.from_numpy(np.stack([k.apply(pixels).ravel() for k in Orientation])).to(device)


def _finite(images: Tensor) -> Tensor:
    good = images.isfinite()
    lowest = torch.where(good, images, torch.inf).amin((1, 2), keepdim=True)
    images = torch.where(good, images, torch.where(lowest.isfinite(), lowest, 0.0))
    largest = images.abs().amax((1, 2), keepdim=True)
    return images / torch.where(largest > LARGEST, largest, 1.0)


def _is_flat(images: Tensor, inside: Tensor | None = None) -> Tensor:
    """(N,) whether images have one value only, inside of what counts."""
    lowest = images if inside is None else torch.where(inside, images, torch.inf)
    highest = images if inside is None else torch.where(inside, images, -torch.inf)
    return lowest.amin((1, 2)) == highest.amax((1, 2))


def _first_and_last(which: Tensor) -> tuple[Tensor, Tensor]:
    """(N,) the first and the last that is true of (N, count); beyond each other where none is."""
    numbers = torch.arange(which.shape[1], device=which.device)
    return torch.where(which, numbers, which.shape[1]).amin(1), torch.where(which, numbers, -1).amax(1)


def _within(numbers: Tensor, first: Tensor, count: Tensor) -> Tensor:
    return (numbers >= first[:, None]) & (numbers < (first + count)[:, None])


def _truncated(flat: Tensor, truncations: Sequence[float]) -> Tensor:
    lowest, highest = (end.double() for end in (flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)))
    levels = _quantized(flat, lowest, highest, LEVELS)
    cumulative = (_histogram(levels, LEVELS).cumsum(1) / flat.shape[1]).float()
    steps = torch.arange(LEVELS, device=flat.device)
    cuts = [torch.maximum(share * highest, lowest).float() for share in truncations]
    tables = [torch.where(steps < _quantized(cut, lowest, highest, LEVELS), cumulative, 1.0) for cut in cuts]
    return torch.stack([table.gather(1, levels) for table in tables], dim=1)


def _bounded(flat: Tensor, lowest: Tensor, highest: Tensor, gain: float) -> Tensor:
    levels = _quantized(flat, lowest, highest, BOUNDED_LEVELS)
    ramp = (_histogram(levels, BOUNDED_LEVELS) / flat.shape[1]).clamp(max=gain / BOUNDED_LEVELS)
    # Half of a level lies below its pixels: an inverted image gives the inverted result.
    table = (ramp.cumsum(1) - ramp / 2) / ramp.sum(1, keepdim=True)
    return table.float().gather(1, levels)


def _ends(flat: Tensor) -> tuple[Tensor, Tensor]:
    """float64 (N, 1) the lower and the upper percentile; the extremes where these are one."""
    count = flat.shape[1]
    at = Places.of(count, ENDS)
    # Selecting the few at either end is an order of magnitude faster than sorting all.
    smallest = flat.topk(at.above[0] + 1, largest=False).values
    largest = flat.topk(count - at.below[1]).values
    ordered = (
        (smallest[:, at.below[0]], smallest[:, at.above[0]]),
        (
            largest[:, count - 1 - at.below[1]],
            largest[:, count - 1 - at.above[1]],
        ),
    )
    low, high = (
        _between(*neighbours, float(share))[:, None] for neighbours, share in zip(ordered, at.share, strict=True)
    )
    apart = high > low
    return torch.where(apart, low, smallest[:, :1].double()), torch.where(apart, high, largest[:, :1].double())


def _between(below: Tensor, above: Tensor, share: float) -> Tensor:
    """As ``order_statistics`` has it: from the nearer neighbour."""
    step = (above - below).double()
    return below.double() + step * share if share < 0.5 else above.double() - step * (1 - share)


def _quantized(values: Tensor, lowest: Tensor, highest: Tensor, count: int) -> Tensor:
    """Levels of values (N, P) between float64 ends (N, 1).

    ``count`` is a power of two: torch multiplies it by a reciprocal, which is the quotient then, bit for bit.
    """
    steps = (values.double() - lowest) * (count / (highest - lowest))
    return torch.where(highest > lowest, steps.clamp(0, count - 1), 0.0).long()


def _histogram(levels: Tensor, count: int) -> Tensor:
    """float64 (N, count) pixels of each level. Whole numbers: the order of adding cannot change them."""
    found = torch.zeros(len(levels), count, dtype=torch.float64, device=levels.device)
    return found.scatter_add_(1, levels, torch.ones((), dtype=torch.float64, device=levels.device).expand_as(levels))
