"""Small pictures of a volume for the report, and the large ones to decide by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...volume import Volume
from .views import large_views

#: Longest side of a picture in pixels. Ten thousand pairs of this size stay well under 100 MB.
SIDE = 96


@dataclass(frozen=True)
class Thumbnails:
    """The pictures of one volume, JPEG files in memory.

    Parameters
    ----------
    before:
        The middle slice as stored.
    after:
        The same slice as corrected, None where nothing was corrected.
    views:
        Slices towards both ends and the middle one as stored, squares side by side.
    outlines:
        The outlines of masks over ``views``, a PNG of its size; None where there are none.
    """

    before: bytes
    after: bytes | None = None
    views: bytes | None = None
    outlines: bytes | None = None


def thumbnails_of(volume: Volume, corrected: Volume | None = None, masks: Sequence[Volume] = ()) -> Thumbnails:
    """Pictures of a volume, of what it was corrected to, and of the masks on its grid."""
    views, outlines = large_views(volume, masks)
    return Thumbnails(picture(volume), None if corrected is None else picture(corrected), views, outlines)


def picture(volume: Volume, side: int = SIDE) -> bytes:
    """The middle slice (of a cine's first phase) as a grey JPEG, in true proportions.

    Parameters
    ----------
    volume:
        Any volume; values that are not finite show black, a slice without contrast shows grey, and
        an image whose small values are bright (MONOCHROME1, a falling slope) is shown so.
    side:
        Longest side of the picture in pixels; pictures are never enlarged beyond it.
    """
    return volume.preview().jpeg(side)
