"""What the sidecar of an image says of its axes, after they were turned.

Sources: https://bids-specification.readthedocs.io/en/stable/modality-specific-files/magnetic-resonance-imaging-data.html
and, for the names that end in DICOM, https://github.com/rordenlab/dcm2niix/tree/master/BIDS
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ...correction import Correction
from ...volume import Grid, Volume
from ..record import Record

#: Names whose values are an axis of the stored array, "i", "j" or "k", with "-" against growing indices.
_DIRECTIONS = ("PhaseEncodingDirection", "SliceEncodingDirection")
#: The same without a sign.
_AXES = ("PhaseEncodingAxis",)
#: The directions of growing column and of growing row index (LPS), as a DICOM file of the image would have them.
_FRAME = "ImageOrientationPatientDICOM"
#: The axis of the phase encoding among these two.
_IN_PLANE = "InPlanePhaseEncodingDirectionDICOM"
_EXCHANGED = {"ROW": "COL", "COL": "ROW"}
#: Cosines of axes that are the same, to the digits that sidecars are written with.
_SAME_AXIS = 0.999

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
    if record.action is not None and record.action.grid is not None:
        frame = _turned_frame(told.get(_FRAME), record.image.grid, record.action.grid)
        changed.update({} if frame is None else {_FRAME: frame})
    if correction.pixels.exchanges_axes and told.get(_IN_PLANE) in _EXCHANGED:
        changed[_IN_PLANE] = _EXCHANGED[str(told[_IN_PLANE])]
    return changed


def _turned_frame(told: object, before: Grid, after: Grid) -> list[float] | None:
    """The two directions on the new grid; None where they do not lie along axes of the old one, or stay."""
    try:
        directions: NDArray[np.float64] = np.array(told, float).reshape(2, 3)
    except (TypeError, ValueError):
        return None
    # dcm2niix turns rows over, other programs reorder axes: each direction is some axis, or against it.
    cosines = directions @ before.directions
    axes = np.abs(cosines).argmax(axis=1)
    if axes[0] == axes[1] or not all(abs(cosines[n, axis]) > _SAME_AXIS for n, axis in enumerate(axes)):
        return None
    if np.allclose(before.directions, after.directions, atol=1e-6):
        return None
    signs = np.sign(cosines[[0, 1], axes])
    turned = (signs * after.directions[:, axes]).T
    return [round(float(cosine), 6) + 0.0 for cosine in turned.ravel()]


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
