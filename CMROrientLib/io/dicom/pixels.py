"""Stored pixel values of a DICOM file, bit by bit.

A *container* is the word of BitsAllocated bits that a pixel lies in, always taken as unsigned here;
its *value* is the BitsStored bits below and including HighBit. The other bits may hold anything,
old overlays among it, and turn with the pixel.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import (
    JPEG2000,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from ...errors import CMROrientError
from ..checks import native
from .attributes import number
from .codestream import check_streams
from .dataset import naming, transfer_syntax

_CONTAINERS: dict[int, np.dtype[Any]] = {8: np.dtype(np.uint8), 16: np.dtype(np.uint16), 32: np.dtype(np.uint32)}

_BY_SIMPLEITK = frozenset(
    [
        *(JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLossless, JPEGLosslessSV1),
        *(JPEGLSLossless, JPEGLSNearLossless, JPEG2000Lossless, JPEG2000),
    ]
)


class Bits:
    """Where the value lies in its container.

    Raises
    ------
    CMROrientError
        Where the header's numbers cannot be true.
    """

    def __init__(self, dataset: FileDataset, path: Path) -> None:
        allocated = int(number(dataset, "BitsAllocated") or 0)
        if allocated not in _CONTAINERS:
            raise CMROrientError(
                f"has {allocated} bits a pixel; 8, 16 and 32 can be read; export it with one of these", path
            )
        stored = int(number(dataset, "BitsStored") or allocated)
        high = int(number(dataset, "HighBit") or stored - 1)
        syntax = transfer_syntax(dataset)
        if syntax.is_encapsulated and syntax != RLELossless:
            # Image codecs keep values, not containers.
            high = stored - 1
        if not 0 < stored <= allocated or not stored - 1 <= high < allocated:
            raise CMROrientError(
                f"is damaged: {stored} of {allocated} bits would be used, up to bit {high}; export it anew",
                path,
            )
        self.container = _CONTAINERS[allocated]
        self.stored = stored
        self.shift = high + 1 - stored
        self.signed = number(dataset, "PixelRepresentation") == 1
        self.type = np.dtype(f"{'i' if self.signed else 'u'}{allocated // 8}")

    def values(self, containers: NDArray[Any]) -> NDArray[Any]:
        """The values in some containers, in the type that BitsAllocated and PixelRepresentation name."""
        # Up to the top and down again: this drops what lies above and spreads the sign.
        above = 8 * self.container.itemsize - self.stored - self.shift
        raised = np.left_shift(containers, above).view(self.type)
        values: NDArray[Any] = np.right_shift(raised, above + self.shift)
        return values


def decode(dataset: FileDataset, path: Path) -> tuple[NDArray[Any], Bits]:
    """The containers of all frames, ``[frame, row, column]``, unsigned, and where values lie in them.

    Raises
    ------
    CMROrientError
        Where there are no pixels, too few of them, or no decoder for them.
    """
    with naming(path, "read"):
        return _decode(dataset, path)


def _decode(dataset: FileDataset, path: Path) -> tuple[NDArray[Any], Bits]:
    bits = Bits(dataset, path)
    rows, columns = (int(number(dataset, keyword) or 0) for keyword in ("Rows", "Columns"))
    count = max(int(number(dataset, "NumberOfFrames") or 1), 1)
    if rows < 1 or columns < 1:
        raise CMROrientError(f"claims {rows} rows and {columns} columns: there is no image in it; export it anew", path)
    if "PixelData" not in dataset or not dataset["PixelData"].value:
        raise CMROrientError("holds no pixel data; export it with its pixels, or leave it out", path)
    array = _decompressed(dataset, path)
    if array.size != count * rows * columns:
        raise CMROrientError(
            f"holds {array.size} pixels where its header says {count * rows * columns}: copy or export it anew", path
        )
    stacked = native(array).reshape(count, rows, columns)
    if stacked.dtype.itemsize != bits.container.itemsize:
        # Codecs may hand values back in a word of their own size.
        stacked = stacked.astype(bits.type)
    return np.ascontiguousarray(stacked).view(bits.container), bits


def _decompressed(dataset: FileDataset, path: Path) -> NDArray[Any]:
    """The pixels as the codec gives them: ``[(frame,) row, column]``."""
    syntax = transfer_syntax(dataset)
    if syntax in _BY_SIMPLEITK:
        check_streams(dataset)
        return _by_simpleitk(dataset)
    decoder = get_decoder(syntax)
    if not decoder.is_available:
        raise CMROrientError(f"is compressed as {syntax.name}; to read it, install pylibjpeg-openjpeg with pip", path)
    options: dict[str, Any] = {"correct_unused_bits": False, "allow_excess_frames": False}
    return decoder.as_array(dataset, raw=True, **options)[0]


def _by_simpleitk(dataset: FileDataset) -> NDArray[Any]:
    """Decode with the codecs in SimpleITK.

    They are on every machine that this runs on, and turn damaged streams into exceptions, where the
    bare GDCM ends the process. They see nothing of the file but its pixels.
    """
    import SimpleITK as sitk

    bare = Dataset()
    bare.SOPClassUID, bare.SOPInstanceUID = SecondaryCaptureImageStorage, "2.25.1"
    bare.SamplesPerPixel, bare.PhotometricInterpretation = 1, "MONOCHROME2"
    for keyword in ("NumberOfFrames", "Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation"):
        value = number(dataset, keyword)
        if value is not None:
            setattr(bare, keyword, int(value))
    bare.HighBit = bare.BitsStored - 1
    bare.PixelData = dataset.PixelData
    bare["PixelData"].VR, bare["PixelData"].is_undefined_length = "OB", True
    bare.file_meta = FileMetaDataset()
    bare.file_meta.TransferSyntaxUID = transfer_syntax(dataset)
    with tempfile.TemporaryDirectory() as folder:
        name = Path(folder) / "pixels.dcm"
        bare.save_as(name, enforce_file_format=True)
        reader = sitk.ImageFileReader()
        reader.SetImageIO("GDCMImageIO")
        reader.SetFileName(str(name))
        return sitk.GetArrayFromImage(reader.Execute())
