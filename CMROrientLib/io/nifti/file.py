"""NIfTI-1 and NIfTI-2 single files, plain or gzipped.

nibabel understands the header; its bytes, and everything between header and voxels (the
extensions), are kept as they are, so that all that does not turn with the pixels survives.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...metadata import Metadata
from ...orientation import Orientation
from ...volume import Grid, Volume
from .. import voxels
from ..atomic import replacing
from ..checks import check_size, check_type, check_values, native
from ..suffixes import suffix_of
from .geometry import SCANNER, affine_of, agree, set_affine, set_spacing

_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}
_LARGEST_NIFTI1_AXIS = 32767


@dataclass(frozen=True, kw_only=True)
class NiftiMetadata(Metadata):
    """The header block and the bytes between it and the voxels."""

    kind: ClassVar[str] = "nifti"

    block: bytes
    between: bytes

    def header(self) -> Nifti1Header:
        """A fresh copy of the header, in the byte order of the file."""
        return _parse(self.block)


def read(path: Path, slice_axis: int | None = None) -> Volume:
    """Read a ``.nii`` or ``.nii.gz`` file. Raises CMROrientError."""
    packed = suffix_of(path) == ".nii.gz"
    with voxels.reading(path) as file:
        stream = voxels.decoder(file, "gzip" if packed else "raw")
        header, block = _read_header(stream, path)
        sizes = _sizes(header, path)
        dtype = check_type(_data_type(header, path), path)
        # Not finite where damaged; NIfTI-1 holds it as a float.
        start = int(np.nan_to_num(float(header["vox_offset"]), nan=0, posinf=0, neginf=0))
        expected = math.prod(sizes) * dtype.itemsize
        if start < len(block):
            raise CMROrientError("is damaged: its voxels would start inside the header", path)
        voxels.check_claim(start + expected, path.stat().st_size, "gzip" if packed else "raw", path)
        between = bytes(voxels.read_exactly(stream, start - len(block), path))
        data = voxels.read_exactly(stream, expected, path)
        if packed:
            voxels.check_end(stream)
    # Stored with the first axis fastest: the last one comes first in the array.
    array = native(np.frombuffer(data, dtype).reshape(sizes[::-1]))
    check_values(array, path)
    array = array.reshape([n for axis, n in enumerate(sizes) if axis < 3 or n > 1][::-1])
    affine = affine_of(header, path)
    grid = Grid.from_affine((sizes[0], sizes[1], sizes[2]), affine.matrix)
    metadata = NiftiMetadata(
        scaling=_scaling(header),
        time_step=_time_step(header),
        description=bytes(header["descrip"]).split(b"\0")[0].decode("utf-8", "replace"),
        block=block,
        between=between,
    )
    return Volume.from_stored(array, grid, slice_axis, has_geometry=affine.known, metadata=metadata)


def write(volume: Volume, path: Path) -> list[Path]:
    """Write a ``.nii`` or ``.nii.gz`` file; returns its path. Raises CMROrientError."""
    array, grid = volume.stored()
    metadata = volume.metadata if isinstance(volume.metadata, NiftiMetadata) else None
    header = _new_header(volume, array) if metadata is None else metadata.header()
    between = b"\0\0\0\0" if metadata is None else metadata.between
    array = _storable(array)
    untouched = metadata is not None and _says(header, volume, path)
    if metadata is not None:
        _exchange_axes(header, volume)
    _set_shape(header, array)
    header.set_data_dtype(array.dtype)
    if not untouched:
        if volume.has_geometry:
            set_affine(header, grid.affine)
        else:
            set_spacing(header, grid.spacing)
    header["vox_offset"] = len(header.binaryblock) + len(between)
    with replacing([path]) as (stream,):
        _write_all(stream, header.binaryblock + between, array.astype(_in_order(array, header)), path)
    return [path]


def _write_all(stream: IO[bytes], head: bytes, array: NDArray[Any], path: Path) -> None:
    if suffix_of(path) == ".nii.gz":
        with voxels.packing(stream) as packed:
            packed.write(head)
            voxels.write_array(packed, array, "raw")
    else:
        stream.write(head)
        voxels.write_array(stream, array, "raw")


def _parse(block: bytes) -> Nifti1Header:
    # check=False: nibabel's checks would mend the header and speak of it on standard error.
    return (Nifti1Header if len(block) == Nifti1Header.sizeof_hdr else Nifti2Header)(block, check=False)


def _read_header(stream: voxels.Readable, path: Path) -> tuple[Nifti1Header, bytes]:
    block = stream.read(Nifti1Header.sizeof_hdr)
    if not block:
        raise CMROrientError("is empty", path)
    length = {int.from_bytes(block[:4], order) for order in ("little", "big")}
    if Nifti2Header.sizeof_hdr in length:
        block += stream.read(Nifti2Header.sizeof_hdr - len(block))
    wanted = next((n for n in (Nifti1Header.sizeof_hdr, Nifti2Header.sizeof_hdr) if n in length), 0)
    if not wanted:
        raise CMROrientError("is not a NIfTI file, whatever its name says", path)
    if len(block) < wanted:
        raise CMROrientError("is cut short inside its header", path)
    header = _parse(block)
    if bytes(header["magic"])[:3] in (b"ni1", b"ni2"):
        raise CMROrientError("is the header of a .hdr/.img pair: convert the pair to one .nii file", path)
    if bytes(header["magic"])[:3] not in (b"n+1", b"n+2"):
        raise CMROrientError("is not a NIfTI file (an Analyze header, perhaps), whatever its name says", path)
    return header, block


def _sizes(header: Nifti1Header, path: Path) -> tuple[int, ...]:
    """At least (i, j, k, phases); what follows must be 1."""
    dim = [int(n) for n in header["dim"]]
    if not 2 <= dim[0] <= 7:
        raise CMROrientError(f"has {dim[0]} axes: an image has 2, 3 or, for a cine, 4", path)
    sizes = dim[1 : dim[0] + 1]
    check_size(tuple(sizes), path)
    if math.prod(sizes[4:]) > 1:
        raise CMROrientError(
            f"has {dim[0]} axes ({' × '.join(map(str, sizes))}): a vector image or a set of images, not one image", path
        )
    return tuple([*sizes, 1, 1][:4]) if dim[0] < 4 else tuple(sizes[:4])


def _data_type(header: Nifti1Header, path: Path) -> np.dtype[Any]:
    try:
        dtype = header.get_data_dtype()
    except (KeyError, HeaderDataError) as error:
        raise CMROrientError(
            f"names a voxel type that NIfTI does not have ({int(header['datatype'])})", path
        ) from error
    return dtype.newbyteorder(header.endianness)


def _scaling(header: Nifti1Header) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    # A slope of 0 or NaN is how NIfTI says "none".
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _time_step(header: Nifti1Header) -> float | None:
    step = float(header["pixdim"][4]) * _SECONDS.get(int(header["xyzt_units"]) & 0o70, 0.0)
    return step if step > 0 and math.isfinite(step) else None


def _storable(array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype == bool:
        return array.astype(np.uint8)
    return array.astype(np.float32) if array.dtype == np.float16 else array


def _in_order(array: NDArray[Any], header: Nifti1Header) -> np.dtype[Any]:
    return array.dtype.newbyteorder(header.endianness)


def _says(header: Nifti1Header, volume: Volume, path: Path) -> bool:
    """Whether a header places the volume where it is, without contradiction: its numbers can stay."""
    _, grid = volume.stored()
    placed = affine_of(header, path)
    same = placed.known == volume.has_geometry and Grid.from_affine(grid.size, placed.matrix) == grid
    return same and agree(header)


def _set_shape(header: Nifti1Header, array: NDArray[Any]) -> None:
    """Sizes, in as many axes as the header had where that is enough."""
    sizes = list(array.shape[::-1])
    while len(sizes) > 2 and sizes[-1] == 1 and len(sizes) > int(header["dim"][0]):
        sizes.pop()
    dim = header["dim"]
    dim[0] = max(len(sizes), int(dim[0]))
    dim[1:] = [*sizes, *[1] * (7 - len(sizes))]


def _new_header(volume: Volume, array: NDArray[Any]) -> Nifti1Header:
    header = (Nifti2Header if max(array.shape) > _LARGEST_NIFTI1_AXIS else Nifti1Header)()
    header["magic"] = header.single_magic
    header["dim"][0] = array.ndim
    if volume.metadata.scaling != (1.0, 0.0):
        header.set_slope_inter(*volume.metadata.scaling)
    header["descrip"] = volume.metadata.caption.encode("utf-8")[:79]
    step = volume.metadata.time_step
    header.set_xyzt_units("mm", "sec" if array.ndim == 4 and step else None)
    if array.ndim == 4 and step:
        header["pixdim"][4] = step
    if volume.has_geometry:
        header["sform_code"] = header["qform_code"] = SCANNER
    return header


def _exchange_axes(header: Nifti1Header, volume: Volume) -> None:
    """Turn with the pixels what names an axis: frequency, phase and slice encoding, slice timing."""
    first, second = (axis for axis in range(3) if axis != volume.slice_axis)
    turned = volume.pixels_turned
    # The slice timing counts slices along the axis that dim_info names. Where that is one of the
    # in-plane axes and it is reversed, the count starts at the other end.
    encoding = list(header.get_dim_info())
    if turned.exchanges_axes:
        other = {first: second, second: first}
        header.set_dim_info(*[other.get(axis, axis) if axis is not None else None for axis in encoding])
    timed = header.get_dim_info()[2]
    if timed in (first, second) and _reverses(turned, 1 if timed == first else 0):
        last = volume.stored()[0].shape[::-1][timed] - 1
        start, end = int(header["slice_start"]), int(header["slice_end"])
        if end:
            header["slice_start"], header["slice_end"] = last - end, last - start
        header["slice_code"] = {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5}.get(int(header["slice_code"]), header["slice_code"])


def _reverses(turned: Orientation, axis: int) -> bool:
    """Whether the axis (0 rows, 1 columns) of the turned slice runs against the one it came from."""
    return bool(turned.matrix[axis].sum() < 0)
