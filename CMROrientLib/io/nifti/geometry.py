"""Where a NIfTI header says that voxels lie: sform, qform or neither.

NIfTI speaks RAS in the units of ``xyzt_units``, the library LPS in millimetres.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from ...volume import Vector
from ..checks import believable, usable
from . import quaternion
from .header import Fields

_LPS_FROM_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
_MILLIMETRES = {1: 1000.0, 2: 1.0, 3: 0.001}
#: The code of a transform into the scanner's own frame.
SCANNER = 1

#: Directions that differ by more than this between sform and qform name different places; float32
#: rounding of a quaternion near a half turn stays below.
_SAME_DIRECTION = 2e-3

#: A quaternion's first part is not stored but follows from the other three. Below these squares of
#: it the NIfTI library (and ITK) and nibabel take it for zero.
_NIFTI_LIBRARY = 1e-7
_NIBABEL = 3.6e-7

#: Millimetres by which sform and qform may differ in a file that is written as it was read.
_SAME_PLACE = 0.1

#: Millimetres by which the qform may miss before the sform has to say it exactly.
_QFORM_ERROR = 2e-5


class Placement(NamedTuple):
    """The (4, 4) index-to-LPS matrix in mm, and whether the file said anything at all."""

    matrix: NDArray[np.float64]
    known: bool


def spatial_units(header: Fields) -> float:
    """Millimetres in the header's unit of length; 1 where it names none."""
    return _MILLIMETRES.get(int(header["xyzt_units"]) & 7, 1.0)


def affine_of(header: Fields, path: Path) -> Placement:
    """The placement that the header claims.

    Where sform and qform disagree the choice is ITK's, so that Slicer shows the same place: the
    sform if its code is "scanner" or the qform's is unknown, else the qform, because an "aligned"
    or template sform need not be the patient's frame. (nibabel always takes the sform.) An sform
    that is singular or not finite gives way to a known qform.

    Raises
    ------
    CMROrientError
        Where a matrix is claimed and none is usable.
    """
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    unit = spatial_units(header)
    if sform_code <= 0 and qform_code <= 0:
        matrix = np.diag([*(_steps(header)), 1.0])
        return Placement(_in_lps(matrix, unit), False)
    sform = _sform(header) if sform_code > 0 and usable(_sform(header)) else None
    qform = _qform(header) if qform_code > 0 and usable(_qform(header)) else None
    if sform is not None and (qform is None or sform_code == SCANNER or _same_directions(sform, qform)):
        return Placement(_in_lps(sform, unit), True)
    if qform is not None:
        return Placement(_in_lps(qform, unit), True)
    raise CMROrientError(
        "says where its voxels lie by a matrix that is singular or not finite: mend its sform or qform", path
    )


def agree(header: Fields) -> bool:
    """Whether sform and qform name the same places, as well as a quaternion can, or only one is claimed."""
    if int(header["sform_code"]) <= 0 or int(header["qform_code"]) <= 0:
        return True
    size = np.array(header["dim"][1:4], float)
    missed = np.abs((_sform(header) - _qform(header)) @ [*size, 1.0]).max() * spatial_units(header)
    return bool(missed < _SAME_PLACE)


def set_affine(header: Fields, matrix: NDArray[np.float64]) -> None:
    """Write the (4, 4) index-to-LPS matrix (mm) into sform and qform, which keep their codes.

    A sheared matrix does not fit into a qform: that then holds the nearest rotation. Nor does
    every rotation: near half turns the quaternion's float32 loses up to 6e-4, and readers round it
    differently; an sform with the qform's code then says it exactly.
    """
    affine = _LPS_FROM_RAS @ matrix
    affine[:3] /= spatial_units(header)
    sform_code, qform_code = int(header["sform_code"]), int(header["qform_code"])
    if sform_code <= 0 and qform_code <= 0:
        sform_code = qform_code = SCANNER
    _set_qform(header, affine)
    size = np.array(header["dim"][1:4], float)
    errors = [_qform(header, negligible) - affine for negligible in (_NIFTI_LIBRARY, _NIBABEL)]
    error = np.abs(errors @ np.array([*size, 1.0])).max() * spatial_units(header)
    if sform_code <= 0 and error > _QFORM_ERROR:
        sform_code = qform_code
    for row, axis in zip(affine, "xyz", strict=False):
        header[f"srow_{axis}"] = row
    header["sform_code"], header["qform_code"] = max(sform_code, 0), max(qform_code, 0)


def set_spacing(header: Fields, spacing: Vector) -> None:
    """Write the voxel size (mm) where the header says nothing of place, and still will not."""
    for axis in range(min(3, int(header["dim"][0]))):
        # 0 is how some writers say "unknown"; it was read as 1.
        if header["pixdim"][axis + 1] or spacing[axis] != 1.0:
            header["pixdim"][axis + 1] = spacing[axis] / spatial_units(header)
    header["sform_code"] = header["qform_code"] = 0


def _steps(header: Fields) -> NDArray[np.float64]:
    steps: NDArray[np.float64] = np.abs(np.array(header["pixdim"][1:4], float))
    # As the NIfTI library does: what is not a length counts as 1.
    steps[~believable(steps)] = 1.0
    return steps


def _sform(header: Fields) -> NDArray[np.float64]:
    affine = np.eye(4)
    affine[:3] = [np.array(header[f"srow_{axis}"], float) for axis in "xyz"]
    return affine


def _qform(header: Fields, negligible: float = _NIFTI_LIBRARY) -> NDArray[np.float64]:
    b, c, d = (float(header[f"quatern_{part}"]) for part in "bcd")
    square = 1.0 - (b * b + c * c + d * d)
    a = np.sqrt(square) if square > negligible else 0.0
    flip = -1.0 if header["pixdim"][0] < 0 else 1.0
    affine = np.eye(4)
    affine[:3, :3] = quaternion.to_matrix([a, b, c, d]) * _steps(header) * [1.0, 1.0, flip]
    affine[:3, 3] = [float(header[f"qoffset_{axis}"]) for axis in "xyz"]
    return affine


def _set_qform(header: Fields, affine: NDArray[np.float64]) -> None:
    lengths = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    directions = affine[:3, :3] / lengths
    mirrored = np.linalg.det(directions) <= 0
    if mirrored:
        directions[:, 2] *= -1
    # A quaternion is a rotation: the nearest one.
    u, _, v = np.linalg.svd(directions)
    parts = quaternion.from_matrix(u @ v)
    header["pixdim"][:4] = [-1.0 if mirrored else 1.0, *lengths]
    for part, value in zip("bcd", parts[1:], strict=True):
        header[f"quatern_{part}"] = value
    for axis, value in zip("xyz", affine[:3, 3], strict=True):
        header[f"qoffset_{axis}"] = value


def _same_directions(sform: NDArray[np.float64], qform: NDArray[np.float64]) -> bool:
    """Whether the sform, less its shear and scale, is the qform's rotation (origins aside)."""
    u, _, v = np.linalg.svd(sform[:3, :3] / np.linalg.norm(sform[:3, :3], axis=0))
    rotation = qform[:3, :3] / np.linalg.norm(qform[:3, :3], axis=0)
    return bool(np.abs(u @ v - rotation).max() < _SAME_DIRECTION)


def _in_lps(affine: NDArray[np.float64], unit: float) -> NDArray[np.float64]:
    scaled = affine.copy()
    scaled[:3] *= unit
    return _LPS_FROM_RAS @ scaled
