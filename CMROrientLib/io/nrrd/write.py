"""Writing NRRD, attached (``.nrrd``) and with its voxels in a file of their own (``.nhdr``).

The lines of a header that was read are kept; only those that speak of turned axes, of the grid and
of the place of the voxels are written anew.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...volume import Volume
from .. import voxels
from ..checks import storable
from ..detached import data_path, exchanged, write_image
from ..suffixes import suffix_of
from .encoding import DATA_SUFFIXES, TYPES, encoding_of, name_of_type, type_name, write_values
from .header import PER_AXIS, NrrdHeader
from .layout import Layout, grid_of, signs_of, units_of, vector
from .metadata import NrrdMetadata


def write(volume: Volume, path: Path) -> list[Path]:
    """Write a ``.nrrd``, or a ``.nhdr`` with its voxels beside it; returns the files written."""
    header, array = _header_and_array(volume)
    encoding = encoding_of(header) or "raw"
    array = array.astype(array.dtype.newbyteorder("<" if header.get("endian") == "little" else ">"))
    data = data_file(header, _name(volume), path)
    header = header.without("line skip", "byte skip", "data file")
    if data is not None:
        header = header.set("data file", data.name)
    return write_image(path, header.encode(), lambda stream: write_values(stream, array, encoding), data)


def data_file(header: NrrdHeader, was: str, path: Path) -> Path | None:
    """The file for the voxels of a header written to ``path``, None where they follow it; ``was`` as ``data_path``."""
    if suffix_of(path) != ".nhdr":
        return None
    return data_path(path, was, header.get("data file") or "", DATA_SUFFIXES[encoding_of(header) or "raw"])


def files_written(volume: Volume, path: Path) -> list[Path]:
    """What ``write`` makes of a volume."""
    data = data_file(_header_and_array(volume)[0], _name(volume), path)
    return [path] if data is None else [data, path]


def _name(volume: Volume) -> str:
    return volume.metadata.name if isinstance(volume.metadata, NrrdMetadata) else ""


def files_made(source: Path, path: Path) -> list[Path]:
    """What ``write`` makes at ``path`` of what is read from ``source``, another NRRD. Raises CMROrientError."""
    with voxels.reading(source) as stream:
        header = NrrdHeader.read(stream, source)
    data = data_file(header, source.name, path)
    return [path] if data is None else [data, path]


def _header_and_array(volume: Volume) -> tuple[NrrdHeader, NDArray[Any]]:
    array, _ = volume.stored()
    if isinstance(volume.metadata, NrrdMetadata):
        in_file = volume.metadata.layout.from_library(array)
        placed = bool(volume.metadata.header.get("space directions")) or not volume.has_geometry
        if in_file is not None and placed:
            return _turned(volume, volume.metadata, in_file), in_file
    array = storable(volume.metadata.real_values(array))
    return _new_header(volume, array), array


def _turned(volume: Volume, metadata: NrrdMetadata, array: NDArray[Any]) -> NrrdHeader:
    """The header that was read, with what belongs to an axis gone with it."""
    header, layout = metadata.header, metadata.layout
    first, second = (layout.space[axis] for axis in volume.in_plane_axes if axis < len(layout.space))
    if volume.pixels_turned.exchanges_axes:
        for field in (*PER_AXIS, "spacings"):
            tokens = header.tokens(field)
            if len(tokens) == len(layout.sizes):
                header = header.set_tokens(field, exchanged(tokens, first, second))
    if header.tokens("axis mins") and header.tokens("axis maxs"):
        along = layout.space[volume.slice_axis] if volume.slice_axis < len(layout.space) else None
        header = _reverse_ranges(volume, header, first, second, along)
    header = header.set("sizes", " ".join(map(str, array.shape[::-1])))
    header = _with_type(header, array)
    if volume.stored()[1] == grid_of(metadata.header, layout, Path())[0]:
        return header  # digit for digit
    return _with_grid(volume, header, layout)


def _reverse_ranges(volume: Volume, header: NrrdHeader, first: int, second: int, along: int | None) -> NrrdHeader:
    """Exchange lower and upper end of the axes that run the other way now."""
    low, high = header.tokens("axis mins"), header.tokens("axis maxs")
    row, column = volume.directions_turned.matrix
    for axis, line in ((second, row), (first, column)):
        if line.sum() < 0:
            low[axis], high[axis] = high[axis], low[axis]
    if volume.slice_direction_reversed and along is not None:
        low[along], high[along] = high[along], low[along]
    return header.set_tokens("axis mins", low).set_tokens("axis maxs", high)


def _with_type(header: NrrdHeader, array: NDArray[Any]) -> NrrdHeader:
    if TYPES.get(type_name(header)) != array.dtype.newbyteorder("=").name:
        header = header.set("type", name_of_type(array.dtype))
    if array.dtype.itemsize > 1 and header.get("endian") is None:
        header = header.set("endian", sys.byteorder)
    return header


def _with_grid(volume: Volume, header: NrrdHeader, layout: Layout) -> NrrdHeader:
    _, grid = volume.stored()
    directions = header.tokens("space directions")
    spacings = header.tokens("spacings")
    if not directions:
        if not spacings and any(step != 1.0 for step in grid.spacing):
            spacings = ["nan"] * len(layout.sizes)
        for axis, step in zip(layout.space, grid.spacing, strict=False):
            if spacings and not (spacings[axis].lower() == "nan" and step == 1.0):
                spacings[axis] = _text(step)
        return header.set_tokens("spacings", spacings) if spacings else header
    affine = grid.affine
    width = len(vector(directions[layout.space[0]], Path()))
    if volume.has_geometry:
        affine[:3] *= (np.array(signs_of(header)) / units_of(header))[:, np.newaxis]
    for column, axis in enumerate(layout.space):
        directions[axis] = _vector_text(affine[:3, column], width)
    header = header.set_tokens("space directions", directions)
    origin = header.tokens("space origin")
    # A fourth component is the time of the first phase.
    later = vector(origin[0], Path())[3:] if origin else []
    return header.set("space origin", _vector_text([*affine[:3, 3][:width], *later], width))


def _new_header(volume: Volume, array: NDArray[Any]) -> NrrdHeader:
    """A header for a volume that was not read from a NRRD file: time, where there is one, comes last."""
    _, grid = volume.stored()
    lines = [
        f"type: {name_of_type(array.dtype)}",
        f"dimension: {array.ndim}",
    ]
    cine = ["list"] if array.ndim == 4 else []
    step = volume.metadata.time_step if cine else None
    if volume.has_geometry:
        lines.append("space: left-posterior-superior")
    lines.append(f"sizes: {' '.join(map(str, array.shape[::-1]))}")
    if volume.has_geometry:
        vectors = [_vector_text(column, 3) for column in grid.affine[:3, :3].T]
        lines.append(f"space directions: {' '.join([*vectors, *['none'] * len(cine)])}")
    lines.append(f"kinds: {' '.join(['domain'] * 3 + cine)}")
    if not volume.has_geometry:
        lines.append(f"spacings: {' '.join([_text(v) for v in grid.spacing] + [_text(step or math.nan)] * len(cine))}")
    elif step:
        # The format forbids a spacing beside a direction, except where the direction is none.
        lines.append(f"spacings: nan nan nan {_text(step)}")
    if step:
        lines.append('units: "" "" "" "s"')
    lines += [f"endian: {sys.byteorder}", "encoding: gzip"]
    if volume.has_geometry:
        lines.append(f"space origin: {_vector_text(grid.origin, 3)}")
    text = volume.metadata.caption
    if text:
        lines.append(f"content: {text}")
    return NrrdHeader("NRRD0005", tuple(lines))


def _text(value: float) -> str:
    """The shortest text that reads back as the same number, without a negative zero."""
    return repr(float(value) + 0.0)


def _vector_text(values: Iterable[float], width: int) -> str:
    padded = [*values, *[0.0] * width][:width]
    return f"({','.join(_text(value) for value in padded)})"
