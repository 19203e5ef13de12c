"""From a stored slice to a network's input: first its geometry, then its contrast.

Two formulations: the paper's (Liu 2022, arXiv 2211.11336, section 3), in which a slice is stretched
to 256 × 256, truncated at 60, 80 and 100 % of its maximum and each of the three
histogram-equalized; and the one of the universal model, which keeps the aspect in millimetres,
drops constant padding and equalizes with a bounded gain, so that neither the contrast of the
sequence nor the noise of the background decides what the network sees.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..order_statistics import percentiles_of_rows
from .resampling import Frame, resampled, weights
from .typed_json import read_object, write_object

FloatArray = NDArray[np.float32]

#: Grey levels of the histograms. Enough that a 12 bit image loses nothing.
LEVELS = 4096
#: Those of a histogram whose gain is bounded: few pixels to a level would be noise.
BOUNDED_LEVELS = 256

#: Percentiles that are the ends of what counts where contrast is ``bounded`` or ``linear``.
ENDS = (0.5, 99.5)
#: Slices with values beyond it are divided by the largest: squares and sums of extreme floats would overflow.
LARGEST = 1e15

#: A slice is never trimmed below this many rows or columns.
SMALLEST = 16


@dataclass(frozen=True)
class Preprocessing:
    """How a slice becomes a network's input. Defaults are those of the universal model.

    Parameters
    ----------
    size:
        Rows and columns of the square input.
    fit:
        ``aspect`` keeps proportions in millimetres and pads to a square; ``stretch`` fills the
        square whatever the slice's proportions (the paper).
    trim:
        Drop constant rows and columns at the edges first: padding says nothing.
    contrast:
        ``bounded``: one channel, histogram-equalized with a bounded gain. ``truncated``: one
        channel for each of ``truncations``, histogram-equalized (the paper). ``linear``: one
        channel, clipped at the 0.5th and the 99.5th percentile.
    truncations:
        Shares of the maximum at which ``truncated`` cuts.
    gain:
        Largest steepening of contrast by ``bounded``, as a multiple of a linear ramp's.
    """

    size: int = 96
    fit: Literal["aspect", "stretch"] = "aspect"
    trim: bool = True
    contrast: Literal["bounded", "truncated", "linear"] = "bounded"
    truncations: tuple[float, ...] = (0.6, 0.8, 1.0)
    gain: float = 4.0

    def __post_init__(self) -> None:
        """Raise ValueError on what no slice can be made into."""
        if self.size < 1:
            raise ValueError(f"size is {self.size}, not above 0")
        if self.gain <= 0:
            raise ValueError(f"gain is {self.gain:g}, not above 0")
        if not self.truncations or not all(0 < share <= 1 for share in self.truncations):
            raise ValueError("truncations are not shares above 0")

    @classmethod
    def paper(cls) -> Preprocessing:
        """The paper's: 256 × 256, three truncated and equalized channels."""
        return cls(size=256, fit="stretch", trim=False, contrast="truncated")

    @classmethod
    def from_card(cls, card: Mapping[str, object]) -> Preprocessing:
        """The preprocessing that a card names. Raises ValueError with the key that is unknown or wrong."""
        return read_object(cls, card, "preprocessing", strict=True)

    def to_card(self) -> dict[str, object]:
        """Settings as a model card keeps them (JSON)."""
        return write_object(self)

    @property
    def channels(self) -> int:
        """Channels of the network's input."""
        return len(self.truncations) if self.contrast == "truncated" else 1

    def __call__(self, slice_: NDArray[Any], spacing: tuple[float, float] = (1.0, 1.0)) -> FloatArray:
        """The network's input for one slice.

        Parameters
        ----------
        slice_:
            (rows, columns), any number type; not finite values count as the lowest one.
        spacing:
            Distance of rows and of columns in mm. Only their ratio matters.

        Returns
        -------
        float32 (channels, size, size), mean 0 and deviation 1; zeros for a slice that shows nothing.
        """
        inputs: FloatArray = self.normalise(self.square(slice_, spacing)[None])[0]
        return inputs

    def square(
        self, slice_: NDArray[Any], spacing: tuple[float, float] = (1.0, 1.0), size: int | None = None
    ) -> FloatArray:
        """The geometry of a slice: float32 (size, size), intensities as stored.

        Commutes with every ``Orientation``: turning the slice (and its spacing) turns the result.
        """
        return self.framed(self.prepared(slice_), spacing, size)

    def prepared(self, slice_: NDArray[Any]) -> FloatArray:
        """What of a slice is resampled: finite values, and where the model drops them no constant edges."""
        image = _finite(slice_)
        return image[_kept(image)] if self.trim else image

    def framed(
        self,
        image: FloatArray,
        spacing: tuple[float, float] = (1.0, 1.0),
        size: int | None = None,
        window: Callable[[int], tuple[slice, slice]] | None = None,
    ) -> FloatArray:
        """A prepared slice as a square (size, size), or a window of that: rows and columns, by its side.

        Only what the window shows is resampled; the pixels are those of the whole square.
        """
        side = self.size if size is None else size
        inside = (slice(0, side), slice(0, side)) if window is None else window(side)
        if image.min() == image.max():
            # Rounding in the resampling would make up something to see.
            return np.full((side, side), image.flat[0], np.float32)[inside]
        frame = Frame.of(image.shape, spacing, side, keeps_aspect=self.fit == "aspect")
        down, across = weights(image.shape[0], frame.rows), weights(image.shape[1], frame.columns)
        if frame.shows_all_of(inside):
            seen_rows, seen_columns = frame.seen(inside)
            return resampled(image, down.part(seen_rows), across.part(seen_columns))
        resized = resampled(image, down, across)
        if frame.top or frame.left:
            square = np.full((side, side), resized.min(), np.float32)
            square[frame.place] = resized
            resized = square
        return np.ascontiguousarray(resized[inside], np.float32)

    def normalise(self, squares: NDArray[Any]) -> FloatArray:
        """The contrast of squares: (N, size, size) to float32 (N, channels, size, size), mean 0 and deviation 1."""
        output = self.contrasted(squares)
        for channels in output:
            channels -= channels.mean()
            deviation = channels.std()
            if deviation > 1e-6:
                channels /= deviation
            else:
                channels[...] = 0
        return output

    def contrasted(self, squares: NDArray[Any]) -> FloatArray:
        """What ``normalise`` gives, before that brings it to one mean and deviation."""
        output = np.empty((len(squares), self.channels, *squares.shape[1:]), np.float32)
        images = [_finite(image) for image in squares]
        ends = [] if self.contrast == "truncated" else _percentiles(images)
        for number, (image, channels) in enumerate(zip(images, output, strict=True)):
            if self.contrast == "truncated":
                self._truncated(image, channels)
            elif self.contrast == "bounded":
                self._bounded(image, *ends[number], channels[0])
            else:
                channels[0] = np.clip(image, *ends[number])
        return output

    def _truncated(self, image: FloatArray, channels: FloatArray) -> None:
        # Truncation does not change the share of darker pixels below the cut and makes it one
        # above, so that one cumulative histogram serves all channels.
        lowest, highest = float(image.min()), float(image.max())
        levels = _quantized(image, lowest, highest, LEVELS)
        cumulative = np.cumsum(np.bincount(levels.ravel(), minlength=LEVELS)) / levels.size
        for channel, share in zip(channels, self.truncations, strict=True):
            table = cumulative.astype(np.float32)
            cut = _quantized(np.array([max(share * highest, lowest)], np.float32), lowest, highest, LEVELS)[0]
            table[cut:] = 1
            channel[...] = table[levels]

    def _bounded(self, image: FloatArray, lowest: float, highest: float, output: FloatArray) -> None:
        levels = _quantized(image, lowest, highest, BOUNDED_LEVELS)
        histogram = np.bincount(levels.ravel(), minlength=BOUNDED_LEVELS) / levels.size
        ramp = np.minimum(histogram, self.gain / BOUNDED_LEVELS)
        # Half of a level lies below its pixels: an inverted image gives the inverted result.
        table = (np.cumsum(ramp) - ramp / 2) / ramp.sum()
        # "clip" needs no second pass to look for numbers that are none of the table's: there are none.
        table.astype(np.float32).take(levels, out=output, mode="clip")


def is_blank(slice_: NDArray[Any]) -> bool:
    """Whether a slice shows nothing: no finite value, or all the same."""
    values = np.asarray(slice_)
    if values.size:
        # Where one value is not finite, one of these is not.
        lowest, highest = values.min(), values.max()
        if np.isfinite(lowest) and np.isfinite(highest):
            return bool(lowest == highest)
    finite = values[np.isfinite(values)]
    return finite.size == 0 or bool(finite.min() == finite.max())


def kept(image: NDArray[Any]) -> tuple[slice, slice]:
    """The rows and columns of a slice without the constant ones at its edges; not finite values count as the lowest.

    A constant slice, and one of which nearly nothing would be left, is kept as it is.
    """
    return _kept(_finite(image))


def _kept(values: FloatArray) -> tuple[slice, slice]:
    everything = slice(0, values.shape[0]), slice(0, values.shape[1])
    # Most slices have no padding, which their edges tell at once.
    if all(map(_varies, (values[0], values[-1], values[:, 0], values[:, -1]))):
        return everything
    rows = np.flatnonzero((values != values[:, :1]).any(axis=1))
    columns = np.flatnonzero((values != values[:1]).any(axis=0))
    if len(rows) == 0 or len(columns) == 0:
        return everything
    inner = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    return inner if min(part.stop - part.start for part in inner) >= SMALLEST else everything


def _varies(edge: FloatArray) -> bool:
    return bool(edge[0] != edge[-1] or (edge != edge[0]).any())


def _finite(image: NDArray[Any]) -> FloatArray:
    with np.errstate(over="ignore"):
        values = np.asarray(image).astype(np.float32)
    if values.size == 0:
        return values
    lowest, highest = float(values.min()), float(values.max())
    # Where one value is not finite, one of these is not.
    if not (math.isfinite(lowest) and math.isfinite(highest)):
        good = np.isfinite(values)
        values = np.where(good, values, values[good].min() if good.any() else 0).astype(np.float32)
        lowest, highest = float(values.min()), float(values.max())
    largest = max(-lowest, highest)
    return values / np.float32(largest) if largest > LARGEST else values


def _quantized(image: FloatArray, lowest: float, highest: float, count: int) -> NDArray[np.intp]:
    if highest <= lowest:
        return np.zeros(image.shape, np.intp)
    scaled = np.subtract(image, lowest, dtype=np.float64)
    scaled *= count / (highest - lowest)
    return np.clip(scaled, 0, count - 1, out=scaled).astype(np.intp)


def _percentiles(images: Sequence[FloatArray]) -> list[tuple[float, float]]:
    """Of each image, all of one size; the lowest and the highest value where they are the same."""
    if not images:
        return []
    found = percentiles_of_rows(np.stack(images).reshape(len(images), -1), ENDS)
    return [
        (float(low), float(high)) if high > low else (float(image.min()), float(image.max()))
        for image, (low, high) in zip(images, found, strict=True)
    ]
