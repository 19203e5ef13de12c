"""Small whole files of every format, made of the phantom: what damage and fuzzing start from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, MRImageStorage, RLELossless

from CMROrientLib.io import read, write
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume

#: The formats that are read, and the endings of the seeds of each.
FORMATS = {
    "nifti": (".nii", ".nii.gz"),
    "nrrd": (".nrrd", ".nhdr"),
    "metaimage": (".mha", ".mhd"),
    "dicom": (".dcm",),
}


def seeds(folder: Path, kind: str) -> list[Path]:
    """Write the seeds of one format into a folder; the files, headers of pairs first.

    Parameters
    ----------
    kind:
        One of ``FORMATS``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return _MAKERS[kind](folder)


def small(phases: int = 1) -> Volume:
    """A phantom of a few thousand voxels."""
    return make_phantom(size=(32, 36), slices=3, phases=phases)


def _files(folder: Path, endings: tuple[str, ...]) -> list[Path]:
    paths = []
    for ending in endings:
        for name, volume in (("stack", small()), ("cine", small(phases=2))):
            path = folder / f"{name}{ending}"
            write(volume, path)
            paths.append(path)
    return paths


def _nifti(folder: Path) -> list[Path]:
    return _files(folder, FORMATS["nifti"])


def _nrrd(folder: Path) -> list[Path]:
    paths = _files(folder, FORMATS["nrrd"])
    for encoding, body in (("ascii", b" ".join(b"%d" % n for n in range(60))), ("raw", bytes(range(120)))):
        path = folder / f"{encoding}.nrrd"
        head = (
            f"NRRD0004\n# a comment\ntype: short\ndimension: 3\nspace: RAS\nsizes: 5 4 3\nspace directions: (1,0,0) "
            f"(0,1,0) (0,0,8)\nspace origin: (1,2,3)\nkinds: domain domain domain\nendian: little\n"
            f"encoding: {encoding}\nkey:=value\n\n"
        )
        path.write_bytes(head.encode() + body)
        paths.append(path)
    return paths


def _metaimage(folder: Path) -> list[Path]:
    paths = _files(folder, FORMATS["metaimage"])
    plain = folder / "plain.mha"
    plain.write_bytes(
        b"ObjectType = Image\nNDims = 3\nBinaryData = True\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 1 2 3\n"
        b"ElementSpacing = 1 1 8\nDimSize = 5 4 3\nAnatomicalOrientation = RAI\nElementType = MET_SHORT\n"
        b"ElementDataFile = LOCAL\n" + bytes(range(120))
    )
    return [*paths, plain]


def _dicom(folder: Path) -> list[Path]:
    volume = small()
    paths = []
    for name, syntax in (("explicit", ExplicitVRLittleEndian), ("implicit", ImplicitVRLittleEndian)):
        dataset = _instance(volume, 0)
        dataset.file_meta.TransferSyntaxUID = syntax
        dcmwrite(folder / f"{name}.dcm", dataset, enforce_file_format=True)
        paths.append(folder / f"{name}.dcm")
    packed = _instance(volume, 1)
    packed.compress(RLELossless)
    dcmwrite(folder / "rle.dcm", packed, enforce_file_format=True)
    return [*paths, folder / "rle.dcm"]


def _instance(volume: Volume, k: int) -> FileDataset:
    array = np.clip(volume.array[k], 0, 4095).astype(np.uint16)
    dataset = FileDataset("", {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = MRImageStorage, f"1.2.3.{k + 1}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.Modality = "1.2.4", "1.2.5", "MR"
    dataset.InstanceNumber, dataset.SeriesDescription = k + 1, "phantom"
    dataset.Rows, dataset.Columns = array.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    across, down, _ = volume.grid.directions.T
    dataset.ImageOrientationPatient = [round(float(value), 6) for value in (*across, *down)]
    dataset.ImagePositionPatient = [round(float(value), 4) for value in volume.grid.affine[:3, :] @ [0, 0, k, 1]]
    dataset.PixelSpacing, dataset.SliceThickness = [1.5, 1.5], 8
    dataset.PixelData = array.tobytes()
    return dataset


def whole(path: Path) -> bool:
    """Whether a seed is read as it is: damage to what is broken already would show nothing."""
    return read(path).array.size > 0


_MAKERS: dict[str, Callable[[Path], list[Path]]] = {
    "nifti": _nifti,
    "nrrd": _nrrd,
    "metaimage": _metaimage,
    "dicom": _dicom,
}
