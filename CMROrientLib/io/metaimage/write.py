"""Writing MetaImage: ``.mha`` in one file, ``.mhd`` with its voxels beside it (``.raw``, ``.zraw``).

The lines of a header that was read are kept; only those that speak of turned axes, of the grid and
of the place of the voxels are written anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...orientation import Orientation
from ...volume import Volume
from .. import deflate, voxels
from ..checks import storable
from ..detached import data_path, exchanged, write_image
from ..suffixes import suffix_of
from .header import MetaImageHeader, anatomical, grid_of, number_text, set_grid
from .metadata import MetaImageMetadata
from .voxel_types import NAMES, TYPES


def write(volume: Volume, path: Path) -> list[Path]:
    """Write a ``.mha``, or a ``.mhd`` with its voxels beside it; returns the files written."""
    header, array = _header_and_array(volume, path)
    big = header.flag("BinaryDataByteOrderMSB")
    encoded = np.ascontiguousarray(array.astype(array.dtype.newbyteorder(">" if big else "<"))).tobytes()
    data = data_file(header, _name(volume), path)
    header = header.without("HeaderSize", "CompressedDataSize").set("BinaryData", "True")
    compressed = header.flag("CompressedData")
    if compressed:
        encoded = deflate.compress(encoded)
        header = header.set("CompressedDataSize", str(len(encoded)))
    header = header.set("ElementDataFile", "LOCAL" if data is None else data.name)
    return write_image(path, header.encode(), lambda stream: stream.write(encoded), data)


def data_file(header: MetaImageHeader, was: str, path: Path) -> Path | None:
    """The file for the voxels of a header written to ``path``, None where they follow it; ``was`` as ``data_path``."""
    if suffix_of(path) != ".mhd":
        return None
    return data_path(path, was, header.get("ElementDataFile"), ".zraw" if header.flag("CompressedData") else ".raw")


def files_written(volume: Volume, path: Path) -> list[Path]:
    """What ``write`` makes of a volume."""
    data = data_file(_header_and_array(volume, path)[0], _name(volume), path)
    return [path] if data is None else [data, path]


def _name(volume: Volume) -> str:
    return volume.metadata.name if isinstance(volume.metadata, MetaImageMetadata) else ""


def files_made(source: Path, path: Path) -> list[Path]:
    """What ``write`` makes at ``path`` of what is read from ``source``, another MetaImage. Raises CMROrientError."""
    with voxels.reading(source) as stream:
        data = data_file(MetaImageHeader.read(stream, source), source.name, path)
    return [path] if data is None else [data, path]


def _header_and_array(volume: Volume, path: Path) -> tuple[MetaImageHeader, NDArray[Any]]:
    array, grid = volume.stored()
    if isinstance(volume.metadata, MetaImageMetadata):
        header = volume.metadata.header
        count = len(header.numbers("DimSize", int, path))
        array_in_file = _with_axes(array, count)
        if array_in_file is not None and (header.get("TransformMatrix") or not volume.has_geometry):
            header = header.set("DimSize", " ".join(map(str, array_in_file.shape[::-1])))
            if TYPES[header.get("ElementType")] != array.dtype.newbyteorder("=").name:
                array_in_file = storable(array_in_file)
                header = header.set("ElementType", NAMES[array_in_file.dtype.newbyteorder("=").name])
            header = _exchanged(header, volume)
            sizes = tuple(volume.metadata.header.numbers("DimSize", int, path))
            if grid != grid_of(volume.metadata.header, sizes, path)[0]:  # else digit for digit
                header = set_grid(header, grid, count, path)
            letters = header.get("AnatomicalOrientation")
            turned = volume.directions_turned is not Orientation.IDENTITY or volume.slice_direction_reversed
            if turned and len(letters) == 3 and set(letters) <= set("RLAPIS"):
                header = header.set("AnatomicalOrientation", anatomical(grid.directions))
            return header, array_in_file
    array = storable(volume.metadata.real_values(array))
    return _new_header(volume, array), array


def _exchanged(header: MetaImageHeader, volume: Volume) -> MetaImageHeader:
    """The extent of a voxel, which need not be the spacing, goes with the axes."""
    extent = header.get("ElementSize").split()
    if volume.pixels_turned.exchanges_axes and len(extent) > max(volume.in_plane_axes):
        header = header.set("ElementSize", " ".join(exchanged(extent, *volume.in_plane_axes)))
    return header


def _with_axes(array: NDArray[Any], count: int) -> NDArray[Any] | None:
    """The array with the number of axes that the file had, None where it does not fit."""
    if count == 2 and array.ndim == 3 and array.shape[0] == 1:
        return array.reshape(array.shape[1:])
    if count == 4 and array.ndim == 3:
        return array[np.newaxis]
    return array if array.ndim == count else None


def _new_header(volume: Volume, array: NDArray[Any]) -> MetaImageHeader:
    """A header for a volume that was not read from a MetaImage."""
    _, grid = volume.stored()
    count = array.ndim
    step = volume.metadata.time_step
    lines = [
        ("ObjectType", "Image"),
        ("NDims", str(count)),
        ("BinaryData", "True"),
        ("BinaryDataByteOrderMSB", "False"),
        ("CompressedData", "True"),
    ]
    if volume.has_geometry:
        matrix = np.eye(count)
        matrix[:3, :3] = grid.directions.T
        lines += [
            ("TransformMatrix", " ".join(map(number_text, matrix.ravel().tolist()))),
            ("Offset", " ".join(map(number_text, [*grid.origin, 0.0][:count]))),
        ]
    lines.append(("ElementSpacing", " ".join(map(number_text, [*grid.spacing, step or 1.0][:count]))))
    lines.append(("DimSize", " ".join(map(str, array.shape[::-1]))))
    comment = volume.metadata.caption
    if comment:
        lines.append(("Comment", comment))
    lines.append(("ElementType", NAMES[array.dtype.newbyteorder("=").name]))
    lines.append(("ElementDataFile", "LOCAL"))
    return MetaImageHeader(tuple(lines))
