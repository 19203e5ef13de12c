"""Derived series: values to the bit, every voxel in its place, an identity of their own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import dicom_cases as cases
import numpy as np
import parts
import pytest
import SimpleITK as sitk
from pydicom import dcmread
from pydicom.pixels import get_decoder
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

import CMROrientLib as cmr
from CMROrientLib.correction import GEOMETRY_MODES
from CMROrientLib.io.dicom.read import read_dicom
from CMROrientLib.io.dicom.write import write_dicom
from CMROrientLib.orientation import Orientation

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")

CLASSES = list(Orientation)
PLACES = [(0, 0), (0, 20), (11, 0), (40, 33), (55, 55)]


@pytest.fixture
def stack(data_root: Path) -> list:
    return cases.people(data_root, count=3)


@pytest.fixture
def pair(data_root: Path) -> list:
    return cases.people(data_root, count=2)


def _undone(array: np.ndarray, k: int) -> np.ndarray:
    return cases.TURNS[cases.UNDONE_BY[k]](array)


def _old_places(dataset, k: int) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel of the corrected slice the row and the column where it was stored."""
    rows, columns = (_undone(part, k) for part in np.indices((dataset.Rows, dataset.Columns)))
    return rows, columns


@pytest.mark.parametrize("geometry", GEOMETRY_MODES)
@pytest.mark.parametrize("header", ["true", "false", "missing"])
@pytest.mark.parametrize("k", CLASSES)
def test_eight_classes_three_modes(
    pair: list, tmp_path: Path, k: Orientation, geometry: cmr.GeometryMode, header: str
) -> None:
    originals = [cases.turned(d, k, with_header=header == "true") for d in pair]
    if header == "missing":
        for dataset in originals:
            del dataset.ImageOrientationPatient, dataset.ImagePositionPatient
    paths = cases.save_all(originals, tmp_path / "in")
    volume = read_dicom(paths)
    fixed = cmr.correct(volume, k, geometry)
    written = write_dicom(fixed, tmp_path / "out")
    assert [path.name for path in written] == [path.name for path in paths]
    follows = geometry == "follow" or (geometry == "auto" and header == "true")
    for source, target, original, standard in zip(paths, written, originals, pair, strict=True):
        values = cases.stored_values(target)[0]
        np.testing.assert_array_equal(values, standard.pixel_array)
        np.testing.assert_array_equal(dcmread(target).pixel_array, standard.pixel_array)
        assert dcmread(target).PixelSpacing == standard.PixelSpacing
        if header == "missing":
            assert "ImageOrientationPatient" not in dcmread(target)
            continue
        before, after = cases.physical(source), cases.physical(target)
        centre_before = before((original.Rows - 1) / 2, (original.Columns - 1) / 2)
        centre_after = after((standard.Rows - 1) / 2, (standard.Columns - 1) / 2)
        np.testing.assert_allclose(centre_after, centre_before, atol=1e-4)
        rows, columns = _old_places(original, k)
        if follows:
            for row, column in PLACES:
                expected = before(rows[row, column], columns[row, column])
                np.testing.assert_allclose(after(row, column), expected, atol=1e-4)
        else:
            directions = [dcmread(path).ImageOrientationPatient for path in (source, target)]
            np.testing.assert_allclose(directions[1], directions[0], atol=1e-9)
    again = read_dicom(written)
    if header != "missing":
        order = slice(None, None, -1) if fixed.directions_turned.mirrors else slice(None)
        np.testing.assert_array_equal(again.array[order], fixed.array)
        # A header that was true stays true if it follows; one that claimed class 0 does if it does not.
        claimed = {"true": 0 if follows else k, "false": cases.UNDONE_BY[k] if follows else 0}
        assert again.header_orientation(Orientation.IDENTITY) == claimed[header]


@pytest.mark.parametrize("k", CLASSES[1:])
def test_header_without_position(pair: list, tmp_path: Path, k: Orientation) -> None:
    originals = [cases.turned(d, k) for d in pair]
    for dataset in originals:
        del dataset.ImagePositionPatient
    written = write_dicom(cmr.correct(read_dicom(cases.save_all(originals, tmp_path / "in")), k), tmp_path / "out")
    for path, standard in zip(written, pair, strict=True):
        new = dcmread(path)
        np.testing.assert_array_equal(new.pixel_array, standard.pixel_array)
        np.testing.assert_allclose(new.ImageOrientationPatient, standard.ImageOrientationPatient, atol=1e-6)
        assert "ImagePositionPatient" not in new


@pytest.mark.parametrize("k", CLASSES[1:])
def test_header_without_orientation(pair: list, tmp_path: Path, k: Orientation) -> None:
    originals = [cases.turned(d, k) for d in pair]
    for dataset in originals:
        del dataset.ImageOrientationPatient
    paths = cases.save_all(originals, tmp_path / "in")
    written = write_dicom(cmr.correct(read_dicom(paths), k), tmp_path / "out")
    for source, path, standard in zip(paths, written, pair, strict=True):
        np.testing.assert_array_equal(dcmread(path).pixel_array, standard.pixel_array)
        assert "ImageOrientationPatient" not in dcmread(path)
        # SimpleITK takes the axes of the patient then, and the centre stays in these.
        rows, columns = dcmread(source).Rows, dcmread(source).Columns
        before = cases.physical(source)((rows - 1) / 2, (columns - 1) / 2)
        after = cases.physical(path)((cases.ROWS - 1) / 2, (cases.COLUMNS - 1) / 2)
        np.testing.assert_allclose(after, before, atol=1e-4)


def test_32_bits(pair: list, tmp_path: Path) -> None:
    values = pair[0].pixel_array.astype(np.uint32) * 1_000_003
    cases.put_pixels(pair[0], values)
    volume = read_dicom([cases.save(pair[0], tmp_path / "a.dcm")])
    np.testing.assert_array_equal(volume.array[0], values)
    (written,) = write_dicom(volume.reindexed(Orientation(6), Orientation(6)), tmp_path / "b.dcm")
    np.testing.assert_array_equal(dcmread(written).pixel_array, np.rot90(values))


@pytest.mark.parametrize("target", CLASSES)
def test_any_target_in_one_step(stack: list, tmp_path: Path, target: Orientation) -> None:
    paths = cases.save_all([cases.turned(d, 5) for d in stack], tmp_path / "in")
    written = write_dicom(cmr.correct(read_dicom(paths), 5, "auto", target), tmp_path / "out")
    for path, standard in zip(written, stack, strict=True):
        expected = cases.turned(standard, int(target))
        np.testing.assert_array_equal(cases.stored_values(path)[0], expected.pixel_array)
        np.testing.assert_allclose(dcmread(path).ImagePositionPatient, expected.ImagePositionPatient, atol=1e-4)
        np.testing.assert_allclose(dcmread(path).ImageOrientationPatient, expected.ImageOrientationPatient, atol=1e-6)


def test_the_whole_series_is_where_the_volume_says(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all([cases.turned(d, 2) for d in stack], tmp_path / "in")
    fixed = cmr.correct(read_dicom(paths), 2)
    write_dicom(fixed, tmp_path / "out")
    image = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path / "out")))
    last = fixed.grid.size[2] - 1
    for column, row, k in [(0, 0, 0), (10, 20, 1), (55, 71, 2)]:
        # Readers sort slices along their normal, which a mirror reverses.
        place = image.TransformIndexToPhysicalPoint((column, row, last - k))
        np.testing.assert_allclose(place, (fixed.grid.affine @ [column, row, k, 1])[:3], atol=2e-3)
        assert image[column, row, last - k] == fixed.array[k, row, column]


@pytest.mark.parametrize("k", CLASSES[1:])
def test_cine_gets_one_correction(data_root: Path, tmp_path: Path, k: Orientation) -> None:
    film = cases.people(data_root, "cine_one_slice", "SCD0000301", count=6)
    paths = cases.save_all([cases.turned(d, k) for d in film], tmp_path / "in")
    written = write_dicom(cmr.correct(cmr.read(tmp_path / "in"), k), tmp_path / "out")
    assert sorted(p.name for p in written) == sorted(p.name for p in paths)
    again = cmr.read(tmp_path / "out")
    np.testing.assert_array_equal(again.array, np.stack([d.pixel_array for d in film])[:, None])


@pytest.mark.parametrize("k", CLASSES[1:])
def test_enhanced_mr(stack: list, tmp_path: Path, k: Orientation) -> None:
    file = cases.enhanced([cases.turned(d, k) for d in stack], phases=2)
    path = cases.save(file, tmp_path / "in.dcm")
    volume = cmr.read(path)
    fixed = cmr.correct(volume, k)
    (written,) = write_dicom(fixed, tmp_path / "out.dcm")
    new = dcmread(written)
    expected = np.repeat(np.stack([d.pixel_array for d in stack]), 2, axis=0)
    np.testing.assert_array_equal(new.pixel_array, expected)
    assert (new.Rows, new.Columns) == (cases.ROWS, cases.COLUMNS)
    shared = new.SharedFunctionalGroupsSequence[0]
    assert shared.PixelMeasuresSequence[0].PixelSpacing == stack[0].PixelSpacing
    assert shared.MRFOVGeometrySequence[0].InPlanePhaseEncodingDirection == ("COLUMN" if k >= 4 else "ROW")
    assert shared.MRImageFrameTypeSequence[0].FrameType[0] == "DERIVED" == new.ImageType[0]
    np.testing.assert_allclose(
        shared.PlaneOrientationSequence[0].ImageOrientationPatient, stack[0].ImageOrientationPatient, atol=1e-6
    )
    for n, groups in enumerate(new.PerFrameFunctionalGroupsSequence):
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(position, stack[n // 2].ImagePositionPatient, atol=1e-4)
    source = shared.DerivationImageSequence[0].SourceImageSequence[0]
    assert source.ReferencedSOPInstanceUID == file.SOPInstanceUID
    np.testing.assert_array_equal(
        cmr.read(written).array, fixed.array[:, ::-1] if fixed.directions_turned.mirrors else fixed.array
    )


@pytest.mark.parametrize("k", [2, 5])
def test_shared_position_and_orientation_per_frame(stack: list, tmp_path: Path, k: int) -> None:
    # A film of one slice may say the position once and the direction for each frame.
    file = cases.enhanced([cases.turned(stack[0], k)], phases=3)
    shared = file.SharedFunctionalGroupsSequence[0]
    plane = shared.PlaneOrientationSequence
    del shared.PlaneOrientationSequence
    shared.PlanePositionSequence = file.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence
    for groups in file.PerFrameFunctionalGroupsSequence:
        del groups.PlanePositionSequence
        groups.PlaneOrientationSequence = [cases.item(ImageOrientationPatient=list(plane[0].ImageOrientationPatient))]
    (written,) = write_dicom(cmr.correct(cmr.read(cases.save(file, tmp_path / "a.dcm")), k), tmp_path / "b.dcm")
    new = dcmread(written)
    position = new.SharedFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
    np.testing.assert_allclose(position, stack[0].ImagePositionPatient, atol=1e-4)
    for groups in new.PerFrameFunctionalGroupsSequence:
        directions = groups.PlaneOrientationSequence[0].ImageOrientationPatient
        np.testing.assert_allclose(directions, stack[0].ImageOrientationPatient, atol=1e-6)


@pytest.mark.parametrize("name", cases.LOSSLESS)
@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_transfer_syntax_stays_where_it_can(stack: list, tmp_path: Path, name: str, dtype: str) -> None:
    for dataset in stack:
        values = dataset.pixel_array
        cases.put_pixels(dataset, values if dtype == "int16" else (values // 4).clip(0, 255).astype(dtype))
    paths = cases.save_all(stack, tmp_path / "in", cases.LOSSLESS[name])
    volume = read_dicom(paths)
    written = write_dicom(volume.reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90), tmp_path / "out")
    for path, dataset in zip(written, stack, strict=True):
        expected = ExplicitVRLittleEndian if name == "big endian" else cases.LOSSLESS[name]
        assert dcmread(path).file_meta.TransferSyntaxUID == expected
        np.testing.assert_array_equal(dcmread(path).pixel_array, np.rot90(dataset.pixel_array, -1))
        np.testing.assert_array_equal(cases.stored_values(path)[0], np.rot90(dataset.pixel_array, -1))


def test_lossy_sources_stay_marked_as_lossy(stack: list, tmp_path: Path) -> None:
    cases.put_pixels(stack[0], (stack[0].pixel_array // 4).clip(0, 255).astype(np.uint8))
    path = cases.save(stack[0], tmp_path / "a.dcm")
    subprocess.run([parts.need_program("dcmcjpeg"), "+eb", path, path], check=True, capture_output=True)
    volume = read_dicom([path])
    (written,) = write_dicom(volume.reindexed(Orientation(1), Orientation(1)), tmp_path / "b.dcm")
    new = dcmread(written)
    assert new.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    assert new.LossyImageCompression == "01" and "LossyImageCompressionRatio" in new
    np.testing.assert_array_equal(new.pixel_array, np.fliplr(volume.array[0]))


def test_lossy_pixels_that_do_not_turn_are_not_decoded(stack: list, tmp_path: Path) -> None:
    cases.put_pixels(stack[0], (stack[0].pixel_array // 4).clip(0, 255).astype(np.uint8))
    path = cases.save(stack[0], tmp_path / "a.dcm")
    subprocess.run([parts.need_program("dcmcjpeg"), "+eb", path, path], check=True, capture_output=True)
    volume = read_dicom([path]).reindexed(Orientation.IDENTITY, Orientation(2))
    (written,) = write_dicom(volume, tmp_path / "b.dcm")
    old, new = dcmread(path), dcmread(written)
    assert new.PixelData == old.PixelData and new.file_meta.TransferSyntaxUID == old.file_meta.TransferSyntaxUID
    assert new.ImageOrientationPatient != old.ImageOrientationPatient


def test_without_a_codec_for_writing_the_values_survive(
    stack: list, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import CMROrientLib.io.dicom.encode as dicom_encode

    def broken(*_: object) -> list[bytes]:
        raise RuntimeError("GDCM cannot encode this image")

    path = cases.save(stack[0], tmp_path / "a.dcm", cases.LOSSLESS["JPEG lossless"])
    volume = read_dicom([path]).reindexed(Orientation(4), Orientation(4))
    monkeypatch.setattr(dicom_encode, "_jpeg_lossless", broken)
    (written,) = write_dicom(volume, tmp_path / "b.dcm")
    assert dcmread(written).file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
    np.testing.assert_array_equal(dcmread(written).pixel_array, stack[0].pixel_array.T)


@pytest.mark.parametrize("syntax", ["explicit", "RLE", "big endian"])
def test_unused_bits_turn_with_their_pixels(stack: list, tmp_path: Path, syntax: str) -> None:
    # Old files keep an overlay there.
    values = (stack[0].pixel_array & 0x0FFF).astype(np.uint16)
    marks = (values > 100).astype(np.uint16) << 14
    cases.put_pixels(stack[0], values | marks, 12)
    path = cases.save(stack[0], tmp_path / "a.dcm", cases.LOSSLESS[syntax])
    volume = read_dicom([path])
    np.testing.assert_array_equal(volume.array[0], values)
    (written,) = write_dicom(volume.reindexed(Orientation(7), Orientation(7)), tmp_path / "b.dcm")
    new = dcmread(written)
    assert (new.file_meta.TransferSyntaxUID == RLELossless) == (syntax == "RLE")
    raw, _ = get_decoder(new.file_meta.TransferSyntaxUID).as_array(new, correct_unused_bits=False)
    np.testing.assert_array_equal(raw, cases.TURNS[7](values | marks))


def test_same_input_gives_same_bytes_and_new_identity(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path / "in")
    for name in ("one", "other"):
        write_dicom(cmr.correct(read_dicom(paths), 3, "follow"), tmp_path / name)
    seen = set()
    for path, source in zip(paths, stack, strict=True):
        assert (tmp_path / "one" / path.name).read_bytes() == (tmp_path / "other" / path.name).read_bytes()
        new = dcmread(tmp_path / "one" / path.name)
        assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID != source.SOPInstanceUID
        assert new.SOPInstanceUID.is_valid and new.SeriesInstanceUID.is_valid
        assert new.StudyInstanceUID == source.StudyInstanceUID
        assert new.PatientName == source.PatientName and new.PatientID == source.PatientID
        assert new.SOPClassUID == source.SOPClassUID
        assert list(new.ImageType) == ["DERIVED", "SECONDARY", *source.ImageType[2:]]
        assert new.SeriesDescription == "(reoriented)"
        assert new.SeriesNumber == source.SeriesNumber + 9000 and new.InstanceNumber == source.InstanceNumber
        assert "rotate 180" in new.DerivationDescription
        assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert new.ContributingEquipmentSequence[0].Manufacturer == "CMROrient"
        assert new.FrameOfReferenceUID == source.FrameOfReferenceUID
        seen.add(new.SOPInstanceUID)
    assert len(seen) == len(paths)
    assert len({dcmread(tmp_path / "one" / path.name).SeriesInstanceUID for path in paths}) == 1


def test_other_corrections_have_other_uids(stack: list, tmp_path: Path) -> None:
    path = cases.save(stack[0], tmp_path / "a.dcm")
    uids, frames = set(), {}
    for n, (p, g) in enumerate([(1, 1), (1, 0), (2, 2), (2, 0), (3, 2), (4, 4)]):
        (new,) = write_dicom(read_dicom([path]).reindexed(Orientation(p), Orientation(g)), tmp_path / f"{n}.dcm")
        dataset = dcmread(new)
        uids |= {dataset.SOPInstanceUID, dataset.SeriesInstanceUID}
        frames[p, g] = dataset.FrameOfReferenceUID
    assert len(uids) == 12
    # Where voxels keep their place, so does the frame of reference; what moved alike shares a new one.
    old = stack[0].FrameOfReferenceUID
    assert frames[1, 1] == frames[2, 2] == frames[4, 4] == old
    assert frames[1, 0] == frames[3, 2] != old and frames[2, 0] not in (old, frames[1, 0])


def test_long_and_foreign_descriptions(stack: list, tmp_path: Path) -> None:
    stack[0].SpecificCharacterSet = "ISO_IR 100"
    stack[0].SeriesDescription = "Kurzachse über alles " + "x" * 43
    stack[0].DerivationDescription = "d" * 1024
    path = cases.save(stack[0], tmp_path / "a.dcm")
    (written,) = write_dicom(cmr.correct(read_dicom([path]), 6), tmp_path / "b.dcm")
    new = dcmread(written)
    assert new.SeriesDescription.startswith("Kurzachse über") and new.SeriesDescription.endswith(" (reoriented)")
    assert len(new.SeriesDescription) <= 64 and len(new.DerivationDescription) <= 1024
    assert "rotate 90" in new.DerivationDescription


def test_untouched_volume_is_copied_byte_for_byte(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path / "in", cases.LOSSLESS["big endian"])
    written = write_dicom(read_dicom(paths), tmp_path / "out")
    assert [path.read_bytes() for path in written] == [path.read_bytes() for path in paths]


def test_turned_and_turned_back_has_the_pixels_of_the_source(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all([cases.turned(d, 5) for d in stack], tmp_path / "in")
    there = write_dicom(cmr.correct(read_dicom(paths), 5), tmp_path / "there")
    back = write_dicom(cmr.correct(read_dicom(there), 6, "follow"), tmp_path / "back")
    for source, path in zip(paths, back, strict=True):
        np.testing.assert_array_equal(dcmread(path).pixel_array, dcmread(source).pixel_array)
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            np.testing.assert_allclose(dcmread(path)[keyword].value, dcmread(source)[keyword].value, atol=1e-4)


def test_subfolders_are_kept(stack: list, tmp_path: Path) -> None:
    paths = [cases.save(d, tmp_path / "in" / f"{n}" / "image") for n, d in enumerate(stack)]
    written = write_dicom(cmr.correct(read_dicom(paths), 1), tmp_path / "out")
    assert written == [tmp_path / "out" / f"{n}" / "image" for n in range(3)]
    assert all(path.is_file() for path in written)


def test_write_takes_a_folder_or_a_file(stack: list, tmp_path: Path) -> None:
    cases.save_all(stack, tmp_path / "in")
    single = cases.save(stack[0], tmp_path / "one.dcm")
    cmr.write(cmr.correct(cmr.read(tmp_path / "in"), 4), tmp_path / "series")
    cmr.write(cmr.correct(cmr.read(single), 4), tmp_path / "fixed.dcm")
    assert len(list((tmp_path / "series").iterdir())) == 3
    np.testing.assert_array_equal(dcmread(tmp_path / "fixed.dcm").pixel_array, stack[0].pixel_array.T)


def test_missing_uids_are_made_up_the_same_way_each_time(stack: list, tmp_path: Path) -> None:
    path = cases.save(stack[0], tmp_path / "a.dcm")
    dataset = dcmread(path)
    del dataset.SOPInstanceUID, dataset.SeriesInstanceUID, dataset.FrameOfReferenceUID, dataset.SeriesNumber
    dataset.save_as(path, enforce_file_format=False)
    found = []
    for name in ("b.dcm", "c.dcm"):
        (written,) = write_dicom(cmr.correct(read_dicom([path]), 1), tmp_path / name)
        found.append(dcmread(written))
    assert found[0].SOPInstanceUID == found[1].SOPInstanceUID and found[0].SOPInstanceUID.is_valid
    assert "SourceImageSequence" not in found[0] and "FrameOfReferenceUID" not in found[0]


def test_files_without_uids_become_one_series_of_different_instances(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path / "in")
    for path in paths:
        dataset = dcmread(path)
        del dataset.SeriesInstanceUID
        dataset.SOPInstanceUID = "1.2.3"
        dataset.save_as(path)
    written = [dcmread(path) for path in write_dicom(cmr.correct(cmr.read(tmp_path / "in"), 1), tmp_path / "out")]
    assert len({dataset.SOPInstanceUID for dataset in written}) == 3
    assert len({dataset.SeriesInstanceUID for dataset in written}) == 1
