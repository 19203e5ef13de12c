"""Volumes and cines that come from a DICOM database, as Slicer's DICOM plugins put them into the scene."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dicom_cases as cases
import numpy as np
import pytest
from pydicom import FileDataset, dcmread
from slicer_host import add_cine, add_volume, slicer

from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.volume import Grid, Volume


@pytest.fixture(name="database")
def opened_database(tmp_path: Path) -> Iterator[Any]:
    """An empty database that is Slicer's, as after its DICOM module was opened."""
    import ctk

    (tmp_path / "database").mkdir()
    opened = ctk.ctkDICOMDatabase()
    opened.openDatabase(str(tmp_path / "database" / "ctkDICOM.sql"))
    slicer.dicomDatabase = opened
    yield opened
    if opened.isOpen:
        opened.closeDatabase()
    del slicer.dicomDatabase


def imported(database: Any, folder: Path) -> None:
    """Have the database list the files where they lie."""
    from DICOMLib import DICOMUtils

    assert DICOMUtils.importDicom(str(folder), database, False)


def by_source(database: Any, series: str) -> dict[str, Any]:
    """The files of a derived series by the instance that each says it comes from."""
    datasets = [dcmread(path) for path in database.filesForSeries(series)]
    return {str(dataset.SourceImageSequence[0].ReferencedSOPInstanceUID): dataset for dataset in datasets}


def judge(database: Any, saved: Any, sources: list[Path], k: int) -> None:
    """Each source has its derived file: pixels turned back bit for bit, another identity, the same person."""
    derived = by_source(database, saved.series)
    assert len(derived) == saved.files == len(sources)
    for path in sources:
        source = dcmread(path)
        made = derived[str(source.SOPInstanceUID)]
        expected = cases.TURNS[cases.UNDONE_BY[k]](source.pixel_array)
        assert np.array_equal(made.pixel_array, expected)
        assert made.StudyInstanceUID == source.StudyInstanceUID and made.PatientID == source.PatientID
        assert made.SeriesInstanceUID != source.SeriesInstanceUID and made.Modality == "MR"
        assert made.SOPInstanceUID != source.SOPInstanceUID
        assert made.ImageType[0] == "DERIVED" and saved.description == made.SeriesDescription


def load_stack(paths: Sequence[Path], name: str = "SAX") -> Any:
    """As DICOMScalarVolumePlugin: slices along the normal, the instances in their order, right-handed."""
    headers = sorted((dcmread(path) for path in paths), key=_height)
    return _noted(add_volume(right_handed(_volume(headers)).volume, name), headers)


def load_cine(paths: Sequence[Path], name: str = "cine") -> tuple[Any, Any, Any]:
    """(proxy, sequence, browser), as DICOMImageSequencePlugin: a frame for each file, with its instance."""
    headers = sorted((dcmread(path) for path in paths), key=lambda header: header.InstanceNumber)
    frames = [_volume([header]) for header in headers]
    cine = Volume(np.stack([frame.array for frame in frames]), frames[0].grid, 2)
    proxy, sequence, browser = add_cine(cine, name)
    for index, header in enumerate(headers):
        sequence.GetNthDataNode(index).SetAttribute("DICOM.instanceUIDs", str(header.SOPInstanceUID))
    slicer.modules.sequences.logic().UpdateProxyNodesFromSequences(browser)
    return proxy, sequence, browser


def turned_files(data_root: Path, folder: Path, k: int, count: int = 4) -> list[Path]:
    """A real series, stored in class ``k`` with a true header."""
    return cases.save_all([cases.turned(dataset, k) for dataset in cases.people(data_root, count=count)], folder)


def _height(header: FileDataset) -> float:
    directions = np.array(header.ImageOrientationPatient, float).reshape(2, 3)
    return float(np.cross(*directions) @ np.array(header.ImagePositionPatient, float))


def _volume(headers: Sequence[FileDataset]) -> Volume:
    """What ITK makes of sorted files: slope applied, in its own words about the place."""
    first, last = headers[0], headers[-1]
    rows, columns = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    along = np.subtract(np.array(last.ImagePositionPatient, float), np.array(first.ImagePositionPatient, float))
    step = float(np.linalg.norm(along)) / (len(headers) - 1) if len(headers) > 1 else float(first.SliceThickness)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = rows * float(first.PixelSpacing[1]), columns * float(first.PixelSpacing[0])
    affine[:3, 2] = np.cross(rows, columns) * step
    affine[:3, 3] = np.array(first.ImagePositionPatient, float)
    array = np.stack([header.pixel_array * float(header.get("RescaleSlope", 1)) for header in headers])
    return Volume(array.astype(np.float32), Grid.from_affine((first.Columns, first.Rows, len(headers)), affine), 2)


def _noted(node: Any, headers: Sequence[FileDataset]) -> Any:
    node.SetAttribute("DICOM.instanceUIDs", " ".join(str(header.SOPInstanceUID) for header in headers))
    return node
