"""The text header of a MetaImage, kept line by line, and what it says of the grid.

Source: https://itk.org/Wiki/ITK/MetaIO/Documentation
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TypeVar

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...volume import Grid
from ..checks import believable, spatial, usable

Number = TypeVar("Number", int, float)

_LONGEST_LINE = 1 << 16
_MOST_LINES = 1 << 14

#: Keys that mean the same; the first is the one that is written anew.
_SPELLINGS = {
    "rotation": "transformmatrix",
    "orientation": "transformmatrix",
    "position": "offset",
    "origin": "offset",
    "elementbyteordermsb": "binarydatabyteordermsb",
}


@dataclass(frozen=True)
class MetaImageHeader:
    """The lines ``Key = Value`` up to and with ``ElementDataFile``."""

    lines: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, stream: IO[bytes], path: Path) -> MetaImageHeader:
        """Read up to and with the last key. Raises CMROrientError where this is no MetaImage header."""
        lines: list[tuple[str, str]] = []
        while line := stream.readline(_LONGEST_LINE):
            # Undecodable bytes come back as they were.
            text = line.decode("utf-8", "surrogateescape").strip()
            key, equals, value = text.partition("=")
            if not text:
                continue
            if not equals or len(lines) > _MOST_LINES:
                raise CMROrientError(
                    "is not a MetaImage file, whatever its name says: export it anew, or give it its true ending", path
                )
            lines.append((key.strip(), value.strip()))
            if key.strip().lower() == "elementdatafile":
                return cls(tuple(lines))
        if not lines:
            raise CMROrientError("is empty: copy or export it anew", path)
        raise CMROrientError(
            "is cut short inside its header: it names no ElementDataFile; copy or export it anew", path
        )

    def encode(self) -> bytes:
        """The header as it stands in a file."""
        return "".join(f"{key} = {value}\n" for key, value in self.lines).encode("utf-8", "surrogateescape")

    def get(self, key: str, default: str = "") -> str:
        """The text of a key; ``default`` where it is missing."""
        return next((value for name, value in self.lines if _same(name, key)), default)

    def flag(self, key: str) -> bool:
        """A key that is True or False; False where it is missing."""
        return self.get(key)[:1].lower() in ("t", "y", "1")

    def numbers(self, key: str, kind: Callable[[str], Number], path: Path) -> list[Number]:
        """A key's numbers, empty where it is missing."""
        try:
            return [kind(word) for word in self.get(key).split()]
        except ValueError:
            raise CMROrientError(f"is damaged: its {key} is not made of numbers; mend its header", path) from None

    def set(self, key: str, value: str) -> MetaImageHeader:
        """The header with a key changed in its place, or added before ``ElementDataFile``."""
        lines = [(name, value if _same(name, key) else old) for name, old in self.lines]
        if not any(_same(name, key) for name, _ in lines):
            lines.insert(len(lines) - 1, (key, value))
        return replace(self, lines=tuple(lines))

    def set_numbers(self, key: str, values: Sequence[float]) -> MetaImageHeader:
        """The header with a key's numbers changed, each as the shortest text that reads back the same."""
        return self.set(key, " ".join(number_text(value) for value in values))

    def without(self, *keys: str) -> MetaImageHeader:
        """The header less some keys."""
        kept = tuple((name, value) for name, value in self.lines if not any(_same(name, key) for key in keys))
        return replace(self, lines=kept)


def grid_of(header: MetaImageHeader, sizes: tuple[int, ...], path: Path) -> tuple[Grid, bool]:
    """The grid in (i, j, k), LPS, mm, and whether the header says how it lies in the patient.

    MetaImage holds positions in LPS (its "RAI" names the sides that axes come *from*). Two
    dimensions are no place in a patient.
    """
    count, space = len(sizes), min(3, len(sizes))
    affine = np.eye(4)
    spacing = header.numbers("ElementSpacing", float, path) or header.numbers("ElementSize", float, path)
    steps = np.array([*np.abs(spacing), *[1.0] * count][:space], float)
    steps[~believable(steps)] = 1.0
    matrix = header.numbers("TransformMatrix", float, path)
    offset = header.numbers("Offset", float, path)
    if (matrix and len(matrix) != count * count) or (offset and len(offset) != count):
        raise CMROrientError(
            f"is damaged: its TransformMatrix or Offset does not fit {count} dimensions; export it anew", path
        )
    if matrix:
        # Each line of the text is the direction of one axis.
        affine[:space, :space] = np.array(matrix).reshape(count, count)[:space, :space].T
    affine[:space, :space] *= steps
    affine[:space, 3] = offset[:space] or 0.0
    if not usable(affine):
        raise CMROrientError("has a TransformMatrix that is singular or not finite: mend its header", path)
    return Grid.from_affine(spatial(sizes[:3]), affine), bool(matrix) and count >= 3


def set_grid(header: MetaImageHeader, grid: Grid, count: int, path: Path) -> MetaImageHeader:
    """Write the grid into the keys that are there; what belongs to time stays."""
    space = min(3, count)
    # A voxel's extent stands in for the spacing where that is missing.
    key = "ElementSize" if header.get("ElementSize") and not header.get("ElementSpacing") else "ElementSpacing"
    old = header.numbers(key, float, path)
    if old or any(step != 1.0 for step in grid.spacing):
        header = header.set_numbers(key, [*grid.spacing[:space], *old[space:], *[1.0] * count][:count])
    matrix = header.numbers("TransformMatrix", float, path)
    if matrix:
        whole = np.array(matrix).reshape(count, count)
        whole[:space, :space] = grid.directions.T[:space, :space]
        header = header.set_numbers("TransformMatrix", whole.ravel().tolist())
        offset = header.numbers("Offset", float, path) or [0.0] * count
        header = header.set_numbers("Offset", [*grid.origin[:space], *offset[space:]])
    return header


def anatomical(directions: NDArray[np.float64]) -> str:
    """The three sides that the axes come from, as ITK names them (nearest axes, LPS directions)."""
    letters = ["", "", ""]
    weights = np.abs(directions)
    for _ in range(3):
        side, axis = np.unravel_index(int(weights.argmax()), (3, 3))
        letters[int(axis)] = ("RL", "AP", "IS")[int(side)][int(directions[side, axis] < 0)]
        weights[side, :] = weights[:, axis] = -1.0
    return "".join(letters)


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number, without a negative zero."""
    if isinstance(value, int):
        return str(value)
    text = repr(float(value) + 0.0)
    return text[:-2] if text.endswith(".0") else text


def _same(name: str, key: str) -> bool:
    name, key = name.lower(), key.lower()
    return _SPELLINGS.get(name, name) == _SPELLINGS.get(key, key)
