"""A DICOM database as Slicer's, small: ctkDICOMDatabase and ctkDICOMIndexer on SQLite, and DICOMUtils.importDicom.

Methods have CTK's names and give what CTK gives: paths of files that it knows, an empty string for what it does not
know. A copied file goes into the database's folder under its study, series and instance, as CTK puts it.
"""

from __future__ import annotations

import logging
import shutil
import sqlite3
import sys
import traceback
import types
from pathlib import Path

_TABLE = "create table if not exists Images (Instance text primary key, Series text, Study text, Path text)"


class ctkDICOMDatabase:
    """What Slicer has as ``slicer.dicomDatabase``."""

    def __init__(self) -> None:
        self._connection: sqlite3.Connection | None = None
        self._folder = Path()

    @property
    def isOpen(self) -> bool:
        return self._connection is not None

    def openDatabase(self, file: str) -> bool:
        self._folder = Path(file).parent
        self._connection = sqlite3.connect(file)
        self._connection.execute(_TABLE)
        return True

    def closeDatabase(self) -> None:
        self._rows("select 1")
        self._connection.close()
        self._connection = None

    def fileForInstance(self, instance: str) -> str:
        return self._first("select Path from Images where Instance = ?", instance)

    def instanceForFile(self, file: str) -> str:
        return self._first("select Instance from Images where Path = ?", str(file))

    def filesForSeries(self, series: str) -> tuple[str, ...]:
        return tuple(path for (path,) in self._rows("select Path from Images where Series = ?", series))

    def fileValue(self, file: str, tag: str) -> str:
        from pydicom import dcmread

        group, element = (int(part, 16) for part in tag.split(","))
        found = dcmread(file, stop_before_pixels=True).get((group, element))
        return "" if found is None else str(found.value)

    def removeSeries(self, series: str) -> bool:
        own = [Path(path) for path in self.filesForSeries(series) if self._folder in Path(path).parents]
        for path in own:
            path.unlink(missing_ok=True)
        self._rows("delete from Images where Series = ?", series)
        return True

    def insert(self, file: Path, copy: bool) -> None:
        from pydicom import dcmread
        from pydicom.errors import InvalidDicomError

        try:
            header = dcmread(file, stop_before_pixels=True)
        except InvalidDicomError:
            return
        instance, series, study = header.SOPInstanceUID, header.SeriesInstanceUID, header.StudyInstanceUID
        if copy:
            kept = self._folder / "dicom" / study / series / instance
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, kept)
            file = kept
        self._rows("insert or replace into Images values (?, ?, ?, ?)", instance, series, study, str(file))

    def _first(self, command: str, *values: str) -> str:
        rows = self._rows(command, *values)
        return rows[0][0] if rows else ""

    def _rows(self, command: str, *values: str) -> list[tuple[str, ...]]:
        if self._connection is None:
            raise RuntimeError("the database is not open")
        with self._connection:
            return self._connection.execute(command, values).fetchall()


class ctkDICOMIndexer:
    """Takes folders into a database."""

    def addDirectory(self, database: ctkDICOMDatabase, folder: str, copy: bool = False) -> None:
        if not isinstance(folder, str):
            raise ValueError(f"PythonQt takes a string as a folder, not {folder!r}")
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file():
                database.insert(path, copy)

    def waitForImportFinished(self) -> None: ...


def importDicom(dicomDataDir: str, dicomDatabase: ctkDICOMDatabase | None = None, copyFiles: bool = False) -> bool:
    """``DICOMLib.DICOMUtils.importDicom``: what goes wrong is printed, and False."""
    import ctk
    import slicer

    try:
        indexer = ctk.ctkDICOMIndexer()
        indexer.addDirectory(dicomDatabase or slicer.dicomDatabase, dicomDataDir, copyFiles)
        indexer.waitForImportFinished()
    except Exception:
        traceback.print_exc()
        logging.error("Failed to import DICOM folder %s", dicomDataDir)
        return False
    return True


def install(ctk: types.ModuleType) -> None:
    """Put the classes and ``DICOMLib`` under their real names; the database itself comes with the DICOM module."""
    ctk.ctkDICOMDatabase, ctk.ctkDICOMIndexer = ctkDICOMDatabase, ctkDICOMIndexer
    utilities = types.ModuleType("DICOMLib.DICOMUtils")
    utilities.importDicom = importDicom
    library = types.ModuleType("DICOMLib")
    library.DICOMUtils = utilities
    sys.modules["DICOMLib"], sys.modules["DICOMLib.DICOMUtils"] = library, utilities
