"""The header of NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes) as named fields, in the byte order of the file.

A few lines of numpy instead of a package that takes as long to import as everything else together. nibabel
is the judge of them in the tests.
"""

from __future__ import annotations

import sys
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

ByteOrder = Literal["<", ">"]

_NATIVE: ByteOrder = "<" if sys.byteorder == "little" else ">"
_SWAPPED: ByteOrder = ">" if sys.byteorder == "little" else "<"

# fmt: off
_NIFTI1 = np.dtype([
    ("sizeof_hdr", "i4"), ("data_type", "S10"), ("db_name", "S18"), ("extents", "i4"), ("session_error", "i2"),
    ("regular", "S1"), ("dim_info", "u1"), ("dim", "i2", (8,)), ("intent_p1", "f4"), ("intent_p2", "f4"),
    ("intent_p3", "f4"), ("intent_code", "i2"), ("datatype", "i2"), ("bitpix", "i2"), ("slice_start", "i2"),
    ("pixdim", "f4", (8,)), ("vox_offset", "f4"), ("scl_slope", "f4"), ("scl_inter", "f4"), ("slice_end", "i2"),
    ("slice_code", "u1"), ("xyzt_units", "u1"), ("cal_max", "f4"), ("cal_min", "f4"), ("slice_duration", "f4"),
    ("toffset", "f4"), ("glmax", "i4"), ("glmin", "i4"), ("descrip", "S80"), ("aux_file", "S24"),
    ("qform_code", "i2"), ("sform_code", "i2"), ("quatern_b", "f4"), ("quatern_c", "f4"), ("quatern_d", "f4"),
    ("qoffset_x", "f4"), ("qoffset_y", "f4"), ("qoffset_z", "f4"), ("srow_x", "f4", (4,)), ("srow_y", "f4", (4,)),
    ("srow_z", "f4", (4,)), ("intent_name", "S16"), ("magic", "S4"),
])
_NIFTI2 = np.dtype([
    ("sizeof_hdr", "i4"), ("magic", "S4"), ("eol_check", "i1", (4,)), ("datatype", "i2"), ("bitpix", "i2"),
    ("dim", "i8", (8,)), ("intent_p1", "f8"), ("intent_p2", "f8"), ("intent_p3", "f8"), ("pixdim", "f8", (8,)),
    ("vox_offset", "i8"), ("scl_slope", "f8"), ("scl_inter", "f8"), ("cal_max", "f8"), ("cal_min", "f8"),
    ("slice_duration", "f8"), ("toffset", "f8"), ("slice_start", "i8"), ("slice_end", "i8"), ("descrip", "S80"),
    ("aux_file", "S24"), ("qform_code", "i4"), ("sform_code", "i4"), ("quatern_b", "f8"), ("quatern_c", "f8"),
    ("quatern_d", "f8"), ("qoffset_x", "f8"), ("qoffset_y", "f8"), ("qoffset_z", "f8"), ("srow_x", "f8", (4,)),
    ("srow_y", "f8", (4,)), ("srow_z", "f8", (4,)), ("slice_code", "i4"), ("xyzt_units", "i4"),
    ("intent_code", "i4"), ("intent_name", "S16"), ("dim_info", "u1"), ("unused_str", "S15"),
])
# fmt: on

#: Bytes of each version's header, which are also its first number.
NIFTI1_SIZE, NIFTI2_SIZE = _NIFTI1.itemsize, _NIFTI2.itemsize

_TYPES = {_NIFTI1.itemsize: _NIFTI1, _NIFTI2.itemsize: _NIFTI2}
_MAGIC = {_NIFTI1.itemsize: b"n+1", _NIFTI2.itemsize: b"n+2"}
_END_OF_LINES = (13, 10, 26, 10)

#: Voxel types by their codes. Those of 128 bits a part, bits and "any" have no numbers here.
_DATA_TYPES: dict[int, np.dtype[Any]] = {
    code: np.dtype(name)
    for code, name in {
        2: "u1", 4: "i2", 8: "i4", 16: "f4", 32: "c8", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8",
        1280: "u8", 1792: "c16", 0: "V", 1: "V", 255: "V", 1536: "V", 2048: "V", 128: "u1, u1, u1",
        2304: "u1, u1, u1, u1",
    }.items()
}  # fmt: skip
_CODES = {dtype: code for code, dtype in _DATA_TYPES.items() if dtype.kind != "V"}


class Fields(Protocol):
    """The named fields of a header: this one's, or nibabel's."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a field."""
        ...

    def __setitem__(self, name: str, value: Any, /) -> None:
        """Put one into its place, rounded to its type."""
        ...


class Header:
    """One header.

    Parameters
    ----------
    fields:
        A structured array without axes, of either version; it is changed in place.
    """

    def __init__(self, fields: NDArray[np.void]) -> None:
        self._fields = fields

    @classmethod
    def parse(cls, encoded: bytes) -> Header:
        """A header of either version from its bytes, as they are: nothing is mended."""
        dtype = _TYPES[len(encoded)]
        fields = np.frombuffer(encoded, dtype).reshape(())
        # The number of axes, 1 to 7, tells the byte order; without any the header's own size does.
        axes = int(fields["dim"][0])
        turned = fields["sizeof_hdr"].byteswap() == len(encoded) if axes == 0 else not 1 <= axes <= 7
        return cls(fields.view(dtype.newbyteorder(_SWAPPED if turned else _NATIVE)).copy())

    @classmethod
    def new(cls, *, version: int) -> Header:
        """A header of a single file (``.nii``) that says nothing yet; in the byte order of this machine."""
        dtype = _NIFTI2 if version == 2 else _NIFTI1
        header = cls(np.zeros((), dtype))
        header["sizeof_hdr"], header["magic"] = dtype.itemsize, _MAGIC[dtype.itemsize]
        header["dim"] = (0, *[1] * 7)
        header["pixdim"] = 1
        header["scl_slope"] = 1
        if version == 2:
            header["eol_check"] = _END_OF_LINES
        header.set_data_type(np.dtype(np.float32))
        return header

    def __getitem__(self, name: str) -> Any:
        """See ``Fields``."""
        return self._fields[name]

    def __setitem__(self, name: str, value: Any) -> None:
        """See ``Fields``."""
        self._fields[name] = value

    @property
    def encoded(self) -> bytes:
        """Its bytes."""
        return self._fields.tobytes()

    @property
    def byte_order(self) -> ByteOrder:
        """``<`` or ``>``."""
        return _NATIVE if self._fields.dtype == _TYPES[self._fields.dtype.itemsize] else _SWAPPED

    @property
    def data_type(self) -> np.dtype[Any]:
        """The type of a voxel, in the header's byte order. Raises ``KeyError`` where NIfTI has none of that code."""
        return _DATA_TYPES[int(self["datatype"])].newbyteorder(self.byte_order)

    def set_data_type(self, dtype: np.dtype[Any]) -> None:
        """Name the type of a voxel. Raises ``KeyError`` where NIfTI has no such numbers."""
        self["datatype"] = _CODES[dtype.newbyteorder("=")]
        self["bitpix"] = dtype.itemsize * 8


def encoding_axes(fields: Fields) -> list[int | None]:
    """The stored axes of frequency, phase and slice encoding; None where a header does not tell."""
    info = int(fields["dim_info"])
    return [(info >> shift & 3) - 1 if info >> shift & 3 else None for shift in (0, 2, 4)]


def set_encoding_axes(fields: Fields, axes: list[int | None]) -> None:
    """Name the stored axes of frequency, phase and slice encoding."""
    fields["dim_info"] = sum(
        (axis + 1) << shift for axis, shift in zip(axes, (0, 2, 4), strict=True) if axis is not None
    )
