"""Turning with the pixels what a NIfTI header says of single axes."""

from __future__ import annotations

from ...orientation import Orientation
from ...volume import Volume
from .header import Fields, encoding_axes, set_encoding_axes


def exchange_axes(header: Fields, volume: Volume) -> None:
    """Turn with the pixels what names an axis: frequency, phase and slice encoding, slice timing."""
    first, second = volume.in_plane_axes
    turned = volume.pixels_turned
    # The slice timing counts slices along the axis that dim_info names. Where that is one of the
    # in-plane axes or the slices' own, and it is reversed, the count starts at the other end.
    encoding = encoding_axes(header)
    if turned.exchanges_axes:
        other = {first: second, second: first}
        set_encoding_axes(header, [other.get(axis, axis) if axis is not None else None for axis in encoding])
    timed = encoding_axes(header)[2]
    if timed == volume.slice_axis:
        backwards = volume.slices_reversed
    else:
        backwards = timed in (first, second) and _reverses(turned, 1 if timed == first else 0)
    if timed is not None and backwards:
        last = volume.stored()[0].shape[::-1][timed] - 1
        start, end = int(header["slice_start"]), int(header["slice_end"])
        if end:
            header["slice_start"], header["slice_end"] = last - end, last - start
        header["slice_code"] = {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5}.get(int(header["slice_code"]), header["slice_code"])


def _reverses(turned: Orientation, axis: int) -> bool:
    """Whether the axis (0 rows, 1 columns) of the turned slice runs against the one it came from."""
    return bool(turned.matrix[axis].sum() < 0)
