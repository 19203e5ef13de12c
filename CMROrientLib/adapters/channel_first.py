"""Tensors ``[channel, X, Y, Z]`` with an affine in RAS, as MONAI and torchio hold images.

X, Y and Z count as a file's axes do (i, j, k). Several channels are looked at as the phases of a cine
are, and get one decision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..volume import Volume
from .checks import check_kind, check_slices
from .ras import grid_of
from .tensors import turned, values_of


def volume_of(
    tensor: torch.Tensor, affine: NDArray[Any], slice_axis: int | None, what: str, *, lps: bool = False
) -> Volume:
    """A volume from a tensor ``[channel, X, Y, (Z)]`` and its affine. Raises TypeError and ValueError."""
    values = values_of(tensor)
    check_kind(values.dtype, what)
    flat = values.ndim == 3
    stack = (values[..., np.newaxis] if flat else values).transpose(0, 3, 2, 1)
    grid = grid_of((stack.shape[3], stack.shape[2], stack.shape[1]), affine, what, lps=lps)
    volume = Volume.from_stored(
        stack[0] if len(stack) == 1 else stack,
        grid,
        2 if flat and slice_axis is None else slice_axis,
        has_geometry=affine.shape == (4, 4),
    )
    check_slices(volume.array.shape, what)
    return volume


def turned_tensor(tensor: torch.Tensor, volume: Volume) -> torch.Tensor:
    """A copy of ``[channel, X, Y, (Z)]``, turned as the volume that was made of it has been."""
    column, row = volume.in_plane_axes
    return turned(tensor, volume, (1 + volume.slice_axis, 1 + row, 1 + column))
