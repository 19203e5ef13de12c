"""Which axes of a NRRD file are space and which is time, and where the voxels lie."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...volume import Grid
from ..checks import believable, check_size, spatial, usable
from .header import NrrdHeader

Number = TypeVar("Number", int, float)

_TIME_KINDS = {"list", "time"}
_SPACE_KINDS = {"domain", "space", "???", "none"}
_SECONDS = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "msec": 1e-3, "us": 1e-6}
_MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "µm": 1e-3, "micron": 1e-3}

#: Sign of each axis of a named space against LPS. What names no anatomy ("scanner-xyz", a bare
#: space dimension) is taken as LPS, as ITK and with it Slicer do.
_SIGNS = {
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
    "right-anterior-superior-time": (-1, -1, 1),
    "rast": (-1, -1, 1),
    "left-anterior-superior-time": (1, -1, 1),
    "last": (1, -1, 1),
}


@dataclass(frozen=True)
class Layout:
    """The axes of a file, counted as the file does (0 is the fastest).

    Parameters
    ----------
    sizes:
        Of all axes.
    space:
        The two or three axes that are space, ascending: i, j (and k).
    time:
        The axis of a cine's phases, None where there is none.
    """

    sizes: tuple[int, ...]
    space: tuple[int, ...]
    time: int | None

    def to_library(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """From the file's ``[last axis, …, first axis]`` to ``[(phase,) k, j, i]``."""
        last = len(self.sizes) - 1
        order = [last - axis for axis in reversed(self.space)]
        if self.time is not None:
            order.insert(0, last - self.time)
        array = array.transpose(order)
        if len(self.space) == 2:
            array = np.expand_dims(array, -3)
        # One phase is no cine.
        return array[0] if array.ndim == 4 and array.shape[0] == 1 else array

    def from_library(self, array: NDArray[np.generic]) -> NDArray[np.generic] | None:
        """The way back; None where the array does not fit this layout."""
        if self.time is not None and array.ndim == 3:
            array = array[np.newaxis]
        if len(self.space) == 2:
            if array.shape[-3] != 1:
                return None
            array = np.squeeze(array, -3)
        if array.ndim != len(self.sizes):
            return None
        last = len(self.sizes) - 1
        order = [last - axis for axis in reversed(self.space)]
        if self.time is not None:
            order.insert(0, last - self.time)
        return array.transpose(np.argsort(order))


def layout_of(header: NrrdHeader, path: Path) -> Layout:
    """Sizes and meaning of the axes. Raises CMROrientError for vectors, colours and too many axes."""
    sizes = numbers(header, "sizes", int, path)
    dimension = numbers(header, "dimension", int, path)
    if len(dimension) != 1 or dimension[0] != len(sizes) or not sizes:
        raise CMROrientError("is damaged: its dimension and its sizes do not fit together; mend its header", path)
    check_size(tuple(int(n) for n in sizes), path)
    count = len(sizes)
    for field in ("spacings", "axis mins", "axis maxs"):
        if len(header.tokens(field)) not in (0, count):
            raise CMROrientError(
                f"is damaged: its field '{field}' has not one entry for each of {count} axes; mend its header", path
            )
    kinds = [kind.lower() for kind in header.tokens("kinds")] or ["???"] * count
    directions = header.tokens("space directions") or ["???"] * count
    if len(kinds) != count or len(directions) != count:
        raise CMROrientError(
            f"is damaged: its kinds or space directions are not {count} entries; mend its header", path
        )
    other = []
    for axis, (kind, direction) in enumerate(zip(kinds, directions, strict=True)):
        if kind not in _TIME_KINDS | _SPACE_KINDS:
            if sizes[axis] > 1:
                raise CMROrientError(
                    f"is a vector or colour image (an axis of kind {kind}), not one of grey values; convert it to one",
                    path,
                )
            other.append(axis)
        elif kind in _TIME_KINDS or _not_in_space(direction):
            other.append(axis)
    if count - len(other) == 4:
        other.append(3)
    space = tuple(axis for axis in range(count) if axis not in other)
    if not 2 <= len(space) <= 3 or len(other) > 1:
        shape = " × ".join(str(int(n)) for n in sizes)
        raise CMROrientError(
            f"has axes {shape}, {len(space)} of them in space: an image has 2 or 3, and time; take it apart into such",
            path,
        )
    return Layout(tuple(int(n) for n in sizes), space, other[0] if other else None)


def grid_of(header: NrrdHeader, layout: Layout, path: Path) -> tuple[Grid, bool]:
    """The grid in (i, j, k), LPS, mm, and whether the header says where it lies."""
    sizes = tuple(layout.sizes[axis] for axis in layout.space)
    signs, units = signs_of(header), units_of(header)
    affine = np.eye(4)
    directions = header.tokens("space directions")
    vectors = [vector(directions[axis], path) for axis in layout.space] if directions else []
    origin = [vector(token, path) for token in header.tokens("space origin")]
    lengths = {len(v) for v in (*vectors, *origin)}
    if vectors and (len(lengths) != 1 or not 2 <= min(lengths) <= 4 or len(origin) > 1):
        raise CMROrientError(
            "is damaged: its space directions and space origin do not fit together; mend its header", path
        )
    known = bool(vectors) and min(lengths) >= 3
    if vectors:
        width = min(3, *lengths)
        for column, values in enumerate(vectors):
            affine[:width, column] = values[:width]
        if len(vectors) == 2:
            affine[:3, 2] = _normal(affine)
        if origin:
            affine[:width, 3] = origin[0][:width]
        if known:
            affine[:3] *= (np.array(signs) * units)[:, np.newaxis]
    else:
        spacings = numbers(header, "spacings", float, path)
        if spacings:
            for column, axis in enumerate(layout.space):
                step = abs(spacings[axis])
                affine[column, column] = step if believable(np.array(step)) else 1.0
    if not usable(affine):
        raise CMROrientError("has space directions that are singular or not finite: mend its header", path)
    return Grid.from_affine(spatial(sizes), affine), known


def signs_of(header: NrrdHeader) -> tuple[int, int, int]:
    """Factors from the file's space to LPS (and back)."""
    return _SIGNS.get((header.get("space") or "").lower(), (1, 1, 1))


def units_of(header: NrrdHeader) -> float:
    """Millimetres in the file's unit of space."""
    units = header.tokens("space units")
    return _MILLIMETRES.get(units[0].strip('"').lower(), 1.0) if units else 1.0


def time_step_of(header: NrrdHeader, layout: Layout) -> float | None:
    """Seconds between two phases, None where the file does not say."""
    if layout.time is None:
        return None
    units, spacings = header.tokens("units"), header.tokens("spacings")
    if len(units) != len(layout.sizes) or len(spacings) != len(layout.sizes):
        return None
    unit = _SECONDS.get(units[layout.time].strip('"').lower())
    try:
        step = float(spacings[layout.time])
    except ValueError:
        return None
    return step * unit if unit and step > 0 and np.isfinite(step) else None


def numbers(header: NrrdHeader, field: str, kind: Callable[[str], Number], path: Path) -> list[Number]:
    """A field of numbers, empty where it is missing."""
    try:
        return [kind(token) for token in header.tokens(field)]
    except ValueError:
        raise CMROrientError(f"is damaged: its field '{field}' is not made of numbers; mend its header", path) from None


def vector(token: str, path: Path) -> list[float]:
    """The numbers of ``(1,0,0)``."""
    try:
        return [float(part) for part in re.split(r"[,\s]+", token.strip("() \t"))]
    except ValueError:
        raise CMROrientError(f"is damaged: {token[:40]!r} is not a vector; mend its header", path) from None


def _not_in_space(direction: str) -> bool:
    """Whether an axis has no direction, or nothing but the fourth component of one."""
    if direction.lower() == "none":
        return True
    try:
        parts = [float(part) for part in direction.strip("() \t").split(",")]
    except ValueError:
        return False
    return all(map(math.isnan, parts)) or (len(parts) == 4 and parts[3] != 0 and not any(parts[:3]))


def _normal(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    normal = np.cross(affine[:3, 0], affine[:3, 1])
    return normal / (np.linalg.norm(normal) or 1.0)
