"""Small pictures of a volume for the report: its middle slice as stored and as corrected."""

from __future__ import annotations

from dataclasses import dataclass

from ..volume import Volume

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
    """

    before: bytes
    after: bytes | None = None


def thumbnails_of(volume: Volume, corrected: Volume | None = None) -> Thumbnails:
    """Pictures of a volume and of what it was corrected to."""
    return Thumbnails(picture(volume), None if corrected is None else picture(corrected))


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
