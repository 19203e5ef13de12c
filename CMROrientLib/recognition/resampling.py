"""Resampling a slice into a square: where in it the slice lies, and which samples each pixel is made of.

What is here is one for numpy (``preprocessing``) and for tensors (``device.preprocessing``), so that both make the
same pixels of a slice.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]

#: Rows and columns of a part of a square.
Window = tuple[slice, slice]


class Frame(NamedTuple):
    """Where in a square a slice lies.

    Parameters
    ----------
    rows, columns:
        Pixels that the slice takes.
    top, left:
        Pixels of padding before it, and as many behind it.
    """

    rows: int
    columns: int
    top: int
    left: int

    @classmethod
    def of(cls, shape: tuple[int, ...], spacing: tuple[float, float], side: int, *, keeps_aspect: bool) -> Frame:
        """That of a slice of ``shape`` (rows, columns), ``spacing`` mm apart; it fills the square or keeps its aspect.

        A spacing that cannot be counts as one of square pixels.
        """
        rows, columns = side, side
        if keeps_aspect:
            height, width = shape[0] * abs(spacing[0]), shape[1] * abs(spacing[1])
            if not (np.isfinite(height) and np.isfinite(width) and height > 0 and width > 0):
                height, width = shape
            # The same parity as the side, so that the padding is the same on both edges.
            rows, columns = (_same_parity(side * extent / max(height, width), side) for extent in (height, width))
        return cls(rows, columns, (side - rows) // 2, (side - columns) // 2)

    @property
    def place(self) -> Window:
        """Its rows and columns in the square."""
        return slice(self.top, self.top + self.rows), slice(self.left, self.left + self.columns)

    def shows_all_of(self, window: Window) -> bool:
        """Whether nothing of a part of the square is padding."""
        return all(part.start >= at.start and part.stop <= at.stop for part, at in zip(window, self.place, strict=True))

    def seen(self, window: Window) -> Window:
        """A part of the square, counted from the slice's first row and column."""
        rows, columns = window
        return (
            slice(rows.start - self.top, rows.stop - self.top),
            slice(columns.start - self.left, columns.stop - self.left),
        )


def _same_parity(extent: float, side: int) -> int:
    half_padding = round((side - extent) / 2)
    return max(side - 2 * half_padding, 2 - side % 2)


class Weights(NamedTuple):
    """Interpolation along the first axis: for each output so many samples, and what each counts.

    Parameters
    ----------
    samples:
        int (taps, outputs), rising along the taps.
    shares:
        float32 (taps, outputs); a column sums to one.
    """

    samples: NDArray[np.intp]
    shares: FloatArray

    def part(self, outputs: slice) -> Weights:
        """For some of the outputs."""
        return Weights(self.samples[:, outputs], self.shares[:, outputs])

    def of(self, image: FloatArray) -> FloatArray:
        """(samples, N) to float32 (outputs, N), summed tap after tap.

        No matrix product: that would start the threads of the linear algebra library, which costs more
        than the product.
        """
        result = np.zeros((self.samples.shape[1], image.shape[1]), np.float32)
        taken = np.empty_like(result)
        for samples, shares in zip(self.samples, self.shares[..., np.newaxis], strict=True):
            # All are within; "clip" is what does not look at them a second time.
            image.take(samples, axis=0, out=taken, mode="clip")
            taken *= shares
            result += taken
        return result


@lru_cache(maxsize=256)
def weights(samples: int, outputs: int) -> Weights:
    """Linear interpolation of so many samples, with a triangle as wide as a step when shrinking."""
    scale = samples / outputs
    support = max(scale, 1.0)
    centres = (np.arange(outputs) + 0.5) * scale - 0.5
    distance = np.abs(np.arange(samples)[None] - np.clip(centres, 0, samples - 1)[:, None])
    shares = np.maximum(1 - distance / support, 0)
    shares = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    # What counts lies side by side; a row that ends at the last sample has fewer.
    first = (shares != 0).argmax(axis=1)
    near = first + np.arange(int((shares != 0).sum(axis=1).max()))[:, None]
    inside = np.minimum(near, samples - 1)
    return Weights(inside, np.where(near < samples, shares[np.arange(outputs), inside], np.float32(0)))


def resampled(image: FloatArray, down: Weights, across: Weights) -> FloatArray:
    """An image (rows, columns) along both axes, the rows first."""
    # Whole rows are taken faster than columns.
    return np.ascontiguousarray(across.of(np.ascontiguousarray(down.of(image).T)).T)
