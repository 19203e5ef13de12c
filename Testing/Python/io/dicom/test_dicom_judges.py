"""What others' tools say of a derived series: dciodvfy, dcmtk, SimpleITK, and highdicom's enhanced images."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import dicom_cases as cases
import numpy as np
import parts
import pytest
from pydicom import FileDataset, dcmread
from pydicom.uid import generate_uid

import CMROrientLib as cmr
from CMROrientLib.io.dicom.read import read_dicom
from CMROrientLib.io.dicom.write import write_dicom
from CMROrientLib.orientation import Orientation

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@pytest.fixture
def stack(data_root: Path) -> list[FileDataset]:
    return cases.people(data_root, count=2)


def _errors(path: Path) -> set[str]:
    """The errors of dciodvfy, without the attribute that a broken value was found in."""
    told = subprocess.run([parts.need_program("dciodvfy"), path], capture_output=True, text=True, check=False)
    lines = [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]
    # A reference to a source whose own UID is broken is broken as well.
    return {re.sub(r"- \(0x.*?= <", "<", line) for line in lines}


def _plain(stack: list[FileDataset]) -> FileDataset:
    return stack[0]


def _decorated(stack: list[FileDataset]) -> FileDataset:
    dataset = stack[0]
    dataset.PatientOrientation = ["L", "F"]
    dataset.ShutterShape, dataset.CenterOfCircularShutter, dataset.RadiusOfCircularShutter = "CIRCULAR", [10, 50], 9
    dataset.ShutterPresentationValue = 0
    marks = np.packbits(dataset.pixel_array.ravel() > 100, bitorder="little").tobytes()
    for element, vr, value in [
        *((0x10, "US", cases.ROWS), (0x11, "US", cases.COLUMNS), (0x40, "CS", "G"), (0x50, "SS", [1, 1])),
        *((0x100, "US", 1), (0x102, "US", 0), (0x3000, "OW", marks)),
    ]:
        dataset.add_new((0x6000, element), vr, value)
    icon = cases.item(Rows=8, Columns=8, PixelData=b"\0" * 64)
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", b"SV10")
    return dataset


def _capture(stack: list[FileDataset]) -> FileDataset:
    (picture,) = cases.fresh_series(
        stack[:1], SOPClassUID=cases.SECONDARY_CAPTURE, ImageOrientationPatient=None, ImagePositionPatient=None
    )
    picture.ConversionType, picture.Modality = "WSD", "OT"
    del picture.SliceLocation
    return picture


def _multiframe_capture(stack: list[FileDataset]) -> FileDataset:
    picture = _capture(stack)
    picture.SOPClassUID, picture.NumberOfFrames = cases.MULTIFRAME_WORD_CAPTURE, 2
    cases.put_pixels(picture, np.stack([d.pixel_array for d in stack]).astype(np.uint16))
    return picture


def _legacy_enhanced(stack: list[FileDataset]) -> FileDataset:
    legacy = parts.need_module("highdicom.legacy")
    clean = {"PatientBirthDate": "", "StudyID": "1", "ReferringPhysicianName": "", "PatientName": "A^B"}
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate"):
        clean[keyword] = "20120101"
    fresh = cases.fresh_series(stack, FrameOfReferenceUID=generate_uid(), Laterality="", **clean)
    return legacy.LegacyConvertedEnhancedMRImage(
        fresh,
        series_instance_uid=generate_uid(),
        series_number=3,
        sop_instance_uid=generate_uid(),
        instance_number=1,
    )


def _enhanced(stack: list[FileDataset]) -> FileDataset:
    return cases.enhanced(stack, phases=2)


KINDS: list[Callable[[list[FileDataset]], FileDataset]] = [
    *(_plain, _decorated, _capture, _multiframe_capture, _legacy_enhanced, _enhanced)
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("pixels", "directions"), [(1, 1), (5, 5), (4, 0), (6, 2)])
def test_no_error_that_the_source_did_not_have(
    stack: list[FileDataset],
    tmp_path: Path,
    kind: Callable[[list[FileDataset]], FileDataset],
    pixels: int,
    directions: int,
) -> None:
    path = cases.save(kind(stack), tmp_path / "a.dcm")
    volume = read_dicom([path]).reindexed(Orientation(pixels), Orientation(directions))
    (written,) = write_dicom(volume, tmp_path / "b.dcm")
    assert _errors(written) <= _errors(path)


@pytest.mark.parametrize("syntax", [name for name in cases.LOSSLESS if name != "explicit"])
def test_no_new_error_in_any_transfer_syntax(stack: list[FileDataset], tmp_path: Path, syntax: str) -> None:
    path = cases.save(_decorated(stack), tmp_path / "a.dcm", cases.LOSSLESS[syntax])
    volume = read_dicom([path]).reindexed(Orientation(7), Orientation(7))
    (written,) = write_dicom(volume, tmp_path / "b.dcm")
    assert _errors(written) <= _errors(path)


def test_the_judge_does_find_errors(stack: list[FileDataset], tmp_path: Path) -> None:
    good = cases.save(stack[0], tmp_path / "a.dcm")
    del stack[0].Rows
    stack[0].ImagePositionPatient = [1, 2]
    assert len(_errors(cases.save(stack[0], tmp_path / "b.dcm")) - _errors(good)) >= 2


def _dcmdump(path: Path, keyword: str) -> list[float]:
    command = [parts.need_program("dcmdump"), "+L", "+P", keyword, path]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(value) for value in told.stdout.partition("[")[2].partition("]")[0].split("\\")]


@pytest.mark.parametrize("syntax", cases.LOSSLESS)
@pytest.mark.parametrize("k", [2, 5])
def test_dcmtk_reads_place_and_pixels(stack: list[FileDataset], tmp_path: Path, syntax: str, k: int) -> None:
    path = cases.save(cases.turned(stack[0], k), tmp_path / "a.dcm", cases.LOSSLESS[syntax])
    (written,) = write_dicom(cmr.correct(read_dicom([path]), k), tmp_path / "b.dcm")
    numbers = {
        keyword: _dcmdump(written, keyword)
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
    }
    np.testing.assert_allclose(numbers["ImagePositionPatient"], stack[0].ImagePositionPatient, atol=1e-4)
    np.testing.assert_allclose(numbers["ImageOrientationPatient"], stack[0].ImageOrientationPatient, atol=1e-6)
    np.testing.assert_allclose(numbers["PixelSpacing"], stack[0].PixelSpacing)
    corner = cases.physical(written)(cases.ROWS - 1, cases.COLUMNS - 1)
    direction = np.array(numbers["ImageOrientationPatient"]).reshape(2, 3)
    extent = np.array([(cases.COLUMNS - 1) * numbers["PixelSpacing"][1], (cases.ROWS - 1) * numbers["PixelSpacing"][0]])
    np.testing.assert_allclose(corner, numbers["ImagePositionPatient"] + extent @ direction, atol=1e-4)
    # dcmtk's own decoders bring the pixels into an uncompressed file.
    program = {"RLE": "dcmdrle", "JPEG-LS": "dcmdjpls"}.get(syntax, "dcmdjpeg" if "JPEG l" in syntax else "dcmconv")
    if syntax != "JPEG 2000":  # for which dcmtk has no decoder
        plain = tmp_path / "plain.dcm"
        subprocess.run([parts.need_program(program), "+te", written, plain], check=True, capture_output=True)
        np.testing.assert_array_equal(dcmread(plain).pixel_array, stack[0].pixel_array)


@pytest.mark.parametrize("k", [1, 4, 5])
def test_enhanced_images_of_others_are_read_and_turned(stack: list[FileDataset], tmp_path: Path, k: int) -> None:
    turned = [cases.turned(dataset, k) for dataset in stack]
    path = cases.save(_legacy_enhanced(turned), tmp_path / "a.dcm")
    volume = cmr.read(path)
    (written,) = write_dicom(cmr.correct(volume, k), tmp_path / "b.dcm")
    new = cmr.read(written)
    standard = read_dicom(cases.save_all(stack, tmp_path / "standard"))
    np.testing.assert_array_equal(new.array, standard.array)
    np.testing.assert_allclose(new.grid.affine, standard.grid.affine, atol=1e-4)
