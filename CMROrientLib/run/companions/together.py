"""The groups among the images of a run: by the headers of DICOM series, and by names and grids of files."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from os.path import commonpath
from pathlib import Path, PurePosixPath

from ...errors import CMROrientError
from ...io import ImageFiles, read_source, without_suffix
from ...io.nifti.read import read_grid
from ...io.suffixes import stem_of
from ...volume import Grid
from ..parts import Group
from ..record import Key
from .bids import BidsName
from .grouping import Joined, Member, join, on_one_grid
from .layouts import channel_of

#: What sequences and phases are called in names of files, in small letters.
_SEQUENCES = frozenset(
    {
        *("c0", "bssfp", "ssfp", "cine", "trufi", "fiesta", "bffe", "ed", "es"),
        *("lge", "de", "psir", "magir", "ir", "stir", "edema"),
        *("t1", "t1w", "t1map", "t1pre", "t1post", "t2", "t2w", "t2map", "t2star", "t2starw", "pd", "pdw"),
        *("perf", "perfusion", "ecv", "native", "post", "pre"),
    }
)
_FRAME = re.compile(r"(frame|phase)\d+")
_MARKS = re.compile(r"[_\-. ]+")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image of a run that may belong to others; the root is the path that was given."""

    key: Key
    source: ImageFiles
    root: Path


def find_groups(candidates: Sequence[Candidate], slice_axis: int | None = None) -> dict[Key, Group]:
    """The groups of a run, by the keys of their images.

    Files have no identity but their names and places: sequences are joined where names in one folder
    differ by words for sequences only and the grids are the same; single slices where names differ by
    one number and they are spread along their normal. Two people's images differ in the case's name or lie
    in folders of their own.
    """
    open_ends = [c for c in candidates if c.source.left_alone is None]
    members = [
        Member(c.key, (c.source.place.patient, c.source.place.study), c.source.place.grid, c.source.place.has_geometry)
        for c in open_ends
        # Without a study nothing tells two people apart.
        if c.source.place is not None and c.source.place.study and c.source.place.has_geometry
    ]
    joined = join(members)
    files = _Files([c for c in open_ends if c.source.kind not in ("dicom", "unknown")], slice_axis)
    for found in (files.channels(), files.sequences(), files.stacks()):
        joined += found
    return _named(joined)


def number_of(source: ImageFiles) -> tuple[int, ...]:
    """By which an image of a stack is counted: the numbers of a DICOM series, or those in the name of a file."""
    if source.place is not None:
        return source.place.number
    return tuple(int(number) for number in _NUMBER.findall(without_suffix(source.path).name))


class _Files:
    """Images in files of their own, by name and grid."""

    def __init__(self, candidates: Sequence[Candidate], slice_axis: int | None) -> None:
        self.open_ends = {candidate.key: candidate for candidate in candidates}
        self.slice_axis = slice_axis
        self._grids: dict[Key, Member[Key] | None] = {}

    def channels(self) -> list[Joined[Key]]:
        """Channels of one case in an nnU-Net folder."""

        def case_of(candidate: Candidate) -> Hashable:
            channel = channel_of(_stem(candidate)) if _ends_in_channel(candidate) else None
            return None if channel is None else (candidate.root, channel[0])

        cases = _several(self.open_ends.values(), case_of)
        return self._taken(group for case in cases for group in on_one_grid(self._members(case), "channels"))

    def sequences(self) -> list[Joined[Key]]:
        """Names in one folder that differ by words for sequences, on one grid."""

        case_of_name = lru_cache(maxsize=1024)(case_without_sequence)

        def case_of(candidate: Candidate) -> Hashable:
            name = _name_of_file(candidate)
            case = case_of_name(name)
            if case is None:
                return None
            # BIDS keeps a person's sequences in folders by their purpose, and names the person in each.
            folder = _above(candidate.source.path_text)
            return _above(folder) if BidsName.of(name) else folder, case

        cases = _several(self.open_ends.values(), case_of)
        return self._taken(group for case in cases for group in on_one_grid(self._members(case)))

    def stacks(self) -> list[Joined[Key]]:
        """Single slices whose names in one folder differ by one number, spread along their normal."""
        found = []
        # The last number is most often that of the slice.
        for place in (-1, -2, -3):

            def series_of(candidate: Candidate, place: int = place) -> Hashable:
                pattern = _without_number(_name_of_file(candidate), place)
                return None if pattern is None else (_above(candidate.source.path_text), pattern)

            several = _several(self.open_ends.values(), series_of)
            placed = [
                (m, str(number))
                for number, part in enumerate(several)
                for m in self._members(part)
                if m.is_placed and m.grid.size[2] == 1
            ]
            groups = join(Member(m.name, (study,), m.grid, m.has_geometry) for m, study in placed)
            found += self._taken(group for group in groups if group.kind == "stack")
        return found

    def _taken(self, groups: Iterable[Joined[Key]]) -> list[Joined[Key]]:
        taken = list(groups)
        for group in taken:
            for key in group.names:
                self.open_ends.pop(key)
        return taken

    def _members(self, candidates: Sequence[Candidate]) -> list[Member[Key]]:
        """Those that can be read, with their grids; one alone is not read."""
        if len(candidates) < 2:
            return []
        return [member for candidate in candidates if (member := self._member(candidate)) is not None]

    def _member(self, candidate: Candidate) -> Member[Key] | None:
        if candidate.key not in self._grids:
            try:
                grid, known = _grid_of(candidate.source, self.slice_axis)
                member = Member(candidate.key, (_above(candidate.source.path_text),), grid, known)
                self._grids[candidate.key] = member
            except (CMROrientError, MemoryError, ValueError):
                # Whoever works on it is told why.
                self._grids[candidate.key] = None
        return self._grids[candidate.key]


def _several(candidates: Collection[Candidate], what: Callable[[Candidate], Hashable]) -> list[list[Candidate]]:
    """Candidates that have something in common, in the order of the first of each; None is nothing.

    Most images of an archive have nothing in common with any other: they leave a number behind, no more.
    """
    times = Counter(hash(found) for candidate in candidates if (found := what(candidate)) is not None)
    several: dict[Hashable, list[Candidate]] = defaultdict(list)
    if times and max(times.values()) > 1:
        for candidate in candidates:
            found = what(candidate)
            if found is not None and times[hash(found)] > 1:
                several[found].append(candidate)
    return [some for some in several.values() if len(some) > 1]


def case_without_sequence(stem: str) -> tuple[str, ...] | None:
    """The words of a name without those for sequences; None where there is none of them."""
    words = [word for word in _MARKS.split(stem.lower()) if word]
    kept = [word for word in words if word not in _SEQUENCES and not _FRAME.fullmatch(word)]
    if len(kept) == len(words):
        return None
    # BIDS names the sequence after "acq", or another entity.
    named = any(first == "acq" and second in _SEQUENCES for first, second in pairwise(words))
    return tuple(word for word in kept if word != "acq" or not named)


def _without_number(stem: str, place: int) -> str | None:
    numbers = list(_NUMBER.finditer(stem))
    if len(numbers) < -place:
        return None
    number = numbers[place]
    return f"{stem[: number.start()]}#{stem[number.end() :]}"


def _above(path: str | os.PathLike[str]) -> str:
    return os.path.dirname(path)  # noqa: PTH120 (many thousand times)


def _ends_in_channel(candidate: Candidate) -> bool:
    return _name_of_file(candidate)[-4:].isdigit()


def _name_of_file(candidate: Candidate) -> str:
    return stem_of(candidate.key[0])


def _stem(candidate: Candidate) -> PurePosixPath:
    return _stem_of(candidate.key[0])


def _stem_of(path: str) -> PurePosixPath:
    return PurePosixPath(without_suffix(path).as_posix())


def _grid_of(source: ImageFiles, slice_axis: int | None) -> tuple[Grid, bool]:
    if source.kind == "nifti":
        return read_grid(source.path, slice_axis)
    volume = read_source(source, slice_axis)
    return volume.grid, volume.has_geometry


def _named(joined: Sequence[Joined[Key]]) -> dict[Key, Group]:
    names = [_name(group) for group in joined]
    times = Counter(names)
    seen: Counter[str] = Counter()
    found = {}
    for name, group in zip(names, joined, strict=True):
        seen[name] += 1
        unique = name if times[name] == 1 else f"{name} #{seen[name]}"
        for key in group.names:
            found[key] = Group(unique, group.kind, tuple(other for other in group.names if other != key))
    return found


def _name(group: Joined[Key]) -> str:
    """What the names have in common: the case, or the folder."""
    stems = [_stem_of(path) for path, _ in group.names]
    channel = channel_of(stems[0])
    if group.kind == "channels" and channel is not None:
        return channel[0].as_posix()
    names = [stem.as_posix() for stem in stems]
    if any(series is not None for _, series in group.names):
        return PurePosixPath(commonpath(names)).as_posix()
    first, last = min(names), max(names)
    length = next((n for n, (one, other) in enumerate(zip(first, last, strict=False)) if one != other), len(first))
    # A word that only begins alike is none of the case's: T1 and T2.
    shared = first[:length] if first[:length] in names else _BEGUN[group.kind].sub("", first[:length])
    return shared.rstrip("/_-. ") or "."


#: What is left behind where names part: half a word, or half a number.
_BEGUN: Mapping[str, re.Pattern[str]] = {
    "channels": re.compile(r"\d+$"),
    "sequences": re.compile(r"[^_\-. /]+$"),
    "stack": re.compile(r"\d+$"),
}
