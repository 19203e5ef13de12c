"""Reading a file into a data set, with whatever is wrong with it told in a sentence."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from pydicom import FileDataset, config, dcmread
from pydicom.dataset import Dataset
from pydicom.uid import UID, ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from ...errors import CMROrientError


class _Bounded(io.BufferedReader):
    """A file of which no more is asked than there is.

    Python makes room for all that is asked for: a length that damage made up would take gigabytes.
    """

    def __init__(self, raw: io.FileIO) -> None:
        super().__init__(raw)
        self._length = os.fstat(raw.fileno()).st_size

    def read(self, size: int | None = -1, /) -> bytes:
        """At most ``size`` bytes."""
        left = max(self._length - self.tell(), 0)
        return super().read(left if size is None or size < 0 else min(size, left))


@contextlib.contextmanager
def naming(path: Path, doing: str) -> Iterator[None]:
    """Turn whatever pydicom and its decoders raise on damaged files into one sentence about ``path``."""
    try:
        # Values that break the standard are common in real files; they are kept as they are.
        with config.disable_value_validation(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except CMROrientError:
        raise
    except OSError as error:
        raise CMROrientError(
            f"cannot be {doing} ({error.strerror or error}); check its permissions and its disk", path
        ) from error
    except Exception as error:  # decoders raise anything on damaged files: ValueError, TypeError, struct.error …
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise CMROrientError(f"cannot be {doing} as DICOM: {reason}; copy or export it anew", path) from error


def read_dataset(path: Path) -> tuple[FileDataset, str]:
    """The whole file and the SHA-256 of its bytes.

    Raises
    ------
    CMROrientError
        Where the file cannot be read, is no DICOM file, or is cut off.
    """
    with naming(path, "read"):
        data = path.read_bytes()
        dataset = dcmread(io.BytesIO(data), force=True)
        _check_content(dataset, path)
        _complete_meta(dataset)
        return dataset, hashlib.sha256(data).hexdigest()


def read_without_pixels(path: Path) -> FileDataset:
    """A file up to its pixels. Raises CMROrientError where it cannot be read or is no DICOM file."""
    with naming(path, "read"):
        with _Bounded(io.FileIO(path)) as file:
            dataset = dcmread(file, stop_before_pixels=True, force=True)
        _check_content(dataset, path)
        return dataset


def transfer_syntax(dataset: FileDataset) -> UID:
    """How the file is encoded."""
    return UID(dataset.file_meta.TransferSyntaxUID)


def _check_content(dataset: Dataset, path: Path) -> None:
    if "SOPClassUID" not in dataset and "Rows" not in dataset and "DirectoryRecordSequence" not in dataset:
        raise CMROrientError("is not a DICOM file, or has lost its beginning; copy it anew, or leave it out", path)


def _complete_meta(dataset: FileDataset) -> None:
    """Name the transfer syntax of a file that came without File Meta Information."""
    if dataset.file_meta.get("TransferSyntaxUID"):
        return
    implicit, little = dataset.original_encoding
    syntax = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else syntax
