"""One volume as the images that people hold in their hands, each made by its own library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from CMROrientLib.volume import Volume

RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def as_simpleitk(volume: Volume) -> sitk.Image:
    array, grid = volume.stored()
    image = sitk.GetImageFromArray(np.ascontiguousarray(array), isVector=False)
    if array.ndim == 3:
        image.SetSpacing(grid.spacing)
        image.SetOrigin(grid.origin)
        image.SetDirection(grid.direction)
    else:
        image.SetSpacing([*grid.spacing, 0.04])
        image.SetOrigin([*grid.origin, 0.5])
        direction = np.eye(4)
        direction[:3, :3] = grid.directions
        image.SetDirection(direction.ravel().tolist())
    image.SetMetaData("0008|103e", "short axis")
    return image


def as_nibabel(volume: Volume) -> Any:
    nibabel = pytest.importorskip("nibabel")
    array, grid = volume.stored()
    image = nibabel.Nifti1Image(np.ascontiguousarray(array.T), RAS @ grid.affine)
    image.header.set_dim_info(freq=0, phase=1, slice=2)
    image.header["descrip"] = b"short axis"
    image.set_sform(RAS @ grid.affine, 1)
    image.set_qform(RAS @ grid.affine, 1)
    return image


def as_metatensor(volume: Volume) -> Any:
    pytest.importorskip("torch")
    data = pytest.importorskip("monai.data")
    array, grid = volume.stored()
    channels = array if array.ndim == 4 else array[np.newaxis]
    return data.MetaTensor(
        np.ascontiguousarray(channels.transpose(0, 3, 2, 1)),
        affine=RAS @ grid.affine,
        meta={"filename_or_obj": "case.nii.gz"},
        applied_operations=[{"class": "LoadImage"}],
    )


def as_torchio(volume: Volume) -> Any:
    pytest.importorskip("torch")
    torchio = pytest.importorskip("torchio")
    array, grid = volume.stored()
    channels = array if array.ndim == 4 else array[np.newaxis]
    return torchio.ScalarImage(
        tensor=np.ascontiguousarray(channels.transpose(0, 3, 2, 1)), affine=RAS @ grid.affine, series="short axis"
    )


def as_numpy(volume: Volume) -> np.ndarray:
    return np.ascontiguousarray(volume.stored()[0])


def as_torch(volume: Volume) -> Any:
    torch = pytest.importorskip("torch")
    return torch.from_numpy(as_numpy(volume))


#: Those that know where their voxels lie.
PLACED: dict[str, Callable[[Volume], Any]] = {
    "SimpleITK": as_simpleitk,
    "nibabel": as_nibabel,
    "MetaTensor": as_metatensor,
    "torchio": as_torchio,
}
HELD: dict[str, Callable[[Volume], Any]] = {**PLACED, "numpy": as_numpy, "torch": as_torch}


def voxels(image: Any) -> np.ndarray:
    """The values as ``[(phase,) k, j, i]``, by the library's own means."""
    if isinstance(image, sitk.Image):
        return sitk.GetArrayFromImage(image)
    if isinstance(image, np.ndarray):
        return image
    if hasattr(image, "dataobj"):
        return np.asanyarray(image.dataobj).T
    if hasattr(image, "affine"):
        tensor = image.data.numpy() if hasattr(image, "path") else image.numpy()
        stack = tensor.transpose(0, 3, 2, 1)
        return stack[0] if len(stack) == 1 else stack
    return image.numpy()


def place(image: Any, index: tuple[int, int, int]) -> np.ndarray:
    """Where the voxel (i, j, k) lies: LPS, mm, by the library's own means."""
    if isinstance(image, sitk.Image):
        more = [0] * (image.GetDimension() - 3)
        return np.array(image.TransformIndexToPhysicalPoint([int(n) for n in (*index, *more)])[:3])
    return (RAS @ np.asarray(image.affine) @ [*index, 1])[:3]
