"""What a restoration may write: no file twice, none that is in the way unasked, and never an original's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..io import find
from ..io.suffixes import DETACHED_SUFFIXES, suffix_of
from ..run.files import checksum

#: What tells a file from others, whatever links and the case of letters say: device and number.
Identity = tuple[int, int]


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
        self._origins = list(origins)
        self._checksums = set(checksums)
        self._overwrite, self._name_of = overwrite, name_of
        self._writers: dict[str, str] = {}
        self._headers: dict[Path, dict[Identity, list[list[Path]]]] = {}

    @cached_property
    def _originals(self) -> set[Identity]:
        return {identity for path in self._origins for identity in map(_identity, _files_of(path)) if identity}

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
        identity = _identity(file)
        if identity is None:
            return False
        if identity in self._originals:
            return True
        for files in ([file], *self._headers_in(file.parent).get(identity, [])):
            with contextlib.suppress(CMROrientError):
                if checksum(files) in self._checksums:
                    return True
        return False

    def _headers_in(self, folder: Path) -> dict[Identity, list[list[Path]]]:
        """The files of each detached header in a folder, under each of these files; the folder is read once."""
        if folder not in self._headers:
            found = self._headers[folder] = {}
            for path in sorted(folder.iterdir()):
                files = _files_of(path) if suffix_of(path) in DETACHED_SUFFIXES else []
                for identity in filter(None, map(_identity, files)):
                    found.setdefault(identity, []).append(files)
        return self._headers[folder]


def _files_of(path: Path) -> list[Path]:
    """A file and, where it is a detached header, its data files; none where nothing is there any longer."""
    if not path.is_file():
        return []
    try:
        return [file for source in find(path) for file in source.files]
    except CMROrientError:
        return [path]


def _identity(path: Path) -> Identity | None:
    """None where there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
