"""The formats of single files: each has a folder with a reader and a writer, imported when first needed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Protocol, cast

from ..errors import CMROrientError
from ..volume import Volume


class Reader(Protocol):
    """The module ``read`` of a format."""

    def read(self, path: Path, slice_axis: int | None = None) -> Volume:
        """Read one file. Raises CMROrientError."""
        ...


class DetachedReader(Reader, Protocol):
    """The module ``read`` of a format whose voxels can lie in files of their own."""

    def files_of(self, path: Path) -> tuple[Path, ...]:
        """A header and its data files. Raises CMROrientError."""
        ...


class Writer(Protocol):
    """The module ``write`` of a format."""

    def write(self, volume: Volume, path: Path) -> list[Path]:
        """Write one file, whole or not at all; returns the files written. Raises CMROrientError."""
        ...


class DetachedWriter(Writer, Protocol):
    """The module ``write`` of a format whose voxels can lie in files of their own."""

    def files_made(self, source: Path, path: Path) -> list[Path]:
        """What ``write`` makes at ``path`` of what is read from ``source``. Raises CMROrientError."""
        ...

    def files_written(self, volume: Volume, path: Path) -> list[Path]:
        """What ``write`` makes of a volume. Raises CMROrientError."""
        ...


def reader(kind: str) -> Reader:
    """The reader of ``nifti``, ``nrrd`` or ``metaimage``. Raises CMROrientError where a package is missing."""
    return cast(Reader, _module(kind, "read"))


def detached_reader(kind: str) -> DetachedReader:
    """The same for ``nrrd`` and ``metaimage``."""
    return cast(DetachedReader, _module(kind, "read"))


def writer(kind: str) -> Writer:
    """The writer of ``nifti``, ``nrrd`` or ``metaimage``. Raises CMROrientError where a package is missing."""
    return cast(Writer, _module(kind, "write"))


def detached_writer(kind: str) -> DetachedWriter:
    """The same for ``nrrd`` and ``metaimage``."""
    return cast(DetachedWriter, _module(kind, "write"))


def _module(kind: str, part: str) -> object:
    # Not every host has every package.
    try:
        return importlib.import_module(f".{kind}.{part}", __package__)
    except ModuleNotFoundError as error:
        raise CMROrientError(f"{kind} files need the Python package {error.name}: install it") from error
