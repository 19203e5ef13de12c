"""Wrong input and unwritable output: one clear error that names the file, and nothing left behind."""

import contextlib
import gzip
import os
import shutil
import struct
import tempfile
import tracemalloc
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from image_files import SUFFIXES, direction_matrix, write_with_itk

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io import find, read, write
from CMROrientLib.io.atomic import replacing
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.files import checksum
from CMROrientLib.volume import Grid, Volume

ARRAY = np.arange(3 * 20 * 30, dtype=np.int16).reshape(3, 20, 30)


def refuse(path, words):
    """Reading fails with one line that names the file and holds the words."""
    with pytest.raises(CMROrientError) as caught:
        read(path)
    text = str(caught.value)
    assert str(path) in text
    assert words in text
    assert "\n" not in text
    return text


def good(path, array=ARRAY):
    return write_with_itk(path, array, (1.4, 1.3, 8), (1, 2, 3), direction_matrix((1, 0.2, 0.4)))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_text_file(tmp_path, suffix, capfd):
    path = tmp_path / f"a{suffix}"
    path.write_text("These are the notes of a ward round, and no image at all.\n" * 20, encoding="utf-8")
    refuse(path, "damaged" if suffix == ".nii.gz" else "whatever its name says")
    path.write_bytes(gzip.compress(path.read_bytes()))
    refuse(path, "whatever its name says")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_empty_file(tmp_path, suffix):
    (tmp_path / f"a{suffix}").write_bytes(b"")
    refuse(tmp_path / f"a{suffix}", "is empty: copy or export it anew")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_path(tmp_path, suffix):
    refuse(tmp_path / f"a{suffix}", "no such file")
    refuse(tmp_path / "nowhere" / f"a{suffix}", "no such file")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_folder_with_the_name_of_a_file(tmp_path, suffix):
    (tmp_path / f"a{suffix}").mkdir()
    refuse(tmp_path / f"a{suffix}", "is a folder without DICOM files")


@pytest.mark.parametrize("name", ["photo.png", "photo.jpg", "notes.txt", "voxels.raw", "noname"])
def test_unknown_formats_name_the_known_ones(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))
    text = refuse(tmp_path / name, "is in no known format")
    assert all(suffix in text for suffix in SUFFIXES)
    with pytest.raises(CMROrientError, match="in no known format"):
        write(Volume(ARRAY, Grid((30, 20, 3))), tmp_path / name)


@pytest.mark.parametrize("name", ["photo.png", "PHOTO.JPG", "a.jpeg", "a.tif"])
def test_a_picture_is_told_what_it_lacks(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(300))
    text = refuse(tmp_path / name, "picture without the spacing")
    assert "give the file or folder that it was made from" in text and "DICOM" in text
    # Whoever writes one has nothing to look for.
    with pytest.raises(CMROrientError) as caught:
        write(Volume(ARRAY, Grid((30, 20, 3))), tmp_path / name)
    assert "made from" not in str(caught.value)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_truncated_files(tmp_path, suffix, share, capfd):
    data = good(
        tmp_path / f"a{suffix}", np.random.default_rng(0).integers(-999, 999, (9, 50, 60), np.int16)
    ).read_bytes()
    (tmp_path / f"b{suffix}").write_bytes(data[: int(len(data) * share)])
    refuse(tmp_path / f"b{suffix}", "")
    (tmp_path / f"c{suffix}").write_bytes(data[:-1])
    refuse(tmp_path / f"c{suffix}", "cut short")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".mha", ".nrrd", ".nii.gz"])
def test_compressed_voxels_without_their_checksum(tmp_path, suffix):
    """All voxels are there, the last bytes of the stream are not, or are others."""
    write(Volume(ARRAY, Grid((30, 20, 3))), tmp_path / f"a{suffix}")
    data = (tmp_path / f"a{suffix}").read_bytes()
    (tmp_path / f"b{suffix}").write_bytes(data[:-1])
    refuse(tmp_path / f"b{suffix}", "cut short")
    wrong = bytearray(data)
    wrong[-5 if suffix != ".mha" else -1] ^= 0xFF
    (tmp_path / f"c{suffix}").write_bytes(wrong)
    refuse(tmp_path / f"c{suffix}", "damaged")


def test_truncated_inside_valid_gzip(tmp_path):
    data = gzip.decompress(good(tmp_path / "a.nii.gz").read_bytes())
    for length in (10, 347, 348, 351, 352, 400, len(data) - 1):
        (tmp_path / "b.nii.gz").write_bytes(gzip.compress(data[:length]))
        refuse(tmp_path / "b.nii.gz", "cut short")


@pytest.mark.parametrize("suffix", [".nhdr", ".mhd"])
def test_detached_voxels_missing_or_short(tmp_path, suffix):
    path = good(tmp_path / f"a{suffix}")
    voxels = next(file for file in tmp_path.iterdir() if file != path)
    voxels.write_bytes(voxels.read_bytes()[:-5])
    with pytest.raises(CMROrientError, match="cut short") as caught:
        read(path)
    assert voxels.name in str(caught.value)
    voxels.unlink()
    with pytest.raises(CMROrientError, match="no such file") as caught:
        read(path)
    assert voxels.name in str(caught.value)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_colours_and_vectors(tmp_path, suffix):
    for channels in (2, 3, 4):
        image = sitk.GetImageFromArray(np.zeros((2, 20, 30, channels), np.uint8), isVector=True)
        sitk.WriteImage(image, str(tmp_path / f"a{suffix}"))
        refuse(tmp_path / f"a{suffix}", "")


def test_colour_types_of_nifti(tmp_path):
    for fields in ([("R", "u1"), ("G", "u1"), ("B", "u1")], [("R", "u1"), ("G", "u1"), ("B", "u1"), ("A", "u1")]):
        nibabel.save(nibabel.Nifti1Image(np.zeros((4, 5, 3), fields), np.eye(4)), tmp_path / "a.nii")
        refuse(tmp_path / "a.nii", "colours")


@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_complex_numbers(tmp_path, dtype):
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 5, 3), dtype), np.eye(4)), tmp_path / "a.nii.gz")
    refuse(tmp_path / "a.nii.gz", "complex")


def test_five_axes(tmp_path):
    nibabel.save(nibabel.Nifti1Image(np.ones((4, 5, 3, 2, 2), np.int16), np.eye(4)), tmp_path / "a.nii")
    refuse(tmp_path / "a.nii", "5 axes")
    for name, text in {
        "b.nrrd": "NRRD0004\ntype: uchar\ndimension: 5\nsizes: 2 2 2 2 2\nencoding: raw\n\n",
        "b.mha": "NDims = 5\nDimSize = 2 2 2 2 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n",
    }.items():
        (tmp_path / name).write_bytes(text.encode() + bytes(32))
        refuse(tmp_path / name, "")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_finite_value(tmp_path, suffix, value):
    good(tmp_path / f"a{suffix}", np.full((3, 4, 5), value, np.float32))
    if suffix.startswith(".nii"):
        nibabel.save(nibabel.Nifti1Image(np.full((3, 4, 5), value, np.float32), np.eye(4)), tmp_path / f"a{suffix}")
    refuse(tmp_path / f"a{suffix}", "no finite value")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_constant_image_is_an_image(tmp_path, suffix):
    assert not read(good(tmp_path / f"a{suffix}", np.zeros((3, 4, 5), np.uint8))).array.any()


def test_slices_one_voxel_wide(tmp_path):
    with pytest.raises(CMROrientError, match="another slice axis"):
        read(good(tmp_path / "a.nii", ARRAY[:1]), slice_axis=0)
    with pytest.raises(CMROrientError, match="0, 1 or 2"):
        read(tmp_path / "a.nii", slice_axis=3)


def headers_of_size(size):
    """Headers of all formats that claim a size."""
    header = nibabel.Nifti2Header()
    header.set_data_dtype(np.int16)
    header["magic"], header["vox_offset"] = header.single_magic, 544
    header["dim"][:4] = [3, *size]
    nifti = header.binaryblock + bytes(4)
    text = " ".join(map(str, size))
    nrrd = f"NRRD0004\ntype: short\ndimension: 3\nsizes: {text}\nendian: little\nencoding: "
    meta = f"NDims = 3\nDimSize = {text}\nElementType = MET_SHORT\n"
    return {
        "a.nii": nifti + bytes(99),
        "a.nii.gz": gzip.compress(nifti + bytes(99)),
        "raw.nrrd": f"{nrrd}raw\n\n".encode() + bytes(99),
        "gzip.nrrd": f"{nrrd}gzip\n\n".encode() + gzip.compress(bytes(99)),
        "bzip2.nrrd": f"{nrrd}bzip2\n\n".encode() + __import__("bz2").compress(bytes(99)),
        "text.nrrd": f"{nrrd}ascii\n\n".encode() + b"0 " * 99,
        "hex.nrrd": f"{nrrd}hex\n\n".encode() + b"00" * 99,
        "a.mha": f"{meta}ElementDataFile = LOCAL\n".encode() + bytes(99),
        "z.mha": f"{meta}CompressedData = True\nElementDataFile = LOCAL\n".encode()
        + __import__("zlib").compress(bytes(99)),
    }


@pytest.mark.parametrize("name", list(headers_of_size((1, 1, 1))))
def test_a_claim_beyond_the_file_takes_no_memory(tmp_path, name):
    for size in [(100_000, 100_000, 100_000), (2**40, 2**40, 2**40)]:
        path = tmp_path / name
        path.write_bytes(headers_of_size(size)[name])
        tracemalloc.start()
        refuse(path, "its header claims")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 50e6


@pytest.mark.parametrize("name", list(headers_of_size((1, 1, 1))))
@pytest.mark.parametrize("size", [(0, 20, 3), (20, 20, 0), (-4, 20, 3)])
def test_no_voxels(tmp_path, name, size):
    (tmp_path / name).write_bytes(headers_of_size(size)[name])
    refuse(tmp_path / name, "there is no image in it")


def test_singular_matrices(tmp_path):
    header = nibabel.Nifti1Header()
    header.set_data_shape((5, 4, 3))
    header.set_data_dtype(np.uint8)
    header["magic"], header["vox_offset"], header["sform_code"] = header.single_magic, 352, 1
    for value in (0.0, 1.0, np.nan, np.inf):
        for axis in "xyz":
            header[f"srow_{axis}"] = value
        (tmp_path / "a.nii").write_bytes(header.binaryblock + bytes(4) + bytes(range(60)))
        refuse(tmp_path / "a.nii", "singular")
    for directions in ("(1,0,0) (1,0,0) (0,0,1)", "(0,0,0) (0,1,0) (0,0,1)", "(inf,0,0) (0,1,0) (0,0,1)"):
        (tmp_path / "a.nrrd").write_bytes(
            f"NRRD0004\ntype: uchar\ndimension: 3\nspace: LPS\nsizes: 5 4 3\nspace directions: {directions}\n"
            "encoding: raw\n\n".encode()
            + bytes(range(60))
        )
        refuse(tmp_path / "a.nrrd", "singular")
    (tmp_path / "a.mha").write_bytes(
        b"NDims = 3\nDimSize = 5 4 3\nTransformMatrix = 1 0 0 1 0 0 0 0 1\nElementType = MET_UCHAR\n"
        b"ElementDataFile = LOCAL\n" + bytes(range(60))
    )
    refuse(tmp_path / "a.mha", "singular")


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files_give_an_image_or_an_error(tmp_path_factory, suffix, data):
    """Whatever bytes are changed, nothing but a CMROrientError comes out, and a volume can be written."""
    folder = tmp_path_factory.mktemp("fuzz")
    raw = bytearray(good(folder / f"a{suffix}", ARRAY[:, :4, :5]).read_bytes())
    packed = suffix == ".nii.gz"
    if packed and data.draw(st.booleans()):
        raw = bytearray(gzip.decompress(raw))
    else:
        packed = False
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, min(len(raw), 420) - 1))] = data.draw(st.integers(0, 255))
    path = folder / f"b{suffix}"
    path.write_bytes(gzip.compress(raw) if packed else raw)
    try:
        volume = read(path)
    except CMROrientError as error:
        assert str(path) in str(error)
        return
    write(volume.reindexed(Orientation.ROTATE_90, Orientation.FLIP_VERTICAL), folder / f"c{suffix}")
    again = read(folder / f"c{suffix}")
    assert np.array_equal(
        again.array, Orientation.ROTATE_90.apply(volume.array), equal_nan=volume.array.dtype.kind == "f"
    )


@pytest.fixture
def unprivileged():
    """A folder that everyone may enter, and no rights beyond one's own."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    was = os.geteuid()
    yield folder
    if was == 0:
        os.seteuid(0)
    shutil.rmtree(folder)


def drop_rights():
    if os.geteuid() == 0:
        os.seteuid(65534)


def test_no_right_to_read(unprivileged):
    path = good(unprivileged / "a.nii.gz")
    path.chmod(0)
    drop_rights()
    refuse(path, "may not be read")


def test_no_right_to_write(unprivileged):
    volume = read(good(unprivileged / "a.nii.gz"))
    (unprivileged / "out").mkdir()
    (unprivileged / "out").chmod(0o555)
    drop_rights()
    for suffix in SUFFIXES:
        with pytest.raises(CMROrientError, match=r"cannot be written \(Permission denied") as caught:
            write(volume, unprivileged / "out" / f"b{suffix}")
        assert f"b{suffix}" in str(caught.value)
    assert list((unprivileged / "out").iterdir()) == []


@contextlib.contextmanager
def largest_file(size):
    """A real OSError in the middle of writing, as on a full disk."""
    resource = pytest.importorskip("resource")
    was = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, was[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, was)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_nothing_and_spares_what_was_there(tmp_path, suffix):
    noise = np.random.default_rng(0).integers(0, 2**15, (9, 99, 99), np.int16)
    volume = read(good(tmp_path / f"a{suffix}", noise))
    out = tmp_path / "out"
    write(read(good(tmp_path / "small.nii")), out / f"b{suffix}")
    before = {path: path.read_bytes() for path in out.iterdir()}
    with largest_file(50_000), pytest.raises(CMROrientError, match="cannot be written"):
        write(volume, out / f"b{suffix}")
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    with largest_file(50_000), pytest.raises(CMROrientError, match="cannot be written"):
        write(volume, out / f"new{suffix}")
    assert {path: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_in_the_way(tmp_path):
    (tmp_path / "b.nrrd").mkdir()
    with pytest.raises(CMROrientError, match="folder of that name"):
        write(Volume(ARRAY, Grid((30, 20, 3))), tmp_path / "b.nrrd")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CMROrientError, match="cannot be written"):
        write(Volume(ARRAY, Grid((30, 20, 3))), tmp_path / "file" / "b.nrrd")
    (tmp_path / "c.raw").mkdir()
    (tmp_path / "c.mhd").write_text("as it was", encoding="utf-8")
    meta = read(good(tmp_path / "a.mhd"))
    with pytest.raises(CMROrientError, match="cannot be written"):
        write(meta, tmp_path / "c.mhd")
    assert (tmp_path / "c.mhd").read_text(encoding="utf-8") == "as it was"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    # Voxels that are in place already go again where their header cannot follow.
    (tmp_path / "d.mhd").mkdir()
    with pytest.raises(CMROrientError, match="cannot be written"), replacing([tmp_path / "d.raw", tmp_path / "d.mhd"]):
        pass
    assert not (tmp_path / "d.raw").exists()


def test_files_get_the_usual_rights(tmp_path):
    was = os.umask(0o027)
    try:
        write(Volume(ARRAY, Grid((30, 20, 3))), tmp_path / "deep" / "er" / "a.nii.gz")
    finally:
        os.umask(was)
    assert (tmp_path / "deep" / "er" / "a.nii.gz").stat().st_mode & 0o777 == 0o640


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.nii")
    refuse(tmp_path / "a.nii", "no regular file: give a file or a folder")
    with pytest.raises(CMROrientError, match="no regular file"):
        find(tmp_path / "a.nii")
    # Nor where a header names it for its voxels.
    with pytest.raises(CMROrientError, match="no regular file"):
        checksum([tmp_path / "a.nii"])


def test_an_analyze_header_is_told_from_nifti(tmp_path):
    (tmp_path / "a.nii").write_bytes(struct.pack("<i", 348) + bytes(500))
    refuse(tmp_path / "a.nii", "Analyze")


def test_a_device_error_is_told(tmp_path):
    # Reading at address 0 of a process fails: a file that opens and cannot be read.
    if not Path("/proc/self/mem").exists():
        pytest.skip("no /proc on this machine")
    (tmp_path / "a.nii").symlink_to("/proc/self/mem")
    refuse(tmp_path / "a.nii", "cannot be read")
