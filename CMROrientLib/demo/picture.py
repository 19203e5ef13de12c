"""One picture of many volumes, each as stored and as corrected. Pillow is all it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..io.atomic import replacing
from ..recognition.slices import central_slice
from ..volume import Volume

_TILE, _ARROW, _TITLE, _GAP, _MARGIN = 200, 36, 30, 26, 30
_COLUMNS = 3
_BACKGROUND, _CARD, _TEXT, _FAINT, _ACCENT = (
    (16, 20, 27),
    (26, 32, 42),
    (232, 236, 242),
    (140, 150, 165),
    (255, 196, 61),
)


@dataclass(frozen=True)
class Pair:
    """A volume as stored and as corrected (None where nothing was written)."""

    title: str
    before: Volume
    after: Volume | None


def draw_pairs(pairs: Sequence[Pair], path: Path, heading: str = "As stored, and in standard orientation") -> None:
    """Write a PNG with the middle slices of all pairs, three pairs a line; whole or not at all."""
    card = 2 * _TILE + _ARROW + 24, _TILE + _TITLE + 24
    lines = -(-len(pairs) // _COLUMNS)
    columns = min(_COLUMNS, len(pairs))
    width = 2 * _MARGIN + columns * card[0] + (columns - 1) * _GAP
    top = _MARGIN + 52
    image = Image.new("RGB", (width, top + lines * (card[1] + _GAP) - _GAP + _MARGIN), _BACKGROUND)
    draw = ImageDraw.Draw(image)
    draw.text((_MARGIN, _MARGIN - 4), heading, font=ImageFont.load_default(28), fill=_TEXT)
    for number, pair in enumerate(pairs):
        line, column = divmod(number, _COLUMNS)
        x, y = _MARGIN + column * (card[0] + _GAP), top + line * (card[1] + _GAP)
        draw.rounded_rectangle([x, y, x + card[0], y + card[1]], radius=10, fill=_CARD)
        _draw_card(image, draw, pair, x + 12, y + 10)
    with replacing([path]) as (stream,):
        image.save(stream, format="PNG", optimize=True)


def _draw_card(image: Image.Image, draw: ImageDraw.ImageDraw, pair: Pair, x: int, y: int) -> None:
    draw.text((x, y), pair.title, font=ImageFont.load_default(15), fill=_TEXT)
    top = y + _TITLE
    image.paste(_tile(pair.before), (x, top))
    right = x + _TILE + _ARROW
    if pair.after is not None:
        image.paste(_tile(pair.after), (right, top))
    else:
        draw.text((right + 40, top + _TILE // 2 - 8), "not written", font=ImageFont.load_default(15), fill=_FAINT)
    middle, left = top + _TILE // 2, x + _TILE + 7
    draw.line([left, middle, left + 14, middle], fill=_ACCENT, width=3)
    draw.polygon([(left + 12, middle - 7), (left + 12, middle + 7), (left + 23, middle)], fill=_ACCENT)


def _tile(volume: Volume) -> Image.Image:
    """The middle slice of the first phase in true proportions, centred on a black square."""
    stack = volume.array if volume.array.ndim == 3 else volume.array[0]
    pixels = np.asarray(stack[central_slice(len(stack))], np.float64)
    low, high = np.percentile(pixels, (1, 99.3))
    grey = np.clip((pixels - low) / max(high - low, 1e-9), 0, 1) ** 0.8
    across, down, _ = volume.grid.spacing
    size = np.array([pixels.shape[1] * across, pixels.shape[0] * down])
    columns, rows = (int(n) for n in np.maximum(np.round(size * _TILE / size.max()), 1))
    slice_image = Image.fromarray(np.round(grey * 255).astype(np.uint8)).resize(
        (columns, rows), Image.Resampling.LANCZOS
    )
    tile = Image.new("L", (_TILE, _TILE), 0)
    tile.paste(slice_image, ((_TILE - columns) // 2, (_TILE - rows) // 2))
    return tile.convert("RGB")
