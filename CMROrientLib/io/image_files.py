"""One image on disk, as the finder names it and reader and writer take it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..volume import Grid


@dataclass(frozen=True)
class SeriesPlace:
    """Whose a DICOM series is, and where its slices lie.

    Parameters
    ----------
    patient, study:
        PatientID and StudyInstanceUID, empty where they are not said.
    grid:
        Of its slices sorted along their normal, LPS, mm.
    has_geometry:
        Whether the files say how rows and columns lie in the patient.
    number:
        SeriesNumber and the smallest InstanceNumber: how people find the series in a list. 0 where there is none.
    """

    patient: str
    study: str
    grid: Grid
    has_geometry: bool
    number: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class ImageFiles:
    """One image to be looked at: a file, or the files of one DICOM series.

    Its paths are kept as text: a run holds one of these for each of its images, and a ``Path`` takes several times
    the memory of its text.

    Parameters
    ----------
    path_text:
        The file; for a DICOM series of several files the folder that they share.
    file_texts:
        The files that it is made of.
    kind:
        ``nifti``, ``nrrd``, ``metaimage`` or ``dicom``.
    series:
        The SeriesInstanceUID of a DICOM series.
    left_alone:
        Why it is not an image to correct (a localizer, say); such a source is recorded, never read.
    place:
        Of a DICOM series that can be read: what tells which series belong together.
    """

    path_text: str
    file_texts: tuple[str, ...]
    kind: str
    series: str | None = None
    left_alone: str | None = None
    place: SeriesPlace | None = None

    @property
    def path(self) -> Path:
        """The file or the folder."""
        return Path(self.path_text)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it is made of."""
        return tuple(map(Path, self.file_texts))

    @property
    def is_one_file(self) -> bool:
        """Whether it is made of a single file, which has its name."""
        return self.file_texts == (self.path_text,)
