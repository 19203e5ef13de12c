"""What the writer of a derived DICOM series needs of the files that were read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from ...metadata import Metadata


@dataclass(frozen=True, kw_only=True)
class DicomMetadata(Metadata):
    """What the writer needs to make a derived series.

    Parameters
    ----------
    files:
        The source files; they are read again when the derived series is written.
    checksums:
        SHA-256 of each, so that nothing else is written than what was read.
    identities:
        What the new instance UID of each file is made of: its own UID, with the checksum where that
        is missing or not the only one of its kind.
    series:
        What the new series UID is made of.
    places:
        For each file the (phase, slice) of each of its frames in the volume's array.
    numbers:
        InstanceNumber of each file, 0 where it has none.
    numbers_fall:
        Whether these, and the frames of a file, run against the volume's slices.
    complete:
        Whether each slice has as many phases; else the missing ones repeat the one before and belong
        to no file.
    """

    kind: ClassVar[str] = "dicom"

    files: tuple[Path, ...]
    checksums: tuple[str, ...]
    identities: tuple[str, ...]
    series: str
    places: tuple[tuple[tuple[int, int], ...], ...]
    numbers: tuple[int, ...]
    numbers_fall: bool
    complete: bool

    @property
    def numbered(self) -> Literal[-1, 0, 1]:
        """See ``Metadata``."""
        return -1 if self.numbers_fall else 1
