"""The size that a compressed stream says it has.

A damaged stream may claim a billion pixels, and decoders believe it: what it says is held against
the DICOM header before any decoder sees it.
"""

from __future__ import annotations

import struct
from itertools import islice

from pydicom import FileDataset
from pydicom.encaps import generate_frames

from .attributes import number

_SOC, _SIZ, _SOI = 0xFF4F, 0xFF51, 0xFFD8

#: JPEG markers that start a frame: SOF0 to SOF15 without the tables among them, and JPEG-LS's.
_FRAME_STARTS = (set(range(0xFFC0, 0xFFD0)) - {0xFFC4, 0xFFC8, 0xFFCC}) | {0xFFF7}


def check_streams(dataset: FileDataset) -> None:
    """Raise ValueError where a JPEG, JPEG-LS or JPEG 2000 stream does not have the size of the header."""
    rows, columns = (int(number(dataset, keyword) or 0) for keyword in ("Rows", "Columns"))
    count = max(int(number(dataset, "NumberOfFrames") or 1), 1)
    streams = islice(generate_frames(dataset.PixelData, number_of_frames=count), count + 1)
    if [stream_size(stream) for stream in streams] != [(rows, columns)] * count:
        raise ValueError(f"the compressed pixels are not the {count} × {columns} × {rows} that the header names")


def stream_size(stream: bytes) -> tuple[int, int] | None:
    """(rows, columns) of one component, None where the stream does not say it as it should.

    ISO/IEC 10918-1 B.2.2 (JPEG), 14495-1 C.2.2 (JPEG-LS) and 15444-1 A.5.1 (JPEG 2000).
    """
    try:
        (start,) = struct.unpack_from(">H", stream)
        if start == _SOC:
            marker, _, _, *sizes, components = struct.unpack_from(">3H8IH", stream, 2)
            width, height, left, top, *_ = sizes
            return (height - top, width - left) if marker == _SIZ and components == 1 else None
        place = 2
        while start == _SOI:
            marker, length = struct.unpack_from(">2H", stream, place)
            if marker in _FRAME_STARTS:
                _, height, width, components = struct.unpack_from(">B2HB", stream, place + 4)
                return (height, width) if components == 1 else None
            # Fill bytes may stand before a marker.
            place += 1 if marker == 0xFFFF else 2 + max(length, 2)
    except struct.error:
        pass
    return None
