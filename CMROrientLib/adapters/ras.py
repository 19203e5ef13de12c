"""Affines in RAS, as nibabel, MONAI and torchio keep them, to grids in LPS and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..i18n import _
from ..volume import Grid

#: Exchanges RAS and LPS, both ways.
LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def grid_of(size: tuple[int, int, int], affine: NDArray[Any], what: str, *, lps: bool = False) -> Grid:
    """A grid from an index-to-patient matrix.

    Parameters
    ----------
    affine:
        (4, 4), or (3, 3) of a slice that lies nowhere in the patient; mm, RAS, or LPS where told so.
    what:
        The image's kind, for the message.

    Raises
    ------
    ValueError
        Where the matrix is singular, not finite or of another shape.
    """
    matrix = np.asarray(affine, float)
    if matrix.shape == (3, 3):
        flat, matrix = matrix, np.eye(4)
        matrix[:2, :2], matrix[:2, 3] = flat[:2, :2], flat[:2, 2]
    if matrix.shape != (4, 4):
        said = _("the {what} has an affine of shape {shape}: give one of 4 × 4")
        raise ValueError(said.format(what=what, shape=matrix.shape))
    try:
        return Grid.from_affine(size, matrix if lps else LPS @ matrix)
    except ValueError as error:
        raise ValueError(
            _("the affine of the {what} cannot be used: {error}; mend it").format(what=what, error=error)
        ) from error


def affine_of(grid: Grid, like: NDArray[Any], *, lps: bool = False) -> NDArray[np.float64]:
    """A grid's index-to-patient matrix, of the shape of ``like``."""
    matrix = grid.affine if lps else LPS @ grid.affine
    if like.shape == (3, 3):
        flat = np.eye(3)
        flat[:2, :2], flat[:2, 2] = matrix[:2, :2], matrix[:2, 3]
        return flat
    return matrix
