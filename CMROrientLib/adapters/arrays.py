"""numpy arrays ``[(phase,) slice, row, column]``; with two axes one slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..i18n import _
from ..volume import Grid, Volume
from .checks import check_kind, check_slices


def holds(image: object) -> bool:
    """Whether it is a numpy array."""
    return isinstance(image, np.ndarray)


def to_volume(image: NDArray[Any], spacing: float | Sequence[float] | None, slice_axis: int | None) -> Volume:
    """The array as a volume without a place in the patient."""
    return volume_of(image, spacing, slice_axis)


def from_volume(volume: Volume, given: NDArray[Any]) -> NDArray[Any]:
    """A new array, contiguous in memory, with as many axes as the given one."""
    array, _grid = volume.stored()
    # A copy: torch takes no array with negative steps, and writing into it must not change the input.
    return (array[0] if given.ndim == 2 else array).copy(order="C")


def volume_of(
    array: NDArray[Any], spacing: float | Sequence[float] | None, slice_axis: int | None, what: str = "array"
) -> Volume:
    """A volume from an array of two to four axes. Raises TypeError and ValueError."""
    check_kind(array.dtype, what)
    if array.ndim not in (2, 3, 4):
        said = _("the {what} has {count} axes: give [row, column], [slice, row, column] or [phase, slice, row, column]")
        raise ValueError(said.format(what=what, count=array.ndim))
    if array.ndim == 3 and array.shape[-1] in (3, 4) and min(array.shape[:2]) > 4:
        said = _("the {what} of shape {shape} looks like a colour picture: give grey values [row, column]")
        raise ValueError(said.format(what=what, shape=array.shape))
    steps = _steps(spacing, min(array.ndim, 3), what)
    stack = array[np.newaxis] if array.ndim == 2 else array
    slices, rows, columns = stack.shape[-3:]
    grid = Grid((columns, rows, slices), (steps[2], steps[1], steps[0]))
    volume = Volume.from_stored(stack, grid, 2 if slice_axis is None else slice_axis, has_geometry=False)
    check_slices(volume.array.shape, what)
    return volume


def _steps(spacing: float | Sequence[float] | None, axes: int, what: str) -> tuple[float, float, float]:
    """Distances along slice, row and column axis in mm."""
    given = np.ones(axes) if spacing is None else np.asarray(spacing, float)
    if given.ndim == 0:
        given = np.full(axes, float(given))
    if given.shape != (axes,) or not np.all(np.isfinite(given)) or not np.all(given > 0):
        said = _("the spacing {spacing} does not fit an {what} of {count} axes: give that many lengths in mm")
        raise ValueError(said.format(spacing=spacing, what=what, count=axes))
    between, down, across = (1.0, *given) if axes == 2 else given
    return float(between), float(down), float(across)
