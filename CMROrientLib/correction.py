"""Correction: which operation the pixels get, which one the direction cosines, and doing it.

The pixels always get the inverse of the recognized class. The direction cosines get the inverse
of a class g that the geometry mode chooses: ``follow`` takes the pixels' class, ``keep`` none,
``auto`` the one that the header claims.

The order of the slices is a choice of its own: kept, or brought to base or apex first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from .orientation import Orientation
from .slice_order import SLICE_ORDERS, FoundOrder
from .volume import Volume

if TYPE_CHECKING:
    from .recognition.result import Recognition

GeometryMode = Literal["auto", "follow", "keep"]
GEOMETRY_MODES: tuple[GeometryMode, ...] = get_args(GeometryMode)

#: The order that slices are brought to; ``keep`` leaves them as they are.
WantedOrder = Literal["keep", "base_first", "apex_first"]
WANTED_ORDERS: tuple[WantedOrder, ...] = ("keep", *SLICE_ORDERS)


@dataclass(frozen=True)
class Correction:
    """What is done to a volume, and to every mask that follows it.

    Parameters
    ----------
    orientation:
        The class p of the stored pixels.
    geometry_class:
        The class g whose inverse re-indexes the direction cosines.
    target:
        The class that the result is stored in, 0 for the standard orientation.
    reverse_slices, reverse_slice_direction:
        Whether the slices, and the direction that they are counted along, are reversed.
    renumber:
        Whether slices that have numbers (DICOM instances) are numbered from the other end.
    """

    orientation: Orientation
    geometry_class: Orientation
    target: Orientation = Orientation.IDENTITY
    reverse_slices: bool = False
    reverse_slice_direction: bool = False
    renumber: bool = False

    @property
    def pixels(self) -> Orientation:
        """The one operation on the pixels."""
        return self.target.after(self.orientation.inverse)

    @property
    def directions(self) -> Orientation:
        """The one operation on the direction cosines."""
        return self.target.after(self.geometry_class.inverse)

    @property
    def changes_nothing(self) -> bool:
        """Whether the file can be copied as it is."""
        in_plane = self.pixels is self.directions is Orientation.IDENTITY
        return in_plane and not (self.reverse_slices or self.reverse_slice_direction or self.renumber)

    @property
    def changes_handedness(self) -> bool:
        """Whether a right-handed grid becomes a left-handed one."""
        return self.directions.mirrors != self.reverse_slice_direction

    def apply(self, volume: Volume) -> Volume:
        """The corrected volume; its array is a view of the given one."""
        return self._reindex(volume, self.pixels, self.directions)

    def undo(self, volume: Volume) -> Volume:
        """The original of a corrected volume: pixels and grid as they were."""
        return self._reindex(volume, self.pixels.inverse, self.directions.inverse)

    def _reindex(self, volume: Volume, pixels: Orientation, directions: Orientation) -> Volume:
        # Reversing slices is its own inverse, and it does not matter whether it comes first.
        return volume.reindexed(
            pixels,
            directions,
            slices=self.reverse_slices,
            slice_direction=self.reverse_slice_direction,
            renumber=self.renumber,
        )


def plan(
    orientation: Orientation | int,
    header_orientation: Orientation | int | None,
    geometry: GeometryMode = "auto",
    target: Orientation | int = Orientation.IDENTITY,
) -> Correction:
    """Decide what happens to pixels and directions.

    Parameters
    ----------
    orientation:
        The class p of the pixels, 0 to 7.
    header_orientation:
        The class h that the header claims, None where it says nothing usable.
    geometry:
        ``auto``: each end is corrected by its own error. ``follow``: voxels keep their place in
        the patient. ``keep``: the directions stay, the anatomy moves.
    target:
        The class of the result.

    Raises
    ------
    ValueError
        Where a class is not 0 to 7 or the mode is unknown.
    """
    p = Orientation(orientation)
    if geometry == "follow":
        g = p
    elif geometry == "keep" or (geometry == "auto" and header_orientation is None):
        g = Orientation.IDENTITY
    elif geometry == "auto" and header_orientation is not None:
        g = Orientation(header_orientation)
    else:
        raise ValueError(f"geometry is one of {', '.join(GEOMETRY_MODES)}, not {geometry!r}")
    return Correction(p, g, Orientation(target))


def with_slice_order(
    correction: Correction,
    volume: Volume,
    found: FoundOrder,
    wanted: WantedOrder,
    geometry: GeometryMode = "auto",
) -> Correction:
    """The correction that also brings the slices to an order; as it is where nobody knows theirs.

    Slices are treated as the plane is: the array is reversed where its own order is not the wanted
    one; the direction goes with it (``follow``), stays (``keep``), or is reversed where the header's
    order is not the wanted one (``auto``; where the header says nothing, it stays). Where every slice
    has a place of its own (DICOM) positions stay, whatever the mode, and numbers change.

    Parameters
    ----------
    volume:
        The image as stored.
    found:
        The order that the pixels show, ``unknown`` where they do not tell.
    wanted:
        ``keep``, or the order of the result.

    Raises
    ------
    ValueError
        Where the wanted order is unknown.
    """
    if wanted not in WANTED_ORDERS:
        raise ValueError(f"the slice order is one of {', '.join(WANTED_ORDERS)}, not {wanted!r}")
    # A slice alone has no order; that of the stack which it may be in is not in its file.
    if wanted == "keep" or found == "unknown" or volume.array.shape[-3] == 1:
        return correction
    reverse, numbered = found != wanted, volume.metadata.numbered
    claimed = volume.header_slice_order
    if geometry == "follow" or numbered:
        directions = reverse
    elif geometry == "keep" or claimed is None:
        directions = False
    else:
        directions = claimed != wanted
    renumber = bool(numbered) and reverse != (numbered < 0)
    return replace(correction, reverse_slices=reverse, reverse_slice_direction=directions, renumber=renumber)


def correction_of(
    volume: Volume,
    result: Recognition | Orientation | int,
    geometry: GeometryMode = "auto",
    target: Orientation | int = Orientation.IDENTITY,
    slice_order: WantedOrder = "keep",
) -> Correction:
    """What brings a volume into standard orientation (or into ``target``), with geometry that fits.

    Parameters
    ----------
    volume:
        The image as stored.
    result:
        What the recognizer said, or the class that the caller decided on. An orientation is acted
        on whatever the recognizer's ``decision`` was: the caller has seen it.
    geometry:
        See ``plan``.
    target:
        The class of the result, 0 to 7.
    slice_order:
        See ``with_slice_order``. Slices stay where the recognizer found no order, or a class was decided on.

    Raises
    ------
    ValueError
        Where a class is not 0 to 7, or the mode or the order is unknown.
    """
    # Not by its type: numpy's whole numbers are no int, and a recognition comes from above.
    recognized: Any = getattr(result, "orientation", result)
    p = Orientation(recognized)
    found: FoundOrder = getattr(result, "slice_order", "unknown")
    correction = plan(p, volume.header_orientation(p), geometry, target)
    return with_slice_order(correction, volume, found, slice_order, geometry)
