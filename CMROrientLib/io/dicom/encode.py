"""Put turned pixels back into a data set, in its own transfer syntax where that loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from ...errors import CMROrientError
from .dataset import transfer_syntax
from .pixels import Bits, decode

_REENCODED = (RLELossless, JPEGLossless, JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless)

#: They say where compressed frames begin.
_OF_THE_OLD_STREAM = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths", "EncapsulatedPixelDataValueTotalLength")

#: Bytes a word has, of the types that pydicom leaves as they lie in a big-endian file.
_WORDS = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}


def encode(dataset: FileDataset, containers: NDArray[Any], bits: Bits, path: Path) -> None:
    """Store pixels in place.

    Uncompressed and losslessly compressed files keep their transfer syntax, if the pixels come back
    from it bit by bit. Files compressed with a loss, and those whose codec is not installed, become
    Explicit VR Little Endian, as do the retired big-endian ones.

    Parameters
    ----------
    containers:
        ``[frame, row, column]`` from ``decode``, turned; Rows and Columns already fit it.
    """
    syntax = transfer_syntax(dataset)
    for keyword in _OF_THE_OLD_STREAM:
        if keyword in dataset:
            del dataset[keyword]
    _store_native(dataset, containers, bits)
    if syntax in _REENCODED:
        _compress(dataset, containers, bits, syntax, path)
    elif syntax in (JPEGBaseline8Bit, JPEGExtended12Bit) and "LossyImageCompression" not in dataset:
        # Once lost, always lossy: this has to be said when the codec no longer says it.
        dataset.LossyImageCompression = "01"


def to_little_endian(dataset: FileDataset) -> None:
    """Convert everything but the pixels of a big-endian data set, in place, and call it little endian.

    pydicom converts numbers by itself, but not the words of overlays, look-up tables and the like.
    """
    if transfer_syntax(dataset) != ExplicitVRBigEndian:
        return
    for element in dataset.iterall():
        size = _WORDS.get(element.VR)
        if size and element.keyword != "PixelData" and isinstance(element.value, bytes):
            whole = element.value[: len(element.value) // size * size]
            element.value = np.frombuffer(whole, f">u{size}").astype(f"<u{size}").tobytes()


def _store_native(dataset: FileDataset, containers: NDArray[Any], bits: Bits) -> None:
    syntax = transfer_syntax(dataset)
    data = containers.astype(bits.container.newbyteorder("<")).tobytes()
    dataset.PixelData = data + b"\0" * (len(data) % 2)
    element = dataset["PixelData"]
    element.is_undefined_length = False
    element.VR = "OB" if bits.container.itemsize == 1 and not syntax.is_implicit_VR else "OW"
    if syntax.is_encapsulated or not syntax.is_little_endian:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    if syntax.is_encapsulated and syntax != RLELossless:
        dataset.HighBit = bits.stored - 1


def _compress(dataset: FileDataset, containers: NDArray[Any], bits: Bits, syntax: UID, path: Path) -> None:
    """Compress, and go back to native pixels where there is no codec or it does not keep every bit."""
    native = dataset["PixelData"].value
    try:
        if syntax in (JPEGLossless, JPEGLosslessSV1):
            dataset.PixelData = encapsulate(_jpeg_lossless(containers, bits, syntax, dataset))
            dataset["PixelData"].VR = "OB"
            dataset["PixelData"].is_undefined_length = True
            dataset.file_meta.TransferSyntaxUID = syntax
        elif get_encoder(syntax).is_available:
            dataset.compress(syntax, generate_instance_uid=False)
        else:
            return
        same = np.array_equal(decode(dataset, path)[0], containers)
    except (ImportError, RuntimeError, ValueError, TypeError, AttributeError, CMROrientError):
        # Encoders refuse what they cannot hold, each in its own way; the native pixels always work.
        same = False
    if not same:
        dataset.PixelData = native
        dataset["PixelData"].VR = "OB" if bits.container.itemsize == 1 else "OW"
        dataset["PixelData"].is_undefined_length = False
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def _jpeg_lossless(containers: NDArray[Any], bits: Bits, syntax: UID, dataset: FileDataset) -> list[bytes]:
    """One JPEG stream a frame, by GDCM, which pydicom uses for decoding only."""
    import gdcm

    streams = []
    kind = gdcm.PhotometricInterpretation.GetPIType(str(dataset.PhotometricInterpretation))
    for frame in containers:
        # The writer owns the image and has to outlive it.
        writer = gdcm.ImageWriter()
        image = writer.GetImage()
        image.SetNumberOfDimensions(2)
        image.SetDimensions((frame.shape[1], frame.shape[0], 1))
        image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
        image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.ExplicitVRLittleEndian))
        width = 8 * bits.container.itemsize
        image.SetPixelFormat(gdcm.PixelFormat(1, width, bits.stored, bits.stored - 1, int(bits.signed)))
        element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
        element.SetByteStringValue(frame.astype(bits.container.newbyteorder("<")).tobytes())
        image.SetDataElement(element)
        converter = gdcm.ImageChangeTransferSyntax()
        converter.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(str(syntax))))
        converter.SetInput(image)
        if not converter.Change():
            raise RuntimeError("GDCM cannot encode this image")
        fragments = converter.GetOutput().GetDataElement().GetSequenceOfFragments()
        buffers = [fragments.GetFragment(n).GetByteValue().GetBuffer() for n in range(fragments.GetNumberOfFragments())]
        # GDCM hands bytes over as text.
        streams.append(b"".join(buffer.encode("utf-8", "surrogateescape") for buffer in buffers))
    return streams
