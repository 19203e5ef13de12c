"""Finding images in a tree: complete, in a fixed order, and nothing that is none."""

import os
import pickle
import shutil
import tempfile
import warnings
from pathlib import Path

import needs_pydicom  # noqa: F401  before what it brings
import numpy as np
import pydicom
import pytest
from image_files import SUFFIXES, direction_matrix, write_with_itk

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io import SUFFIXES as KNOWN
from CMROrientLib.io import find, read, read_source, suffix_of, without_suffix, write_source
from CMROrientLib.io.find import leaves_out
from CMROrientLib.orientation import Orientation

ARRAY = np.arange(3 * 4 * 5, dtype=np.int16).reshape(3, 4, 5)


def image(path, array=ARRAY):
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_with_itk(path, array, (1.4, 1.3, 8), (1, 2, 3), direction_matrix((1, 0.2, 0.4)))


def dicom_file(data_root):
    return next(path for path in sorted((data_root / "dicom").rglob("*")) if path.is_file())


def names(root):
    return [source.path.relative_to(root).as_posix() for source in find(root)]


@pytest.mark.parametrize(
    ("name", "suffix", "rest"),
    [
        ("a.nii", ".nii", "a"),
        ("a.NII.GZ", ".nii.gz", "a"),
        ("a.b.nii.gz", ".nii.gz", "a.b"),
        ("a.gz", "", "a.gz"),
        ("nii", "", "nii"),
        (".nii", ".nii", ".nii"),
        ("a.nrrd", ".nrrd", "a"),
        ("a.seg.nrrd", ".nrrd", "a.seg"),
        ("a.Mhd", ".mhd", "a"),
        ("1.2.840.10008", "", "1.2.840.10008"),
    ],
)
def test_suffixes(name, suffix, rest):
    assert suffix_of(name) == suffix
    assert suffix_of(Path("folder.nii") / name) == suffix
    assert without_suffix(Path("folder.nii") / name) == Path("folder.nii") / rest
    assert suffix in ("", *KNOWN)


def test_a_tree_is_walked_in_order_less_what_is_no_image(tmp_path):
    for name in ["b/2.nii", "b/10.nrrd", "a.mha", "B/x.nii.gz", "b.nii", "b/deep/er/c.mhd", "b/d.nhdr", "b/UP.NRRD"]:
        image(tmp_path / name)
    for name in [".hidden/a.nii", "b/.a.nii", "b/~a.nii", "b/a.nii~", "b/a.nii.tmp", "b/.cmrorient-00.tmp"]:
        image(tmp_path / "b" / "2.nii")
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "b" / "2.nii", tmp_path / name)
    for name in ["notes.txt", "b/photo.png", "b/voxels.raw", "README", "b/empty", "b/empty.dat"]:
        (tmp_path / name).write_bytes(b"x" * 400 if "empty" not in name else b"")
    (tmp_path / "folder.nii").mkdir()
    found = ["B/x.nii.gz", "a.mha", "b.nii", "b/10.nrrd", "b/2.nii", "b/UP.NRRD", "b/d.nhdr", "b/deep/er/c.mhd"]
    assert names(tmp_path) == found
    assert names(tmp_path) == sorted(found)
    kinds = {source.path.name: source.kind for source in find(tmp_path)}
    assert kinds["x.nii.gz"] == "nifti"
    assert kinds["d.nhdr"] == "nrrd"
    assert kinds["c.mhd"] == "metaimage"
    assert pickle.loads(pickle.dumps(find(tmp_path))) == find(tmp_path)


def test_the_derivatives_of_a_bids_data_set_are_passed_over(tmp_path):
    for name in ["sub-01/a.nii", "derivatives/x/a.nii", "sub-01/derivatives/a.nii", "sourcedata/b.nii"]:
        image(tmp_path / name)
    assert "derivatives/x/a.nii" in names(tmp_path), "a folder of that name alone says nothing"
    assert not leaves_out(tmp_path, tmp_path / "derivatives" / "x")
    (tmp_path / "dataset_description.json").write_text("{}")
    assert names(tmp_path) == ["sourcedata/b.nii", "sub-01/a.nii", "sub-01/derivatives/a.nii"]
    assert leaves_out(tmp_path, tmp_path / "derivatives" / "x" / "y")
    assert leaves_out(tmp_path, tmp_path / "sub-01" / ".hidden")
    assert not leaves_out(tmp_path, tmp_path / "sub-01" / "derivatives")
    assert not leaves_out(tmp_path, tmp_path)
    assert names(tmp_path / "derivatives") == ["x/a.nii"], "who names them means them"


def test_detached_voxels_belong_to_their_header(tmp_path):
    for suffix in (".nhdr", ".mhd"):
        header = image(tmp_path / f"a{suffix}")
        (source,) = find(header)
        assert source.files[0] == header
        assert [file.suffix for file in source.files[1:]] == [".raw"]
        assert all(file.is_file() for file in source.files)
    # Even where the voxels have the name of an image.
    (tmp_path / "other.mha").write_bytes(ARRAY.tobytes())
    (tmp_path / "b.mhd").write_text(
        "NDims = 3\nDimSize = 5 4 3\nElementType = MET_SHORT\nElementDataFile = other.mha\n", encoding="utf-8"
    )
    assert names(tmp_path) == ["a.mhd", "a.nhdr", "b.mhd"]
    # Voxels elsewhere are named by a path that cannot be taken for one below the header.
    (tmp_path / "sub").mkdir()
    shutil.copy(tmp_path / "b.mhd", tmp_path / "sub" / "c.mhd")
    text = (tmp_path / "b.mhd").read_text(encoding="utf-8").replace("other.mha", "../other.mha")
    (tmp_path / "sub" / "c.mhd").write_text(text, encoding="utf-8")
    assert find(tmp_path / "sub" / "c.mhd")[0].files == (
        tmp_path / "sub" / "c.mhd",
        (tmp_path / "other.mha").resolve(),
    )
    (tmp_path / "b.mhd").unlink()
    assert names(tmp_path) == ["a.mhd", "a.nhdr", "sub/c.mhd"]
    assert np.array_equal(read(tmp_path / "sub" / "c.mhd").array, ARRAY)


def test_two_headers_do_not_come_to_share_voxels(tmp_path):
    """Where headers keep their names the data files keep theirs."""
    for n, (suffix, data) in enumerate([(".nhdr", "one.raw"), (".mhd", "two.raw")]):
        image(tmp_path / f"a{suffix}", ARRAY + n)
        text = (tmp_path / f"a{suffix}").read_text(encoding="utf-8").replace("a.raw", data)
        (tmp_path / f"a{suffix}").write_text(text, encoding="utf-8")
        (tmp_path / "a.raw").rename(tmp_path / data)
    for source in find(tmp_path):
        written = write_source(read_source(source), source, tmp_path / "out" / source.path.name)
        assert {path.name for path in written} == {file.name for file in source.files}
    assert np.array_equal(read(tmp_path / "out" / "a.nhdr").array, ARRAY)
    assert np.array_equal(read(tmp_path / "out" / "a.mhd").array, ARRAY + 1)
    (mhd, _) = find(tmp_path / "out")
    assert [path.name for path in write_source(read_source(mhd), mhd, tmp_path / "renamed.mhd")] == [
        "renamed.raw",
        "renamed.mhd",
    ]


def test_one_file(tmp_path):
    for suffix in SUFFIXES:
        path = image(tmp_path / f"a{suffix}")
        (source,) = find(path)
        assert source.path == path
        assert source.left_alone is None
        assert np.array_equal(read_source(source).array, ARRAY)
        turned = read_source(source).reindexed(Orientation.ROTATE_90, Orientation.ROTATE_90)
        written = write_source(turned, source, tmp_path / "out" / path.name)
        assert written[-1] == tmp_path / "out" / path.name
        assert all(file.is_file() for file in written)
        assert np.array_equal(read(written[-1]).array, turned.array)


def test_what_is_not_there(tmp_path):
    for path in (tmp_path / "nothing", tmp_path / "nothing.nii", tmp_path / "a\0b"):
        with pytest.raises(CMROrientError) as caught:
            find(path)
        assert str(path) in str(caught.value)
    assert find(tmp_path) == []
    with pytest.raises(CMROrientError, match="without DICOM files"):
        read(tmp_path)


def test_links_do_not_lead_in_circles(tmp_path):
    image(tmp_path / "real" / "a.nii")
    (tmp_path / "real" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "real" / "dangling.nii").symlink_to(tmp_path / "nowhere")
    assert names(tmp_path) == ["real/a.nii"]
    outside = tmp_path / "elsewhere"
    (tmp_path / "tree").mkdir()
    image(outside / "b.nii")
    (tmp_path / "tree" / "linked").symlink_to(outside, target_is_directory=True)
    assert names(tmp_path / "tree") == ["linked/b.nii"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives up root's rights for a moment")
def test_a_folder_that_cannot_be_opened_is_named(tmp_path):
    # Not below tmp_path, whose parents only root may enter.
    root = Path(tempfile.mkdtemp())
    closed = root / "closed"
    closed.mkdir()
    try:
        root.chmod(0o755)
        closed.chmod(0)
        os.seteuid(65534)
        try:
            with pytest.raises(CMROrientError, match="cannot be opened") as caught:
                find(root)
        finally:
            os.seteuid(0)
        assert str(closed) in str(caught.value)
    finally:
        shutil.rmtree(root)


def test_dicom_is_known_by_content(data_root, tmp_path):
    original = dicom_file(data_root)
    for name in ["IM0001", "1.2.840.113619.2.1", "x.dcm", "y.IMA", "z.img"]:
        folder = tmp_path / name.replace(".", "_")
        folder.mkdir()
        shutil.copy(original, folder / name)
        (source,) = find(folder)
        assert source.kind == "dicom"
        assert [file.name for file in source.files] == [name]
        (alone,) = find(folder / name)
        assert alone.files == (folder / name,)
        assert read(folder / name).array.shape == read(folder).array.shape
    image(tmp_path / "IM0001" / "a.nii")
    assert {source.kind for source in find(tmp_path / "IM0001")} == {"dicom", "nifti"}


def test_dicom_without_a_preamble_is_known(data_root, tmp_path):
    dataset = pydicom.dcmread(dicom_file(data_root))
    bare = tmp_path / "IM0002"
    del dataset.file_meta
    dataset.preamble = None
    with warnings.catch_warnings():  # these files have UIDs with leading zeros
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(bare, dataset, implicit_vr=True, little_endian=True, enforce_file_format=False)
    assert bare.read_bytes()[:2] == b"\x08\x00"
    assert [source.kind for source in find(bare)] == ["dicom"]


def test_a_series_is_read_from_its_folder(data_root):
    folder = next(path for path in sorted((data_root / "dicom").rglob("ed_stack")) if path.is_dir())
    volume = read(folder)
    assert volume.array.ndim == 3
    assert volume.has_geometry
    with pytest.raises(CMROrientError, match="give the files of one"):
        read(data_root / "dicom")
