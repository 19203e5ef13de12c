"""The library's own fields of NIfTI headers against nibabel's, for any bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from hypothesis.extra.numpy import arrays
from nibabel import quaternions
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from CMROrientLib.io.nifti import quaternion
from CMROrientLib.io.nifti.geometry import affine_of, set_affine
from CMROrientLib.io.nifti.header import Header, encoding_axes, set_encoding_axes

VERSIONS = {1: Nifti1Header, 2: Nifti2Header}
#: Voxel types of the last are bits to the one and numbers to the other, on machines that have such.
DATA_TYPES = [0, 1, 2, 4, 8, 16, 32, 64, 128, 255, 256, 512, 768, 1024, 1280, 1792, 2304]


@some.composite
def encoded(draw: Any) -> bytes:
    """A header of either version and byte order: any bytes, or a sound one in which any fields are anything."""
    version, order = draw(some.sampled_from([1, 2])), draw(some.sampled_from("<>"))
    header = VERSIONS[version](endianness=order)
    size = len(header.binaryblock)
    if draw(some.booleans()):
        return bytes(draw(some.binary(min_size=size, max_size=size)))
    block = bytearray(header.binaryblock)
    dtype = header.structarr.dtype
    for name in draw(some.lists(some.sampled_from(list(dtype.names)), unique=True)):
        kind, start = dtype.fields[name][:2]
        block[start : start + kind.itemsize] = draw(some.binary(min_size=kind.itemsize, max_size=kind.itemsize))
    return bytes(block)


def judge(block: bytes) -> Any:
    return VERSIONS[1 if len(block) == 348 else 2](block, check=False)


@given(encoded())
@settings(deadline=None, max_examples=300)
def test_every_field_is_what_nibabel_reads_in_any_bytes(block: bytes) -> None:
    header, judged = Header.parse(block), judge(block)
    assert header.byte_order == judged.endianness
    assert header.encoded == block == judged.binaryblock
    for name in judged.structarr.dtype.names:
        assert header[name].dtype == judged[name].dtype
        assert header[name].tobytes() == judged[name].tobytes()
    assert encoding_axes(header) == list(judged.get_dim_info())


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("order", ["<", ">"])
def test_voxel_types_have_the_codes_that_nibabel_gives_them(version: int, order: str) -> None:
    for code in DATA_TYPES:
        judged = VERSIONS[version](endianness=order)
        judged["datatype"], judged["dim"][0] = code, 3
        header = Header.parse(judged.binaryblock)
        wanted = judged.get_data_dtype().newbyteorder(order)
        assert (header.data_type.kind, header.data_type.itemsize) == (wanted.kind, wanted.itemsize)
        if wanted.kind != "V":
            assert header.data_type == wanted
            header["datatype"] = header["bitpix"] = 0
            judged.set_data_dtype(wanted)
            header.set_data_type(wanted)
            assert header.encoded == judged.binaryblock


@given(encoded())
@settings(deadline=None)
def test_a_voxel_type_that_nibabel_does_not_know_is_none_here(block: bytes) -> None:
    try:
        judge(block).get_data_dtype()
    except (KeyError, HeaderDataError):
        with pytest.raises(KeyError):
            _ = Header.parse(block).data_type
    else:
        _ = Header.parse(block).data_type


@pytest.mark.parametrize("version", [1, 2])
def test_a_new_header_is_nibabels_new_header(version: int) -> None:
    judged = VERSIONS[version]()
    judged["magic"] = judged.single_magic
    assert Header.new(version=version).encoded == judged.binaryblock


@given(encoded(), some.permutations([None, 0, 1, 2]))
@settings(deadline=None)
def test_encoding_axes_are_written_as_nibabel_does(block: bytes, axes: list[int | None]) -> None:
    header, judged = Header.parse(block), judge(block)
    set_encoding_axes(header, axes[:3])
    judged.set_dim_info(*axes[:3])
    assert header.encoded == judged.binaryblock


numbers = some.floats(-4, 4, allow_subnormal=False)


@given(arrays(float, 4, elements=numbers))
@settings(deadline=None)
def test_quaternions_are_nibabels_to_the_bit(parts: NDArray[np.float64]) -> None:
    matrix = quaternion.to_matrix(list(parts))
    assert matrix.tobytes() == quaternions.quat2mat(parts).tobytes()
    assert np.array_equal(quaternion.from_matrix(matrix), quaternions.mat2quat(matrix))


@given(arrays(float, (3, 4), elements=numbers), some.sampled_from([1, 2]), some.sampled_from("<>"))
@settings(deadline=None, max_examples=300)
def test_an_affine_is_stored_as_nibabel_stores_it(rows: NDArray[np.float64], version: int, order: str) -> None:
    to_lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    matrix = to_lps @ np.vstack([rows, [0, 0, 0, 1]])
    affine = to_lps @ matrix
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    if lengths.min() < 1e-3 or abs(np.linalg.det(affine[:3, :3] / lengths)) < 1e-3:
        return
    judged = VERSIONS[version](endianness=order)
    judged["dim"][:4] = 3, 4, 5, 6
    judged["sform_code"] = judged["qform_code"] = 1
    header = Header.parse(judged.binaryblock)
    judged.set_qform(affine, 1)
    judged.set_sform(affine, 1)
    set_affine(header, matrix)
    assert header.encoded == judged.binaryblock
    assert np.allclose(to_lps @ affine_of(header, Path("a.nii")).matrix, judged.get_best_affine())
