"""Correction: which operation the pixels get, which one the direction cosines, and doing it.

The pixels always get the inverse of the recognized class. The direction cosines get the inverse
of a class g that the geometry mode chooses: ``follow`` takes the pixels' class, ``keep`` none,
``auto`` the one that the header claims.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from .orientation import Orientation
from .volume import Volume

if TYPE_CHECKING:
    from .recognition.result import Recognition

GeometryMode = Literal["auto", "follow", "keep"]
GEOMETRY_MODES: tuple[GeometryMode, ...] = get_args(GeometryMode)


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
    """

    orientation: Orientation
    geometry_class: Orientation
    target: Orientation = Orientation.IDENTITY

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
        return self.pixels is self.directions is Orientation.IDENTITY

    @property
    def changes_handedness(self) -> bool:
        """Whether a right-handed grid becomes a left-handed one."""
        return self.directions.mirrors

    def apply(self, volume: Volume) -> Volume:
        """The corrected volume; its array is a view of the given one."""
        return volume.reindexed(self.pixels, self.directions)

    def undo(self, volume: Volume) -> Volume:
        """The original of a corrected volume: pixels and grid as they were."""
        return volume.reindexed(self.pixels.inverse, self.directions.inverse)


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


def correct(
    volume: Volume,
    result: Recognition | Orientation | int,
    geometry: GeometryMode = "auto",
    target: Orientation | int = Orientation.IDENTITY,
) -> Volume:
    """The volume in standard orientation (or in ``target``), with geometry that fits.

    Parameters
    ----------
    volume:
        The image as stored; it is not changed.
    result:
        What the recognizer said, or the class that the caller decided on. An orientation is acted
        on whatever the recognizer's ``decision`` was: the caller has seen it.
    geometry:
        See ``plan``.
    target:
        The class of the result, 0 to 7.

    Raises
    ------
    ValueError
        Where a class is not 0 to 7 or the mode is unknown.
    """
    # Not by its type: numpy's whole numbers are no int, and a recognition comes from above.
    recognized: Any = getattr(result, "orientation", result)
    p = Orientation(recognized)
    return plan(p, volume.header_orientation(p), geometry, target).apply(volume)
