"""Reading NRRD, attached (``.nrrd``) and with its voxels in files of their own (``.nhdr``)."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import IO, Any

import numpy as np

from ...errors import CMROrientError
from ...volume import Volume
from .. import voxels
from ..checks import check_values, native, voxel_type
from ..detached import data_files, read_files
from .encoding import TYPES, encoding_of, parse_text, type_name
from .header import NrrdHeader
from .layout import grid_of, layout_of, numbers, time_step_of
from .metadata import NrrdMetadata


def read(path: Path, slice_axis: int | None = None) -> Volume:
    """Read a ``.nrrd`` or ``.nhdr`` file. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = NrrdHeader.read(stream, path)
        layout = layout_of(header, path)
        grid, known = grid_of(header, layout, path)
        little = (header.get("endian") or sys.byteorder).lower() == "little"
        dtype = voxel_type(TYPES, type_name(header), not little, path)
        data = _read_data(header, stream, math.prod(layout.sizes), dtype, path)
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


def _read_data(header: NrrdHeader, stream: IO[bytes], count: int, dtype: np.dtype[Any], path: Path) -> bytearray:
    encoding = encoding_of(header)
    if encoding is None:
        raise CMROrientError(
            f"has an encoding that is not known ({header.get('encoding')}); save it as raw or gzip", path
        )

    def read_part(stream: IO[bytes], count: int, available: int, path: Path) -> bytearray:
        return _read_part(stream, available, header, encoding, count, dtype, path)

    if header.get("data file") is None:
        return read_part(stream, count, path.stat().st_size - stream.tell(), path)
    return read_files(_data_files(header, path), count, read_part, path)


def _read_part(
    stream: IO[bytes], available: int, header: NrrdHeader, encoding: str, count: int, dtype: np.dtype[Any], path: Path
) -> bytearray:
    """``count`` voxels from where the stream stands."""
    lines, skip = ((numbers(header, field, int, path) or [0])[0] for field in ("line skip", "byte skip"))
    for _ in range(lines):
        if not stream.readline():
            break
    if encoding in ("text", "hex"):
        voxels.check_claim(count, available, "text", path)
        stream.read(max(skip, 0))
        return bytearray(parse_text(stream.read(), encoding, count, dtype, path))
    if skip == -1 and encoding != "raw":
        raise CMROrientError(
            "is damaged: its byte skip counts from the end of voxels that are packed; export it anew", path
        )
    return voxels.read_part(stream, count * dtype.itemsize, available, encoding, skip, path)


def files_of(path: Path) -> tuple[Path, ...]:
    """The header and, where it is detached, its data files. Raises CMROrientError."""
    with voxels.reading(path) as stream:
        header = NrrdHeader.read(stream, path)
    return (path, *(_data_files(header, path) if header.get("data file") else ()))


def _data_files(header: NrrdHeader, path: Path) -> list[Path]:
    """The files that hold the voxels of a detached header, in order."""
    return data_files(path, header.get("data file") or "", header.file_list)


def _lists_files(header: NrrdHeader) -> bool:
    return (header.get("data file") or "").split()[:1] == ["LIST"]
