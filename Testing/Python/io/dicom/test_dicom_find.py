"""Which DICOM files belong together, and which are no images to correct."""

from __future__ import annotations

import shutil
from pathlib import Path

import dicom_cases as cases
import numpy as np
import pytest
from pydicom.uid import generate_uid

import CMROrientLib as cmr
from CMROrientLib.errors import CMROrientError
from CMROrientLib.io import find, read_source
from CMROrientLib.io.dicom.find import group

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@pytest.fixture
def stack(data_root: Path) -> list:
    return cases.people(data_root, count=4)


@pytest.fixture
def cine(data_root: Path) -> list:
    return cases.people(data_root, "cine_one_slice", count=5)


def test_several_series_in_one_folder_with_any_names(stack: list, cine: list, tmp_path: Path) -> None:
    other = cases.fresh_series(cine)
    for n, dataset in enumerate([*stack, *other]):
        # Names from a scanner's disk: without a suffix, in no order.
        cases.save(dataset, tmp_path / f"IM{(5 * n) % 11:04d}")
    found = find(tmp_path)
    assert sorted(len(source.files) for source in found) == [4, 5]
    assert {source.series for source in found} == {stack[0].SeriesInstanceUID, other[0].SeriesInstanceUID}
    assert {source.path for source in found} == {tmp_path}
    assert {source.kind for source in found} == {"dicom"} and not any(source.left_alone for source in found)
    assert found == find(tmp_path), "the order depends on something else than the names"


def test_a_single_file_is_named_by_itself(stack: list, tmp_path: Path) -> None:
    path = cases.save(stack[0], tmp_path / "slice")
    (source,) = find(path)
    assert source.path == path and source.files == (path,)
    assert cmr.read(path).array.shape == (1, cases.ROWS, cases.COLUMNS)


def test_a_series_spread_over_folders_is_one_image(stack: list, tmp_path: Path) -> None:
    # As object stores keep them: every instance in a folder of its own.
    for n, dataset in enumerate(stack):
        cases.save(dataset, tmp_path / "store" / f"{n:02x}" / "image")
    (source,) = find(tmp_path)
    assert source.path == tmp_path / "store" and len(source.files) == 4
    assert read_source(source).array.shape[0] == 4


def test_copies_of_a_series_in_two_folders_are_two_images(stack: list, tmp_path: Path) -> None:
    cases.save_all(stack, tmp_path / "a")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert [source.path.name for source in find(tmp_path)] == ["a", "b"]


def test_a_second_copy_of_an_instance_is_left_alone(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path)
    shutil.copy(paths[0], tmp_path / "zz copy.dcm")
    image, copy = sorted(find(tmp_path), key=lambda source: -len(source.files))
    assert len(image.files) == 4 and image.left_alone is None
    assert copy.left_alone is not None and copy.left_alone.startswith("copy of")
    assert (copy.path, copy.series) != (image.path, image.series)


def test_one_uid_for_all_slices_does_not_lose_any(stack: list, tmp_path: Path) -> None:
    uid = generate_uid()
    for dataset in stack:
        dataset.SOPInstanceUID = uid
    cases.save_all(stack, tmp_path)
    (source,) = find(tmp_path)
    assert len(source.files) == 4


def test_a_cine_is_one_image(data_root: Path, tmp_path: Path) -> None:
    slices = cases.people(data_root, count=3)
    phases = [
        dataset
        for dataset in slices
        for n in range(4)
        for dataset in cases.fresh_series([dataset], TriggerTime=40.0 * n, InstanceNumber=100 * n)
    ]
    for dataset in phases:
        dataset.SeriesInstanceUID = slices[0].SeriesInstanceUID
    cases.save_all(phases, tmp_path)
    (source,) = find(tmp_path)
    assert read_source(source).array.shape == (4, 3, cases.ROWS, cases.COLUMNS)


def test_one_series_with_two_planes_or_sizes_is_two_images(stack: list, tmp_path: Path) -> None:
    first, turned, larger = stack[:2], stack[2], stack[3]
    turned.ImageOrientationPatient = [0, 1, 0, 0, 0, -1]
    cases.put_pixels(larger, np.zeros((cases.ROWS + 8, cases.COLUMNS), np.int16))
    cases.save_all([*first, turned, larger], tmp_path)
    found = find(tmp_path)
    assert sorted(len(source.files) for source in found) == [1, 1, 2]
    assert len({(source.path, source.series) for source in found}) == 3
    for source in found:
        assert len(read_source(source).grid.size) == 3


def test_stacks_side_by_side_in_one_series_are_numbered(stack: list, tmp_path: Path) -> None:
    beside = cases.fresh_series(stack)
    for dataset in beside:
        dataset.SeriesInstanceUID = stack[0].SeriesInstanceUID
        along_row = np.array(dataset.ImageOrientationPatient[:3], float)
        moved = np.array(dataset.ImagePositionPatient, float) + 40 * along_row
        dataset.ImagePositionPatient = [f"{value:.6f}" for value in moved]
    cases.save_all([*stack, *beside], tmp_path)
    found = find(tmp_path)
    uid = stack[0].SeriesInstanceUID
    assert [source.series for source in found] == [uid, f"{uid}#2"]
    assert [len(source.files) for source in found] == [4, 4]


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}, "localizer"),
        ({"SeriesDescription": "3 plane Localizer"}, "localizer"),
        ({"SeriesDescription": "haste_loc_multi"}, "localizer"),
        ({"SeriesDescription": "SCOUT"}, "localizer"),
        ({"SeriesDescription": "", "ProtocolName": "B-TFE survey"}, "localizer"),
        ({"SeriesDescription": "cine 4ch"}, "long-axis view"),
        ({"SeriesDescription": "CINE_4 CH"}, "long-axis view"),
        ({"SeriesDescription": "tfl2d_2-chamber"}, "long-axis view"),
        ({"SeriesDescription": "LGE 3 Chambers"}, "long-axis view"),
        ({"SeriesDescription": "Long axis cine"}, "long-axis view"),
        ({"SeriesDescription": "bSSFP VLA"}, "long-axis view"),
        ({"SeriesDescription": "", "ProtocolName": "Cine HLA"}, "long-axis view"),
        ({"Modality": "CT"}, "not MR (modality CT)"),
    ],
)
def test_localizers_and_other_views_are_left_alone(stack: list, tmp_path: Path, attributes: dict, reason: str) -> None:
    cases.save_all(cases.fresh_series(stack, **attributes), tmp_path / "other")
    cases.save_all(stack, tmp_path / "image")
    image, other = find(tmp_path)
    assert image.left_alone is None
    assert other.left_alone is not None and other.left_alone.startswith(reason)
    assert len(other.files) == 4, "a series is left alone as a whole, with one line"


@pytest.mark.parametrize(
    "description",
    [
        "cine SA",
        "SAX stack from 4ch",
        "short axis LGE",
        "trufi_short_axis_iPAT",
        "cine sa 2ch plan",
        "Local shim cine",
        "",
        "LGE PSIR",
    ],
)
def test_short_axis_series_are_not_taken_for_something_else(stack: list, tmp_path: Path, description: str) -> None:
    cases.save_all(cases.fresh_series(stack, SeriesDescription=description, ProtocolName=""), tmp_path)
    (source,) = find(tmp_path)
    assert source.left_alone is None


def test_a_protocol_that_names_all_views_does_not_outvote_the_series(stack: list, tmp_path: Path) -> None:
    names = {"SeriesDescription": "cine SA", "ProtocolName": "CMR localizer 2ch 4ch sa"}
    cases.save_all(cases.fresh_series(stack, **names), tmp_path)
    assert find(tmp_path)[0].left_alone is None


def test_a_header_that_names_another_plane_is_no_reason(stack: list, tmp_path: Path) -> None:
    # The header may be what is wrong.
    cases.save_all(cases.fresh_series(stack, ImageOrientationPatient=[1, 0, 0, 0, 0, -1]), tmp_path)
    assert find(tmp_path)[0].left_alone is None


def _without_pixels(dataset, sop_class: str, modality: str):
    (other,) = cases.fresh_series([dataset], Modality=modality)
    for keyword in cases.RASTER:
        del other[keyword]
    del other.PixelData, other.PhotometricInterpretation
    other.SOPClassUID = sop_class
    return other


@pytest.mark.parametrize(
    ("sop_class", "modality", "reason"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "SR", "structured report"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "PR", "presentation state"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "KO", "key object"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT", "structure set"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "DOC", "encapsulated PDF"),
        ("1.2.840.10008.5.1.4.1.1.66", "MR", "raw data"),
        ("1.3.12.2.1107.5.9.1", "MR", "not an image"),
    ],
)
def test_what_has_no_pixels_is_left_alone(
    stack: list, tmp_path: Path, sop_class: str, modality: str, reason: str
) -> None:
    cases.save_all(stack, tmp_path)
    other = cases.save(_without_pixels(stack[0], sop_class, modality), tmp_path / "report.dcm")
    found = {source.path: source for source in find(tmp_path)}
    assert found[tmp_path].left_alone is None and len(found[tmp_path].files) == 4
    assert reason in (found[other].left_alone or "") and "not an image" in found[other].left_alone
    with pytest.raises(CMROrientError, match="not an image"):
        cmr.read(other)


def test_a_segmentation_is_left_alone_although_it_has_pixels(stack: list, tmp_path: Path) -> None:
    (mask,) = cases.fresh_series(stack[:1], SOPClassUID="1.2.840.10008.5.1.4.1.1.66.4", Modality="SEG")
    (source,) = group([cases.save(mask, tmp_path / "seg.dcm")])
    assert source.left_alone == "not an image (segmentation)"


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "PALETTE COLOR"])
def test_colour_is_left_alone(stack: list, tmp_path: Path, photometric: str) -> None:
    (photo,) = cases.fresh_series(stack[:1], PhotometricInterpretation=photometric)
    if photometric != "PALETTE COLOR":
        photo.SamplesPerPixel, photo.PlanarConfiguration = 3, 0
        photo.BitsAllocated = photo.BitsStored = 8
        photo.HighBit, photo.PixelRepresentation = 7, 0
        photo.PixelData = b"\x40" * (3 * photo.Rows * photo.Columns)
        photo["PixelData"].VR = "OB"
    path = cases.save(photo, tmp_path / "photo.dcm")
    (source,) = find(path)
    assert source.left_alone == f"colour image ({photometric})"
    with pytest.raises(CMROrientError, match="colour image"):
        cmr.read(path)


def test_frames_in_several_planes_are_left_alone(stack: list, tmp_path: Path) -> None:
    survey = cases.enhanced(stack[:3])
    planes = ([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0, 1, 0, 0, 0, -1])
    for groups, plane in zip(survey.PerFrameFunctionalGroupsSequence, planes, strict=True):
        groups.PlaneOrientationSequence = [cases.item(ImageOrientationPatient=plane)]
    path = cases.save(survey, tmp_path / "survey.dcm")
    (source,) = find(path)
    assert source.left_alone is not None and "several planes" in source.left_alone


def test_dicomdir_is_left_alone(stack: list, tmp_path: Path) -> None:
    from pydicom.fileset import FileSet

    disc = FileSet()
    clean = cases.fresh_series(stack, FrameOfReferenceUID=generate_uid(), PatientBirthDate="", StudyID="1")
    for path in cases.save_all(clean, tmp_path / "in"):
        disc.add(path)
    disc.write(tmp_path / "disc")
    found = {source.path.name: source for source in find(tmp_path / "disc")}
    assert found["DICOMDIR"].left_alone == "not an image (DICOMDIR)"
    assert sum(source.left_alone is None for source in found.values()) == 1


def test_a_broken_file_does_not_hide_the_others(stack: list, tmp_path: Path) -> None:
    cases.save_all(stack, tmp_path)
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(b"\0" * 128 + b"DICM" + bytes(range(256)))
    found = {source.path: source for source in find(tmp_path)}
    assert len(found[tmp_path].files) == 4
    assert found[broken].left_alone is None
    with pytest.raises(CMROrientError, match=r"broken\.dcm"):
        read_source(found[broken])


def test_folders_with_several_or_no_series_are_refused_by_read(stack: list, tmp_path: Path) -> None:
    cases.save_all(stack, tmp_path / "a")
    assert cmr.read(tmp_path / "a").array.shape[0] == 4
    cases.save_all(cases.fresh_series(stack), tmp_path / "b")
    with pytest.raises(CMROrientError, match="2 DICOM series"):
        cmr.read(tmp_path)
