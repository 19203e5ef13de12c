"""The eight in-plane orientations of a slice as a group, and the one that a header claims.

The operations are those of Table 1 in Liu 2022 (arXiv 2211.11336); together they are the
dihedral group D4. Nothing outside this module knows how they combine.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import cache, cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .i18n import _

HeaderState = Literal["none", "other_plane", "known"]

#: Column direction R and row direction D of the standard short-axis frame, unit vectors in LPS:
#: the mean frame of 45 people whose headers are true.
STANDARD_COLUMN_DIRECTION: NDArray[np.float64] = np.array([0.63, 0.73, -0.25])
STANDARD_ROW_DIRECTION: NDArray[np.float64] = np.array([-0.44, 0.06, -0.90])

#: Below this |cosine| between the slice normal and the standard one a header does not describe a
#: short-axis plane. True short axes have 0.94–1.00 in MyoPS and down to 0.77 in the files of M&Ms-2; the
#: highest of a long-axis view whose header could be checked is 0.65.
SHORT_AXIS_COSINE = 0.7

#: Where the header's score for the class of the pixels is this close to its best score, the two
#: do not contradict each other: people differ from the mean frame.
SCORE_TOLERANCE = 0.6

#: Direction cosines this close to 0 or ±1 count as axis-aligned, which no real short axis is.
_ALIGNED = 1e-3


class Orientation(IntEnum):
    """The operation that turned a standard slice ``a[row, column]`` into the stored one.

    Correcting a slice that is stored in class ``k`` is ``k.inverse.apply(slice)``.
    """

    IDENTITY = 0
    FLIP_HORIZONTAL = 1
    FLIP_VERTICAL = 2
    ROTATE_180 = 3
    TRANSPOSE = 4
    ROTATE_90 = 5
    ROTATE_270 = 6
    ANTI_TRANSPOSE = 7

    @cached_property
    def matrix(self) -> NDArray[np.int_]:
        """(2, 2) signed permutation: rows are the output's (row, column) axes in the input's. It cannot be written."""
        matrix = np.array(_MATRICES[self])
        matrix.setflags(write=False)
        return matrix

    @cached_property
    def inverse(self) -> Orientation:
        """The class that undoes this one."""
        return _from_matrix(self.matrix.T)

    @cached_property
    def exchanges_axes(self) -> bool:
        """Whether rows become columns, so that size and spacing change places."""
        return bool(self.matrix[0, 0] == 0)

    @cached_property
    def mirrors(self) -> bool:
        """Whether this is a reflection: it changes handedness."""
        return bool(np.linalg.det(self.matrix) < 0)

    @classmethod
    def of(cls, given: int | str) -> Orientation:
        """The class of a number or a short name, as people type it. Raises ValueError, which lists the eight."""
        text = str(int(given)) if isinstance(given, int) else given.strip().lower().replace("_", "-")
        for k in cls:
            if text in (str(int(k)), k.short_name):
                return k
        raise ValueError(f"not {given!r}: it is one of {', '.join(f'{int(k)} {k.short_name}' for k in cls)}")

    @property
    def short_name(self) -> str:
        """The name to type, such as ``flip-vertical``."""
        return self.name.lower().replace("_", "-")

    @property
    def label(self) -> str:
        """The name in words, as panels and reports show it."""
        return _labels()[self]

    def after(self, first: Orientation) -> Orientation:
        """The single operation that does ``first`` and then this one."""
        return _after(self, first)

    def apply(self, array: NDArray[Any], axes: tuple[int, int] = (-2, -1)) -> NDArray[Any]:
        """Turn ``array`` in the plane of ``axes`` = (row axis, column axis).

        Parameters
        ----------
        array:
            Any shape with at least two axes, any type.
        axes:
            The row axis and the column axis.

        Returns
        -------
        A view of ``array`` (no copy, values untouched).
        """
        row, column = axes
        if self.exchanges_axes:
            array = np.swapaxes(array, row, column)
        if not any(self._backwards):
            return array
        part = [slice(None)] * array.ndim
        for axis, backwards in zip(axes, self._backwards, strict=True):
            if backwards:
                part[axis] = slice(None, None, -1)
        return array[tuple(part)]

    @cached_property
    def _backwards(self) -> tuple[bool, bool]:
        """Whether rows and columns are counted from their other end in the output."""
        first, second = self.matrix.sum(axis=1) < 0
        return bool(first), bool(second)

    def apply_to_directions(self, row: ArrayLike, column: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Re-index a frame: the directions of the rows' and columns' growing index afterwards.

        Parameters
        ----------
        row, column:
            (3,) direction of growing row index and of growing column index, in any one
            coordinate system.
        """
        turned = self.matrix @ np.array([row, column], dtype=float)
        return turned[0], turned[1]


_MATRICES: dict[int, tuple[tuple[int, int], tuple[int, int]]] = {
    Orientation.IDENTITY: ((1, 0), (0, 1)),
    Orientation.FLIP_HORIZONTAL: ((1, 0), (0, -1)),
    Orientation.FLIP_VERTICAL: ((-1, 0), (0, 1)),
    Orientation.ROTATE_180: ((-1, 0), (0, -1)),
    Orientation.TRANSPOSE: ((0, 1), (1, 0)),
    Orientation.ROTATE_90: ((0, 1), (-1, 0)),
    Orientation.ROTATE_270: ((0, -1), (1, 0)),
    Orientation.ANTI_TRANSPOSE: ((0, -1), (-1, 0)),
}


def _labels() -> dict[int, str]:
    return {
        Orientation.IDENTITY: _("standard"),
        Orientation.FLIP_HORIZONTAL: _("flipped left to right"),
        Orientation.FLIP_VERTICAL: _("flipped upside down"),
        Orientation.ROTATE_180: _("turned by 180°"),
        Orientation.TRANSPOSE: _("transposed"),
        Orientation.ROTATE_90: _("turned by 90° clockwise"),
        Orientation.ROTATE_270: _("turned by 90° counter-clockwise"),
        Orientation.ANTI_TRANSPOSE: _("transposed over the other diagonal"),
    }


@cache
def _after(second: Orientation, first: Orientation) -> Orientation:
    return _from_matrix(second.matrix @ first.matrix)


def _from_matrix(matrix: NDArray[np.int_]) -> Orientation:
    key = tuple(tuple(int(value) for value in line) for line in matrix)
    return next(Orientation(k) for k, entry in _MATRICES.items() if entry == key)


def header_scores(row: ArrayLike, column: ArrayLike) -> NDArray[np.float64]:
    """How well each class explains a header: (8,) scores r·R + d·D, at most 2 each.

    Parameters
    ----------
    row, column:
        (3,) unit directions of growing row and growing column index, in patient coordinates (LPS).
    """
    # Turning only exchanges the two directions and their signs, which can as well be done with their products.
    given = np.array([row, column], float)
    along = np.array([[one @ STANDARD_ROW_DIRECTION, one @ STANDARD_COLUMN_DIRECTION] for one in given])
    back = _turned_back()
    scores: NDArray[np.float64] = back[:, 1] @ along[:, 1] + back[:, 0] @ along[:, 0]
    return scores


@cache
def _turned_back() -> NDArray[np.float64]:
    """(8, 2, 2) the matrices that turn each class back."""
    return np.array([k.inverse.matrix for k in Orientation], float)


def header_state(row: ArrayLike, column: ArrayLike, slice_direction: ArrayLike | None = None) -> HeaderState:
    """What a header's directions are worth: ``none``, ``other_plane`` or ``known``.

    Parameters
    ----------
    row, column:
        (3,) unit directions of growing row and growing column index (LPS).
    slice_direction:
        (3,) unit direction of growing slice index (LPS), where the header has one of its own.
    """
    directions: Sequence[NDArray[np.float64]] = [np.asarray(v, float) for v in (row, column)]
    if slice_direction is not None:
        directions = [*directions, np.asarray(slice_direction, float)]
    cosines = np.abs(np.array(directions))
    if not np.all(np.isfinite(cosines)):
        return "none"
    if np.all((cosines < _ALIGNED) | (cosines > 1 - _ALIGNED)):
        return "none"
    return "known" if short_axis_cosine(row, column) >= SHORT_AXIS_COSINE else "other_plane"


def short_axis_cosine(row: ArrayLike, column: ArrayLike) -> float:
    """Cosine of the angle between a plane and the mean short-axis plane, 0 to 1.

    Parameters
    ----------
    row, column:
        (3,) directions of growing row and growing column index (LPS).
    """
    normal = np.cross(np.asarray(column, float), np.asarray(row, float))
    standard = np.cross(STANDARD_COLUMN_DIRECTION, STANDARD_ROW_DIRECTION)
    # Both are divided by their lengths: headers are rounded, and R and D not exactly orthonormal.
    return float(abs(normal @ standard) / (np.linalg.norm(normal) * np.linalg.norm(standard) or 1.0))


def header_orientation(row: ArrayLike, column: ArrayLike, pixels: Orientation | None = None) -> Orientation:
    """The class that a ``known`` header claims.

    Parameters
    ----------
    row, column:
        (3,) unit directions of growing row and growing column index (LPS).
    pixels:
        The class of the pixels, where it is known: it is returned where the header's score for it
        is within ``SCORE_TOLERANCE`` of the best.
    """
    scores = header_scores(row, column)
    if pixels is not None and scores[pixels] >= scores.max() - SCORE_TOLERANCE:
        return Orientation(pixels)
    return Orientation(int(scores.argmax()))
