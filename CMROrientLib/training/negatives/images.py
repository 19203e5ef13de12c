"""Photographs and pictures of other anatomy that installed packages carry in their wheels.

Nothing is downloaded. A picture whose package is missing is left out, with a warning.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import as_file, files

import numpy as np
from numpy.typing import NDArray

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackagedImage:
    """A file inside an installed package.

    Parameters
    ----------
    package:
        The import name of the package.
    name:
        The file's place below it, with forward slashes.
    """

    package: str
    name: str

    def pixels(self) -> list[NDArray[np.float32]]:
        """Its slices in grey, (rows, columns) each; nothing where the package or file is missing."""
        return _slices(self)


def _grey(array: NDArray[np.floating]) -> NDArray[np.floating]:
    return array[..., :3].mean(-1) if array.ndim >= 3 and array.shape[-1] in (3, 4) else array


def _read_picture(path: str) -> NDArray[np.floating]:
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("L"), float)


def _read_dicom(path: str) -> NDArray[np.floating]:
    from pydicom import dcmread

    return _grey(np.asarray(dcmread(path, force=True).pixel_array, float))


def _read_nibabel(path: str) -> NDArray[np.floating]:
    import nibabel

    image = nibabel.load(path)
    assert isinstance(image, nibabel.spatialimages.SpatialImage)
    array = np.asarray(image.dataobj, np.float64)
    array = array[..., 0] if array.ndim == 4 else array
    return np.moveaxis(array, 2, 0)


def _read_raw(path: str, side: int) -> NDArray[np.floating]:
    with gzip.open(path) as stream:
        return np.frombuffer(stream.read(), ">u2").reshape(side, side).astype(float)


def _reader(name: str) -> Callable[[str], NDArray[np.floating]]:
    if name.endswith(".dcm"):
        return _read_dicom
    if name.endswith((".nii", ".nii.gz", ".PAR", ".BRIK")):
        return _read_nibabel
    if name.endswith(".ima.gz"):
        return partial(_read_raw, side=256)
    return _read_picture


@cache
def _slices(image: PackagedImage) -> list[NDArray[np.float32]]:
    try:
        with as_file(files(image.package).joinpath(image.name)) as path:
            array = _reader(image.name)(str(path))
    except (ImportError, OSError, AttributeError) as error:
        _log.warning("left out: %s of %s (%s)", image.name, image.package, error)
        return []
    stack = array[None] if array.ndim == 2 else array
    # Only slices with something on them, and at most twenty a file so that no file dominates.
    stack = stack[[bool(np.ptp(plane) > 0 and np.mean(plane != plane.flat[0]) > 0.2) for plane in stack]]
    chosen = np.linspace(0, len(stack) - 1, min(20, len(stack))).round().astype(int)
    return [np.asarray(stack[n], np.float32) for n in chosen]


def files_of(package: str, folder: str, names: str) -> list[PackagedImage]:
    """The named files of a folder in a package."""
    return [PackagedImage(package, f"{folder}/{name}") for name in names.split()]


TRAIN_IMAGES: dict[str, list[PackagedImage]] = {
    "photographs": files_of(
        "skimage",
        "data",
        "camera.png astronaut.png chelsea.png coffee.png rocket.jpg brick.png grass.png coins.png text.png "
        "ihc.png cell.png hubble_deep_field.jpg",
    ),
    "other anatomy": [
        *files_of("nibabel", "tests/data", "example4d.nii.gz anatomical.nii"),
        *files_of("pydicom", "data/test_files", "CT_small.dcm MR_small.dcm 693_J2KI.dcm examples_rgb_color.dcm"),
    ],
}
