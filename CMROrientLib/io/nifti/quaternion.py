"""Rotations as quaternions, of which a NIfTI header stores three parts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def to_matrix(quaternion: Sequence[float]) -> NDArray[np.float64]:
    """The (3, 3) rotation of a quaternion (w, x, y, z) of any length; none where that is zero."""
    w, x, y, z = quaternion
    square = w * w + x * x + y * y + z * z
    if square < np.finfo(float).eps:
        return np.eye(3)
    x2, y2, z2 = (part * (2.0 / square) for part in (x, y, z))
    return np.array(
        [
            [1.0 - (y * y2 + z * z2), x * y2 - w * z2, x * z2 + w * y2],
            [x * y2 + w * z2, 1.0 - (x * x2 + z * z2), y * z2 - w * x2],
            [x * z2 - w * y2, y * z2 + w * x2, 1.0 - (x * x2 + y * y2)],
        ]
    )


def from_matrix(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quaternion (w, x, y, z), w not negative, that is closest to a (3, 3) rotation.

    The eigenvector of the largest eigenvalue of a symmetric matrix: I. Y. Bar-Itzhack, "New method for
    extracting the quaternion from a rotation matrix", J. Guidance 23(6), 2000.
    """
    (xx, yx, zx), (xy, yy, zy), (xz, yz, zz) = rotation
    # eigh reads the lower triangle only.
    symmetric = np.array(
        [
            [xx - yy - zz, 0, 0, 0],
            [yx + xy, yy - xx - zz, 0, 0],
            [zx + xz, zy + yz, zz - xx - yy, 0],
            [yz - zy, zx - xz, xy - yx, xx + yy + zz],
        ]
    )
    values, vectors = np.linalg.eigh(symmetric / 3.0)
    quaternion: NDArray[np.float64] = vectors[[3, 0, 1, 2], np.argmax(values)]
    return -quaternion if quaternion[0] < 0 else quaternion
