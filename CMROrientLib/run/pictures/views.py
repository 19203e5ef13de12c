"""The large pictures that a person decides by: slices towards both ends and the middle one, with masks' outlines."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...pictures import encoded
from ...volume import Volume

#: Longest side in pixels of a slice in the large picture, and its JPEG quality: two thousand images of
#: some 30 kB each are one page that browsers still open.
LARGE_SIDE = 300
LARGE_QUALITY = 50

#: Where in a stack the slices of the large picture lie: towards one end, in the middle, towards the other.
_PLACES = 0.2, 0.5, 0.8

#: Colours of outlines, one for each label in turn: Okabe and Ito's, which colour-blind people tell apart.
_COLOURS = ((230, 159, 0), (86, 180, 233), (0, 200, 130), (240, 228, 66), (213, 94, 0), (204, 121, 167), (60, 140, 220))


def large_views(volume: Volume, masks: Sequence[Volume] = ()) -> tuple[bytes, bytes | None]:
    """The slices to decide by, and the outlines of masks over them.

    Parameters
    ----------
    volume:
        Any volume; a cine shows its first phase.
    masks:
        Label maps of the volume's shape, or of its slices where it is a cine.

    Returns
    -------
    A JPEG of up to three squares side by side, each with a slice in true proportions in its middle and
    black around it, and a transparent PNG of its size, None where no mask has a label on these slices.
    """
    count = len(_first_phase(volume))
    chosen = sorted({min(count - 1, int(count * place)) for place in _PLACES})
    previews = [volume.preview(index) for index in chosen]
    side = min(LARGE_SIDE, max(previews[0].pixels.shape))
    size = previews[0].size(side)
    strip = np.zeros((side, side * len(chosen)), np.uint8)
    lines = np.zeros_like(strip)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    for place, (index, preview) in enumerate(zip(chosen, previews, strict=True)):
        tile = slice(top, top + size[1]), slice(place * side + left, place * side + left + size[0])
        strip[tile] = preview.grey(size)
        for mask in masks:
            edges = _edges(_nearest(_first_phase(mask)[index], size))
            lines[tile] = np.where(edges > 0, edges, lines[tile])
    return encoded(strip, LARGE_QUALITY), _outlines(lines) if lines.any() else None


def _first_phase(volume: Volume) -> NDArray[np.generic]:
    return volume.array if volume.array.ndim == 3 else volume.array[0]


def _nearest(labels: NDArray[np.generic], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Labels as numbers of colours from 1, 0 for none, at (width, height) pixels."""
    values = np.nan_to_num(np.asarray(labels, np.float64), posinf=0, neginf=0)
    rows = ((np.arange(size[1]) + 0.5) * len(values) / size[1]).astype(int)
    columns = ((np.arange(size[0]) + 0.5) * values.shape[1] / size[0]).astype(int)
    near = np.round(values[np.ix_(rows, columns)])
    return np.where(near == 0, 0, (near - 1) % len(_COLOURS) + 1).astype(np.uint8)


def _edges(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The labels where a neighbour above, below, left or right has another one; 0 elsewhere."""
    padded = np.pad(labels, 1)
    around = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    edge = np.any([other != labels for other in around], axis=0)
    return np.where(edge, labels, 0).astype(np.uint8)


def _outlines(lines: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    image = Image.fromarray(lines).convert("P")
    image.putpalette([0, 0, 0, *(value for colour in _COLOURS for value in colour)])
    stream = io.BytesIO()
    image.save(stream, "PNG", optimize=True, transparency=0)
    return stream.getvalue()
