"""Every attribute that belongs to rows and columns turns with them; what cannot is taken out and named.

The judge draws what an attribute describes into a picture, turns the picture with numpy, and asks
whether the turned attribute describes the turned picture.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import dicom_cases as cases
import numpy as np
import pytest
from pydicom import FileDataset, config, dcmread
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from CMROrientLib.io.dicom.read import read_dicom
from CMROrientLib.io.dicom.write import write_dicom
from CMROrientLib.orientation import Orientation

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")

TURNED = list(Orientation)[1:]
Corrector = Callable[..., FileDataset]


@pytest.fixture
def dataset(data_root: Path) -> FileDataset:
    return cases.people(data_root, count=1)[0]


@pytest.fixture
def turn(tmp_path: Path) -> Corrector:
    """Save, read, turn, write, read back with pydicom."""

    def turned(dataset: FileDataset, pixels: int, directions: int | None = None, syntax: str = "explicit"):
        path = cases.save(dataset, tmp_path / "in.dcm", cases.LOSSLESS[syntax])
        g = pixels if directions is None else directions
        volume = read_dicom([path]).reindexed(Orientation(pixels), Orientation(g))
        (written,) = write_dicom(volume, tmp_path / "out.dcm")
        return dcmread(written)

    return turned


def _rectangle(upper: int, lower: int, left: int, right: int, shape: tuple[int, int]) -> np.ndarray:
    """Pixels counted from 1, both edges within."""
    picture = np.zeros(shape, bool)
    picture[upper - 1 : lower, left - 1 : right] = True
    return picture


def _points(values: Any, shape: tuple[int, int]) -> np.ndarray:
    picture = np.zeros(shape, bool)
    for row, column in np.array(values, int).reshape(-1, 2):
        picture[row - 1, column - 1] = True
    return picture


@pytest.mark.parametrize("k", TURNED)
def test_raster(dataset: FileDataset, turn: Corrector, k: Orientation) -> None:
    dataset.AcquisitionMatrix = [0, 224, 160, 0]
    dataset.InPlanePhaseEncodingDirection = "COL"
    dataset.ImagerPixelSpacing = [0.5, 0.25]
    dataset.NominalScannedPixelSpacing = [0.125, 0.25]
    dataset.PixelAspectRatio = [4, 3]
    dataset.FieldOfViewDimensions = [300, 200]
    new = turn(dataset, k)
    exchanged = k >= 4

    def expected(first: Any, second: Any) -> list:
        return [second, first] if exchanged else [first, second]

    assert [new.Rows, new.Columns] == expected(cases.ROWS, cases.COLUMNS)
    assert list(new.PixelSpacing) == expected(*dataset.PixelSpacing)
    assert list(new.ImagerPixelSpacing) == expected(0.5, 0.25)
    assert list(new.NominalScannedPixelSpacing) == expected(0.125, 0.25)
    assert list(new.PixelAspectRatio) == expected(4, 3)
    assert list(new.FieldOfViewDimensions) == expected(300, 200)
    assert new.AcquisitionMatrix == ([224, 0, 0, 160] if exchanged else [0, 224, 160, 0])
    assert new.InPlanePhaseEncodingDirection == ("ROW" if exchanged else "COL")
    # What has nothing to do with the raster stays.
    for keyword in ("EchoTime", "FlipAngle", "SliceThickness", "SliceLocation", "PatientPosition", "WindowCenter"):
        assert new[keyword].value == dataset[keyword].value


@pytest.mark.parametrize("k", TURNED)
def test_phase_encoding_turns_there_and_back(dataset: FileDataset, turn: Corrector, k: Orientation) -> None:
    dataset.InPlanePhaseEncodingDirection = "ROW"
    new = turn(dataset, k)
    assert new.InPlanePhaseEncodingDirection == ("COL" if k >= 4 else "ROW")
    new.file_meta = dataset.file_meta
    assert turn(new, cases.UNDONE_BY[k]).InPlanePhaseEncodingDirection == "ROW"


@pytest.mark.parametrize("k", TURNED)
def test_patient_orientation_follows_the_directions(dataset: FileDataset, turn: Corrector, k: Orientation) -> None:
    axes = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
    # Directions in which the letters are exact, and a second letter that is just carried along.
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    dataset.PatientOrientation = ["LP", "F"]
    new = turn(dataset, 1, k)
    said = [axes[word[0]] for word in new.PatientOrientation]
    np.testing.assert_allclose(np.ravel(said), new.ImageOrientationPatient)
    assert all(word in ("LP", "RA", "F", "H") for word in new.PatientOrientation)


def test_patient_orientation_in_other_words_is_emptied_and_named(dataset: FileDataset, turn: Corrector) -> None:
    dataset.PatientOrientation = ["LE", "V"]
    new = turn(dataset, 1)
    assert not new.PatientOrientation and "PatientOrientation" in new.DerivationDescription


@pytest.mark.parametrize("k", TURNED)
def test_rectangles(dataset: FileDataset, turn: Corrector, k: Orientation) -> None:
    shape = (cases.ROWS, cases.COLUMNS)
    edges = {"UpperHorizontalEdge": 3, "LowerHorizontalEdge": 40, "LeftVerticalEdge": 11, "RightVerticalEdge": 17}
    for kind in ("Shutter", "Collimator"):
        setattr(dataset, f"{kind}Shape", "RECTANGULAR")
        for name, value in edges.items():
            setattr(dataset, kind + name, value)
    area = cases.item(
        DisplayedAreaTopLeftHandCorner=[11, 3],
        DisplayedAreaBottomRightHandCorner=[17, 40],
        PresentationPixelSpacing=[2, 1],
    )
    dataset.DisplayedAreaSelectionSequence = [area]
    new = turn(dataset, k)
    expected = cases.TURNS[k](_rectangle(*edges.values(), shape))
    for kind in ("Shutter", "Collimator"):
        found = [int(new[kind + name].value) for name in edges]
        np.testing.assert_array_equal(_rectangle(*found, expected.shape), expected)
    area = new.DisplayedAreaSelectionSequence[0]
    (left, upper), (right, lower) = area.DisplayedAreaTopLeftHandCorner, area.DisplayedAreaBottomRightHandCorner
    np.testing.assert_array_equal(_rectangle(upper, lower, left, right, expected.shape), expected)
    assert area.PresentationPixelSpacing == ([1, 2] if k >= 4 else [2, 1])


@pytest.mark.parametrize("k", TURNED)
def test_circles_and_polygons(dataset: FileDataset, turn: Corrector, k: Orientation) -> None:
    shape = (cases.ROWS, cases.COLUMNS)
    dataset.ShutterShape = ["CIRCULAR", "POLYGONAL"]
    dataset.CenterOfCircularShutter, dataset.RadiusOfCircularShutter = [10, 50], 12
    dataset.VerticesOfThePolygonalShutter = [1, 1, 1, 20, 30, 20, 72, 56]
    new = turn(dataset, k)
    for keyword in ("CenterOfCircularShutter", "VerticesOfThePolygonalShutter"):
        expected = cases.TURNS[k](_points(dataset[keyword].value, shape))
        np.testing.assert_array_equal(_points(new[keyword].value, expected.shape), expected)
    assert new.RadiusOfCircularShutter == 12


@pytest.mark.parametrize("k", TURNED)
def test_half_open_shutter(dataset: FileDataset, turn: Corrector, k: Orientation) -> None:
    dataset.ShutterShape, dataset.ShutterLeftVerticalEdge = "RECTANGULAR", 11
    new = turn(dataset, k)
    where = {
        "ShutterLeftVerticalEdge": (0, 11, 3),
        "ShutterRightVerticalEdge": (0, 46, 1),
        "ShutterUpperHorizontalEdge": (0, 11, 4),
        "ShutterLowerHorizontalEdge": (0, 46, 7),
    }
    found = [keyword for keyword in where if keyword in new]
    opposite = {1: "Right", 2: "Left", 3: "Right", 4: "Upper", 5: "Upper", 6: "Lower", 7: "Lower"}
    assert len(found) == 1 and opposite[k] in found[0]
    assert new[found[0]].value == (46 if opposite[k] in ("Right", "Lower") else 11)


def _overlay(dataset: FileDataset, picture: np.ndarray, origin: tuple[int, int], group: int = 0x6000) -> None:
    for element, vr, value in [
        (0x0010, "US", picture.shape[-2]),
        (0x0011, "US", picture.shape[-1]),
        (0x0040, "CS", "G"),
        (0x0050, "SS", list(origin)),
        (0x0100, "US", 1),
        (0x0102, "US", 0),
    ]:
        dataset.add_new((group, element), vr, value)
    data = np.packbits(picture.ravel(), bitorder="little").tobytes()
    dataset.add_new((group, 0x3000), "OW", data + b"\0" * (len(data) % 2))
    if picture.ndim == 3:
        dataset.add_new((group, 0x0015), "IS", picture.shape[0])


@pytest.mark.parametrize("syntax", ["explicit", "implicit", "big endian"])
@pytest.mark.parametrize("k", TURNED)
def test_overlays(dataset: FileDataset, turn: Corrector, k: Orientation, syntax: str) -> None:
    whole = dataset.pixel_array > 100
    part = np.random.default_rng(0).random((13, 9)) > 0.5
    _overlay(dataset, whole, (1, 1))
    _overlay(dataset, part, (5, 21), 0x6004)
    new = turn(dataset, k, syntax=syntax)
    np.testing.assert_array_equal(new.overlay_array(0x6000), cases.TURNS[k](whole))
    assert new[0x6000, 0x0050].value == [1, 1]
    canvas = np.zeros(whole.shape, int)
    canvas[4 : 4 + 13, 20 : 20 + 9] = part + 1
    expected = cases.TURNS[k](canvas)
    row, column = (value - 1 for value in new[0x6004, 0x0050].value)
    found = np.zeros(expected.shape, int)
    turned = new.overlay_array(0x6004)
    found[row : row + turned.shape[0], column : column + turned.shape[1]] = turned + 1
    np.testing.assert_array_equal(found, expected)


def test_overlay_of_several_frames(dataset: FileDataset, turn: Corrector) -> None:
    pictures = np.random.default_rng(1).random((3, 7, 5)) > 0.5
    _overlay(dataset, pictures, (2, 2))
    new = turn(dataset, 5)
    bits = np.unpackbits(np.frombuffer(new[0x6000, 0x3000].value, np.uint8), bitorder="little", count=pictures.size)
    np.testing.assert_array_equal(bits.reshape(3, 5, 7), np.rot90(pictures, -1, (1, 2)))


def test_damaged_overlay_is_dropped_and_named(dataset: FileDataset, turn: Corrector) -> None:
    _overlay(dataset, dataset.pixel_array > 100, (1, 1))
    dataset[0x6000, 0x3000].value = b"\1\2"
    new = turn(dataset, 2)
    assert not any(element.tag.group == 0x6000 for element in new)
    assert "damaged overlay 6000" in new.DerivationDescription


def test_what_cannot_be_turned_is_taken_out_and_named(dataset: FileDataset, turn: Corrector) -> None:
    icon = cases.item(Rows=8, Columns=8, PixelData=b"\0" * 64)
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    dataset.DigitalSignaturesSequence = [cases.item(MACIDNumber=1)]
    dataset.ImageRotation = 90
    dataset.add_new((0x5000, 0x0005), "US", 2)
    csa = dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    csa.add_new(0x10, "OB", b"SV10ImageOrientationPatient")
    unknown = dataset.private_block(0x0041, "SOME VENDOR", create=True)
    unknown.add_new(0x01, "LO", "R20 A30")
    ge = dataset.private_block(0x0019, "GEMS_ACQU_01", create=True)
    ge.add_new(0x9C, "LO", "fiesta")
    ge.add_new(0x92, "SL", 17)
    new = turn(dataset, 4)
    for keyword in ("IconImageSequence", "DigitalSignaturesSequence", "ImageRotation"):
        assert keyword not in new
    assert not any(element.tag.group in (0x0029, 0x0041, 0x5000) for element in new)
    # The name of the pulse sequence says nothing of the raster; the offset along an axis does.
    assert new.private_block(0x0019, "GEMS_ACQU_01")[0x9C].value == "fiesta"
    assert (0x0019, 0x1092) not in new
    for words in (
        "icon",
        "signatures",
        "display rotation",
        "curves",
        "SIEMENS CSA HEADER",
        "SOME VENDOR",
        "GEMS_ACQU_01",
    ):
        assert words in new.DerivationDescription


def test_what_only_pixels_turn_stays_where_only_the_header_changes(dataset: FileDataset, turn: Corrector) -> None:
    icon = cases.item(Rows=8, Columns=8, PixelData=b"\0" * 64)
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence, dataset.ImageRotation = [icon], 90
    dataset.AcquisitionMatrix, dataset.PatientOrientation = [0, 224, 160, 0], ["L", "F"]
    dataset.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", b"SV10")
    _overlay(dataset, dataset.pixel_array > 100, (1, 1))
    for syntax in ("explicit", "JPEG lossless", "big endian"):
        new = turn(dataset, 0, 5, syntax=syntax)
        np.testing.assert_array_equal(new.pixel_array, dataset.pixel_array)
        np.testing.assert_array_equal(new.overlay_array(0x6000), dataset.pixel_array > 100)
        assert "IconImageSequence" in new and new.ImageRotation == 90
        assert new.AcquisitionMatrix == [0, 224, 160, 0] and new.PatientOrientation == ["H", "L"]
        assert new.ImageOrientationPatient != dataset.ImageOrientationPatient
        assert not any(element.tag.group == 0x0029 for element in new)


def test_private_data_in_functional_groups_is_taken_out(data_root: Path, turn: Corrector) -> None:
    file = cases.enhanced(cases.people(data_root, count=2))
    for groups in file.PerFrameFunctionalGroupsSequence:
        block = groups.private_block(0x2005, "Philips MR Imaging DD 005", create=True)
        block.add_new(0x0F, "SQ", Sequence([cases.item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])]))
    new = turn(file, 1)
    assert not any(element.tag.is_private for groups in new.PerFrameFunctionalGroupsSequence for element in groups)
    derivation = new.SharedFunctionalGroupsSequence[0].DerivationImageSequence[0]
    assert "Philips MR Imaging DD 005" in derivation.DerivationDescription


def test_nested_attributes_turn_and_the_past_does_not(data_root: Path, turn: Corrector) -> None:
    file = cases.enhanced(cases.people(data_root, count=2))
    shutter = {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [10, 50], "RadiusOfCircularShutter": 5}
    for groups in file.PerFrameFunctionalGroupsSequence:
        groups.FrameDisplayShutterSequence = [cases.item(**shutter)]
        groups.PatientOrientationInFrameSequence = [cases.item(PatientOrientation=["L", "F"])]
    past = cases.item(ModifiedAttributesSequence=[cases.item(PatientOrientation=["L", "F"], PixelSpacing=[1, 2])])
    file.OriginalAttributesSequence = [past]
    new = turn(file, 4)
    for groups in new.PerFrameFunctionalGroupsSequence:
        assert groups.FrameDisplayShutterSequence[0].CenterOfCircularShutter == [50, 10]
        assert groups.PatientOrientationInFrameSequence[0].PatientOrientation == ["F", "L"]
    past = new.OriginalAttributesSequence[0].ModifiedAttributesSequence[0]
    assert past.PatientOrientation == ["L", "F"] and past.PixelSpacing == [1, 2]


def test_everything_else_survives(dataset: FileDataset, turn: Corrector) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "2.5", "-7", "US"
    dataset.add_new("PixelPaddingValue", "SS", -1)
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.VOILUTSequence = [cases.item(LUTDescriptor=[4, 0, 16], LUTExplanation="x", LUTData=b"\1\2\3\4\5\6\7\x08")]
    dataset.VOILUTSequence[0]["LUTDescriptor"].VR = "US"
    dataset.VOILUTSequence[0]["LUTData"].VR = "OW"
    changed = {
        *("ImageType", "SOPInstanceUID", "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "PixelData"),
        *("DerivationDescription", "SourceImageSequence", "ContributingEquipmentSequence"),
        *("ImagePositionPatient", "ImageOrientationPatient", "VOILUTSequence"),
    }
    for syntax in ("explicit", "implicit", "big endian", "RLE"):
        new = turn(dataset, 3, syntax=syntax)
        with config.disable_value_validation():
            for element in dataset:
                if element.keyword not in changed and element.tag.element != 0:
                    assert new[element.tag].value == element.value, (syntax, element.keyword)
            assert {element.keyword for element in new} - {element.keyword for element in dataset} <= changed
        # Words of 16 bits, which a file may keep in either order.
        assert new.VOILUTSequence[0].LUTData == dataset.VOILUTSequence[0].LUTData


@pytest.mark.parametrize("keyword", ["StudyDescription", "PatientID", "PatientComments"])
def test_broken_text_is_handed_on_byte_for_byte(
    dataset: FileDataset, turn: Corrector, tmp_path: Path, keyword: str
) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"
    setattr(dataset, keyword, "QQQQ")
    path = cases.save(dataset, tmp_path / "a.dcm")
    path.write_bytes(path.read_bytes().replace(b"QQQQ", b"\xff\xfe\xe9 "))
    volume = read_dicom([path]).reindexed(Orientation(1), Orientation(1))
    (written,) = write_dicom(volume, tmp_path / "b.dcm")
    assert b"\xff\xfe\xe9 " in written.read_bytes()


def test_a_mirrored_double_turn_equals_one(dataset: FileDataset, turn: Corrector) -> None:
    # 90° clockwise and then a mirror is the other diagonal's transposition, for every attribute alike.
    dataset.CenterOfCircularShutter, dataset.PatientOrientation = [10, 50], ["L", "F"]
    _overlay(dataset, dataset.pixel_array > 100, (3, -4))
    once = turn(dataset, int(Orientation.FLIP_HORIZONTAL.after(Orientation.ROTATE_90)))
    twice = turn(turn(dataset, int(Orientation.ROTATE_90)), int(Orientation.FLIP_HORIZONTAL))
    for keyword in ("CenterOfCircularShutter", "PatientOrientation", "PixelSpacing", "AcquisitionMatrix"):
        assert once[keyword].value == twice[keyword].value
    np.testing.assert_allclose(once.ImagePositionPatient, twice.ImagePositionPatient, atol=1e-6)
    np.testing.assert_array_equal(once.overlay_array(0x6000), twice.overlay_array(0x6000))
    assert once[0x6000, 0x0050].value == twice[0x6000, 0x0050].value
    assert isinstance(once, Dataset)
