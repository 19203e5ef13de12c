"""How NRRD stores voxels: its names of types and encodings, and numbers as text."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ...errors import CMROrientError
from .. import voxels
from .header import NrrdHeader

_SPELLINGS = {
    "int8": "int8|signed char|int8_t",
    "uint8": "uchar|unsigned char|uint8|uint8_t",
    "int16": "short|short int|signed short|signed short int|int16|int16_t",
    "uint16": "ushort|unsigned short|unsigned short int|uint16|uint16_t",
    "int32": "int|signed int|int32|int32_t",
    "uint32": "uint|unsigned int|uint32|uint32_t",
    "int64": "longlong|long long|long long int|signed long long|signed long long int|int64|int64_t",
    "uint64": "ulonglong|unsigned long long|unsigned long long int|uint64|uint64_t",
    "float32": "float",
    "float64": "double",
}

#: The voxel type behind each of the format's names.
TYPES = {name: dtype for dtype, names in _SPELLINGS.items() for name in names.split("|")}

_ENCODINGS = {
    "raw": "raw",
    "gzip": "gzip",
    "gz": "gzip",
    "bzip2": "bzip2",
    "bz2": "bzip2",
    "txt": "text",
    "text": "text",
    "ascii": "text",
    "hex": "hex",
}

#: How the file of a detached header ends, for each encoding.
DATA_SUFFIXES = {"raw": ".raw", "gzip": ".raw.gz", "bzip2": ".raw.bz2", "text": ".txt", "hex": ".hex"}


def type_name(header: NrrdHeader) -> str:
    """What a header calls its voxel type, as ``TYPES`` spells it."""
    return " ".join((header.get("type") or "").lower().split())


def name_of_type(dtype: np.dtype[Any]) -> str:
    """What is written for a voxel type."""
    name = dtype.newbyteorder("=").name
    return {"float32": "float", "float64": "double"}.get(name, name)


def encoding_of(header: NrrdHeader) -> str | None:
    """``raw``, ``gzip``, ``bzip2``, ``text`` or ``hex``; None for any other."""
    return _ENCODINGS.get((header.get("encoding") or "").lower())


def parse_text(text: bytes, encoding: str, count: int, dtype: np.dtype[Any], path: Path) -> bytes:
    """The bytes of ``count`` voxels written as ``text`` or ``hex``. Raises CMROrientError."""
    try:
        if encoding == "hex":
            data = bytes.fromhex("".join(text.decode("ascii").split()))
            if len(data) < count * dtype.itemsize:
                raise CMROrientError("is cut short inside its voxels: copy or export it anew", path)
            return data[: count * dtype.itemsize]
        words = text.replace(b",", b" ").split()
        if len(words) < count:
            raise CMROrientError(
                f"is cut short: {len(words):,} of {count:,} voxels are there; copy or export it anew", path
            )
        kind = int if dtype.kind in "iu" else float
        return np.array([kind(word) for word in words[:count]], dtype).tobytes()
    except (ValueError, OverflowError) as error:
        raise CMROrientError(
            f"is damaged: its voxels are not numbers of its type ({error}); export it anew", path
        ) from None


def write_values(stream: IO[bytes], array: NDArray[Any], encoding: str) -> None:
    """Write an array, first axis slowest, in its own byte order."""
    if encoding == "hex":
        stream.write(np.ascontiguousarray(array).tobytes().hex().encode("ascii"))
    elif encoding == "text":
        for line in array.reshape(-1, array.shape[-1]):
            # repr is the shortest text that reads back as the same number.
            stream.write((" ".join(str(value) for value in line) + "\n").encode("ascii"))
    else:
        voxels.write_array(stream, array, encoding)
