"""Correcting any image, and undoing it: what a caller gives comes back as the same type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..correction import GeometryMode, WantedOrder, correction_of
from ..i18n import _
from ..orientation import Orientation
from .images import Image, ImageT, from_volume, to_volume

if TYPE_CHECKING:
    from ..recognition.result import Recognition


def correct(
    image: ImageT,
    result: Recognition | Orientation | int,
    geometry: GeometryMode = "auto",
    target: Orientation | int = Orientation.IDENTITY,
    slice_order: WantedOrder = "keep",
    *,
    slice_axis: int | None = None,
) -> ImageT:
    """The image in standard orientation (or in ``target``), with geometry that fits.

    Parameters
    ----------
    image:
        The image as stored, of any type that ``Recognizer.recognize`` takes, or a label map that belongs
        to it; it is not changed. Values and their type stay bit for bit. Arrays have no geometry: where
        rows and columns change places, so do the caller's spacings.
    result:
        What the recognizer said, or the class that the caller decided on. An orientation is acted
        on whatever the recognizer's ``decision`` was: the caller has seen it.
    geometry:
        See ``plan``.
    target:
        The class of the result, 0 to 7.
    slice_order:
        ``base_first`` or ``apex_first`` reverses the slices where the recognizer found the other
        order. They stay where it found none, or a class was decided on.
    slice_axis:
        See ``Recognizer.recognize``.

    Returns
    -------
    A new image of the same type, with the same axes: a ``Volume`` shares the values of the given one,
    any other image has its own.

    Raises
    ------
    TypeError
        For what is no image.
    ValueError
        Where a class is not 0 to 7, the mode or the order is unknown, or the image's axes do not fit.
    """
    volume = to_volume(image, slice_axis=slice_axis)
    return from_volume(correction_of(volume, result, geometry, target, slice_order).apply(volume), image)


def undo(
    image: ImageT,
    original: Image,
    result: Recognition | Orientation | int,
    geometry: GeometryMode = "auto",
    target: Orientation | int = Orientation.IDENTITY,
    slice_order: WantedOrder = "keep",
    *,
    slice_axis: int | None = None,
) -> ImageT:
    """The way back: a corrected image, or what was segmented on it, as the original is stored.

    Parameters
    ----------
    image:
        An image on the grid of what ``correct`` gave; it is not changed.
    original:
        What ``correct`` was given: its geometry says how the directions were turned.
    result, geometry, target, slice_order, slice_axis:
        As given to ``correct``.

    Raises
    ------
    TypeError, ValueError
        As ``correct`` does, and where the image is not on the corrected grid.
    """
    stored = to_volume(original, slice_axis=slice_axis)
    correction = correction_of(stored, result, geometry, target, slice_order)
    volume = to_volume(image, slice_axis=stored.slice_axis if slice_axis is None else slice_axis)
    expected = correction.apply(stored).array.shape[-3:]
    if volume.array.shape[-3:] != expected:
        said = _(
            "the image has {given} voxels (slices, rows, columns), the corrected one has {expected}: "
            "give an image on the corrected grid"
        )
        given, wanted = (" × ".join(map(str, shape)) for shape in (volume.array.shape[-3:], expected))
        raise ValueError(said.format(given=given, expected=wanted))
    return from_volume(correction.undo(volume), image)
