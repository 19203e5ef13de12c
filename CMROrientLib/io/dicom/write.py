"""Write a corrected volume as a derived DICOM series."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import numpy as np
from pydicom import FileDataset, dcmwrite

from ...errors import CMROrientError
from ...orientation import Orientation
from ...progress import Progress
from ...volume import Volume
from ..atomic import replacing_many
from .dataset import naming, read_dataset, transfer_syntax
from .derive import make_derived
from .encode import encode, to_little_endian
from .frames import arrange
from .header import InstanceHeader, header_of
from .metadata import DicomMetadata
from .overlays import turn_overlays
from .pixels import decode
from .renumber import new_numbers, new_order, reorder_groups
from .strip import drop_what_cannot_turn
from .turn import Turn, turn_attributes

#: How far a volume's grid may be from what its own files and turns make of it, in mm.
_TOLERANCE = 1e-4


def write_dicom(volume: Volume, destination: str | os.PathLike[str], progress: Progress | None = None) -> list[Path]:
    """Write a turned DICOM volume as a derived series, one file for each source file.

    The source files are read again and turned one by one, so each keeps its own header; see
    ``turn``, ``strip`` and ``derive`` for what becomes of it. A volume that was
    not turned is copied byte for byte.

    Parameters
    ----------
    volume:
        As ``read_dicom`` gave it, turned with ``Volume.reindexed``.
    destination:
        For one source file the new file; for several, or where it is a folder, the folder that they
        are put into under their old names, subfolders included.
    progress:
        Called with (files written, files to write); what it raises ends the writing, and nothing is left of it.

    Returns
    -------
    The files written, in the order of the source files. All of them appear, or none.

    Raises
    ------
    CMROrientError
        Where the volume was not read from DICOM, its values or its grid were changed in other ways,
        a source file has changed since, or the destination cannot be written.
    """
    metadata = volume.metadata
    if not isinstance(metadata, DicomMetadata):
        raise CMROrientError("only images read from DICOM can be written as DICOM; use .nii.gz or .nrrd", destination)
    targets = _targets(metadata.files, Path(destination))
    numbers = new_numbers(metadata, len(volume.array[0] if volume.array.ndim == 4 else volume.array))
    with replacing_many(targets) as unfinished:
        headers = []
        for n, path in enumerate(unfinished):
            if progress is not None:
                progress(n, len(targets))
            headers.append(_write_one(volume, metadata, n, numbers[n], path))
        _check_grid(volume, headers)
    return targets


def _write_one(volume: Volume, metadata: DicomMetadata, n: int, number: int, unfinished: Path) -> InstanceHeader:
    """Turn one source file and give it its number; the header of the source is returned."""
    source = metadata.files[n]
    dataset, checksum = read_dataset(source)
    if checksum != metadata.checksums[n]:
        raise CMROrientError("has changed since it was read; run again", source)
    header = header_of(dataset, source)
    containers, bits = decode(dataset, source)
    turn = Turn(volume.pixels_turned, volume.directions_turned, header.rows, header.columns, volume.renumbered)
    turned = np.ascontiguousarray(turn.pixels.apply(containers))
    stack = volume.array if volume.array.ndim == 4 else volume.array[np.newaxis]
    slices = stack.shape[1]
    for (phase, k), values in zip(metadata.places[n], bits.values(turned), strict=True):
        frame = stack[phase, slices - 1 - k if volume.slices_reversed else k]
        if frame.dtype != values.dtype or not np.array_equal(frame, values):
            raise CMROrientError("has other pixel values than the volume; write it as .nii.gz or .nrrd", source)
    if turn.changes_nothing:
        shutil.copyfile(source, unfinished)
        return header
    with naming(source, "turned"):
        to_little_endian(dataset)
        pixels_turned = turn.pixels is not Orientation.IDENTITY
        lost = drop_what_cannot_turn(dataset, pixels_turned=pixels_turned)
        lost += turn_overlays(dataset, turn)
        lost += turn_attributes(dataset, turn)
        order = new_order(metadata.places[n], slices) if turn.renumbered else list(range(len(turned)))
        moved = order != sorted(order)
        if moved:
            turned = np.ascontiguousarray(turned[order])
            reorder_groups(dataset, order)
        if turn.renumbered:
            dataset.InstanceNumber = number
        if pixels_turned or moved or not transfer_syntax(dataset).is_little_endian:
            encode(dataset, turned, bits, source)
        make_derived(dataset, turn, lost, instance=metadata.identities[n], series=metadata.series)
        data = _bytes_of(dataset)
    unfinished.write_bytes(data)
    return header


def _bytes_of(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    # A damaged source may lack what a complete file has to have; it is then written as it came.
    complete = bool(dataset.get("SOPClassUID"))
    dcmwrite(buffer, dataset, enforce_file_format=complete)
    return buffer.getvalue()


def _check_grid(volume: Volume, headers: list[InstanceHeader]) -> None:
    stored = arrange(headers).grid
    grid = stored.reindexed(volume.pixels_turned, volume.directions_turned, volume.slice_direction_reversed)
    if grid.size != volume.grid.size or np.abs(grid.affine - volume.grid.affine).max() > _TOLERANCE:
        raise CMROrientError("lies elsewhere than its files say; write it as .nii.gz or .nrrd", headers[0].path)


def _targets(files: tuple[Path, ...], destination: Path) -> list[Path]:
    if len(files) == 1 and not destination.is_dir():
        targets = [destination]
    elif destination.is_file():
        raise CMROrientError("is a file; give a folder for a series of several files", destination)
    else:
        root = Path(os.path.commonpath([file.parent for file in files]))
        targets = [destination / file.relative_to(root) for file in files]
    sources = {file.resolve() for file in files}
    if any(target.resolve() in sources for target in targets):
        raise CMROrientError("is one of the source files; choose another place", destination)
    return targets
