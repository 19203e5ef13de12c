"""Real images of a data folder that are no short axis: long-axis views and whatever else its owner has."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...io import SUFFIXES, read
from .reslices import Picture

#: Least share of an image's shorter side that is shown.
_SMALLEST = 0.55


def files_of_views(root: Path, names: tuple[str, ...]) -> list[Path]:
    """The image files that names below a data folder stand for.

    Parameters
    ----------
    names:
        Files or folders, relative to ``root``, or patterns of them.

    Raises
    ------
    CMROrientError
        Where a name stands for no image.
    """
    found: list[Path] = []
    for name in names:
        places = sorted(root.glob(name))
        inside = [path for place in places for path in (sorted(place.rglob("*")) if place.is_dir() else [place])]
        images = [path for path in inside if path.name.lower().endswith((*SUFFIXES, ".dcm"))]
        if not images:
            raise CMROrientError(f"there is no image that {name!r} stands for", root)
        found += images
    return found


@lru_cache(maxsize=256)
def planes_of(path: Path) -> tuple[NDArray[np.float32], ...]:
    """The slices of a file, each (rows, columns). A DICOM file is taken by itself."""
    array = _dicom(path) if path.suffix == ".dcm" else np.asarray(read(path).array, np.float32)
    return tuple(array.reshape(-1, *array.shape[-2:]))


def real_view(random: np.random.Generator, files: list[Path], size: int) -> Picture:
    """A square of a slice, shown like the others: any part, turned by any angle."""
    from skimage.transform import resize, rotate

    # Folders alike, so that a series of many files does not outweigh the others.
    folders = sorted({_origin(path) for path in files})
    folder = folders[int(random.integers(len(folders)))]
    inside = [path for path in files if _origin(path) == folder]
    planes = planes_of(inside[int(random.integers(len(inside)))])
    plane = planes[int(random.integers(len(planes)))]
    plane = rotate(plane, random.uniform(-180, 180), order=1, preserve_range=True, cval=float(plane.min()))
    side = max(8, int(random.uniform(_SMALLEST, 1.0) * min(plane.shape)))
    row, column = (round((length - side) * random.uniform(0.2, 0.8)) for length in plane.shape)
    part = plane[row : row + side, column : column + side]
    return np.asarray(resize(part, (size, size), order=1, anti_aliasing=True, preserve_range=True), np.float32)


def _origin(path: Path) -> str:
    """What files of one subject have in common: their folder, and the name's first part where it is a number."""
    first = path.name.split("_")[0]
    return f"{path.parent}/{first}" if first.isdigit() else str(path.parent)


def _dicom(path: Path) -> NDArray[np.float32]:
    from pydicom import dcmread

    return np.asarray(dcmread(path).pixel_array, np.float32)
