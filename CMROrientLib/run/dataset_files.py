"""Small files that make a data set of images: carried over, so that the output is a data set again.

Only files that nnU-Net and BIDS know, and only where no file of a person's is in the way. Those that
would no longer be true are written anew: what a sidecar says of the axes of its image, how many cases
there are, which people and scans, and whose work a BIDS data set is.

Source: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..io import without_suffix
from ..io.atomic import write_bytes
from ..io.paths import relative
from .companions.bids import BidsName
from .companions.derivative import DESCRIPTION, files_of
from .companions.layouts import channel_of, data_set_of
from .companions.sidecars import Sidecars, as_json, read_object, read_small
from .files import digest
from .plan import PlannedImage
from .record import Record
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


@dataclass(frozen=True)
class _Kept:
    """An image or a label map that was written.

    Parameters
    ----------
    path:
        Where it was read.
    name:
        Its name, in the output too.
    record:
        Of the image, or of the one that the label map follows.
    """

    path: Path
    name: PurePosixPath
    record: Record

    def roots(self) -> Iterator[_Root]:
        """The data sets that it is in: by its folder of images, and by the description of BIDS."""
        base = self.path.parents[len(self.name.parts) - 1]
        inside = data_set_of(self.name)
        if inside is not None:
            yield _Root(base / inside, base, False)
        for above in self.name.parents:
            if (base / above / DESCRIPTION).is_file():
                yield _Root(base / above, base, True)
                return


def _contents(
    images: Sequence[PlannedImage], records: Mapping[str, Record], output: Path
) -> Iterator[tuple[Path, bytes]]:
    """Files of the output and what is in them."""
    written = [image for image in images if (found := records.get(image.path)) is not None and found.output is not None]
    kept = [entry for image in written for entry in _kept(image, records[image.path])]
    roots = {root.folder: root for entry in kept for root in entry.roots()}
    for root in roots.values():
        place = output / relative(root.folder, root.base)
        for name in _KNOWN:
            data = read_small(root.folder / name)
            if data is not None:
                yield place / name, _with_cases(data, root, written, images) if name == _NNUNET else data
        if root.is_bids:
            inside = [entry.path for entry in kept if entry.path.is_relative_to(root.folder)]
            yield from files_of(root.folder, place, inside, _OWN_FILES if place == output else "")
    for image in written:
        if not image.contested:
            for entry in _kept(image, records[image.path]):
                yield from _sidecars(entry, output)


def _kept(image: PlannedImage, record: Record) -> Iterator[_Kept]:
    """An image and its label maps; a DICOM series tells of itself."""
    if image.source.kind != "dicom":
        yield _Kept(image.source.path, PurePosixPath(image.path), record)
        for mask in image.masks:
            yield _Kept(mask.source.path, PurePosixPath(mask.name), record)


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


def _sidecars(entry: _Kept, output: Path) -> Iterator[tuple[Path, bytes]]:
    """What tells of an image: of several ones as it is, its own with the axes that it has now."""
    root = next((root for root in entry.roots() if root.is_bids), None)
    found = Sidecars.of(entry.path, None if root is None else root.folder)
    for path in found.above:
        data = read_small(path)
        if root is not None and data is not None:
            yield output / relative(path, root.base), data
    name = BidsName.of(without_suffix(entry.path).name)
    derived = root is not None and entry.record.files.kind == "nifti" and name is not None and not name.is_label_map
    own = found.changed(entry.record, derived=derived)
    if own is not None:
        yield (output / entry.name).with_name(found.own.name), own
