"""Draw the icon, a short-axis heart and the arrow that turns it, wherever it stands: ``python draw_icon.py``.

The shapes are listed once, in ``SHAPES``. Extension and module have them as PNG, the page of a run as SVG.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

SIDE = 128
SCALE = 8  # Drawn larger, then reduced: Pillow's shapes have hard edges.

BACKGROUND = "#172538"
MUSCLE = "#d64a4a"
LEFT = "#ffded0"
RIGHT = "#5e94d6"
ARROW = "#ffc43d"

_CENTRE = SIDE / 2


@dataclass(frozen=True)
class Disc:
    """A filled circle; x to the right and y downwards from the upper left corner, as everywhere here."""

    x: float
    y: float
    radius: float
    colour: str

    def draw(self, draw: ImageDraw.ImageDraw) -> None:
        """Into a picture of pixels."""
        x, y, r = self.x, self.y, self.radius
        draw.ellipse([v * SCALE for v in (x - r, y - r, x + r, y + r)], fill=self.colour)

    def svg(self) -> str:
        """As an element of SVG."""
        return f'<circle cx="{self.x:.4g}" cy="{self.y:.4g}" r="{self.radius:.4g}" fill="{self.colour}"/>'


@dataclass(frozen=True)
class Arc:
    """A part of a ring round the centre; degrees clockwise from the right, the radius of the line's middle."""

    start: float
    end: float
    radius: float
    width: float
    colour: str

    def draw(self, draw: ImageDraw.ImageDraw) -> None:
        """Into a picture of pixels."""
        outer = self.radius + self.width / 2
        box = [v * SCALE for v in (_CENTRE - outer, _CENTRE - outer, _CENTRE + outer, _CENTRE + outer)]
        draw.arc(box, self.start, self.end, fill=self.colour, width=int(self.width * SCALE))

    def svg(self) -> str:
        """As an element of SVG."""
        (x0, y0), (x1, y1) = (_at(angle, self.radius) for angle in (self.start, self.end))
        large = int(self.end - self.start > 180)
        path = f"M{x0:.4g} {y0:.4g}A{self.radius:.4g} {self.radius:.4g} 0 {large} 1 {x1:.4g} {y1:.4g}"
        return f'<path d="{path}" fill="none" stroke="{self.colour}" stroke-width="{self.width:.4g}"/>'


@dataclass(frozen=True)
class Polygon:
    """A filled polygon."""

    corners: Sequence[tuple[float, float]]
    colour: str

    def draw(self, draw: ImageDraw.ImageDraw) -> None:
        """Into a picture of pixels."""
        draw.polygon([(x * SCALE, y * SCALE) for x, y in self.corners], fill=self.colour)

    def svg(self) -> str:
        """As an element of SVG."""
        return f'<path d="M{"L".join(f"{x:.4g} {y:.4g}" for x, y in self.corners)}Z" fill="{self.colour}"/>'


@dataclass(frozen=True)
class Ground:
    """The whole of the picture, with round corners."""

    radius: float
    colour: str

    def draw(self, draw: ImageDraw.ImageDraw) -> None:
        """Into a picture of pixels."""
        side = SIDE * SCALE - 1
        draw.rounded_rectangle([0, 0, side, side], radius=self.radius * SCALE, fill=self.colour)

    def svg(self) -> str:
        """As an element of SVG."""
        return f'<rect width="{SIDE}" height="{SIDE}" rx="{self.radius:.4g}" fill="{self.colour}"/>'


def _at(degrees: float, radius: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return _CENTRE + radius * math.cos(angle), _CENTRE + radius * math.sin(angle)


def _heart() -> list[Disc]:
    """The right ventricle is a crescent on the left of the image, the left one a ring on its right."""
    angle = math.radians(23)
    x, y = 74.0, 60.0
    right = (x - 25 * math.cos(angle), y + 25 * math.sin(angle))
    return [
        Disc(*right, 28, MUSCLE),
        Disc(*right, 23.5, RIGHT),
        Disc(x, y, 28, MUSCLE),
        Disc(x, y, 15.5, LEFT),
        Disc(x + 9, y - 7.5, 3.8, MUSCLE),
        Disc(x - 4, y + 11.5, 3.8, MUSCLE),
    ]


def _arrow() -> list[Arc | Disc | Polygon]:
    """It runs clockwise round the heart; its head is a triangle along the tangent."""
    start, end, radius, width = 80.0, 322.0, 52.0, 8.0
    direction = math.radians(end)
    corners = []
    for along, out in ((-1.0, 12.0), (-1.0, -12.0), (18.0, -1.5)):
        x, y = _at(end, radius + out)
        corners.append((x - along * math.sin(direction), y + along * math.cos(direction)))
    return [
        Arc(start, end, radius, width, ARROW),
        Disc(*_at(start, radius), width / 2, ARROW),
        Polygon(corners, ARROW),
    ]


SHAPES: list[Ground | Arc | Disc | Polygon] = [Ground(26, BACKGROUND), *_heart(), *_arrow()]


def png() -> Image.Image:
    """The icon, 128 × 128, RGBA."""
    image = Image.new("RGBA", (SIDE * SCALE, SIDE * SCALE), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for shape in SHAPES:
        shape.draw(draw)
    return image.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def svg() -> str:
    """The same as SVG, for a page that says beside it what it is."""
    shapes = "\n".join(shape.svg() for shape in SHAPES)
    return f'<svg viewBox="0 0 {SIDE} {SIDE}" aria-hidden="true">\n{shapes}\n</svg>\n'


REPOSITORY = Path(__file__).parents[1]
PNG = (REPOSITORY / "CMROrient.png", REPOSITORY / "CMROrient" / "Resources" / "Icons" / "CMROrient.png")
SVG = REPOSITORY / "CMROrientLib" / "report" / "templates" / "logo.html.jinja"


if __name__ == "__main__":
    for place in PNG:
        png().save(place, optimize=True)
    SVG.write_text("{# Drawn by Documentation/draw_icon.py. #}\n" + svg(), encoding="utf-8")
