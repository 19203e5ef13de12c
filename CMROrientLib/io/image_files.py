"""One image on disk, as the finder names it and reader and writer take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ImageFiles:
    """One image to be looked at: a file, or the files of one DICOM series.

    Parameters
    ----------
    path:
        The file; for a DICOM series of several files the folder that they share.
    files:
        The files that it is made of.
    kind:
        ``nifti``, ``nrrd``, ``metaimage`` or ``dicom``.
    series:
        The SeriesInstanceUID of a DICOM series.
    left_alone:
        Why it is not an image to correct (a localizer, say); such a source is recorded, never read.
    """

    path: Path
    files: tuple[Path, ...]
    kind: str
    series: str | None = None
    left_alone: str | None = None
