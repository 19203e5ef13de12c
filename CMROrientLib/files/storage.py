"""What a reader keeps for a writer, and the checks that all formats share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError

#: Voxel types that are read, byte order aside.
VOXEL_TYPES = frozenset(
    ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
)


@dataclass(frozen=True)
class Storage:
    """What every format says beside pixels and grid; each reader adds its own header.

    Parameters
    ----------
    scaling:
        Slope and intercept that turn the raw values into the real ones.
    time_step:
        Seconds between two phases of a cine, None where unknown.
    description:
        Free text.
    """

    scaling: tuple[float, float] = (1.0, 0.0)
    time_step: float | None = None
    description: str = ""


def scaling_of(storage: Any) -> tuple[float, float]:
    """Slope and intercept of any format's storage, (1, 0) where it has none."""
    slope, intercept = getattr(storage, "scaling", (1.0, 0.0))
    return float(slope), float(intercept)


def time_step_of(storage: Any) -> float | None:
    """Seconds between two phases of any format's storage."""
    step = getattr(storage, "time_step", None)
    return None if step is None else float(step)


def description_of(storage: Any) -> str:
    """Free text of any format's storage."""
    return str(getattr(storage, "description", ""))


def real_values(array: NDArray[Any], storage: Any) -> NDArray[Any]:
    """Values with slope and intercept applied, for a format that has no place for these two."""
    slope, intercept = scaling_of(storage)
    if (slope, intercept) == (1.0, 0.0):
        return array
    # float32 is exact for scaled integers of up to 16 bits in all but name; wider ones need float64.
    wide = array.dtype.itemsize > 2 and array.dtype != np.float32
    return (array * np.float64(slope) + np.float64(intercept)).astype(np.float64 if wide else np.float32)


def native(array: NDArray[Any]) -> NDArray[Any]:
    """The same values in the byte order of this machine."""
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def check_values(array: NDArray[Any], path: Path) -> None:
    """Refuse an image without a single finite value."""
    if array.dtype.kind == "f" and not np.isfinite(array).any():
        raise CMROrientError("holds no finite value (all NaN or infinite): nothing can be seen in it", path)


def check_type(dtype: Any, path: Path) -> np.dtype[Any]:
    """The voxel type, refused where it is not a plain integer or real number."""
    dtype = np.dtype(dtype)
    if dtype.newbyteorder("=").name not in VOXEL_TYPES:
        kind = {"c": "complex numbers", "V": "colours or bits"}.get(dtype.kind, f"{dtype.name} numbers")
        raise CMROrientError(f"holds {kind}: only images with one plain number a voxel can be corrected", path)
    return dtype


def check_size(sizes: tuple[int, ...], path: Path) -> None:
    """Refuse a grid without voxels."""
    if min(sizes) < 1:
        raise CMROrientError(f"claims a size of {' × '.join(map(str, sizes))}: there is no image in it", path)


def data_name(header: Path, was: str, named: str, suffix: str) -> str:
    """The file name for the voxels of a detached header.

    It stays what it was where the header keeps its name, so that two headers in one folder do not
    come to share voxels; else it is the header's name with ``suffix``.

    Parameters
    ----------
    header:
        The header to be written.
    was, named:
        The name of the header that was read, and of the data file in it; empty where there was none.
    """
    if header.name == was and named.lower().endswith(suffix) and Path(named).name == named:
        return named
    return header.stem + suffix


def spatial(sizes: tuple[int, ...]) -> tuple[int, int, int]:
    """(columns, rows, slices) of two or three sizes."""
    columns, rows, *rest = sizes
    return columns, rows, rest[0] if rest else 1
