"""Files on their way into the output folder: all of an image and its masks are made before the first takes its place.

Which bytes each is going to have is noted before. Where a run is killed on the way, the next one can tell
what that run had put in place from what a person has changed.
"""

from __future__ import annotations

import errno
import json
import secrets
import shutil
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ..correction import Correction
from ..errors import CMROrientError
from ..io import ImageFiles
from ..io.atomic import UNFINISHED, hashing, write_text
from ..io.paths import relative
from ..io.refused import cannot_write
from ..volume import Volume
from .files import combined, copy, digest, put
from .record import Json, Key, Record
from .seen import age

_NOTE = "note.json"


class Written(NamedTuple):
    """What a source becomes: the files' names in the output folder, and their checksum."""

    names: tuple[str, ...]
    sha256: str


class _Made(NamedTuple):
    path: Path
    digest: str


@dataclass(frozen=True)
class Noted:
    """What runs that were killed had begun to put in place, or to remove, of one image.

    Parameters
    ----------
    digests:
        By the name in the output folder, the checksums of what each file was and was going to be.
    folders:
        Where that is noted.
    """

    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()

    def explains(self, output: Path, names: Iterable[str]) -> bool:
        """Whether the files that are there under these names are a run's."""
        return all(name in self.digests and digest(output / name) in self.digests[name] for name in names)

    def discard(self) -> None:
        """Forget it: the record tells all now."""
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)


class Delivery:
    """The files of one image and its masks: made, and not yet in their places.

    Parameters
    ----------
    folder:
        Where they are made.
    output:
        The output folder.
    """

    def __init__(self, folder: Path, output: Path) -> None:
        self.folder = folder
        self.begun = False
        self._output = output
        self._made: dict[Path, _Made] = {}
        self._rooms = 0

    def make(self, source: ImageFiles, volume: Volume, correction: Correction, destination: Path) -> Written:
        """Make what a source becomes."""
        self._rooms += 1
        room = self.folder / str(self._rooms)
        room.mkdir()
        name = "files" if source.path.is_dir() else destination.name
        with hashing() as known:
            paths = put(source, volume, correction, room / name)
        made = {path: known.get(path) or digest(path) for path in paths}
        names = []
        for path, found in made.items():
            inside = path.relative_to(room / name) if source.path.is_dir() else path.relative_to(room)
            place = (destination if source.path.is_dir() else destination.parent) / inside
            age(path)
            self._made[place] = _Made(path, found)
            names.append(relative(place, self._output))
        return Written(tuple(sorted(names)), combined((path.name, found) for path, found in made.items()))

    def made_for(self, destination: Path) -> Path:
        """Where the file is that was made for a destination."""
        return self._made[destination].path

    def in_the_way(self, known: Container[str], noted: Noted) -> list[str]:
        """The names under which another file is than what was made, and none of a run's.

        What has the same bytes is what a run left that was killed before it had recorded them.

        Parameters
        ----------
        known:
            Names that the record tells of.
        noted:
            What runs that were killed had begun to put in place.
        """
        found = []
        for place, made in self._made.items():
            name = relative(place, self._output)
            if name not in known and place.is_file() and not noted.explains(self._output, [name]):
                found += [name] if digest(place) != made.digest else []
        return found

    def put_in_place(self, key: Key, prior: Record | None) -> Noted:
        """Give all files their names, the image's last.

        Parameters
        ----------
        key, prior:
            The image, and what is recorded of it so far.

        Returns
        -------
        Where it is noted what was put in place; to be discarded when the image is recorded.

        Raises
        ------
        CMROrientError
            Where one cannot be put in its place.
        """
        for place in self._made:
            if place.is_dir():
                raise CMROrientError("cannot be written: a folder of that name is in the way; move it away", place)
        digests: dict[str, set[str]] = defaultdict(set)
        for names, found in () if prior is None else prior.files.outputs:
            for name, own in several(names, found, self._output).items():
                digests[name].add(own)
        for place, made in self._made.items():
            digests[relative(place, self._output)].add(made.digest)
        _note(self.folder, key, digests)
        self.begun = True
        for place, made in self._made.items():
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                _move(made.path, place)
            except OSError as error:
                raise cannot_write(error, place) from error
        return Noted(folders=(self.folder,))


@contextmanager
def delivery(output: Path, beside: Path | None = None) -> Iterator[Delivery]:
    """Somewhere to make files in; what has not been put in place in the end is gone.

    Parameters
    ----------
    output:
        The output folder, in which they are made unless ``beside`` names another.
    """
    folder = (beside or output) / f"{UNFINISHED}{secrets.token_hex(8)}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise cannot_write(error, output, "the output folder") from error
    made = Delivery(folder, output)
    try:
        yield made
    finally:
        if not made.begun:
            shutil.rmtree(folder, ignore_errors=True)


def note_removal(output: Path, key: Key, names: Iterable[str]) -> Noted:
    """Note that files of an image are going to be removed, and are a run's until then."""
    folder = output / f"{UNFINISHED}{secrets.token_hex(8)}"
    folder.mkdir()
    _note(folder, key, {name: {digest(output / name)} for name in names})
    return Noted(folders=(folder,))


def read_notes(output: Path) -> dict[Key, Noted]:
    """What runs that were killed have noted, by the image. What they were still making is none of it."""
    found: dict[Key, Noted] = {}
    for folder in _unfinished(output):
        try:
            note = _parsed(json.loads((folder / _NOTE).read_text(encoding="utf-8")), (folder,))
        except (OSError, ValueError):
            continue
        found = together(found, dict([note]))
    return found


def together(first: Mapping[Key, Noted], second: Mapping[Key, Noted]) -> dict[Key, Noted]:
    """The notes of two kinds about each image."""
    found = dict(first)
    nothing: frozenset[str] = frozenset()
    for key, noted in second.items():
        known = found.get(key, Noted())
        names = {*known.digests, *noted.digests}
        both = {name: known.digests.get(name, nothing) | noted.digests.get(name, nothing) for name in names}
        found[key] = Noted(both, tuple(dict.fromkeys((*known.folders, *noted.folders))))
    return found


def notes_to_json(notes: Mapping[Key, Noted]) -> str:
    """Notes for the store, where a run that ends in order leaves them."""
    return json.dumps([_shown(key, noted.digests) for key, noted in notes.items()])


def notes_from_json(text: str | None) -> dict[Key, Noted]:
    """Notes from the store; what is no note is none of it."""
    try:
        return dict(_parsed(note, ()) for note in json.loads(text or "[]"))
    except (ValueError, TypeError):
        return {}


def remove_unfinished(output: Path, notes: Mapping[Key, Noted]) -> None:
    """Remove what runs that were killed were still making in the output folder."""
    noted = {folder for some in notes.values() for folder in some.folders}
    # A table or a page, in the middle of which a run was killed; whoever holds the store writes alone.
    for file in output.glob(f"{UNFINISHED}*.tmp"):
        if file.is_file():
            file.unlink(missing_ok=True)
    for folder in _unfinished(output):
        if folder not in noted:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        for room in folder.iterdir():
            if room.is_dir():
                shutil.rmtree(room, ignore_errors=True)


def _unfinished(output: Path) -> list[Path]:
    return sorted(path for path in output.glob(f"{UNFINISHED}*") if path.is_dir())


def _note(folder: Path, key: Key, digests: Mapping[str, Iterable[str]]) -> None:
    write_text(folder / _NOTE, json.dumps(_shown(key, digests)))


def _shown(key: Key, digests: Mapping[str, Iterable[str]]) -> dict[str, Json]:
    return {"path": key[0], "series": key[1], "files": {name: sorted(some) for name, some in digests.items()}}


def _parsed(note: Mapping[str, Any], folders: tuple[Path, ...]) -> tuple[Key, Noted]:
    """Raises ValueError where it is no note."""
    try:
        digests = {name: frozenset(some) for name, some in note["files"].items()}
        return (note["path"], note["series"]), Noted(digests, folders)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("no note") from error


def several(names: Sequence[str], found: str | None, output: Path) -> dict[str, str]:
    """Of several files that have one checksum in the record: what each is, as long as they are as recorded."""
    paths = [output / name for name in names]
    if len(names) < 2 or not all(path.is_file() for path in paths):
        return {}
    each = {name: digest(path) for name, path in zip(names, paths, strict=True)}
    return each if combined((path.name, each[name]) for name, path in zip(names, paths, strict=True)) == found else {}


def _move(made: Path, place: Path) -> None:
    try:
        made.replace(place)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A folder below the output folder may lie on another disk.
        copy(made, place)
