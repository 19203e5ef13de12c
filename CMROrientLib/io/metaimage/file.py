"""MetaImage: ``.mha`` in one file, ``.mhd`` with its voxels beside it (``.raw``, ``.zraw``).

The header's lines are kept; only those that speak of turned axes, of the grid and of the place of
the voxels are written anew.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...metadata import Metadata
from ...orientation import Orientation
from ...volume import Volume
from .. import voxels
from ..atomic import replacing
from ..checks import check_size, check_type, check_values, native
from ..detached import beside, data_name, numbered
from ..suffixes import suffix_of
from .header import MetaHeader, anatomical, grid_of, number_text, set_grid

_TYPES = {
    "MET_CHAR": "int8",
    "MET_UCHAR": "uint8",
    "MET_SHORT": "int16",
    "MET_USHORT": "uint16",
    "MET_INT": "int32",
    "MET_UINT": "uint32",
    # Four bytes by the format's definition, whatever a machine's long is.
    "MET_LONG": "int32",
    "MET_ULONG": "uint32",
    "MET_LONG_LONG": "int64",
    "MET_ULONG_LONG": "uint64",
    "MET_FLOAT": "float32",
    "MET_DOUBLE": "float64",
}
_NAMES = {dtype: name for name, dtype in _TYPES.items() if name not in ("MET_LONG", "MET_ULONG")}
_SLOPE, _INTERCEPT = "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset"


@dataclass(frozen=True, kw_only=True)
class MetaImageMetadata(Metadata):
    """The header as read."""

    kind: ClassVar[str] = "metaimage"

    header: MetaHeader
    name: str


def read(path: Path, slice_axis: int | None = None) -> Volume:
    """Read a ``.mha`` or ``.mhd`` file. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = MetaHeader.read(stream, path)
        sizes = _sizes(header, path)
        dtype = _data_type(header, path)
        data = _read_data(header, stream, math.prod(sizes) * dtype.itemsize, path)
    grid, known = grid_of(header, sizes, path)
    array = native(np.frombuffer(data, dtype).reshape(sizes[::-1]))
    check_values(array, path)
    if array.ndim == 2:
        array = array[np.newaxis]
    elif array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    spacing = header.numbers("ElementSpacing", float, path)
    slope, intercept = header.numbers(_SLOPE, float, path) or [1.0], header.numbers(_INTERCEPT, float, path) or [0.0]
    metadata = MetaImageMetadata(
        scaling=(slope[0] or 1.0, intercept[0]),
        # No units in this format; ITK writes seconds.
        time_step=spacing[3] if len(sizes) == len(spacing) == 4 and 0 < spacing[3] < math.inf else None,
        description=header.get("Comment"),
        header=header,
        name=path.name,
    )
    return Volume.from_stored(array, grid, slice_axis, has_geometry=known, metadata=metadata)


def write(volume: Volume, path: Path) -> list[Path]:
    """Write a ``.mha``, or a ``.mhd`` with its voxels beside it; returns the files written."""
    header, array = _header_and_array(volume, path)
    big = header.flag("BinaryDataByteOrderMSB")
    array = array.astype(array.dtype.newbyteorder(">" if big else "<"))
    compressed = header.flag("CompressedData")
    raw = np.ascontiguousarray(array).tobytes() if not compressed else zlib.compress(np.ascontiguousarray(array), 4)
    header = header.without("HeaderSize", "CompressedDataSize").set("BinaryData", "True")
    if compressed:
        header = header.set("CompressedDataSize", str(len(raw)))
    if suffix_of(path) == ".mha":
        with replacing([path]) as (stream,):
            stream.write(header.set("ElementDataFile", "LOCAL").encode())
            stream.write(raw)
        return [path]
    was, named = (
        (volume.metadata.name, header.get("ElementDataFile"))
        if isinstance(volume.metadata, MetaImageMetadata)
        else ("", "")
    )
    data = path.with_name(data_name(path, was, named, ".zraw" if compressed else ".raw"))
    with replacing([data, path]) as (values, stream):
        values.write(raw)
        stream.write(header.set("ElementDataFile", data.name).encode())
    return [data, path]


def _sizes(header: MetaHeader, path: Path) -> tuple[int, ...]:
    sizes = tuple(header.numbers("DimSize", int, path))
    count = header.numbers("NDims", int, path)
    if len(count) != 1 or not sizes or count[0] != len(sizes):
        raise CMROrientError("is damaged: its NDims and DimSize do not fit together", path)
    check_size(sizes, path)
    if header.get("ElementNumberOfChannels", "1") not in ("1", ""):
        raise CMROrientError("is a vector or colour image, not one of grey values", path)
    if not 2 <= len(sizes) <= 4:
        raise CMROrientError(f"has {len(sizes)} axes: an image has 2, 3 or, for a cine, 4", path)
    return sizes


def _data_type(header: MetaHeader, path: Path) -> np.dtype[Any]:
    name = header.get("ElementType")
    if name not in _TYPES:
        raise CMROrientError(f"holds voxels of type '{name}', which are not single numbers", path)
    dtype = np.dtype(_TYPES[name])
    return check_type(dtype.newbyteorder(">" if header.flag("BinaryDataByteOrderMSB") else "<"), path)


def _read_data(header: MetaHeader, stream: IO[bytes], size: int, path: Path) -> bytes | bytearray:
    if header.get("BinaryData", "True")[:1].lower() != "t":
        raise CMROrientError("holds its voxels as text, which is not read: save it as binary", path)
    place = header.get("ElementDataFile")
    if place.upper() == "LOCAL":
        return _read_part(header, stream, size, path.stat().st_size - stream.tell(), path)
    names = data_files(header, stream, path)
    if size % len(names):
        raise CMROrientError(f"names {len(names)} data files, which cannot share its voxels evenly", path)
    data = bytearray()
    for name in names:
        with voxels.reading(name) as part:
            data += _read_part(header, part, size // len(names), name.stat().st_size, name)
    return data


def _read_part(header: MetaHeader, stream: IO[bytes], size: int, available: int, path: Path) -> bytes | bytearray:
    compressed = header.flag("CompressedData")
    voxels.check_claim(size, available, "zlib" if compressed else "raw", path)
    skip = (header.numbers("HeaderSize", int, path) or [0])[0]
    if skip == -1 and not compressed:
        # The voxels are the last bytes of the file.
        stream.seek(-size, 2)
    elif skip > 0:
        voxels.read_exactly(stream, skip, path)
    return voxels.inflate(stream, size, path) if compressed else voxels.read_exactly(stream, size, path)


def files_of(path: Path) -> tuple[Path, ...]:
    """The header and, where it is detached, its data files. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = MetaHeader.read(stream, path)
        local = header.get("ElementDataFile").upper() == "LOCAL"
        return (path, *(() if local else data_files(header, stream, path)))


def data_files(header: MetaHeader, stream: IO[bytes], path: Path) -> list[Path]:
    """The files that hold the voxels of a detached header, in order; lists follow in ``stream``."""
    place = header.get("ElementDataFile")
    if place.split()[:1] == ["LIST"]:
        lines = [line.decode("utf-8", "surrogateescape").strip() for line in stream.read(1 << 24).splitlines()]
        return beside(path, [line for line in lines if line])
    names = numbered(path, place.split())
    return beside(path, [place] if names is None else names)


def _header_and_array(volume: Volume, path: Path) -> tuple[MetaHeader, NDArray[Any]]:
    array, grid = volume.stored()
    if isinstance(volume.metadata, MetaImageMetadata):
        header = volume.metadata.header
        count = len(header.numbers("DimSize", int, path))
        array_in_file = _with_axes(array, count)
        if array_in_file is not None and (header.get("TransformMatrix") or not volume.has_geometry):
            header = header.set("DimSize", " ".join(map(str, array_in_file.shape[::-1])))
            if _TYPES[header.get("ElementType")] != array.dtype.newbyteorder("=").name:
                array_in_file = _storable(array_in_file)
                header = header.set("ElementType", _NAMES[array_in_file.dtype.newbyteorder("=").name])
            header = _exchanged(header, volume)
            sizes = tuple(volume.metadata.header.numbers("DimSize", int, path))
            if grid != grid_of(volume.metadata.header, sizes, path)[0]:  # else digit for digit
                header = set_grid(header, grid, count, path)
            letters = header.get("AnatomicalOrientation")
            turned = volume.directions_turned is not Orientation.IDENTITY
            if turned and len(letters) == 3 and set(letters) <= set("RLAPIS"):
                header = header.set("AnatomicalOrientation", anatomical(grid.directions))
            return header, array_in_file
    array = _storable(volume.metadata.real_values(array))
    return _new_header(volume, array), array


def _exchanged(header: MetaHeader, volume: Volume) -> MetaHeader:
    """The extent of a voxel, which need not be the spacing, goes with the axes."""
    extent = header.get("ElementSize").split()
    first, second = (axis for axis in range(3) if axis != volume.slice_axis)
    if volume.pixels_turned.exchanges_axes and len(extent) > second:
        extent[first], extent[second] = extent[second], extent[first]
        header = header.set("ElementSize", " ".join(extent))
    return header


def _with_axes(array: NDArray[Any], count: int) -> NDArray[Any] | None:
    """The array with the number of axes that the file had, None where it does not fit."""
    if count == 2 and array.ndim == 3 and array.shape[0] == 1:
        return array[0]
    if count == 4 and array.ndim == 3:
        return array[np.newaxis]
    return array if array.ndim == count else None


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.newbyteorder("=").name in _NAMES:
        return array
    return array.astype(np.uint8 if array.dtype == bool else np.float32)


def _new_header(volume: Volume, array: NDArray[Any]) -> MetaHeader:
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
    lines.append(("ElementType", _NAMES[array.dtype.newbyteorder("=").name]))
    lines.append(("ElementDataFile", "LOCAL"))
    return MetaHeader(tuple(lines))
