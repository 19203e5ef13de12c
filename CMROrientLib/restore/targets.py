"""What a restoration may write: no file twice, none that is in the way unasked, and never an original's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..io import find
from ..io.suffixes import DETACHED_SUFFIXES, suffix_of
from ..run.files import checksum


class Targets:
    """The files that are going to be made, each checked before anything is written.

    Parameters
    ----------
    origins:
        Where the originals lay when they were corrected.
    checksums:
        What they were then: of a header with its data files the combined one.
    overwrite:
        Whether other files may be replaced.
    name_of:
        What tells files there apart (``io.one_file.names_in``).
    """

    def __init__(
        self,
        origins: Iterable[Path],
        checksums: Iterable[str],
        *,
        overwrite: bool,
        name_of: Callable[[Path], str],
    ) -> None:
        self._originals = {identity for path in origins for identity in map(_identity, _files_of(path)) if identity}
        self._checksums = set(checksums)
        self._overwrite, self._name_of = overwrite, name_of
        self._writers: dict[str, str] = {}

    def claim(self, files: Sequence[Path], name: str) -> None:
        """Note that a segmentation will be written to these files. Raises UsageError where it must not."""
        for file in files:
            first = self._writers.setdefault(self._name_of(file), name)
            if first != name:
                raise UsageError(f"{first} and {name} would both be written to it; restore them apart", file)
            if not file.exists():
                continue
            if not self._overwrite:
                raise UsageError("this file is in the way; give another folder or --overwrite", file)
            if self._is_original(file):
                raise UsageError("this is the original image itself, or holds its voxels; give another folder", file)

    def check(self, files: Sequence[Path], name: str) -> None:
        """``claim`` those of the files that nobody has claimed for this segmentation yet."""
        self.claim([file for file in files if self._writers.get(self._name_of(file)) != name], name)

    def _is_original(self, file: Path) -> bool:
        """By where it lies, whatever was done to it since; by its bytes where the originals have been moved."""
        if _identity(file) in self._originals:
            return True
        owners = [[file], *(files for files in map(_files_of, _headers_beside(file)) if _has(files, file))]
        for files in owners:
            with contextlib.suppress(CMROrientError):
                if checksum(files) in self._checksums:
                    return True
        return False


def _headers_beside(file: Path) -> list[Path]:
    return sorted(path for path in file.parent.iterdir() if suffix_of(path) in DETACHED_SUFFIXES and path.is_file())


def _has(files: Iterable[Path], file: Path) -> bool:
    wanted = _identity(file)
    return any(_identity(each) == wanted for each in files)


def _files_of(path: Path) -> list[Path]:
    """A file and, where it is a detached header, its data files; none where nothing is there any longer."""
    if not path.is_file():
        return []
    try:
        return [file for source in find(path) for file in source.files]
    except CMROrientError:
        return [path]


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from others, whatever links and the case of letters say; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
