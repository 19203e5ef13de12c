"""torch tensors ``[(phase,) slice, row, column]``; with two axes one slice. Type, device and gradients stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from ..volume import Volume
from .arrays import volume_of


def holds(image: object) -> bool:
    """Whether it is a torch tensor."""
    return isinstance(image, torch.Tensor)


def to_volume(image: torch.Tensor, spacing: float | Sequence[float] | None, slice_axis: int | None) -> Volume:
    """The tensor as a volume without a place in the patient."""
    return volume_of(values_of(image), spacing, slice_axis, "tensor")


def from_volume(volume: Volume, given: torch.Tensor) -> torch.Tensor:
    """A new tensor with as many axes as the given one."""
    # A slice's two axes are the last two whatever its number of axes.
    column, row = volume.in_plane_axes
    return turned(given, volume, (-1 - volume.slice_axis, -1 - row, -1 - column))


def turned(tensor: torch.Tensor, volume: Volume, axes: tuple[int, int, int]) -> torch.Tensor:
    """A copy of a volume's tensor, turned as the volume has been.

    Parameters
    ----------
    axes:
        The tensor's axes of slices, rows and columns.
    """
    by, (slices, row, column) = volume.pixels_turned, axes
    result = tensor.transpose(row, column) if by.exchanges_axes else tensor
    reversed_axes = [axis for axis, signs in zip((row, column), by.matrix, strict=True) if signs.sum() < 0]
    if volume.slices_reversed:
        reversed_axes.append(slices)
    return result.flip(reversed_axes) if reversed_axes else result.clone(memory_format=torch.contiguous_format)


def values_of(tensor: torch.Tensor) -> NDArray[Any]:
    """The values for numpy, on the CPU; bfloat16, which numpy lacks, as float32."""
    values = tensor.detach().cpu()
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()
