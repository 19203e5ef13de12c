"""NRRD, attached (``.nrrd``) and with its voxels in a file of their own (``.nhdr``).

The header's lines are kept; only those that speak of turned axes, of the grid and of the place of
the voxels are written anew.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...metadata import Metadata
from ...volume import Volume
from .. import voxels
from ..atomic import replacing
from ..checks import check_type, check_values, native
from ..detached import beside, data_name, numbered
from ..suffixes import suffix_of
from .header import PER_AXIS, NrrdHeader
from .layout import Layout, grid_of, layout_of, numbers, signs_of, time_step_of, units_of, vector

_TYPES = {
    "int8": "int8|signed char|int8_t",
    "uint8": "uchar|unsigned char|uint8|uint8_t",
    "int16": "short|short int|signed short|signed short int|int16|int16_t",
    "uint16": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "int32": "int|signed int|int32|int32_t",
    "uint32": "uint|unsigned int|uint32|uint32_t",
    "int64": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "uint64": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "float32": "float",
    "float64": "double",
}
_DTYPES = {name: dtype for dtype, names in _TYPES.items() for name in names.split("|")}
_NAMES = {"float32": "float", "float64": "double"}
_ENCODINGS = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
    "txt": "text",
    "text": "text",
    "ascii": "text",
    "hex": "hex",
}
_DATA_SUFFIXES = {"raw": ".raw", "gzip": ".raw.gz", "bzip2": ".raw.bz2", "text": ".txt", "hex": ".hex"}


@dataclass(frozen=True, kw_only=True)
class NrrdMetadata(Metadata):
    """The header and what its axes are."""

    kind: ClassVar[str] = "nrrd"

    header: NrrdHeader
    layout: Layout
    name: str


def read(path: Path, slice_axis: int | None = None) -> Volume:
    """Read a ``.nrrd`` or ``.nhdr`` file. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = NrrdHeader.read(stream, path)
        layout = layout_of(header, path)
        grid, known = grid_of(header, layout, path)
        dtype = _data_type(header, path)
        encoding = _ENCODINGS.get((header.get("encoding") or "").lower())
        if encoding is None:
            raise CMROrientError(f"has an encoding that is not known ({header.get('encoding')})", path)
        count = math.prod(layout.sizes)
        if header.get("data file") is None:
            available = path.stat().st_size - stream.tell()
            data = _read_part(stream, available, header, encoding, count, dtype, path)
        else:
            data = _read_files(header, encoding, count, dtype, path)
    array = native(np.frombuffer(data, dtype).reshape(layout.sizes[::-1]))
    check_values(array, path)
    metadata = NrrdMetadata(
        time_step=time_step_of(header, layout),
        description=header.get("content") or "",
        header=header.without_file_list() if _lists_files(header) else header,
        layout=layout,
        name=path.name,
    )
    return Volume.from_stored(layout.to_library(array), grid, slice_axis, has_geometry=known, metadata=metadata)


def write(volume: Volume, path: Path) -> list[Path]:
    """Write a ``.nrrd``, or a ``.nhdr`` with its voxels beside it; returns the files written."""
    header, array = _header_and_array(volume)
    encoding = _ENCODINGS[(header.get("encoding") or "raw").lower()]
    array = array.astype(array.dtype.newbyteorder("<" if header.get("endian") == "little" else ">"))
    named = header.get("data file") or ""
    header = header.without("line skip", "byte skip", "data file")
    if suffix_of(path) == ".nrrd":
        with replacing([path]) as (stream,):
            stream.write(header.encode())
            _write_values(stream, array, encoding)
        return [path]
    was = volume.metadata.name if isinstance(volume.metadata, NrrdMetadata) else ""
    data = path.with_name(data_name(path, was, named, _DATA_SUFFIXES[encoding]))
    with replacing([data, path]) as (values, stream):
        _write_values(values, array, encoding)
        stream.write(header.set("data file", data.name).encode())
    return [data, path]


def _data_type(header: NrrdHeader, path: Path) -> np.dtype[Any]:
    name = " ".join((header.get("type") or "").lower().split())
    if name not in _DTYPES:
        raise CMROrientError(f"holds voxels of type '{name}', which are not single numbers", path)
    dtype = np.dtype(_DTYPES[name])
    endian = (header.get("endian") or sys.byteorder).lower()
    return check_type(dtype.newbyteorder("<" if endian == "little" else ">"), path)


def _read_part(
    stream: IO[bytes], available: int, header: NrrdHeader, encoding: str, count: int, dtype: np.dtype[Any], path: Path
) -> bytes | bytearray:
    """``count`` voxels from where the stream stands."""
    size = count * dtype.itemsize
    lines, skip = ((numbers(header, field, int, path) or [0])[0] for field in ("line skip", "byte skip"))
    for _ in range(int(lines)):
        if not stream.readline():
            break
    skip = int(skip)
    if encoding in ("text", "hex"):
        voxels.check_claim(count, available, "text", path)
        stream.read(max(skip, 0))
        return _parse_text(stream.read(), encoding, count, dtype, path)
    voxels.check_claim(size, available, encoding, path)
    if skip == -1 and encoding != "raw":
        raise CMROrientError("is damaged: its byte skip counts from the end of voxels that are packed", path)
    if skip == -1:
        # The voxels are the last bytes of the file.
        stream.seek(-size, 2)
        skip = 0
    plain = voxels.decoder(stream, encoding)
    voxels.read_exactly(plain, max(skip, 0), path)
    data = voxels.read_exactly(plain, size, path)
    if encoding != "raw":
        voxels.check_end(plain)
    return data


def _read_files(header: NrrdHeader, encoding: str, count: int, dtype: np.dtype[Any], path: Path) -> bytes:
    names = data_files(header, path)
    if count % len(names):
        raise CMROrientError(f"names {len(names)} data files, which cannot share its voxels evenly", path)
    parts = []
    for name in names:
        with voxels.reading(name) as stream:
            size = name.stat().st_size
            parts.append(bytes(_read_part(stream, size, header, encoding, count // len(names), dtype, name)))
    return b"".join(parts)


def files_of(path: Path) -> tuple[Path, ...]:
    """The header and, where it is detached, its data files. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = NrrdHeader.read(stream, path)
    return (path, *(data_files(header, path) if header.get("data file") else ()))


def data_files(header: NrrdHeader, path: Path) -> list[Path]:
    """The files that hold the voxels of a detached header, in order."""
    value = header.get("data file") or ""
    words = value.split()
    # A fifth number is the dimension of each file: whatever it is, they follow one another.
    names = header.file_list() if _lists_files(header) else numbered(path, words[:4] if len(words) == 5 else words)
    return beside(path, [value] if names is None else names)


def _lists_files(header: NrrdHeader) -> bool:
    return (header.get("data file") or "").split()[:1] == ["LIST"]


def _parse_text(text: bytes, encoding: str, count: int, dtype: np.dtype[Any], path: Path) -> bytes:
    try:
        if encoding == "hex":
            data = bytes.fromhex("".join(text.decode("ascii").split()))
            if len(data) < count * dtype.itemsize:
                raise CMROrientError("is cut short inside its voxels", path)
            return data[: count * dtype.itemsize]
        words = text.replace(b",", b" ").split()
        if len(words) < count:
            raise CMROrientError(f"is cut short: {len(words):,} of {count:,} voxels are there", path)
        kind = int if dtype.kind in "iu" else float
        return np.array([kind(word) for word in words[:count]], dtype).tobytes()
    except (ValueError, OverflowError) as error:
        raise CMROrientError(f"is damaged: its voxels are not numbers of its type ({error})", path) from None


def _write_values(stream: IO[bytes], array: NDArray[Any], encoding: str) -> None:
    if encoding == "hex":
        stream.write(np.ascontiguousarray(array).tobytes().hex().encode("ascii"))
    elif encoding == "text":
        for line in array.reshape(-1, array.shape[-1]):
            # repr is the shortest text that reads back as the same number.
            stream.write((" ".join(str(value) for value in line) + "\n").encode("ascii"))
    else:
        voxels.write_array(stream, array, encoding)


def _header_and_array(volume: Volume) -> tuple[NrrdHeader, NDArray[Any]]:
    array, _ = volume.stored()
    if isinstance(volume.metadata, NrrdMetadata):
        in_file = volume.metadata.layout.from_library(array)
        placed = bool(volume.metadata.header.get("space directions")) or not volume.has_geometry
        if in_file is not None and placed:
            return _turned(volume, volume.metadata, in_file), in_file
    array = volume.metadata.real_values(array)
    if array.dtype.newbyteorder("=").name not in _DTYPES.values():
        array = array.astype(np.uint8 if array.dtype == bool else np.float32)
    return _new_header(volume, array), array


def _turned(volume: Volume, metadata: NrrdMetadata, array: NDArray[Any]) -> NrrdHeader:
    """The header that was read, with what belongs to an axis gone with it."""
    header, layout = metadata.header, metadata.layout
    first, second = (layout.space[axis] for axis in range(3) if axis != volume.slice_axis and axis < len(layout.space))
    if volume.pixels_turned.exchanges_axes:
        for field in (*PER_AXIS, "spacings"):
            tokens = header.tokens(field)
            if len(tokens) == len(layout.sizes):
                tokens[first], tokens[second] = tokens[second], tokens[first]
                header = header.set_tokens(field, tokens)
    if header.tokens("axis mins") and header.tokens("axis maxs"):
        header = _reverse_ranges(volume, header, first, second)
    header = header.set("sizes", " ".join(map(str, array.shape[::-1])))
    header = _with_type(header, array)
    if volume.stored()[1] == grid_of(metadata.header, layout, Path())[0]:
        return header  # digit for digit
    return _with_grid(volume, header, layout)


def _reverse_ranges(volume: Volume, header: NrrdHeader, first: int, second: int) -> NrrdHeader:
    """Exchange lower and upper end of the axes that run the other way now."""
    low, high = header.tokens("axis mins"), header.tokens("axis maxs")
    row, column = volume.directions_turned.matrix
    for axis, line in ((second, row), (first, column)):
        if line.sum() < 0:
            low[axis], high[axis] = high[axis], low[axis]
    return header.set_tokens("axis mins", low).set_tokens("axis maxs", high)


def _with_type(header: NrrdHeader, array: NDArray[Any]) -> NrrdHeader:
    name = array.dtype.newbyteorder("=").name
    if _DTYPES.get(" ".join((header.get("type") or "").lower().split())) != name:
        header = header.set("type", _NAMES.get(name, name))
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
        f"type: {_NAMES.get(array.dtype.newbyteorder('=').name, array.dtype.newbyteorder('=').name)}",
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


def _vector_text(values: Any, width: int) -> str:
    padded = [*values, *[0.0] * width][:width]
    return f"({','.join(_text(value) for value in padded)})"
