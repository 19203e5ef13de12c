"""Finding the images in a file or a tree."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ..errors import CMROrientError
from .formats import detached_reader
from .image_files import ImageFiles
from .real_paths import RealPaths
from .suffixes import DETACHED_SUFFIXES, DICOM_SUFFIXES, kind_of, suffix_of, unknown_format

#: What makes a folder a BIDS data set.
_BIDS = "dataset_description.json"

#: What programs made of it lies there.
_DERIVATIVES = "derivatives"


def find(root: str | os.PathLike[str]) -> list[ImageFiles]:
    """The images in a file or a tree, in an order that depends on names only.

    Hidden files and folders, the ``derivatives`` of a BIDS data set and unknown files in a tree are
    passed over; a single file that is no image is an error.

    Raises
    ------
    CMROrientError
        Where ``root`` is missing, cannot be read, or is a file in no known format.
    """
    root = Path(root)
    if not is_folder(root):
        if not root.is_file():
            # Whoever opened a pipe would wait for ever.
            raise CMROrientError("is no regular file: give a file or a folder", root)
        if kind_of(root) is not None:
            return [_source(str(root))]
        if not _is_dicom(root):
            raise unknown_format(root, reading=True)
        return _group([root])
    sources: list[ImageFiles] = []
    dicom: list[Path] = []
    for name in _walk(root):
        if kind_of(name) is not None:
            sources.append(_source(name))
        elif _is_dicom(path := Path(name)):
            dicom.append(path)
    # What a detached header names as its voxels is no image of its own, whatever it is called.
    voxels = {Path(file).resolve() for source in sources for file in source.file_texts[1:]}
    if voxels:
        sources = [source for source in sources if source.path.resolve() not in voxels]
        dicom = [path for path in dicom if path.resolve() not in voxels]
    if dicom:
        sources += _group(dicom)
    sources.sort(key=lambda source: (_below(source.path_text, root), source.series or ""))
    return sources


def _below(text: str, root: Path) -> str:
    start = str(root)
    if text.startswith(start) and text[len(start) : len(start) + 1] == os.sep:
        return text[len(start) + 1 :].replace(os.sep, "/")
    return Path(text).relative_to(root).as_posix()


def derivatives(root: Path) -> list[Path]:
    """The ``derivatives`` of BIDS data sets in a tree, which ``find`` passes over."""
    places = {Path(folder) for folder, files in _folders(root) if _BIDS in files and (Path(folder) / _BIDS).is_file()}
    return sorted(place / _DERIVATIVES for place in places if (place / _DERIVATIVES).is_dir())


def only_series(folder: Path) -> ImageFiles:
    """The one DICOM series below a folder. Raises CMROrientError where there is none or another."""
    dicom = [path for path in map(Path, _walk(folder)) if kind_of(path) is None and _is_dicom(path)]
    if not dicom:
        raise CMROrientError("is a folder without DICOM files: name the image file itself", folder)
    series = [source for source in _group(dicom) if not source.left_alone]
    if len(series) != 1:
        raise CMROrientError(
            f"holds {len(series) or 'no'} DICOM series that could be corrected: give the files of one", folder
        )
    return series[0]


def leaves_out(root: Path, path: Path) -> bool:
    """Whether the walk through a tree passes over a path below it, whatever is there.

    Raises ``ValueError`` where the path is not below the root.
    """
    here = root
    for name in path.relative_to(root).parts:
        if _passed_over(name, is_bids=(here / _BIDS).is_file()):
            return True
        here = here / name
    return False


def is_folder(path: Path) -> bool:
    """Whether this is a folder; raises CMROrientError where nothing is there or nobody may look."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        raise CMROrientError("no such file or folder", path) from None
    except OSError as error:
        raise CMROrientError(f"cannot be opened ({error.strerror or error}); check its permissions", path) from error
    except ValueError as error:
        raise CMROrientError(f"cannot be opened ({error}); give its plain path", path) from error


def _group(paths: list[Path]) -> list[ImageFiles]:
    from .dicom.find import group

    return group(paths)


def _source(name: str) -> ImageFiles:
    """A file of one of the formats, with its data files; those outside its folder by their absolute path."""
    kind = kind_of(name) or ""
    files: list[Path] = []
    if suffix_of(name) in DETACHED_SUFFIXES:
        path = Path(name)
        # A broken header is an image all the same; reading it says what is wrong.
        with contextlib.suppress(CMROrientError):
            found = detached_reader(kind).files_of(path)[1:]
            files = [file if _is_below(file, path.parent) else file.resolve() for file in found]
    return ImageFiles(name, (name, *map(str, files)), kind)


def _is_below(path: Path, folder: Path) -> bool:
    return path.is_relative_to(folder) and ".." not in path.relative_to(folder).parts


def _walk(root: Path) -> Iterator[str]:
    """Files below a folder, sorted by name, less those passed over."""
    for folder, names in _folders(root):
        # As ``Path(folder) / name`` is written, which takes longer to make.
        start = str(Path(folder)) if folder.startswith(os.curdir) else folder
        for name in sorted(names):
            path = name if start == os.curdir else os.path.join(start, name)  # noqa: PTH118
            if not _hidden(name) and Path(path).is_file():
                yield path


def _folders(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Folders from the given one on and the names in them, less those passed over; each once, whatever links say."""

    def refuse(error: OSError) -> None:
        raise CMROrientError(
            f"cannot be opened ({error.strerror or error}); check its permissions", error.filename
        ) from error

    seen: set[str] = set()
    places = RealPaths()
    for folder, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        real = places.of(folder)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _passed_over(name, is_bids=_BIDS in files))
        yield folder, files


def _passed_over(folder: str, *, is_bids: bool) -> bool:
    # What programs made of a BIDS data set lies below it, and is none of its images.
    return _hidden(folder) or (is_bids and folder == _DERIVATIVES)


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
