"""Small files that make a data set of images: carried over, so that the output is a data set again.

Only files that nnU-Net and BIDS know, and only where no file of a person's is in the way. Those that
would no longer be true are written anew: what a sidecar says of the axes of its image, how many cases
there are, and whose work a BIDS data set is.

Sources: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md,
https://bids-specification.readthedocs.io/en/stable/modality-agnostic-files.html
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from .. import __version__
from ..errors import CMROrientError
from ..io import without_suffix
from ..io.atomic import write_bytes
from ..io.paths import relative
from .companions.axes import turned_sidecar
from .companions.layouts import channel_of, data_set_of
from .files import digest
from .plan import PlannedImage
from .record import Record
from .store import Store

#: Larger files are none of those that describe a data set.
LARGEST = 1_000_000

_DESCRIPTION = "dataset_description.json"
_NNUNET = "dataset.json"

#: What tells of a data set as a whole.
_KNOWN = (
    *(
        "README",
        "README.md",
        "README.rst",
        "README.txt",
        "CHANGES",
        "CHANGES.md",
        "LICENSE",
        "LICENSE.md",
        "LICENSE.txt",
    ),
    *("CITATION.cff", _NNUNET),
)
#: What BIDS has beside them in its root; patterns, because tasks have sidecars of their own there.
_KNOWN_TO_BIDS = ("participants.tsv", "participants.json", "samples.tsv", "samples.json", ".bidsignore", "*_*.json")
#: In the folders of subjects and sessions.
_OF_SUBJECTS = ("*_scans.tsv", "*_scans.json", "*_sessions.tsv", "*_sessions.json")


@dataclass(frozen=True)
class _Root:
    """A data set's folder, and the path that names of the output are relative to."""

    folder: Path
    base: Path
    is_bids: bool


def carry_over(
    images: Sequence[PlannedImage],
    records: Mapping[str, Record],
    output: Path,
    store: Store,
    warn: Callable[[str], None],
) -> None:
    """Write what makes the output a data set again.

    Parameters
    ----------
    images, records:
        Of this run; the records by their paths.
    store:
        Tells which of these files an earlier run wrote.
    warn:
        Told of files that are in the way.
    """
    seen: set[Path] = set()
    for path, data in _contents(images, records, output):
        if path in seen:
            continue
        seen.add(path)
        _put(path, data, output, store, warn)


def _put(path: Path, data: bytes, output: Path, store: Store, warn: Callable[[str], None]) -> None:
    name = relative(path, output)
    fact = f"carried over {name}"
    if path.is_file() and path.read_bytes() != data and digest(path) != store.fact(fact):
        warn(
            f"{name}: in the output folder and not from a run; it is kept, and that of the data set is not carried over"
        )
        return
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
    store.note(fact, digest(path))


def _contents(
    images: Sequence[PlannedImage], records: Mapping[str, Record], output: Path
) -> Iterator[tuple[Path, bytes]]:
    """Files of the output and what is in them."""
    written = [image for image in images if (found := records.get(image.path)) is not None and found.output is not None]
    roots = {root.folder: root for image in written for root in _roots(image)}
    for root in roots.values():
        yield from _of_root(root, written, images, output)
    for image in written:
        if image.contested:
            continue
        record = records[image.path]
        yield from _sidecar(image.source.path, output / image.path, record)
        for mask in image.masks:
            yield from _sidecar(mask.source.path, output / mask.name, None)


def _roots(image: PlannedImage) -> Iterator[_Root]:
    """The data sets that an image is in: by its folder of images, and by the description of BIDS."""
    path = PurePosixPath(image.path)
    if image.source.kind == "dicom":
        return
    base = image.source.path.parents[len(path.parts) - 1]
    inside = data_set_of(path)
    if inside is not None:
        yield _Root(base / inside, base, False)
    for above in path.parents:
        if (base / above / _DESCRIPTION).is_file():
            yield _Root(base / above, base, True)
            return


def _of_root(
    root: _Root, written: Sequence[PlannedImage], images: Sequence[PlannedImage], output: Path
) -> Iterator[tuple[Path, bytes]]:
    place = output / relative(root.folder, root.base)
    for path in _small(root.folder / name for name in _KNOWN):
        data = path.read_bytes()
        if path.name == _NNUNET:
            data = _with_cases(data, root, written, images)
        yield place / path.name, data
    if not root.is_bids:
        return
    description = root.folder / _DESCRIPTION
    yield place / _DESCRIPTION, _derivative(description, place)
    for pattern in _KNOWN_TO_BIDS:
        for path in _small(sorted(root.folder.glob(pattern))):
            if path.name != _DESCRIPTION:
                yield place / path.name, path.read_bytes()
    folders = {folder for image in written for folder in _between(image.source.path.parent, root.folder)}
    for folder in sorted(folders):
        for pattern in _OF_SUBJECTS:
            for path in _small(sorted(folder.glob(pattern))):
                yield output / relative(path, root.base), path.read_bytes()


def _between(folder: Path, root: Path) -> Iterator[Path]:
    while folder != root and folder.is_relative_to(root):
        yield folder
        folder = folder.parent


def _small(paths: Iterable[Path]) -> Iterator[Path]:
    return (path for path in paths if path.is_file() and path.stat().st_size <= LARGEST)


def _with_cases(data: bytes, root: _Root, written: Sequence[PlannedImage], images: Sequence[PlannedImage]) -> bytes:
    """nnU-Net's description with the number of training cases that are there; as it is where all are."""
    told = _object(data)
    all_cases, cases = (_training_cases(some, root) for some in (images, written))
    if told is None or "numTraining" not in told or all_cases == cases:
        return data
    told["numTraining"] = len(cases)
    # Version 1 lists them.
    listed = told.get("training")
    if isinstance(listed, list):
        told["training"] = [entry for entry in listed if _case_of(entry) in cases]
    return _json(told)


def _training_cases(images: Sequence[PlannedImage], root: _Root) -> set[str]:
    found = set()
    for image in images:
        if image.source.kind != "dicom" and image.source.path.is_relative_to(root.folder):
            path = PurePosixPath(without_suffix(relative(image.source.path, root.folder)).as_posix())
            channel = channel_of(path)
            if path.parts[0] == "imagesTr":
                found.add((path if channel is None else channel[0]).name)
    return found


def _case_of(entry: object) -> str:
    image = entry.get("image") if isinstance(entry, dict) else entry
    return without_suffix(str(image)).name


def _derivative(path: Path, place: Path) -> bytes:
    """The description of a BIDS data set as that of a derivative of it."""
    told = _object(path.read_bytes())
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
    return _json({**changed, **kept})


def _sidecar(source: Path, destination: Path, record: Record | None) -> Iterator[tuple[Path, bytes]]:
    """The JSON beside an image, with the axes that its image has now."""
    for path in _small([without_suffix(source).with_suffix(".json")] if source.is_file() else []):
        data = path.read_bytes()
        told = _object(data)
        if told is not None and record is not None:
            turned = turned_sidecar(told, record)
            data = data if turned == told else _json(turned)
        yield without_suffix(destination).with_suffix(".json"), data


def _object(data: bytes) -> dict[str, object] | None:
    try:
        told = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _json(told: Mapping[str, object]) -> bytes:
    return (json.dumps(told, indent=2, ensure_ascii=False) + "\n").encode()
