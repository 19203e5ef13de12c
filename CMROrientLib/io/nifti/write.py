"""Writing NIfTI-1 and NIfTI-2 single files, plain or gzipped.

The bytes of a header that was read, and everything between header and voxels (the extensions), are
kept as they are, so that all that does not turn with the pixels survives.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...volume import Grid, Volume
from .. import deflate, voxels
from ..atomic import replacing
from ..checks import storable
from ..suffixes import suffix_of
from .axes import exchange_axes
from .geometry import SCANNER, affine_of, agree, set_affine, set_spacing
from .header import Header
from .metadata import NiftiMetadata

_LARGEST_NIFTI1_AXIS = 32767

#: Codes of the units of length and time.
_MILLIMETRES, _SECONDS = 2, 8


def write(volume: Volume, path: Path) -> list[Path]:
    """Write a ``.nii`` or ``.nii.gz`` file; returns its path. Raises CMROrientError."""
    array, grid = volume.stored()
    metadata = volume.metadata if isinstance(volume.metadata, NiftiMetadata) else None
    header = _new_header(volume, array) if metadata is None else metadata.header()
    between = b"\0\0\0\0" if metadata is None else metadata.between
    array = storable(array)
    untouched = metadata is not None and _says(header, volume, path)
    if metadata is not None:
        exchange_axes(header, volume)
    _set_shape(header, array)
    header.set_data_type(array.dtype)
    if not untouched:
        if volume.has_geometry:
            set_affine(header, grid.affine)
        else:
            set_spacing(header, grid.spacing)
    header["vox_offset"] = len(header.encoded) + len(between)
    with replacing([path]) as (stream,):
        _write_all(stream, header.encoded + between, array.astype(_in_order(array, header)), path)
    return [path]


def _write_all(stream: IO[bytes], head: bytes, array: NDArray[Any], path: Path) -> None:
    if suffix_of(path) == ".nii.gz":
        with deflate.writing_gzip(stream) as packed:
            packed.write(head)
            voxels.write_array(packed, array, "raw")
    else:
        stream.write(head)
        voxels.write_array(stream, array, "raw")


def _in_order(array: NDArray[Any], header: Header) -> np.dtype[Any]:
    return array.dtype.newbyteorder(header.byte_order)


def _says(header: Header, volume: Volume, path: Path) -> bool:
    """Whether a header places the volume where it is, without contradiction: its numbers can stay."""
    _, grid = volume.stored()
    placed = affine_of(header, path)
    same = placed.known == volume.has_geometry and Grid.from_affine(grid.size, placed.matrix) == grid
    return same and agree(header)


def _set_shape(header: Header, array: NDArray[Any]) -> None:
    """Sizes, in as many axes as the header had where that is enough."""
    sizes = list(array.shape[::-1])
    while len(sizes) > 2 and sizes[-1] == 1 and len(sizes) > int(header["dim"][0]):
        sizes.pop()
    dim = header["dim"]
    dim[0] = max(len(sizes), int(dim[0]))
    dim[1:] = [*sizes, *[1] * (7 - len(sizes))]


def _new_header(volume: Volume, array: NDArray[Any]) -> Header:
    header = Header.new(version=2 if max(array.shape) > _LARGEST_NIFTI1_AXIS else 1)
    header["dim"][0] = array.ndim
    if volume.metadata.scaling != (1.0, 0.0):
        header["scl_slope"], header["scl_inter"] = volume.metadata.scaling
    header["descrip"] = volume.metadata.caption.encode("utf-8")[:79]
    step = volume.metadata.time_step
    header["xyzt_units"] = _MILLIMETRES + (_SECONDS if array.ndim == 4 and step else 0)
    if array.ndim == 4 and step:
        header["pixdim"][4] = step
    if volume.has_geometry:
        header["sform_code"] = header["qform_code"] = SCANNER
    return header
