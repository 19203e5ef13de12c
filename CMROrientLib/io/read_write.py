"""Reading and writing images by their format."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from ..errors import CMROrientError
from ..volume import Volume
from .find import find, is_folder, only_series
from .formats import detached_writer, reader, writer
from .image_files import ImageFiles
from .suffixes import DETACHED_SUFFIXES, DICOM_SUFFIXES, kind_of, suffix_of, unknown_format


def read(path: str | os.PathLike[str], slice_axis: int | None = None) -> Volume:
    """Read one image: a file, or a folder that holds one DICOM series.

    Parameters
    ----------
    slice_axis:
        0, 1 or 2: the stored axis that slices lie along; found from spacing and size where not given.

    Raises
    ------
    CMROrientError
        Where there is no image that could be corrected; it names the file and says why.
    """
    path = Path(path)
    if is_folder(path):
        return read_source(only_series(path), slice_axis)
    sources = find(path)
    if len(sources) != 1 or sources[0].left_alone:
        reason = sources[0].left_alone if sources else None
        raise CMROrientError(
            f"is not an image to correct{f' ({reason})' if reason else ''}; give one of the heart", path
        )
    return read_source(sources[0], slice_axis)


def write(volume: Volume, path: str | os.PathLike[str]) -> None:
    """Write one image, whole or not at all; the suffix says in which format.

    The header of the file that the volume was read from survives in the same format. Into another
    format go voxels, grid, phase times and description; slope and intercept are applied where the
    other format has no place for them.

    Raises
    ------
    CMROrientError
        Where the format is unknown or the file cannot be written.
    """
    path = Path(path)
    from_dicom = volume.metadata.kind == "dicom"
    if path.suffix.lower() in DICOM_SUFFIXES or (from_dicom and not suffix_of(path) and not path.suffix):
        _write_dicom(volume, path)
    else:
        _write_file(volume, path)


def read_source(source: ImageFiles, slice_axis: int | None = None) -> Volume:
    """Read one found image; see ``read``."""
    if slice_axis not in (None, 0, 1, 2):
        raise CMROrientError(f"the slice axis is 0, 1 or 2, not {slice_axis}", source.path)
    if source.kind == "dicom":
        from .dicom.read import read_dicom

        volume = read_dicom(source.files, slice_axis)
    else:
        volume = reader(source.kind).read(source.path, slice_axis)
    if min(volume.array.shape[-2:]) < 2:
        rows, columns = volume.array.shape[-2:]
        raise CMROrientError(
            f"has slices of {columns} × {rows} voxels along axis {volume.slice_axis}: give another slice axis",
            source.path,
        )
    return volume


def write_source(volume: Volume, source: ImageFiles, destination: str | os.PathLike[str]) -> list[Path]:
    """Write a corrected image in the form of its source.

    Parameters
    ----------
    destination:
        The file; for a DICOM series the folder.

    Returns
    -------
    The files written.
    """
    if source.kind == "dicom":
        return _write_dicom(volume, Path(destination))
    return _write_file(volume, Path(destination))


def files_made(source: ImageFiles, destination: Path) -> list[Path]:
    """The files that ``write_source`` makes of a source that is no DICOM, named ahead by its header.

    Of a header that cannot be read nothing is made; it counts as one file.
    """
    if suffix_of(destination) in DETACHED_SUFFIXES and kind_of(destination) == source.kind:
        with contextlib.suppress(CMROrientError):
            return detached_writer(source.kind).files_made(source.path, destination)
    return [destination]


def files_written(volume: Volume, path: Path) -> list[Path]:
    """The files that ``write`` makes of a volume, none of which is DICOM. Raises CMROrientError."""
    kind = kind_of(path)
    if suffix_of(path) in DETACHED_SUFFIXES and kind is not None:
        return detached_writer(kind).files_written(volume, path)
    return [path]


def _write_file(volume: Volume, path: Path) -> list[Path]:
    kind = kind_of(path)
    if kind is None:
        raise unknown_format(path)
    if path.is_dir():
        raise CMROrientError(
            "cannot be written: a folder of that name is in the way; move it away, or give another name", path
        )
    return writer(kind).write(volume, path)


def _write_dicom(volume: Volume, destination: Path) -> list[Path]:
    from .dicom.write import write_dicom

    return write_dicom(volume, destination)
