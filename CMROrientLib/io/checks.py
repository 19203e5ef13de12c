"""The checks that the readers of all formats share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError

#: Voxel types that are read, byte order aside.
VOXEL_TYPES = frozenset(
    ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
)

#: Limits, in any unit of length, beyond which numbers in a header are no places of voxels.
_FARTHEST, _NEAREST, _FLATTEST = 1e9, 1e-9, 1e-4


def native(array: NDArray[Any]) -> NDArray[Any]:
    """The same values in the byte order of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_values(array: NDArray[Any], path: Path) -> None:
    """Refuse an image without a single finite value."""
    if array.dtype.kind == "f" and not np.isfinite(array).any():
        raise CMROrientError(
            "holds no finite value (all NaN or infinite): nothing can be seen in it; export it anew", path
        )


def voxel_type(types: Mapping[str, str], name: str, big: bool, path: Path) -> np.dtype[Any]:
    """The voxel type that a format calls by a name, in the byte order of the file. Raises CMROrientError."""
    if name not in types:
        raise CMROrientError(
            f"holds voxels of type '{name}', which are not single numbers; give an image of grey values", path
        )
    return np.dtype(types[name]).newbyteorder(">" if big else "<")


def storable(array: NDArray[Any]) -> NDArray[Any]:
    """The same values in a type that every format has."""
    if array.dtype.newbyteorder("=").name in VOXEL_TYPES:
        return array
    return array.astype(np.uint8 if array.dtype == bool else np.float32)


def check_type(dtype: np.dtype[Any], path: Path) -> np.dtype[Any]:
    """The voxel type, refused where it is not a plain integer or real number."""
    if dtype.newbyteorder("=").name not in VOXEL_TYPES:
        kind = {"c": "complex numbers", "V": "colours or bits"}.get(dtype.kind, f"{dtype.name} numbers")
        raise CMROrientError(
            f"holds {kind}: only images with one plain number a voxel can be corrected; convert it to one", path
        )
    return dtype


def check_size(sizes: tuple[int, ...], path: Path) -> None:
    """Refuse a grid without voxels."""
    if min(sizes) < 1:
        raise CMROrientError(
            f"claims a size of {' × '.join(map(str, sizes))}: there is no image in it; export it anew", path
        )


def usable(affine: NDArray[np.float64]) -> bool:
    """Whether a (4, 4) index-to-patient matrix places voxels: finite, of a believable size, not singular."""
    # The comparison is False for NaN as well.
    if not (np.abs(affine) < _FARTHEST).all():
        return False
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    return bool(lengths.min() > _NEAREST and abs(np.linalg.det(affine[:3, :3] / lengths)) > _FLATTEST)


def believable(steps: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which distances of voxels are lengths at all."""
    return (steps > _NEAREST) & (steps < _FARTHEST)


def spatial(sizes: tuple[int, ...]) -> tuple[int, int, int]:
    """(columns, rows, slices) of two or three sizes."""
    columns, rows, *rest = sizes
    return columns, rows, rest[0] if rest else 1
