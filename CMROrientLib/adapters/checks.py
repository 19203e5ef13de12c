"""What every adapter asks of an image before it becomes a volume."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..i18n import _


def check_kind(dtype: np.dtype[np.generic], what: str) -> None:
    """Raise TypeError where values are no real numbers."""
    if dtype.kind not in "biuf":
        said = _("the {what} holds values of the type {dtype}, not grey values: give one real number a voxel")
        if dtype.kind == "c":
            said = _("the {what} holds complex values ({dtype}): give their magnitude")
        raise TypeError(said.format(what=what, dtype=dtype))


def check_slices(shape: Sequence[int], what: str) -> None:
    """Raise ValueError where there is no slice of at least 2 × 2 pixels.

    Parameters
    ----------
    shape:
        Of an array ``[(phase,) slice, row, column]``.
    """
    if 0 in shape:
        raise ValueError(_("the {what} is empty").format(what=what))
    if min(shape[-2:]) < 2:
        said = _("the {what} has slices of {rows} × {columns} pixels: give another 'slice_axis', or other axes")
        raise ValueError(said.format(what=what, rows=shape[-2], columns=shape[-1]))


def no_spacing(spacing: object, what: str) -> None:
    """Raise ValueError where a spacing is given for an image that has one."""
    if spacing is not None:
        raise ValueError(_("a {what} has a spacing of its own: leave out 'spacing'").format(what=what))
