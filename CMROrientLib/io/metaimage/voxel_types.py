"""MetaImage's names of voxel types."""

from __future__ import annotations

TYPES = {
    "MET_CHAR": "int8",
    "MET_UCHAR": "uint8",
    "MET_SHORT": "int16",
    "MET_USHORT": "uint16",
    "MET_INT": "int32",
    "MET_UINT": "uint32",
    # Four bytes by the format's definition, whatever a machine's long is.
    "MET_LONG": "int32",
    "MET_ULONG": "uint32",
    "MET_LONG_LONG": "int64",
    "MET_ULONG_LONG": "uint64",
    "MET_FLOAT": "float32",
    "MET_DOUBLE": "float64",
}
#: The name that is written for each type.
NAMES = {dtype: name for name, dtype in TYPES.items() if name not in ("MET_LONG", "MET_ULONG")}
