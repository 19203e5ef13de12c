"""Small files that make a data set of images: carried over, so that the output is a data set again.

Only files that nnU-Net and BIDS know, and only where no file of a person's is in the way. Those that
would no longer be true are written anew: what a sidecar says of the axes of its image, how many cases
there are, which people and scans, and whose work a BIDS data set is.

Source: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath

from ..io import without_suffix
from ..io.atomic import write_bytes
from ..io.paths import relative
from ..io.suffixes import stem_of
from .companions.bids import BidsName
from .companions.derivative import DESCRIPTION, files_of
from .companions.layouts import channel_of, data_set_of
from .companions.sidecars import Sidecars, as_json, read_object, read_small
from .files import digest
from .plan import PlannedImage
from .record import Key
from .store import Store

_NNUNET = "dataset.json"

#: What tells of a data set as a whole.
_KNOWN = (
    *("README", "README.md", "README.rst", "README.txt", "CHANGES", "CHANGES.md"),
    *("LICENSE", "LICENSE.md", "LICENSE.txt", "CITATION.cff", _NNUNET),
)
#: The run's own files, as a validator of BIDS may pass over them.
_OWN_FILES = "/cmrorient.*"


@dataclass(frozen=True)
class _Root:
    """A data set's folder, and the path that names of the output are relative to."""

    folder: Path
    base: Path
    is_bids: bool


def carry_over(
    images: Sequence[PlannedImage],
    written: Sequence[PlannedImage],
    output: Path,
    store: Store,
    warn: Callable[[str], None],
) -> None:
    """Write what makes the output a data set again.

    Parameters
    ----------
    images, written:
        Of this run, and those of them whose corrected image is there.
    store:
        Holds their records, and tells which of these files an earlier run wrote.
    warn:
        Told of files that are in the way.
    """
    seen: set[Path] = set()
    for path, data in _contents(images, written, output, store):
        if path in seen:
            continue
        seen.add(path)
        _put(path, data, output, store, warn)


def _put(path: Path, data: bytes, output: Path, store: Store, warn: Callable[[str], None]) -> None:
    name = relative(path, output)
    fact = f"carried over {name}"
    if path.is_file() and path.read_bytes() != data and digest(path) != store.fact(fact):
        warn(
            f"{name}: in the output folder and not from a run; it is kept, and that of the data set is not carried "
            "over: move it away to have that one"
        )
        return
    if not path.is_file() or path.read_bytes() != data:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(path, data)
    store.note(fact, digest(path))


@dataclass(frozen=True)
class _Kept:
    """An image or a label map that was written.

    Parameters
    ----------
    path:
        Where it was read.
    name:
        Its name, in the output too.
    key:
        Of the image, or of the one that the label map follows.
    """

    path: Path
    name: PurePosixPath
    key: Key


class _Roots:
    """The data sets that files are in: by a folder of images, and by the description of BIDS."""

    def __init__(self) -> None:
        # Where a file lies tells, not what it is called.
        self._of_folder = lru_cache(maxsize=256)(self._found)
        self._bids_above = lru_cache(maxsize=4096)(self._bids)

    def of(self, entry: _Kept) -> tuple[_Root, ...]:
        """Those of one file."""
        return self._of_folder(entry.path.parent, entry.name.parent)

    def _found(self, folder: Path, name: PurePosixPath) -> tuple[_Root, ...]:
        base = folder.parents[len(name.parts) - 1] if name.parts else folder
        inside = data_set_of(name / "image")
        found = [] if inside is None else [_Root(base / inside, base, False)]
        described = self._bids_above(folder, len(name.parts))
        return (*found, *([] if described is None else [_Root(described, base, True)]))

    def _bids(self, folder: Path, depth: int) -> Path | None:
        """The nearest folder with a description, so many folders up at most."""
        if (folder / DESCRIPTION).is_file():
            return folder
        return self._bids_above(folder.parent, depth - 1) if depth else None


def _contents(
    images: Sequence[PlannedImage], written: Sequence[PlannedImage], output: Path, store: Store
) -> Iterator[tuple[Path, bytes]]:
    """Files of the output and what is in them."""
    places = _Roots()
    roots = {root.folder: root for image in written for entry in _kept(image) for root in places.of(entry)}
    in_bids = any(root.is_bids for root in roots.values())
    for root in roots.values():
        place = output / relative(root.folder, root.base)
        for name in _KNOWN:
            data = read_small(root.folder / name)
            if data is not None:
                yield place / name, _with_cases(data, root, written, images) if name == _NNUNET else data
        if root.is_bids:
            kept = (entry.path for image in written for entry in _kept(image))
            inside = [path for path in kept if path.is_relative_to(root.folder)]
            yield from files_of(root.folder, place, inside, _OWN_FILES if place == output else "")
    for image in written:
        for entry in () if image.contested else _kept(image):
            # Elsewhere only what lies beside an image tells of it.
            if in_bids or _own_sidecar(entry).is_file():
                yield from _sidecars(entry, output, store, places)


def _kept(image: PlannedImage) -> Iterator[_Kept]:
    """An image and its label maps; a DICOM series tells of itself."""
    if image.source.kind != "dicom":
        yield _Kept(image.source.path, PurePosixPath(image.path), image.key)
        for mask in image.masks:
            yield _Kept(mask.source.path, PurePosixPath(mask.name), image.key)


def _with_cases(data: bytes, root: _Root, written: Sequence[PlannedImage], images: Sequence[PlannedImage]) -> bytes:
    """nnU-Net's description with the number of training cases that are there; as it is where all are."""
    told = read_object(data)
    all_cases, cases = (_training_cases(some, root) for some in (images, written))
    if told is None or "numTraining" not in told or all_cases == cases:
        return data
    told["numTraining"] = len(cases)
    # Version 1 lists them.
    listed = told.get("training")
    if isinstance(listed, list):
        told["training"] = [entry for entry in listed if _case_of(entry) in cases]
    return as_json(told)


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


def _own_sidecar(entry: _Kept) -> Path:
    return entry.path.with_name(f"{stem_of(entry.path)}.json")


def _sidecars(entry: _Kept, output: Path, store: Store, places: _Roots) -> Iterator[tuple[Path, bytes]]:
    """What tells of an image: of several ones as it is, its own with the axes that it has now."""
    root = next((root for root in places.of(entry) if root.is_bids), None)
    found = Sidecars.of(entry.path, None if root is None else root.folder)
    record = store[entry.key]
    for path in found.above:
        data = read_small(path)
        if root is not None and data is not None:
            yield output / relative(path, root.base), data
    name = BidsName.of(without_suffix(entry.path).name)
    derived = root is not None and record.files.kind == "nifti" and name is not None and not name.is_label_map
    own = found.changed(record, derived=derived)
    if own is not None:
        yield (output / entry.name).with_name(found.own.name), own
