"""Images on disk: finding them in a tree, reading and writing them by their format."""

from __future__ import annotations

import contextlib
import importlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from ..errors import CMROrientError
from ..volume import Volume
from .image_files import ImageFiles
from .suffixes import DETACHED_SUFFIXES, DICOM_SUFFIXES, kind_of, suffix_of, unknown_format


def find(root: str | os.PathLike[str]) -> list[ImageFiles]:
    """The images in a file or a tree, in an order that depends on names only.

    Hidden files and folders and unknown files in a tree are passed over; a single file that is no
    image is an error.

    Raises
    ------
    CMROrientError
        Where ``root`` is missing, cannot be read, or is a file in no known format.
    """
    root = Path(root)
    if not is_folder(root):
        if not root.is_file():
            # Whoever opened a pipe would wait for ever.
            raise CMROrientError("is no regular file", root)
        if kind_of(root) is not None:
            return [_source(root)]
        if not _is_dicom(root):
            raise unknown_format(root)
        return _group([root])
    sources: list[ImageFiles] = []
    dicom: list[Path] = []
    for path in _walk(root):
        if kind_of(path) is not None:
            sources.append(_source(path))
        elif _is_dicom(path):
            dicom.append(path)
    # What a detached header names as its voxels is no image of its own, whatever it is called.
    voxels = {file.resolve() for source in sources for file in source.files[1:]}
    if voxels:
        sources = [source for source in sources if source.path.resolve() not in voxels]
        dicom = [path for path in dicom if path.resolve() not in voxels]
    if dicom:
        sources += _group(dicom)
    return sorted(sources, key=lambda source: (source.path.relative_to(root).as_posix(), source.series or ""))


def read_source(source: ImageFiles, slice_axis: int | None = None) -> Volume:
    """Read one found image; see ``read``."""
    if slice_axis not in (None, 0, 1, 2):
        raise CMROrientError(f"the slice axis is 0, 1 or 2, not {slice_axis}", source.path)
    if source.kind == "dicom":
        from .dicom.read import read_dicom

        volume = read_dicom(source.files, slice_axis)
    else:
        volume = _format(source.kind).read(source.path, slice_axis)
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
        return read_source(_only_series(path), slice_axis)
    sources = find(path)
    if len(sources) != 1 or sources[0].left_alone:
        reason = sources[0].left_alone if sources else None
        raise CMROrientError(f"is not an image to correct{f' ({reason})' if reason else ''}", path)
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


def _format(kind: str) -> ModuleType:
    """The module of a format, imported when it is first needed: not every host has every package."""
    try:
        return importlib.import_module(f".{kind}.file", __package__)
    except ModuleNotFoundError as error:
        raise CMROrientError(f"{kind} files need the Python package {error.name}: install it") from error


def _write_file(volume: Volume, path: Path) -> list[Path]:
    kind = kind_of(path)
    if kind is None:
        raise unknown_format(path)
    if path.is_dir():
        raise CMROrientError("cannot be written: a folder of that name is in the way", path)
    written: list[Path] = _format(kind).write(volume, path)
    return written


def _write_dicom(volume: Volume, destination: Path) -> list[Path]:
    from .dicom.write import write_dicom

    return write_dicom(volume, destination)


def _group(paths: list[Path]) -> list[ImageFiles]:
    from .dicom.find import group

    return group(paths)


def _source(path: Path) -> ImageFiles:
    """A file of one of the formats, with its data files; those outside its folder by their absolute path."""
    kind = kind_of(path) or ""
    files: tuple[Path, ...] = (path,)
    if suffix_of(path) in DETACHED_SUFFIXES:
        # A broken header is an image all the same; reading it says what is wrong.
        with contextlib.suppress(CMROrientError):
            files = _format(kind).files_of(path)
    return ImageFiles(
        path, (path, *(file if _is_below(file, path.parent) else file.resolve() for file in files[1:])), kind
    )


def _is_below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts


def is_folder(path: Path) -> bool:
    """Whether this is a folder; raises CMROrientError where nothing is there or nobody may look."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise CMROrientError("no such file or folder", path) from None
    except (OSError, ValueError) as error:
        raise CMROrientError(f"cannot be opened ({getattr(error, 'strerror', None) or error})", path) from error


def _only_series(folder: Path) -> ImageFiles:
    dicom = [path for path in _walk(folder) if kind_of(path) is None and _is_dicom(path)]
    if not dicom:
        raise CMROrientError("is a folder without DICOM files: name the image file itself", folder)
    series = [source for source in _group(dicom) if not source.left_alone]
    if len(series) != 1:
        raise CMROrientError(
            f"holds {len(series) or 'no'} DICOM series that could be corrected: one at a time is read", folder
        )
    return series[0]


def _walk(root: Path) -> Iterator[Path]:
    """Files below a folder, sorted by name, less the hidden ones; each folder once, whatever links say."""

    def refuse(error: OSError) -> None:
        raise CMROrientError(f"cannot be opened ({error.strerror or error})", error.filename) from error

    seen: set[Path] = set()
    for folder, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        here = Path(folder)
        real = here.resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _hidden(name))
        for name in sorted(files):
            if not _hidden(name) and (here / name).is_file():
                yield here / name


def _hidden(name: str) -> bool:
    # "~" ends the backups of editors and starts the lock files of office programs.
    return name.startswith((".", "~")) or name.endswith(("~", ".tmp", ".part"))


def _is_dicom(path: Path) -> bool:
    """By content where it can be read: "DICM" after the preamble, or a bare data set without one."""
    if path.suffix.lower() in DICOM_SUFFIXES:
        return True
    try:
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError:
        return False
    if start[128:] == b"DICM":
        return True
    # A data set without preamble starts with a tag of group 2 or 8, of the first few elements.
    named = bool(path.suffix) and not path.suffix[1:].isdigit()
    return not named and len(start) == 132 and start[:4] in _FIRST_TAGS


_FIRST_TAGS = {
    bytes((group, 0, element, 0)) for group in (2, 8) for element in (0x00, 0x01, 0x05, 0x08, 0x10, 0x12, 0x16, 0x18)
}
