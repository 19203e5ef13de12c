"""Images for the tests of ``files``, written by other people's code, and where they say voxels lie."""

from __future__ import annotations

import itertools
from pathlib import Path

import nibabel
import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

SUFFIXES = [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"]
RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def direction_matrix(rotation, left_handed=False):
    """(3, 3) direction cosines from a rotation vector."""
    matrix = Rotation.from_rotvec(rotation).as_matrix()
    if left_handed:
        matrix[:, 2] *= -1
    return matrix


def write_with_itk(path: Path, array, spacing, origin, direction) -> Path:
    """Write ``array[(phase,) k, j, i]`` with SimpleITK; spacing, origin and direction of three axes (LPS)."""
    image = sitk.GetImageFromArray(array, isVector=False)
    matrix = np.eye(array.ndim)
    matrix[:3, :3] = direction
    image.SetSpacing([*map(float, spacing), 2.0][: array.ndim])
    image.SetOrigin([*map(float, origin), 0.0][: array.ndim])
    image.SetDirection(matrix.ravel().tolist())
    sitk.WriteImage(image, str(path), useCompression=path.suffix == ".gz")
    return path


def places_with_itk(path: Path) -> dict[int, np.ndarray]:
    """Where SimpleITK says that each voxel lies (LPS, mm), by its value; values must differ."""
    image = sitk.ReadImage(str(path))
    array = sitk.GetArrayFromImage(image)
    return {
        int(array[index[::-1]]): np.array(image.TransformIndexToPhysicalPoint(index)[:3])
        for index in itertools.product(*map(range, image.GetSize()))
    }


def places_with_nibabel(path: Path, affine=None) -> dict[int, np.ndarray]:
    """The same by nibabel (its own choice of sform and qform, or ``affine`` in RAS)."""
    image = nibabel.load(path)
    affine = image.affine if affine is None else affine
    array = image.dataobj.get_unscaled()
    return {
        int(value): (RAS_FROM_LPS @ affine @ [*[*index, 0, 0][:3], 1.0])[:3] for index, value in np.ndenumerate(array)
    }


def furthest(places, others) -> float:
    """Largest distance (mm) between two sets of places, which must hold the same voxels."""
    assert places.keys() == others.keys()
    return max(float(np.linalg.norm(places[value] - others[value])) for value in places)
