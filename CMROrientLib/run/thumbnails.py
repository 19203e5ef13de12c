"""Small pictures of a volume for the report: its middle slice as stored and as corrected."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..recognition.slices import central_slice
from ..volume import Volume

#: Longest side of a picture in pixels. Ten thousand pairs of this size stay well under 100 MB.
SIDE = 96

#: JPEG quality: noise costs the bytes, and nobody reads a diagnosis off a picture of this size.
QUALITY = 72

#: Shares of the grey values that black and white are set to, so that single bright vessels or
#: wrapped values do not darken the heart.
_BLACK, _WHITE = 1.0, 99.0


@dataclass(frozen=True)
class Thumbnails:
    """The pictures of one volume, JPEG files in memory.

    Parameters
    ----------
    before:
        The middle slice as stored.
    after:
        The same slice as corrected, None where nothing was corrected.
    """

    before: bytes
    after: bytes | None = None


def thumbnails_of(volume: Volume, corrected: Volume | None = None) -> Thumbnails:
    """Pictures of a volume and of what it was corrected to."""
    return Thumbnails(picture(volume), None if corrected is None else picture(corrected))


def picture(volume: Volume, side: int = SIDE) -> bytes:
    """The middle slice (of a cine's first phase) as a grey JPEG, in true proportions.

    Parameters
    ----------
    volume:
        Any volume; values that are not finite show black, a slice without contrast shows grey, and
        an image whose small values are bright (MONOCHROME1, a falling slope) is shown so.
    side:
        Longest side of the picture in pixels; pictures are never enlarged beyond it.
    """
    stack = volume.array if volume.array.ndim == 3 else volume.array[0]
    grey = _grey(stack[central_slice(len(stack))])
    if volume.metadata.small_values_bright:
        grey = 255 - grey
    across, down, _ = volume.grid.spacing
    width, height = grey.shape[1] * across, grey.shape[0] * down
    scale = side / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return _jpeg(grey, size)


def _grey(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """(rows, columns) of any real type to 8 bits between the darkest and brightest per cent."""
    values = np.asarray(pixels, np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = np.percentile(values[finite], (_BLACK, _WHITE))
    if high <= low:
        low, high = float(values[finite].min()), float(values[finite].max())
    if high <= low:
        return np.where(finite, 128, 0).astype(np.uint8)
    # Halved before the difference: the ends of float64 would overflow.
    scaled = (values / 2 - low / 2) / (high / 2 - low / 2)
    return np.round(np.clip(np.where(finite, scaled, 0), 0, 1) * 255).astype(np.uint8)


def _jpeg(grey: NDArray[np.uint8], size: tuple[int, int]) -> bytes:
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=QUALITY, optimize=True)
    return stream.getvalue()
