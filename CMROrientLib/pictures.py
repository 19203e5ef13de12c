"""Small grey pictures of slices, and what shows them in a notebook."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .order_statistics import percentiles, percentiles_of_counts

#: JPEG quality: noise costs the bytes, and nobody reads a diagnosis off a picture of this size.
QUALITY = 72

#: Per cent of the grey values that black and white are set to, so that single bright vessels or
#: wrapped values do not darken the heart.
_ENDS = 1.0, 99.0

#: Longest side of a picture in a notebook, in pixels.
NOTEBOOK_SIDE = 160


@dataclass(frozen=True, eq=False)
class Preview:
    """A slice to be shown; the picture is made when somebody looks.

    Parameters
    ----------
    pixels:
        (rows, columns) of any real type. Values that are not finite show black, a slice without contrast grey.
    spacing:
        Distance of rows and of columns.
    inverted:
        Whether small values are shown bright.
    """

    pixels: NDArray[np.generic] = field(repr=False)
    spacing: tuple[float, float]
    inverted: bool = False

    def small(self) -> Preview:
        """A copy with only as many pixels as a notebook needs, which does not hold on to the volume."""
        step = max(1, max(self.pixels.shape) // (2 * NOTEBOOK_SIDE))
        return replace(self, pixels=self.pixels[::step, ::step].copy())

    def jpeg(self, side: int = NOTEBOOK_SIDE) -> bytes:
        """A grey JPEG file in true proportions, its longest side ``side`` pixels."""
        return encoded(self.grey(self.size(side)))

    def size(self, side: int) -> tuple[int, int]:
        """Width and height in pixels of a picture in true proportions whose longest side is ``side``."""
        rows, columns = self.pixels.shape
        down, across = self.spacing
        scale = side / max(columns * across, rows * down)
        return max(1, round(columns * across * scale)), max(1, round(rows * down * scale))

    def grey(self, size: tuple[int, int]) -> NDArray[np.uint8]:
        """(height, width) of the picture in 8 bits."""
        from PIL import Image

        grey = _grey(self.pixels)
        shown = np.ascontiguousarray(255 - grey if self.inverted else grey)
        return np.asarray(Image.fromarray(shown).resize(size, Image.Resampling.LANCZOS))


def encoded(grey: NDArray[np.uint8], quality: int = QUALITY) -> bytes:
    """A grey picture as a JPEG file."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "JPEG", quality=quality, optimize=True)
    return stream.getvalue()


def figure(preview: Preview | None, lines: list[str], body: str = "") -> str:
    """HTML for a notebook: a picture beside lines of text, the first one bold, and what else stands below them.

    Parameters
    ----------
    preview:
        What is shown.
    lines:
        Plain text.
    body:
        HTML.
    """
    image = ""
    if preview is not None:
        jpeg = base64.b64encode(preview.jpeg()).decode("ascii")
        image = f'<img alt="" style="flex:none;margin:0" src="data:image/jpeg;base64,{jpeg}">'
    text = "".join(
        f'<div style="{"font-weight:600" if number == 0 else ""}">{escape(line)}</div>'
        for number, line in enumerate(lines)
    )
    return (
        f'<div style="display:flex;gap:1em;align-items:flex-start;max-width:48em">{image}<div>{text}{body}</div></div>'
    )


def _grey(pixels: NDArray[np.generic]) -> NDArray[np.uint8]:
    """(rows, columns) of any real type to 8 bits between the darkest and brightest per cent."""
    if pixels.dtype.kind in "iu" and pixels.dtype.itemsize <= 4 and pixels.size:
        lowest, highest = int(pixels.min()), int(pixels.max())
        if highest - lowest < pixels.size:
            return _grey_by_table(pixels, lowest, highest)
    values = np.asarray(pixels, np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    seen = values[finite]
    return _scaled(values, finite, percentiles(seen, _ENDS), float(seen.min()), float(seen.max()))


def _grey_by_table(pixels: NDArray[Any], lowest: int, highest: int) -> NDArray[np.uint8]:
    """The same of whole numbers, found once for each there is: they are fewer than pixels."""
    numbers = np.subtract(pixels, lowest, dtype=np.intp)
    ends = percentiles_of_counts(np.bincount(numbers.ravel("K")), lowest, _ENDS)
    there = np.arange(lowest, highest + 1, dtype=np.float64)
    table = _scaled(there, np.ones(len(there), bool), ends, float(lowest), float(highest))
    return np.asarray(table.take(numbers))


def _scaled(
    values: NDArray[np.float64], finite: NDArray[np.bool_], ends: NDArray[np.float64], lowest: float, highest: float
) -> NDArray[np.uint8]:
    """Values to 8 bits between ``ends``, between the lowest and the highest where these are one, grey without any."""
    low, high = ends if ends[1] > ends[0] else (lowest, highest)
    if high <= low:
        return np.where(finite, 128, 0).astype(np.uint8)
    # Halved before the difference: the ends of float64 would overflow.
    scaled = (values / 2 - low / 2) / (high / 2 - low / 2)
    return np.round(np.clip(np.where(finite, scaled, 0), 0, 1) * 255).astype(np.uint8)
