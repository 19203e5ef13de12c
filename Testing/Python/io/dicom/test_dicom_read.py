"""What the reader makes of DICOM files: values to the bit, and the place of every voxel."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import dicom_cases as cases
import numpy as np
import parts
import pytest
import SimpleITK as sitk
from pydicom import config, dcmread
from pydicom.uid import ImplicitVRLittleEndian, JPEGBaseline8Bit

import CMROrientLib as cmr
from CMROrientLib.errors import CMROrientError
from CMROrientLib.io.dicom.read import read_dicom
from CMROrientLib.io.dicom.write import write_dicom
from CMROrientLib.orientation import Orientation

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@pytest.fixture
def stack(data_root: Path) -> list:
    return cases.people(data_root, count=4)


def _ramp(dtype: str, bits: int) -> np.ndarray:
    """(ROWS, COLUMNS) values from one end of the range to the other."""
    kind = np.dtype(dtype)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if kind.kind == "i" else (0, (1 << bits) - 1)
    values = np.linspace(low, high, cases.ROWS * cases.COLUMNS).round().astype(kind)
    return values.reshape(cases.ROWS, cases.COLUMNS)


@pytest.mark.parametrize(
    ("dtype", "bits"),
    [("uint8", 8), ("int8", 8), *((kind, bits) for kind in ("uint16", "int16") for bits in (10, 12, 15, 16))],
)
@pytest.mark.parametrize("syntax", ["explicit", "RLE", "JPEG-LS", "JPEG 2000", "JPEG lossless SV1"])
def test_values_of_any_type_and_depth(stack: list, tmp_path: Path, dtype: str, bits: int, syntax: str) -> None:
    values = _ramp(dtype, bits)
    cases.put_pixels(stack[0], values, bits)
    path = cases.save(stack[0], tmp_path / "a.dcm", cases.LOSSLESS[syntax])
    array = read_dicom([path]).array
    assert array.dtype == values.dtype
    np.testing.assert_array_equal(array[0], values)


@pytest.mark.parametrize("name", cases.LOSSLESS)
def test_transfer_syntaxes(stack: list, tmp_path: Path, name: str) -> None:
    paths = cases.save_all(stack, tmp_path, cases.LOSSLESS[name])
    assert dcmread(paths[0]).file_meta.TransferSyntaxUID == cases.LOSSLESS[name]
    volume = cmr.read(tmp_path)
    plain = read_dicom(cases.save_all(stack, tmp_path / "plain"))
    np.testing.assert_array_equal(volume.array, plain.array)
    assert volume.grid == plain.grid
    np.testing.assert_array_equal(volume.array[::-1], np.stack([d.pixel_array for d in stack]))


@pytest.mark.parametrize(("dtype", "bits", "high"), [("uint16", 12, 15), ("int16", 12, 13), ("int16", 10, 15)])
@pytest.mark.parametrize("syntax", ["explicit", "big endian", "RLE"])
def test_values_that_do_not_end_at_bit_0(
    stack: list, tmp_path: Path, dtype: str, bits: int, high: int, syntax: str
) -> None:
    values = _ramp(dtype, bits)
    cases.put_pixels(stack[0], values, bits, high)
    path = cases.save(stack[0], tmp_path / "a.dcm", cases.LOSSLESS[syntax])
    np.testing.assert_array_equal(read_dicom([path]).array[0], values)


def test_what_lies_in_unused_bits_is_no_value(stack: list, tmp_path: Path) -> None:
    values = _ramp("int16", 12)
    containers = (values.view(np.uint16) & 0x0FFF) | np.uint16(0xA000)
    cases.put_pixels(stack[0], containers.view(np.int16), 12)
    np.testing.assert_array_equal(read_dicom([cases.save(stack[0], tmp_path / "a.dcm")]).array[0], values)


def test_lossy_files_are_read(stack: list, tmp_path: Path) -> None:
    cases.put_pixels(stack[0], (_ramp("uint8", 8)))
    path = cases.save(stack[0], tmp_path / "a.dcm")
    subprocess.run([parts.need_program("dcmcjpeg"), "+eb", path, path], check=True, capture_output=True)
    assert dcmread(path).file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert np.abs(read_dicom([path]).array[0].astype(int) - _ramp("uint8", 8)).max() < 24


def test_rescale_is_kept_aside(stack: list, tmp_path: Path) -> None:
    raw = stack[0].pixel_array
    stack[0].RescaleSlope, stack[0].RescaleIntercept = "2.5", "-7"
    path = cases.save(stack[0], tmp_path / "a.dcm")
    volume = read_dicom([path])
    np.testing.assert_array_equal(volume.array[0], raw)
    assert volume.metadata.scaling == (2.5, -7.0)
    cmr.write(volume, tmp_path / "a.nii.gz")
    np.testing.assert_allclose(
        sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "a.nii.gz")))[0], cases.stored_values(path)[0]
    )


def test_slopes_of_their_own_keep_their_sense(stack: list, tmp_path: Path) -> None:
    for n, dataset in enumerate(stack):
        dataset.RescaleSlope, dataset.RescaleIntercept = str(-1 - n), "0"
    volume = read_dicom(cases.save_all(stack, tmp_path))
    assert volume.metadata.scaling == (1.0, 0.0)
    assert volume.metadata.small_values_bright


def test_a_slope_of_zero_is_none(stack: list, tmp_path: Path) -> None:
    stack[0].RescaleSlope, stack[0].RescaleIntercept = "0", "0"
    volume = read_dicom([cases.save(stack[0], tmp_path / "a.dcm")])
    assert volume.metadata.scaling == (1.0, 0.0)
    for name in ("a.nii.gz", "a.mha"):
        cmr.write(volume, tmp_path / name)
        np.testing.assert_array_equal(cmr.read(tmp_path / name).array, volume.array)


def test_monochrome1_keeps_its_values(stack: list, tmp_path: Path) -> None:
    raw = stack[0].pixel_array
    stack[0].PhotometricInterpretation = "MONOCHROME1"
    volume = read_dicom([cases.save(stack[0], tmp_path / "a.dcm")])
    np.testing.assert_array_equal(volume.array[0], raw)
    assert volume.metadata.small_values_bright
    stack[0].RescaleSlope, stack[0].RescaleIntercept = "-1", "4095"
    assert not read_dicom([cases.save(stack[0], tmp_path / "b.dcm")]).metadata.small_values_bright


def test_every_voxel_lies_where_simpleitk_says(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path)
    volume = cmr.read(tmp_path)
    assert volume.grid.spacing[0] != volume.grid.spacing[1]
    heights = []
    for path in paths:
        (place,) = volume.metadata.places[volume.metadata.files.index(path)]
        heights.append(place[1])
        where = cases.physical(path)
        for row, column in [(0, 0), (0, 55), (71, 0), (71, 55), (30, 20)]:
            expected = (volume.grid.affine @ [column, row, place[1], 1])[:3]
            # The slices of a real series are rounded, so they lie on a line to 0.001 mm only.
            np.testing.assert_allclose(where(row, column), expected, atol=2e-3)
    assert sorted(heights) == [0, 1, 2, 3]
    itk = sitk.ReadImage(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    np.testing.assert_array_equal(sitk.GetArrayFromImage(itk), volume.array)
    np.testing.assert_allclose(itk.GetOrigin(), volume.grid.origin, atol=1e-6)
    np.testing.assert_allclose(itk.GetDirection(), volume.grid.direction, atol=1e-4)


def test_order_of_files_does_not_matter(stack: list, tmp_path: Path) -> None:
    paths = cases.save_all(stack, tmp_path)
    one, other = read_dicom(paths), read_dicom(paths[::-1])
    np.testing.assert_array_equal(one.array, other.array)
    assert one.grid == other.grid


def test_missing_orientation(stack: list, tmp_path: Path) -> None:
    volume = read_dicom(cases.save_all(cases.fresh_series(stack, ImageOrientationPatient=None), tmp_path))
    assert not volume.has_geometry and volume.header_state == "none" and volume.header_orientation() is None
    assert volume.array.shape[0] == 4
    assert volume.grid.spacing[:2] == (1.708985, 1.367188)


def test_missing_position(stack: list, tmp_path: Path) -> None:
    bare = cases.fresh_series(stack, ImagePositionPatient=None)
    volume = read_dicom(cases.save_all(bare, tmp_path))
    assert volume.has_geometry and volume.header_state == "known"
    # SliceLocation still tells the order and the distance.
    assert volume.grid.spacing[2] == pytest.approx(6.68, abs=0.01)
    by_location = np.argsort([float(d.SliceLocation) for d in bare])
    np.testing.assert_array_equal(volume.array, np.stack([bare[n].pixel_array for n in by_location]))


def test_neither_position_nor_orientation(stack: list, tmp_path: Path) -> None:
    nothing = dict.fromkeys(["ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "PixelSpacing"])
    bare = cases.fresh_series(stack, **nothing)
    volume = read_dicom(cases.save_all(bare, tmp_path))
    assert not volume.has_geometry
    assert volume.grid.spacing == (1.0, 1.0, 10.0)
    np.testing.assert_array_equal(volume.array, np.stack([d.pixel_array for d in bare]), "not in the order of numbers")


@pytest.mark.parametrize("directions", [[0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [1, 0, 0, 0, 2, 0]])
def test_meaningless_orientation_counts_as_none(stack: list, tmp_path: Path, directions: list) -> None:
    volume = read_dicom(cases.save_all(cases.fresh_series(stack, ImageOrientationPatient=directions), tmp_path))
    assert not volume.has_geometry and volume.header_state == "none"


def test_secondary_capture_without_geometry(stack: list, tmp_path: Path) -> None:
    (picture,) = cases.fresh_series(
        stack[:1], SOPClassUID=cases.SECONDARY_CAPTURE, ImageOrientationPatient=None, ImagePositionPatient=None
    )
    cases.put_pixels(picture, (picture.pixel_array // 8).clip(0, 255).astype(np.uint8))
    del picture.PixelSpacing, picture.SliceLocation
    picture.PixelAspectRatio = [3, 2]
    volume = read_dicom([cases.save(picture, tmp_path / "picture")])
    assert volume.array.dtype == np.uint8 and not volume.has_geometry
    assert volume.grid.spacing[:2] == (1.0, 1.5)


def test_multiframe_secondary_capture_is_a_stack_or_a_film(stack: list, tmp_path: Path) -> None:
    frames = np.stack([d.pixel_array for d in stack]).astype(np.uint16)
    nothing = dict.fromkeys(["ImagePositionPatient", "ImageOrientationPatient", "SliceLocation", "PixelSpacing"])
    (file,) = cases.fresh_series(stack[:1], SOPClassUID=cases.MULTIFRAME_WORD_CAPTURE, NumberOfFrames=4, **nothing)
    cases.put_pixels(file, frames)
    file.FrameIncrementPointer = 0x00182001
    pages = read_dicom([cases.save(file, tmp_path / "pages.dcm")])
    np.testing.assert_array_equal(pages.array, frames)
    file.FrameIncrementPointer = 0x00181063
    film = read_dicom([cases.save(file, tmp_path / "film.dcm")])
    np.testing.assert_array_equal(film.array, frames[:, None])


@pytest.mark.parametrize("syntax", ["explicit", "RLE", "JPEG-LS"])
def test_enhanced_mr(stack: list, tmp_path: Path, syntax: str) -> None:
    plain = read_dicom(cases.save_all(stack, tmp_path / "plain"))
    shuffled = [stack[n] for n in (2, 0, 3, 1)]
    path = cases.save(cases.enhanced(shuffled), tmp_path / "enhanced.dcm", cases.LOSSLESS[syntax])
    volume = cmr.read(path)
    np.testing.assert_array_equal(volume.array, plain.array)
    np.testing.assert_allclose(volume.grid.affine, plain.grid.affine, atol=1e-9)
    assert volume.header_state == "known"


def test_enhanced_cine_in_one_file_and_in_one_a_slice(stack: list, tmp_path: Path) -> None:
    path = cases.save(cases.enhanced(stack, phases=3), tmp_path / "all.dcm")
    whole = cmr.read(path)
    assert whole.array.shape == (3, 4, cases.ROWS, cases.COLUMNS)
    assert whole.metadata.time_step == pytest.approx(0.03)
    for n, dataset in enumerate(stack):
        cases.save(cases.enhanced([dataset], phases=3), tmp_path / "each" / f"{n}.dcm")
    each = cmr.read(tmp_path / "each")
    np.testing.assert_array_equal(each.array, whole.array)
    np.testing.assert_allclose(each.grid.affine, whole.grid.affine, atol=1e-9)


def test_real_cine(data_root: Path, tmp_path: Path) -> None:
    film = cases.people(data_root, "cine_one_slice")
    volume = read_dicom(cases.save_all(film, tmp_path))
    np.testing.assert_array_equal(volume.array, np.stack([d.pixel_array for d in film])[:, None])
    assert volume.metadata.time_step == pytest.approx(0.0348837, abs=1e-6)
    assert volume.header_orientation() == 0


def test_phases_go_by_trigger_time_and_by_number_without(stack: list, tmp_path: Path) -> None:
    film = []
    for n in range(6):
        (frame,) = cases.fresh_series(stack[:1], TriggerTime=float(100 - 10 * n), InstanceNumber=n + 1)
        frame.SeriesInstanceUID = stack[0].SeriesInstanceUID
        cases.put_pixels(frame, np.full((cases.ROWS, cases.COLUMNS), n, np.int16))
        film.append(frame)
    timed = read_dicom(cases.save_all(film, tmp_path / "timed"))
    assert timed.array[:, 0, 0, 0].tolist() == [5, 4, 3, 2, 1, 0]
    for frame in film:
        del frame.TriggerTime
        # Between the R waves it says nothing.
        frame.NominalCardiacTriggerDelayTime = None
    numbered = read_dicom(cases.save_all(film, tmp_path / "numbered"))
    assert numbered.array[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_unequal_numbers_of_phases(stack: list, tmp_path: Path) -> None:
    film = [*stack]
    for n in range(1, 4):
        (frame,) = cases.fresh_series(stack[:1], TriggerTime=200.0 * n, InstanceNumber=900 + n)
        frame.SeriesInstanceUID = stack[0].SeriesInstanceUID
        cases.put_pixels(frame, frame.pixel_array + np.int16(1000 * n))
        film.append(frame)
    film.append(cases.fresh_series(stack[1:2], TriggerTime=400.0, InstanceNumber=990)[0])
    film[-1].SeriesInstanceUID = stack[0].SeriesInstanceUID
    cases.put_pixels(film[-1], film[-1].pixel_array + np.int16(1000))
    paths = cases.save_all(film, tmp_path / "in")
    volume = read_dicom(paths)
    assert volume.array.shape[:2] == (4, 4)
    assert not volume.metadata.complete and "unequal" in volume.metadata.notes[0]
    # The first slice is the last along the normal: four phases; then two, spread; then one, repeated.
    first = [d.pixel_array for d in stack]
    np.testing.assert_array_equal(volume.array[:, 3], [first[0] + np.int16(1000 * n) for n in range(4)])
    np.testing.assert_array_equal(volume.array[:, 2], [first[1]] * 2 + [first[1] + np.int16(1000)] * 2)
    np.testing.assert_array_equal(volume.array[:, 1], [first[2]] * 4)
    written = write_dicom(volume.reindexed(Orientation(5), Orientation(5)), tmp_path / "out")
    assert len(written) == len(film)
    for path, dataset in zip(written, film, strict=True):
        np.testing.assert_array_equal(dcmread(path).pixel_array, np.rot90(dataset.pixel_array, -1))


def test_unequal_distances_are_named(stack: list, tmp_path: Path) -> None:
    volume = read_dicom(cases.save_all([stack[0], stack[1], stack[3]], tmp_path))
    assert volume.array.shape[0] == 3 and "not equally far apart" in volume.metadata.notes[0]


def test_files_without_preamble_and_meta(stack: list, tmp_path: Path) -> None:
    path = tmp_path / "bare.dcm"
    stack[0].file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    with config.disable_value_validation():
        stack[0].save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=False, overwrite=True)
    data = path.read_bytes()
    bare = data[data.index(b"\x08\x00\x05\x00") :]
    path.write_bytes(bare)
    np.testing.assert_array_equal(read_dicom([path]).array[0], stack[0].pixel_array)


def test_reading_is_quiet(stack: list, tmp_path: Path) -> None:
    # The real files break the standard in places, which is nobody's business here.
    paths = cases.save_all(stack, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_dicom(paths)


def test_files_that_do_not_belong_together(stack: list, tmp_path: Path) -> None:
    cases.put_pixels(stack[1], np.zeros((8, 8), np.int16))
    with pytest.raises(CMROrientError, match="does not belong"):
        read_dicom(cases.save_all(stack, tmp_path))


@pytest.mark.parametrize("axis", [0, 1])
def test_slice_axis_cannot_be_chosen(stack: list, tmp_path: Path, axis: int) -> None:
    paths = cases.save_all(stack, tmp_path)
    with pytest.raises(CMROrientError, match="slice axis"):
        read_dicom(paths, axis)
    assert read_dicom(paths, 2).array.shape[0] == 4


def test_missing_codec_says_what_to_install(stack: list, tmp_path: Path) -> None:
    path = cases.save(stack[0], tmp_path / "a.dcm", cases.LOSSLESS["JPEG-LS"])
    film = dcmread(path)
    film.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"  # MPEG-4
    film.save_as(path)
    with pytest.raises(CMROrientError, match=r"a\.dcm.*MPEG|a\.dcm.*decoder"):
        read_dicom([path])


def test_compressed_files_need_no_extra_packages(stack: list, tmp_path: Path) -> None:
    names = ["implicit", "RLE", "JPEG lossless", "JPEG lossless SV1", "JPEG-LS", "JPEG 2000"]
    for n, name in enumerate(names):
        cases.save(stack[0], tmp_path / f"{n}.dcm", cases.LOSSLESS[name])
    np.save(tmp_path / "expected.npy", stack[0].pixel_array)
    script = """
import pathlib, sys
for name in ("gdcm", "pylibjpeg", "openjpeg", "jpeg_ls", "PIL"):
    sys.modules[name] = None
import numpy as np
from CMROrientLib.io.dicom.read import read_dicom
folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*.dcm")):
    np.testing.assert_array_equal(read_dicom([path]).array[0], np.load(folder / "expected.npy"))
    print(path.name)
"""
    command = [sys.executable, "-W", "ignore", "-c", script, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=False, cwd=parts.REPOSITORY)
    assert told.returncode == 0 and len(told.stdout.split()) == len(names), told.stderr
