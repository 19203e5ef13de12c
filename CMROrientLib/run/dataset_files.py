"""Small files that make a data set of images: carried over, so that the output is a data set again.

Only files that nnU-Net and BIDS know, and only where no file of a person's is in the way. Those that
would no longer be true are written anew: what a sidecar says of the axes of its image, how many cases
there are, which people and scans, and whose work a BIDS data set is.

Source: https://github.com/MIC-DKFZ/nnUNet/blob/master/documentation/dataset_format.md
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath

from ..errors import CMROrientError
from ..io import without_suffix
from ..io.atomic import write_bytes
from ..io.paths import relative
from ..io.refused import reason
from ..io.suffixes import stem_of
from .companions.bids import BidsName
from .companions.derivative import DESCRIPTION, files_of
from .companions.layouts import channel_of, data_set_of
from .companions.sidecars import Sidecars
from .companions.small_files import SmallFile, as_it_is, as_json, is_there, read_object, read_small
from .files import digest
from .plan import PlannedImage
from .record import Key
from .store import Store
from .work import unexpected

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
    fail: Callable[[str], None],
) -> None:
    """Write what makes the output a data set again. What cannot be carried over is told, and the rest is.

    Parameters
    ----------
    images, written:
        Of this run, and those of them whose corrected image is there.
    store:
        Holds their records, and tells which of these files an earlier run wrote.
    warn, fail:
        Told of files that are in the way, and of those that could not be read, made or written.
    """
    seen: set[Path] = set()
    told: dict[str, None] = {}
    for file in _named(_parts(images, written, output, store), told):
        with _alone(file.source, told):
            data = None if file.place in seen else file.make()
            if data is not None:
                seen.add(file.place)
                _put(file.place, data, output, store, warn)
    for line in told:
        fail(line)


def take_back(
    images: Sequence[PlannedImage],
    written: Sequence[PlannedImage],
    gone: Sequence[PlannedImage],
    removed: Container[Key],
    output: Path,
    store: Store,
    warn: Callable[[str], None],
    fail: Callable[[str], None],
) -> None:
    """Remove what an earlier run carried over for images that are no longer in the output.

    What somebody has changed since stays, and what tells of other images too: of any that is written now, or
    that the record has in its folder or below. Where it cannot be found out which files tell of those, all stay.

    Parameters
    ----------
    images, written, gone:
        Of this run; those of them whose corrected image is there; those that have none.
    removed:
        The keys of those whose outputs were removed just now.
    output, store, warn, fail:
        As for ``carry_over``.
    """
    once = [image for image in gone if image.key in removed or _was_carried(image, output, store)]
    if not once:
        return
    told: dict[str, None] = {}
    wanted = {file.place for file in _named(_parts(images, written, output, store), told)}
    all_known = not told
    outputs = [output / name for record in store.records() for names, _ in record.files.outputs for name in names]
    stems = {without_suffix(path) for path in outputs}
    folders = {folder for path in outputs for folder in path.parents}
    own = {_own_place(entry, output) for image in once for entry in _kept(image)}
    for place in dict.fromkeys(file.place for file in _named(_parts(images, once, output, store), told)):
        others = place.with_suffix("") in stems if place in own else place.parent in folders
        if all_known and place not in wanted and not others:
            with _alone(place, told):
                _remove(place, output, store, warn)
    for line in told:
        fail(line)


def _was_carried(image: PlannedImage, output: Path, store: Store) -> bool:
    """Whether an image has a sidecar of a run in the output."""
    return any(store.fact(_fact(relative(_own_place(entry, output), output))) for entry in _kept(image))


def _remove(path: Path, output: Path, store: Store, warn: Callable[[str], None]) -> None:
    name = relative(path, output)
    written = store.fact(_fact(name))
    if not written or not is_there(path):
        return
    if digest(path) != written:
        warn(f"{name}: changed since it was carried over; it is kept, although its image is gone: remove it yourself")
        return
    try:
        path.unlink()
    except OSError as error:
        advice = "close the program that has it open, then run again, or remove it yourself"
        raise CMROrientError(
            f"its image is gone, and it cannot be removed ({reason(error)}); {advice}", path
        ) from error
    store.note(_fact(name), "")
    warn(f"{name}: removed, because its image is gone")
    with suppress(OSError):
        # Tables list the folders that are there; one that holds something is refused.
        for folder in path.parents:
            if folder == output:
                break
            folder.rmdir()


def _fact(name: str) -> str:
    return f"carried over {name}"


def _named(parts: Iterator[tuple[Path, Iterator[SmallFile]]], told: dict[str, None]) -> Iterator[SmallFile]:
    """The files of all parts; those of a part whose folders cannot be looked into are left out, and that is told."""
    for source, files in parts:
        with _alone(source, told):
            yield from files


@contextmanager
def _alone(source: Path, told: dict[str, None]) -> Iterator[None]:
    """Keep what goes wrong with one file from the others, and the words for it once."""
    try:
        yield
    except CMROrientError as error:
        told[str(error)] = None
    except OSError as error:
        why = f"cannot be carried over ({reason(error)})"
        told[f"{error.filename or source}: {why}; make it readable and run again, or remove it"] = None
    except Exception as error:  # whatever it is made of
        told[f"{source}: cannot be carried over ({unexpected(error)}); mend it and run again, or remove it"] = None


def _put(path: Path, data: bytes, output: Path, store: Store, warn: Callable[[str], None]) -> None:
    name = relative(path, output)
    fact = _fact(name)
    there = path.read_bytes() if is_there(path) else None
    if there not in (None, data) and digest(path) != store.fact(fact):
        warn(
            f"{name}: in the output folder and not from a run; it is kept, and that of the data set is not carried "
            "over: move it away to have that one"
        )
        return
    if there != data:
        write_bytes(path, data)
    store.note(fact, digest(path))


@dataclass(frozen=True)
class _Kept:
    """An image or a label map that was written.

    Parameters
    ----------
    path_text:
        Where it was read.
    name:
        Its name, in the output too.
    key:
        Of the image, or of the one that the label map follows.
    """

    path_text: str
    name: str
    key: Key

    @property
    def path(self) -> Path:
        """Where it was read."""
        return Path(self.path_text)


class _Roots:
    """The data sets that files are in: by a folder of images, and by the description of BIDS."""

    def __init__(self) -> None:
        # Where a file lies tells, not what it is called.
        self._of_folder = lru_cache(maxsize=256)(self._found)
        self._has_description = lru_cache(maxsize=4096)(_has_description)

    def of(self, entry: _Kept) -> tuple[_Root, ...]:
        """Those of one file."""
        return self._of_folder(os.path.dirname(entry.path_text), posixpath.dirname(entry.name))  # noqa: PTH120 (text)

    def _found(self, folder: str, name: str) -> tuple[_Root, ...]:
        depth = name.count("/") + 1 if name else 0
        inside, described = data_set_of(name), self._bids(folder, depth)
        if inside is None and described is None:
            return ()
        base = Path(folder).parents[depth - 1] if depth else Path(folder)
        found = [] if inside is None else [_Root(base / inside, base, False)]
        return (*found, *([] if described is None else [_Root(Path(described), base, True)]))

    def _bids(self, folder: str, depth: int) -> str | None:
        """The nearest folder with a description, so many folders up at most."""
        for _ in range(depth + 1):
            if self._has_description(folder):
                return folder
            folder = os.path.dirname(folder)  # noqa: PTH120 (text)
        return None


def _has_description(folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, DESCRIPTION))  # noqa: PTH113, PTH118 (text, many thousand times)


def _parts(
    images: Sequence[PlannedImage], written: Sequence[PlannedImage], output: Path, store: Store
) -> Iterator[tuple[Path, Iterator[SmallFile]]]:
    """Data sets and images, and the files of each."""
    places = _Roots()
    roots = {root.folder: root for image in written for entry in _kept(image) for root in places.of(entry)}
    in_bids = any(root.is_bids for root in roots.values())
    for root in roots.values():
        yield root.folder, _of_root(root, images, written, output)
    for image in written:
        for entry in () if image.contested else _kept(image):
            # Elsewhere only what lies beside an image tells of it.
            if in_bids or os.path.isfile(_own_sidecar(entry)):  # noqa: PTH113 (text, many thousand times)
                yield entry.path, _sidecars(entry, output, store, places)


def _of_root(
    root: _Root, images: Sequence[PlannedImage], written: Sequence[PlannedImage], output: Path
) -> Iterator[SmallFile]:
    """What tells of a data set as a whole."""
    place = output / relative(root.folder, root.base)
    for name in _KNOWN:
        file = as_it_is(root.folder / name, place / name)
        yield file._replace(make=partial(_with_cases, root, written, images)) if name == _NNUNET else file
    if root.is_bids:
        kept = (entry.path for image in written for entry in _kept(image))
        inside = [path for path in kept if path.is_relative_to(root.folder)]
        yield from files_of(root.folder, place, inside, _OWN_FILES if place == output else "")


def _kept(image: PlannedImage) -> Iterator[_Kept]:
    """An image and its label maps; a DICOM series tells of itself."""
    if image.source.kind != "dicom":
        yield _Kept(image.source.path_text, image.path, image.key)
        for mask in image.masks:
            yield _Kept(mask.source.path_text, mask.name, image.key)


def _with_cases(root: _Root, written: Sequence[PlannedImage], images: Sequence[PlannedImage]) -> bytes | None:
    """nnU-Net's description with the number of training cases that are there; as it is where all are."""
    data = read_small(root.folder / _NNUNET)
    told = None if data is None else read_object(data)
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


def _own_sidecar(entry: _Kept) -> str:
    folder, name = os.path.split(entry.path_text)
    return os.path.join(folder, f"{stem_of(name)}.json")  # noqa: PTH118 (text, many thousand times)


def _own_place(entry: _Kept, output: Path) -> Path:
    return (output / entry.name).with_name(f"{stem_of(entry.path_text)}.json")


def _sidecars(entry: _Kept, output: Path, store: Store, places: _Roots) -> Iterator[SmallFile]:
    """What tells of an image: of several ones as it is, its own with the axes that it has now."""
    root = next((root for root in places.of(entry) if root.is_bids), None)
    found = Sidecars.of(entry.path, None if root is None else root.folder)
    record = store[entry.key]
    if root is not None:
        for path in found.above:
            yield as_it_is(path, output / relative(path, root.base))
    name = BidsName.of(without_suffix(entry.path).name)
    derived = root is not None and record.files.kind == "nifti" and name is not None and not name.is_label_map
    yield SmallFile(_own_place(entry, output), found.own, partial(found.changed, record, derived=derived))
