"""Reversed slices in files: voxels, places and what headers say of the slice axis, with ITK as the judge."""

import nibabel as nib
import numpy as np
import pytest
from image_files import direction_matrix, furthest, places_with_itk, write_with_itk

from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.volume import Grid, Volume

STAY = Orientation.IDENTITY


def reversed_slices(volume, direction=True):
    return volume.reindexed(STAY, STAY, slices=True, slice_direction=direction)


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha", ".mhd", ".nhdr"])
@pytest.mark.parametrize("shape", [(4, 5, 6), (3, 4, 5, 6)])
def test_voxels_keep_their_places(tmp_path, suffix, shape):
    array = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    path = tmp_path / f"a{suffix}"
    if array.ndim == 3:
        write_with_itk(path, array, (1.1, 1.3, 8.0), (10, -20, 30), direction_matrix([0.3, -0.5, 0.8]))
    else:
        matrix = direction_matrix([0.3, -0.5, 0.8])
        grid = Grid((6, 5, 4), (1.1, 1.3, 8.0), (10, -20, 30), tuple(np.ravel(matrix)))
        write(Volume(array, grid), path)
    volume = read(path)
    write(reversed_slices(volume), tmp_path / f"b{suffix}")
    again = read(tmp_path / f"b{suffix}")
    assert again.array.tobytes() == np.ascontiguousarray(array[..., ::-1, :, :]).tobytes()
    if array.ndim == 3:
        assert furthest(places_with_itk(path), places_with_itk(tmp_path / f"b{suffix}")) < 1e-3
    np.testing.assert_allclose(again.grid.centre, volume.grid.centre, atol=1e-3)
    write(reversed_slices(again), tmp_path / f"c{suffix}")
    back = read(tmp_path / f"c{suffix}")
    assert back.array.tobytes() == array.tobytes()
    np.testing.assert_allclose(back.grid.affine, volume.grid.affine, atol=1e-4)


@pytest.mark.parametrize(("code", "reversed_code"), [(1, 2), (2, 1), (3, 4), (4, 3), (5, 6), (6, 5), (0, 0)])
def test_slice_timing_of_nifti_counts_from_the_other_end(tmp_path, code, reversed_code):
    image = nib.Nifti1Image(np.zeros((6, 5, 8), np.int16), np.diag([1, 1, 8, 1]))
    image.header.set_dim_info(slice=2)
    image.header["slice_code"], image.header["slice_start"], image.header["slice_end"] = code, 1, 5
    image.to_filename(tmp_path / "a.nii")
    write(reversed_slices(read(tmp_path / "a.nii")), tmp_path / "b.nii")
    header = nib.load(tmp_path / "b.nii").header
    assert (int(header["slice_code"]), int(header["slice_start"]), int(header["slice_end"])) == (reversed_code, 2, 6)


def test_ranges_of_nrrd_go_with_the_slice_direction(tmp_path):
    lines = "type: short\ndimension: 3\nsizes: 2 2 3\naxis mins: 0 10 20\naxis maxs: 5 16 23\nencoding: raw\n"
    (tmp_path / "a.nrrd").write_bytes(f"NRRD0004\n{lines}endian: little\n\n".encode() + bytes(24))
    write(reversed_slices(read(tmp_path / "a.nrrd", 2)), tmp_path / "b.nrrd")
    head = (tmp_path / "b.nrrd").read_bytes().split(b"\n\n")[0].decode()
    assert "axis mins: 0 10 23" in head
    assert "axis maxs: 5 16 20" in head


def test_the_letters_of_metaimage_say_the_new_direction(tmp_path):
    array = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    write_with_itk(tmp_path / "a.mha", array, (1, 1, 8), (0, 0, 0), np.eye(3))
    volume = read(tmp_path / "a.mha")
    write(reversed_slices(volume), tmp_path / "b.mha")
    letters = [
        line.split("= ")[1]
        for path in ("a.mha", "b.mha")
        for line in (tmp_path / path).read_bytes().split(b"ElementDataFile")[0].decode().splitlines()
        if line.startswith("AnatomicalOrientation")
    ]
    assert letters[0][:2] == letters[1][:2]
    assert letters[0][2] != letters[1][2]
