"""Slicer's DICOM database, and its own way to take files in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import slicer

if TYPE_CHECKING:
    from CMROrientLib.mrml.dicom_database import DicomDatabase


def database() -> DicomDatabase | None:
    """The database; None where the DICOM module has not set it up, or this Slicer was built without it."""
    found: DicomDatabase | None = vars(slicer).get("dicomDatabase")
    return found


def take_copies(folder: Path) -> None:
    """Have the database copy the files of a folder, and list them; it ends when that is done."""
    from DICOMLib import DICOMUtils

    DICOMUtils.importDicom(str(folder), database(), True)
