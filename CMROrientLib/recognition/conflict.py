"""The rule for conflicts: what the pixels say is held against what the header says."""

from __future__ import annotations

from ..orientation import Orientation, header_orientation
from ..volume import Volume
from .header_plane import HeaderPlane
from .result import Decision


def header_plane(volume: Volume) -> HeaderPlane:
    """What the header of a volume says about its plane."""
    if volume.header_state == "none":
        return HeaderPlane("none", None, None)
    column, row = volume.grid.directions.T[:2]
    return HeaderPlane(volume.header_state, volume.short_axis_cosine, header_orientation(row, column))


def hold_against_header(
    volume: Volume, orientation: Orientation, decision: Decision
) -> tuple[Orientation | None, bool, bool]:
    """The header's class, whether it contradicts the pixels, and whether by a mirror."""
    header = volume.header_orientation(orientation)
    if decision == "not_short_axis":
        # The class of what is no short-axis slice means nothing, so nothing contradicts it.
        return header, False, False
    if header is None:
        return None, volume.header_state == "other_plane", False
    return header, header != orientation, orientation.after(header.inverse).mirrors
