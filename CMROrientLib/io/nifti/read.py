"""Reading NIfTI-1 and NIfTI-2 single files, plain or gzipped."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import CMROrientError
from ...volume import Grid, Volume
from .. import voxels
from ..checks import check_size, check_type, check_values, native
from ..suffixes import suffix_of
from .geometry import affine_of
from .header import NIFTI1_SIZE, NIFTI2_SIZE, Fields, Header
from .metadata import NiftiMetadata

_SECONDS = {8: 1.0, 16: 1e-3, 24: 1e-6}


def read(path: Path, slice_axis: int | None = None) -> Volume:
    """Read a ``.nii`` or ``.nii.gz`` file. Raises CMROrientError."""
    packed = suffix_of(path) == ".nii.gz"
    with voxels.reading(path) as file:
        stream = voxels.decoder(file, "gzip" if packed else "raw")
        header, encoded = _read_header(stream, path)
        sizes = _sizes(header, path)
        dtype = check_type(_data_type(header, path), path)
        # Not finite where damaged; NIfTI-1 holds it as a float.
        start = int(np.nan_to_num(float(header["vox_offset"]), nan=0, posinf=0, neginf=0))
        expected = math.prod(sizes) * dtype.itemsize
        if start < len(encoded):
            raise CMROrientError("is damaged: its voxels would start inside the header; export it anew", path)
        voxels.check_claim(start + expected, path.stat().st_size, "gzip" if packed else "raw", path)
        between = bytes(voxels.read_exactly(stream, start - len(encoded), path))
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
        encoded=encoded,
        between=between,
    )
    return Volume.from_stored(array, grid, slice_axis, has_geometry=affine.known, metadata=metadata)


def read_grid(path: Path, slice_axis: int | None = None) -> tuple[Grid, bool]:
    """Where the voxels of a file lie, slices along the third axis, and whether it says so; voxels are not read.

    Raises CMROrientError.
    """
    with voxels.reading(path) as file:
        stream = voxels.decoder(file, "gzip" if suffix_of(path) == ".nii.gz" else "raw")
        header, _ = _read_header(stream, path)
    sizes, affine = _sizes(header, path), affine_of(header, path)
    stored = Grid.from_affine((sizes[0], sizes[1], sizes[2]), affine.matrix)
    outline = np.broadcast_to(np.zeros(1, np.uint8), stored.size[::-1])
    return Volume.from_stored(outline, stored, slice_axis).grid, affine.known


def _read_header(stream: voxels.Readable, path: Path) -> tuple[Header, bytes]:
    encoded = stream.read(NIFTI1_SIZE)
    if not encoded:
        raise CMROrientError("is empty: copy or export it anew", path)
    length = {int.from_bytes(encoded[:4], order) for order in ("little", "big")}
    if NIFTI2_SIZE in length:
        encoded += stream.read(NIFTI2_SIZE - len(encoded))
    wanted = next((n for n in (NIFTI1_SIZE, NIFTI2_SIZE) if n in length), 0)
    if not wanted:
        raise CMROrientError(
            "is not a NIfTI file, whatever its name says: export it anew, or give it its true ending", path
        )
    if len(encoded) < wanted:
        raise CMROrientError("is cut short inside its header: copy or export it anew", path)
    header = Header.parse(encoded)
    if bytes(header["magic"])[:3] in (b"ni1", b"ni2"):
        raise CMROrientError("is the header of a .hdr/.img pair: convert the pair to one .nii file", path)
    if bytes(header["magic"])[:3] not in (b"n+1", b"n+2"):
        raise CMROrientError(
            "is not a NIfTI file (an Analyze header, perhaps), whatever its name says: convert it to NIfTI", path
        )
    return header, encoded


def _sizes(header: Fields, path: Path) -> tuple[int, ...]:
    """At least (i, j, k, phases); what follows must be 1."""
    dim = [int(n) for n in header["dim"]]
    if not 2 <= dim[0] <= 7:
        raise CMROrientError(f"has {dim[0]} axes: an image has 2, 3 or, for a cine, 4; take it apart into such", path)
    sizes = dim[1 : dim[0] + 1]
    check_size(tuple(sizes), path)
    if math.prod(sizes[4:]) > 1:
        raise CMROrientError(
            f"has {dim[0]} axes ({' × '.join(map(str, sizes))}): a vector image or a set of images, not one image; "
            "take it apart",
            path,
        )
    return tuple([*sizes, 1, 1][:4]) if dim[0] < 4 else tuple(sizes[:4])


def _data_type(header: Header, path: Path) -> np.dtype[Any]:
    try:
        return header.data_type
    except KeyError as error:
        raise CMROrientError(
            f"names a voxel type that NIfTI does not have ({int(header['datatype'])}); export it anew", path
        ) from error


def _scaling(header: Fields) -> tuple[float, float]:
    slope, intercept = float(header["scl_slope"]), float(header["scl_inter"])
    # A slope of 0 or NaN is how NIfTI says "none".
    if slope == 0 or not math.isfinite(slope):
        return 1.0, 0.0
    return slope, intercept if math.isfinite(intercept) else 0.0


def _time_step(header: Fields) -> float | None:
    step = float(header["pixdim"][4]) * _SECONDS.get(int(header["xyzt_units"]) & 0o70, 0.0)
    return step if step > 0 and math.isfinite(step) else None
