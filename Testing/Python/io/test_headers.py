"""What a header holds beside the grid survives, and turns where it belongs to an axis."""

import gzip

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from image_files import META_LINES, direction_matrix, extremes, nrrd_file
from nibabel.nifti1 import Nifti1Extension, Nifti1Extensions

from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation

TYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]


def nifti(path, array, *, big=False, version=1, **fields):
    """Write ``array[k, j, i]`` with nibabel, raw, with header fields as given."""
    make = nibabel.Nifti1Header if version == 1 else nibabel.Nifti2Header
    header = make(endianness=">" if big else "<")
    header.set_data_shape(array.shape[::-1])
    header.set_data_dtype(array.dtype)
    affine = np.eye(4)
    affine[:3, :3] = direction_matrix((0.5, 0.4, -0.9)) * [1.4, 1.3, 8]
    header.set_sform(affine, 1)
    header.set_qform(affine, 1)
    for name, value in fields.items():
        header[name] = value
    header["magic"] = header.single_magic
    header["vox_offset"] = 352 if version == 1 else 544
    data = header.binaryblock + b"\0\0\0\0" + array.astype(array.dtype.newbyteorder(">" if big else "<")).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_every_type_is_kept_to_the_bit(tmp_path, suffix, dtype):
    array = extremes(dtype)
    nifti(tmp_path / "a.nii", array)
    first = read(tmp_path / "a.nii")
    write(first, tmp_path / f"b{suffix}")
    volume = read(tmp_path / f"b{suffix}")
    for k in Orientation:
        write(volume.reindexed(k, k), tmp_path / f"c{int(k)}{suffix}")
        back = read(tmp_path / f"c{int(k)}{suffix}").reindexed(k.inverse, k.inverse)
        assert back.array.dtype == np.dtype(dtype)
        assert back.array.tobytes() == array.tobytes()
    judged = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / f"c4{suffix}")))
    assert judged.dtype == np.dtype(dtype)
    expected = Orientation.TRANSPOSE.apply(array)
    finite = np.isfinite(expected)  # ITK's reader of NIfTI replaces the others
    assert np.array_equal(judged[finite], expected[finite])


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float64"])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_big_endian_nifti_stays_big_endian(tmp_path, suffix, dtype, version):
    array = extremes(dtype)
    nifti(tmp_path / f"a{suffix}", array, big=True, version=version)
    volume = read(tmp_path / f"a{suffix}")
    assert volume.array.dtype.isnative
    assert volume.array.tobytes() == array.tobytes()
    write(volume.reindexed(Orientation.ROTATE_90, Orientation.IDENTITY), tmp_path / f"b{suffix}")
    image = nibabel.load(tmp_path / f"b{suffix}")
    assert image.header.endianness == ">"
    assert isinstance(image, nibabel.Nifti1Image if version == 1 else nibabel.Nifti2Image)
    stored = image.dataobj.get_unscaled().T
    assert stored.astype(dtype).tobytes() == Orientation.ROTATE_90.apply(array).tobytes()


NIFTI_FIELDS = {
    "scl_slope": 2.5,
    "scl_inter": -7.0,
    "cal_min": 3.0,
    "cal_max": 250.0,
    "toffset": 1.5,
    "descrip": b"short axis, breath hold",
    "aux_file": b"case.txt",
    "intent_code": 1001,
    "intent_p1": 4.0,
    "intent_name": b"estimate",
    "slice_duration": 0.03,
    "xyzt_units": 2 | 16,
}


@pytest.mark.parametrize("k", list(Orientation))
@pytest.mark.parametrize("version", [1, 2])
def test_nifti_fields_survive(tmp_path, version, k):
    path = nifti(tmp_path / "a.nii.gz", extremes("int16", (4, 3, 5, 6)), version=version, **NIFTI_FIELDS)
    before = nibabel.load(path).header.copy()
    before["pixdim"][4:] = 32.5, 5, 6, 7
    path = nifti(
        tmp_path / "a.nii.gz", extremes("int16", (4, 3, 5, 6)), version=version, **NIFTI_FIELDS, pixdim=before["pixdim"]
    )
    volume = read(path)
    assert volume.metadata.scaling == (2.5, -7.0)
    assert volume.metadata.time_step == pytest.approx(0.0325)
    assert volume.metadata.description == "short axis, breath hold"
    assert np.array_equal(volume.array, extremes("int16", (4, 3, 5, 6)))  # raw, not scaled
    write(volume.reindexed(k, k), tmp_path / "b.nii.gz")
    after = nibabel.load(tmp_path / "b.nii.gz").header
    raw = after.structarr.copy()
    for name in before.keys():  # noqa: SIM118 - a nibabel header is no dict
        if name.startswith(("dim", "pixdim", "qua", "qoff", "srow", "scl")):
            continue
        assert raw[name].tobytes() == before[name].tobytes(), name
    written = tmp_path / "b.nii"
    written.write_bytes(gzip.decompress((tmp_path / "b.nii.gz").read_bytes()))
    block = (nibabel.Nifti1Header if version == 1 else nibabel.Nifti2Header)(
        written.read_bytes()[: 348 if version == 1 else 540], check=False
    )
    assert (float(block["scl_slope"]), float(block["scl_inter"])) == (2.5, -7.0)
    np.testing.assert_array_equal(block["pixdim"][4:], before["pixdim"][4:])
    in_plane = [6, 5] if not k.exchanges_axes else [5, 6]
    assert list(block["dim"]) == [4, *in_plane, 3, 4, 1, 1, 1]


@pytest.mark.parametrize("dimensions", [2, 3, 4, 5, 7])
def test_nifti_keeps_its_number_of_axes(tmp_path, dimensions):
    sizes = [5, 4, 3, 1, 1, 1, 1][:dimensions]
    path = nifti(tmp_path / "a.nii", extremes("int16", tuple(sizes[::-1])))
    write(read(path).reindexed(Orientation.TRANSPOSE, Orientation.TRANSPOSE), tmp_path / "b.nii")
    assert list(nibabel.load(tmp_path / "b.nii").header["dim"]) == [
        dimensions,
        *([4, 5, *sizes[2:], 1, 1, 1, 1, 1, 1, 1][:7]),
    ]


def test_codes_that_nibabel_does_not_know_survive(tmp_path, capfd):
    """nibabel would mend them, or refuse them, and speak of it."""
    strange = {"qform_code": 77, "sform_code": 1, "bitpix": 5, "intent_code": 4321, "regular": b"x"}
    path = nifti(tmp_path / "a.nii", extremes("int16"), **strange)
    write(read(path).reindexed(Orientation.ROTATE_180, Orientation.ROTATE_180), tmp_path / "b.nii")
    after = nibabel.Nifti1Header((tmp_path / "b.nii").read_bytes()[:348], check=False)
    assert int(after["qform_code"]) == 77
    assert int(after["intent_code"]) == 4321
    assert bytes(after["regular"]) == b"x"
    assert int(after["bitpix"]) == 16  # this one was wrong
    assert capfd.readouterr() == ("", "")


def test_nifti_extensions_survive_byte_for_byte(tmp_path):
    image = nibabel.Nifti1Image(extremes("int16").T.copy(), np.diag([1.4, 1.3, 8, 1]))
    image.header.extensions = Nifti1Extensions(
        [Nifti1Extension("comment", b"first words"), Nifti1Extension("afni", b"<AFNI_attributes/>")]
    )
    nibabel.save(image, tmp_path / "a.nii")
    write(read(tmp_path / "a.nii").reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90), tmp_path / "b.nii")
    start = int(nibabel.load(tmp_path / "a.nii").dataobj.offset)
    kept = [e.get_content() for e in nibabel.load(tmp_path / "b.nii").header.extensions]
    assert kept == [b"first words", b"<AFNI_attributes/>"]
    assert (tmp_path / "a.nii").read_bytes()[348:start] == (tmp_path / "b.nii").read_bytes()[348:start]


@pytest.mark.parametrize("slice_axis", [0, 1, 2])
@pytest.mark.parametrize("k", list(Orientation))
def test_encoding_directions_turn_with_the_pixels(tmp_path, k, slice_axis):
    """Frequency, phase and slice encoding name axes; the named axis is told by its length here."""
    sizes = (5, 6, 7)
    path = nifti(tmp_path / "a.nii", extremes("uint8", sizes[::-1]))
    header = nibabel.load(path).header
    header.set_dim_info(freq=1, phase=0, slice=2)
    nifti(path, extremes("uint8", sizes[::-1]), dim_info=header["dim_info"])
    write(read(path, slice_axis).reindexed(k, k), tmp_path / "b.nii")
    after = nibabel.load(tmp_path / "b.nii").header
    assert [after.get_data_shape()[axis] for axis in after.get_dim_info()] == [6, 5, 7]


def test_slice_timing_counts_from_the_other_end_of_a_reversed_axis(tmp_path):
    path = nifti(
        tmp_path / "a.nii", extremes("uint8"), dim_info=0b110000 | 1 << 2 | 2, slice_start=0, slice_end=1, slice_code=3
    )
    # The encoded slices are along k, but the volume is turned in the plane of j and k.
    volume = read(path, slice_axis=0)
    write(volume.reindexed(Orientation.FLIP_VERTICAL, Orientation.FLIP_VERTICAL), tmp_path / "b.nii")
    after = nibabel.load(tmp_path / "b.nii").header
    assert (int(after["slice_start"]), int(after["slice_end"]), int(after["slice_code"])) == (1, 2, 4)
    write(volume.reindexed(Orientation.FLIP_HORIZONTAL, Orientation.FLIP_HORIZONTAL), tmp_path / "c.nii")
    after = nibabel.load(tmp_path / "c.nii").header
    assert (int(after["slice_start"]), int(after["slice_end"]), int(after["slice_code"])) == (0, 1, 3)


@pytest.mark.parametrize(("code", "millimetres"), [(1, 1000.0), (3, 0.001)])
def test_nifti_units_of_length_are_kept(tmp_path, code, millimetres):
    path = nifti(tmp_path / "a.nii", extremes("int16"), xyzt_units=code)
    volume = read(path)
    np.testing.assert_allclose(volume.grid.spacing, np.array([1.4, 1.3, 8]) * millimetres, rtol=1e-6)
    write(volume.reindexed(Orientation.TRANSPOSE, Orientation.TRANSPOSE), tmp_path / "b.nii")
    after = nibabel.load(tmp_path / "b.nii").header
    assert int(after["xyzt_units"]) == code
    np.testing.assert_allclose(after.get_zooms(), (1.3, 1.4, 8), rtol=1e-6)


@pytest.mark.parametrize("k", list(Orientation))
def test_nifti_without_geometry_stays_without(tmp_path, k):
    path = nifti(tmp_path / "a.nii.gz", extremes("int16"), sform_code=0, qform_code=0)
    volume = read(path)
    assert not volume.has_geometry
    assert volume.header_state == "none"
    np.testing.assert_allclose(volume.grid.spacing, (1.4, 1.3, 8), rtol=1e-6)
    write(volume.reindexed(k, Orientation.IDENTITY), tmp_path / "b.nii.gz")
    after = nibabel.load(tmp_path / "b.nii.gz").header
    assert (int(after["sform_code"]), int(after["qform_code"])) == (0, 0)
    zooms = (1.3, 1.4, 8) if k.exchanges_axes else (1.4, 1.3, 8)
    np.testing.assert_allclose(after.get_zooms(), zooms, rtol=1e-6)
    assert not read(tmp_path / "b.nii.gz").has_geometry


@pytest.mark.parametrize("target", [".nrrd", ".mha"])
def test_scaled_values_become_real_where_a_format_has_no_slope(tmp_path, target):
    array = extremes("int16")
    path = nifti(tmp_path / "a.nii", array, scl_slope=0.5, scl_inter=-7.0)
    write(read(path), tmp_path / f"b{target}")
    np.testing.assert_array_equal(read(tmp_path / f"b{target}").array, array * 0.5 - 7)


def test_time_and_words_go_into_another_format(tmp_path):
    nrrd_file(tmp_path / "a.nrrd")
    volume = read(tmp_path / "a.nrrd")
    write(volume, tmp_path / "b.nii.gz")
    header = nibabel.load(tmp_path / "b.nii.gz").header
    assert float(header["pixdim"][4]) == pytest.approx(0.0315)
    assert header.get_xyzt_units() == ("mm", "sec")
    assert bytes(header["descrip"]).rstrip(b"\0").decode() == "heart, gauß"
    for name in ("c.nrrd", "c.mha"):
        write(read(tmp_path / "b.nii.gz"), tmp_path / name)
        assert read(tmp_path / name).metadata.time_step == pytest.approx(0.0315)
        assert read(tmp_path / name).metadata.description == "heart, gauß"


@pytest.mark.parametrize("target", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_no_geometry_is_none_in_any_format(tmp_path, target):
    """What says nothing of its place says nothing after a change of format either, but keeps its spacing."""
    nifti(tmp_path / "a.nii", extremes("int16"), sform_code=0, qform_code=0)
    volume = read(tmp_path / "a.nii").reindexed(Orientation.ROTATE_90, Orientation.IDENTITY)
    write(volume, tmp_path / f"b{target}")
    again = read(tmp_path / f"b{target}")
    assert not again.has_geometry
    np.testing.assert_allclose(again.grid.spacing, (1.3, 1.4, 8), rtol=1e-6)
    write(again.reindexed(Orientation.ROTATE_270, Orientation.IDENTITY), tmp_path / "c.nii")
    assert not read(tmp_path / "c.nii").has_geometry
    assert np.array_equal(read(tmp_path / "c.nii").array, extremes("int16"))


@pytest.mark.parametrize("suffix", [".nii", ".nrrd", ".mha"])
def test_what_is_not_turned_keeps_its_header_to_the_letter(tmp_path, suffix):
    if suffix == ".nii":
        nifti(tmp_path / "a.nii", extremes("int16"), **NIFTI_FIELDS)
    elif suffix == ".nrrd":
        nrrd_file(tmp_path / "a.nrrd")
    else:
        text = META_LINES.replace("MATRIX", "0.80 0.6 0 -0.6 0.8 0 0 0 1")
        (tmp_path / "a.mha").write_bytes(text.encode() + extremes(">i2", (3, 6, 5)).tobytes())
    write(read(tmp_path / f"a{suffix}"), tmp_path / f"b{suffix}")
    assert (tmp_path / f"b{suffix}").read_bytes() == (tmp_path / f"a{suffix}").read_bytes()


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_the_same_volume_gives_the_same_bytes(tmp_path, suffix):
    volume = read(nifti(tmp_path / "a.nii", extremes("int16")))
    write(volume, tmp_path / f"b{suffix}")
    write(volume, tmp_path / f"c{suffix}")
    assert (tmp_path / f"b{suffix}").read_bytes() == (tmp_path / f"c{suffix}").read_bytes()
