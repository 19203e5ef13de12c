"""Draw the icon: a short-axis heart and the arrow that turns it. ``python draw_icon.py FILE.png…``"""

from __future__ import annotations

import math
import sys
from pathlib import Path

from PIL import Image, ImageDraw

SIDE = 128
SCALE = 8  # Drawn larger, then reduced: Pillow's shapes have hard edges.

BACKGROUND = (23, 37, 56)
MUSCLE = (214, 74, 74)
LEFT = (255, 222, 208)
RIGHT = (94, 148, 214)
ARROW = (255, 196, 61)


def disc(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, colour: tuple[int, int, int]) -> None:
    """A filled circle; icon pixels from the upper left corner."""
    draw.ellipse([(v * SCALE) for v in (x - radius, y - radius, x + radius, y + radius)], fill=colour)


def draw_icon() -> Image.Image:
    """The icon, 128 × 128, RGBA."""
    image = Image.new("RGBA", (SIDE * SCALE, SIDE * SCALE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle([0, 0, SIDE * SCALE - 1, SIDE * SCALE - 1], radius=26 * SCALE, fill=BACKGROUND)

    # The right ventricle is a crescent on the left of the image, the left one a ring on its right.
    angle = math.radians(23)
    x, y = 74.0, 60.0
    disc(draw, x - 25 * math.cos(angle), y + 25 * math.sin(angle), 28, MUSCLE)
    disc(draw, x - 25 * math.cos(angle), y + 25 * math.sin(angle), 23.5, RIGHT)
    disc(draw, x, y, 28, MUSCLE)
    disc(draw, x, y, 15.5, LEFT)
    disc(draw, x + 9, y - 7.5, 3.8, MUSCLE)
    disc(draw, x - 4, y + 11.5, 3.8, MUSCLE)

    # The arrow runs clockwise round the heart; its head is a triangle along the tangent.
    centre, radius, width = 64.0, 56.0, 8.0
    box = [(centre - radius) * SCALE, (centre - radius) * SCALE, (centre + radius) * SCALE, (centre + radius) * SCALE]
    start, end = 80.0, 322.0
    draw.arc(box, start, end, fill=ARROW, width=int(width * SCALE))
    middle = radius - width / 2
    disc(
        draw, centre + middle * math.cos(math.radians(start)), centre + middle * math.sin(math.radians(start)), 4, ARROW
    )
    direction = math.radians(end)
    corners = []
    for along, out in ((-1.0, 12.0), (-1.0, -12.0), (18.0, -1.5)):
        cx = centre + (middle + out) * math.cos(direction) - along * math.sin(direction)
        cy = centre + (middle + out) * math.sin(direction) + along * math.cos(direction)
        corners.append((cx * SCALE, cy * SCALE))
    draw.polygon(corners, fill=ARROW)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[1:]:
        draw_icon().save(Path(name), optimize=True)
