"""What makes the output of a BIDS data set a derivative of it: descriptions, and tables of what is there.

Sources: https://bids-specification.readthedocs.io/en/stable/modality-agnostic-files.html,
https://bids-specification.readthedocs.io/en/stable/derivatives/introduction.html
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from ... import __version__
from ...errors import CMROrientError
from .small_files import SmallFile, as_it_is, as_json, read_object, read_small

#: What every BIDS data set has in its root.
DESCRIPTION = "dataset_description.json"
#: Files in it that are no part of it, which validators pass over.
_IGNORED = ".bidsignore"
#: Tables of what there is; others tell the same of any part of a data set.
_PARTICIPANTS = "participants.tsv"

_IN_ROOT = ("participants.json", "samples.tsv", "samples.json", "scans.json", "sessions.json")
_OF_SUBJECTS = ("*_scans.tsv", "*_scans.json", "*_sessions.tsv", "*_sessions.json")


def files_of(root: Path, place: Path, images: Iterable[Path], own_files: str) -> Iterator[SmallFile]:
    """Files of the derivative, sidecars aside.

    Parameters
    ----------
    root:
        The folder of the data set.
    place:
        That of the derivative; its images are there already.
    images:
        Those of the data set that were written.
    own_files:
        What the run's own files are called where they lie in ``place``, as a pattern; else empty.
    """
    description, ignored, people = (root / name for name in (DESCRIPTION, _IGNORED, _PARTICIPANTS))
    yield SmallFile(place / DESCRIPTION, description, partial(derivative, description, place))
    for name in _IN_ROOT:
        yield as_it_is(root / name, place / name)
    yield SmallFile(place / _IGNORED, ignored, partial(_passed_over, ignored, own_files))
    # Of what no file can be called Path.exists and Path.is_dir raise.
    yield _table(people, place, "participant_id", os.path.isdir)
    for folder in sorted({folder for image in images for folder in _between(image.parent, root)}):
        there = place / folder.relative_to(root)
        for path in (path for pattern in _OF_SUBJECTS for path in sorted(folder.glob(pattern))):
            if path.name.endswith("_scans.tsv"):
                yield _table(path, there, "filename", os.path.exists)
            elif path.name.endswith("_sessions.tsv"):
                yield _table(path, there, "session_id", os.path.isdir)
            else:
                yield as_it_is(path, there / path.name)


def derivative(path: Path, place: Path) -> bytes:
    """The description of a data set as that of a derivative of it, which lies in a place."""
    told = read_object(path.read_bytes())
    if told is None:
        raise CMROrientError("is no JSON object; mend it, so that the output can be a data set", path)
    by = {
        "Name": "CMROrient",
        "Version": __version__,
        "Description": "Short-axis images and their label maps in standard orientation; cmrorient.jsonl tells of each.",
    }
    before = told.get("GeneratedBy")
    source: dict[str, object] = {"URL": Path(os.path.relpath(path.parent, place)).as_posix()}
    if "DatasetDOI" in told:
        source["DOI"] = told["DatasetDOI"]
    name = str(told.get("Name") or path.parent.name)
    changed = {
        "Name": f"{name}, in standard orientation",
        "BIDSVersion": told.get("BIDSVersion", "1.9.0"),
        "DatasetType": "derivative",
        "GeneratedBy": [by, *(before if isinstance(before, list) else [])],
        "SourceDatasets": [source],
    }
    kept = {key: value for key, value in told.items() if key not in changed and key != "DatasetDOI"}
    return as_json({**changed, **kept})


def _between(folder: Path, root: Path) -> Iterator[Path]:
    while folder != root and folder.is_relative_to(root):
        yield folder
        folder = folder.parent


def _passed_over(path: Path, own_files: str) -> bytes | None:
    """What validators pass over: what a person says of it, and the run's own files."""
    ignored = (read_small(path) or b"").decode("utf-8", errors="surrogateescape")
    if own_files and own_files not in ignored.splitlines():
        ignored += f"{'' if ignored.endswith(chr(10)) or not ignored else chr(10)}{own_files}\n"
    return ignored.encode("utf-8", errors="surrogateescape") if ignored else None


def _table(path: Path, place: Path, column: str, there: Callable[[Path], bool]) -> SmallFile:
    return SmallFile(place / path.name, path, partial(_rows, path, place, column, there))


def _rows(path: Path, place: Path, column: str, there: Callable[[Path], bool]) -> bytes | None:
    """A table with a row for each of some files or folders, less those that the derivative lacks.

    Images that are no short axis, or uncertain, are not written; a row about them would name nothing.
    """
    data = read_small(path)
    if data is None:
        return None
    head, *rows = data.split(b"\n")
    names = head.decode("utf-8-sig", errors="replace").rstrip("\r").split("\t")
    if column not in names:
        return data
    of = names.index(column)
    cells = [row.decode("utf-8", errors="surrogateescape").rstrip("\r").split("\t") for row in rows]
    kept = [row for row, cell in zip(rows, cells, strict=True) if len(cell) <= of or there(place / cell[of])]
    return b"\n".join([head, *kept])
