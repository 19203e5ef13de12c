"""Reading MetaImage: ``.mha`` in one file, ``.mhd`` with its voxels beside it (``.raw``, ``.zraw``)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import CMROrientError
from ...volume import Volume
from .. import voxels
from ..checks import check_size, check_values, native, voxel_type
from ..detached import data_files, read_files
from .header import MetaImageHeader, grid_of
from .metadata import MetaImageMetadata
from .voxel_types import TYPES

_SLOPE, _INTERCEPT = "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset"


def read(path: Path, slice_axis: int | None = None) -> Volume:
    """Read a ``.mha`` or ``.mhd`` file. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = MetaImageHeader.read(stream, path)
        sizes = _sizes(header, path)
        dtype = voxel_type(TYPES, header.get("ElementType"), header.flag("BinaryDataByteOrderMSB"), path)
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


def _sizes(header: MetaImageHeader, path: Path) -> tuple[int, ...]:
    sizes = tuple(header.numbers("DimSize", int, path))
    count = header.numbers("NDims", int, path)
    if len(count) != 1 or not sizes or count[0] != len(sizes):
        raise CMROrientError("is damaged: its NDims and DimSize do not fit together; mend its header", path)
    check_size(sizes, path)
    if header.get("ElementNumberOfChannels", "1") not in ("1", ""):
        raise CMROrientError("is a vector or colour image, not one of grey values; convert it to one", path)
    if not 2 <= len(sizes) <= 4:
        raise CMROrientError(
            f"has {len(sizes)} axes: an image has 2, 3 or, for a cine, 4; take it apart into such", path
        )
    return sizes


def _read_data(header: MetaImageHeader, stream: IO[bytes], size: int, path: Path) -> bytearray:
    if header.get("BinaryData", "True")[:1].lower() != "t":
        raise CMROrientError("holds its voxels as text, which is not read: save it as binary", path)
    encoding = "zlib" if header.flag("CompressedData") else "raw"
    skip = (header.numbers("HeaderSize", int, path) or [0])[0]

    def read_part(stream: IO[bytes], size: int, available: int, path: Path) -> bytearray:
        return voxels.read_part(stream, size, available, encoding, skip, path)

    if _is_local(header):
        return read_part(stream, size, path.stat().st_size - stream.tell(), path)
    return read_files(_data_files(header, stream, path), size, read_part, path)


def files_of(path: Path) -> tuple[Path, ...]:
    """The header and, where it is detached, its data files. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = MetaImageHeader.read(stream, path)
        return (path, *(() if _is_local(header) else _data_files(header, stream, path)))


def _is_local(header: MetaImageHeader) -> bool:
    return header.get("ElementDataFile").upper() == "LOCAL"


def _data_files(header: MetaImageHeader, stream: IO[bytes], path: Path) -> list[Path]:
    """The files that hold the voxels of a detached header, in order; lists follow in ``stream``."""

    def listed() -> list[str]:
        lines = (line.decode("utf-8", "surrogateescape").strip() for line in stream.read(1 << 24).splitlines())
        return [line for line in lines if line]

    return data_files(path, header.get("ElementDataFile"), listed)
