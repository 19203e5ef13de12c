"""The images that are measured on: synthetic hearts, or a folder of somebody's own."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..io import find, read, write
from ..phantom.phantom import make_phantom
from ..recognition.recognizer import Recognizer

#: Hearts that differ; more volumes are copies of these.
_DIFFERENT = 40


@dataclass(frozen=True)
class Images:
    """A folder of images, and what is known of it.

    Parameters
    ----------
    folder:
        Where they lie.
    decisions:
        A table that says how each is stored, for runs without any network.
    count:
        How many.
    words:
        What they are.
    """

    folder: Path
    decisions: Path
    count: int
    words: str

    @property
    def first(self) -> Path:
        """One of them."""
        return find(self.folder)[0].path


def synthetic(place: Path, count: int) -> Images:
    """So many stacks of ten slices in ``.nii.gz``, turned each way."""
    folder = place / "images"
    folder.mkdir()
    rows = []
    for number in range(count):
        path = folder / f"{number:05}.nii.gz"
        if number < _DIFFERENT:
            write(make_phantom(seed=number, orientation=number % 8), path)
        else:
            shutil.copyfile(folder / f"{number % _DIFFERENT:05}.nii.gz", path)
        rows.append((path.name, number % _DIFFERENT % 8))
    words = f"{count} synthetic stacks of 10 slices of 256 × 208, 16 bits, .nii.gz"
    return Images(folder, _table(place, rows), count, words)


def own(place: Path, data: Path, count: int) -> Images:
    """The first images of a folder, copied; how they are stored is what the network says.

    Raises
    ------
    UsageError
        Where there is none in a single file.
    CMROrientError
        Where one cannot be read.
    """
    try:
        there = find(data)
    except CMROrientError as error:
        raise UsageError(f"{error.message}; give a folder of images to measure on", data) from error
    sources = [source for source in there if source.kind != "dicom" and len(source.files) == 1][:count]
    if not sources:
        raise UsageError(
            "holds no image in a single file (NIfTI, NRRD or MetaImage) to measure on; give another folder", data
        )
    folder = place / "images"
    folder.mkdir()
    for number, source in enumerate(sources):
        suffix = "".join(source.path.suffixes[-2:]) if source.path.name.endswith(".gz") else source.path.suffix
        shutil.copyfile(source.path, folder / f"{number:05}{suffix}")
    recognizer = Recognizer()
    rows = [(path.name, int(recognizer.recognize(read(path)).orientation)) for path in sorted(folder.iterdir())]
    return Images(folder, _table(place, rows), len(rows), f"{len(rows)} images of a folder")


def _table(place: Path, rows: Sequence[tuple[str, int]]) -> Path:
    path = place / "decisions.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(("path", "series", "orientation"))
        table.writerows((name, "", orientation) for name, orientation in rows)
    return path
