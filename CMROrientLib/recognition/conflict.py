"""The rule for conflicts: what the pixels say is held against what the header says."""

from __future__ import annotations

from ..orientation import Orientation
from ..volume import Volume
from .result import Decision


def hold_against_header(
    volume: Volume, orientation: Orientation, decision: Decision
) -> tuple[Orientation | None, bool, bool]:
    """The header's class, whether it contradicts the pixels, and whether by a mirror."""
    header = volume.header_orientation(orientation)
    if decision == "not_short_axis":
        # The class of what is no short-axis slice means nothing, so nothing contradicts it.
        return header, False, False
    if header is None:
        return None, volume.header_state == "other_plane" and decision in ("standard", "reoriented"), False
    return header, header != orientation, orientation.after(header.inverse).mirrors
