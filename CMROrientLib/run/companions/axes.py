"""What the sidecar of an image says of its axes, after they were turned.

Source: https://bids-specification.readthedocs.io/en/stable/modality-specific-files/magnetic-resonance-imaging-data.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ...correction import Correction
from ...volume import Grid, Volume
from ..record import Record

#: Names whose values are an axis of the stored array, "i", "j" or "k", with "-" against growing indices.
_DIRECTIONS = ("PhaseEncodingDirection", "SliceEncodingDirection")
#: The same without a sign.
_AXES = ("PhaseEncodingAxis",)

_VALUE = re.compile(r"([ijk])(-?)")


def turned_sidecar(told: Mapping[str, object], record: Record) -> dict[str, object]:
    """A sidecar with the axes that its image has after the correction; all else is as it was."""
    changed = dict(told)
    correction = record.correction
    if correction is None or record.image is None:
        return changed
    if "SliceTiming" in told and correction.reverse_slices:
        # Without it the times are those of growing indices.
        changed.setdefault("SliceEncodingDirection", "ijk"[record.image.slice_axis])
    for key in (*_DIRECTIONS, *_AXES):
        found = _VALUE.fullmatch(str(changed.get(key)))
        if found is not None:
            axis, backwards = turned_axis(correction, record.image.grid, record.image.slice_axis, "ijk".index(found[1]))
            sign = "-" if (found[2] == "-") != backwards and key not in _AXES else ""
            changed[key] = "ijk"[axis] + sign
    return changed


def turned_axis(correction: Correction, grid: Grid, slice_axis: int, axis: int) -> tuple[int, bool]:
    """Which axis of the file an axis becomes, and whether it runs the other way then."""
    shape = [1, 1, 1]
    shape[2 - axis] = grid.size[axis]
    # Each voxel holds its own index along the axis; no memory is taken for the others.
    indices = np.broadcast_to(np.arange(grid.size[axis]).reshape(shape), grid.size[::-1])
    turned = correction.apply(Volume.from_stored(indices, grid, slice_axis)).stored()[0]
    corner = int(turned[0, 0, 0])
    for place in range(3):
        step = int(turned[tuple(-1 if n == place else 0 for n in range(3))]) - corner
        if step:
            return 2 - place, step < 0
    return axis, False
