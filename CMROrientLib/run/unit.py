"""Units of work: an image alone, or the images of a group, which are decided on together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import islice

from ..errors import CMROrientError
from ..io import ImageFiles, read_source
from ..orientation import Orientation
from ..recognition.cards.model_files import find_model
from ..recognition.recognizer import Recognizer
from ..recognition.result import Recognition
from ..recognition.together import Look, decide_together, share_of_slices
from ..recognition.wording import orientation_words
from .companions.content import is_label_map
from .companions.together import number_of
from .files import encoded
from .options import RunOptions
from .plan import PlannedImage
from .record import Key
from .resume import files_now, still_holds
from .seen import Seen
from .work import Assignment, Outcome, unexpected, work


class Units:
    """The images by the groups that they are decided on in, in the order of the first of each.

    It is true while one is left. They are made as they are taken: an archive has millions of images that stand alone.
    """

    def __init__(self, images: Sequence[PlannedImage]) -> None:
        self._rest = _units_of(images)
        #: The next one; empty where none is left.
        self.first = next(self._rest, [])

    def __bool__(self) -> bool:
        return bool(self.first)

    def take(self) -> list[PlannedImage]:
        """The next one, which is gone then."""
        taken, self.first = self.first, next(self._rest, [])
        return taken


def count_units(images: Sequence[PlannedImage], most: int) -> int:
    """How many units there are, counted no further than ``most``."""
    return sum(1 for _ in islice(_units_of(images), most))


def _units_of(images: Sequence[PlannedImage]) -> Iterator[list[PlannedImage]]:
    groups: dict[str, list[PlannedImage]] = {}
    for image in images:
        if image.group is not None:
            groups.setdefault(image.group.name, []).append(image)
    for image in images:
        if image.group is None:
            yield [image]
        elif image.group.name in groups:
            yield groups.pop(image.group.name)


def work_on(unit: Sequence[Assignment], options: RunOptions, threads: int | None = None) -> Iterator[Outcome]:
    """Do the assignments of a unit, one after the other; see ``work``.

    A person's decision holds for the image that it names. The others are decided on without it, and
    where that ends in another orientation the decided image's record says so.
    """
    open_ends = [assignment for assignment in unit if _is_open(assignment.image)]
    company = None
    if len(open_ends) > 1:
        sources = {assignment.image.key: assignment.image.source for assignment in open_ends}
        group = open_ends[0].image.group
        is_stack = group is not None and group.kind == "stack"
        seen = {each.image.key: Seen(each.seen, verify=options.verify) for each in open_ends}
        company = Company(sources, seen, options.slice_axis, is_stack=is_stack)
    common: Orientation | None = None
    for assignment in open_ends:
        outcome = work(assignment, options, threads, company)
        if outcome.record.acted_on:
            common = outcome.record.orientation
        yield outcome
    for assignment in unit:
        if assignment not in open_ends:
            outcome = work(assignment, options, threads)
            yield outcome if outcome.kept else _apart(outcome, common)
            if common is None and outcome.record.acted_on:
                common = outcome.record.orientation


def done_before(unit: Sequence[Assignment], options: RunOptions) -> list[Outcome] | None:
    """What ``work_on`` gives for a unit that an earlier run has done, where its files need not be read to know that.

    None for any other. It takes less time than to hand the unit to a thread or a process.
    """
    if options.overwrite or options.verify:
        return None
    outcomes = []
    for assignment in unit:
        image, prior, seen = assignment.image, assignment.prior, Seen(assignment.seen, reads=False)
        if prior is None or prior.error is not None or image.group is not None or not _is_to_be_done(image):
            return None
        if options.drawing and not assignment.has_picture:
            return None
        try:
            model = find_model(options.model) if image.override is None else None
            settings = options.digest(model, image.override)
            if not still_holds(prior, files_now(image, seen), settings, options.output, seen):
                return None
        except Exception:  # files would have to be read; or whatever ``work`` tells of this image
            return None
        outcomes.append(Outcome(prior, kept=True))
    return outcomes


def alone(assignment: Assignment) -> Assignment:
    """The same without its group."""
    return replace(assignment, image=replace(assignment.image, group=None))


def _is_open(image: PlannedImage) -> bool:
    return image.override is None and _is_to_be_done(image)


def _is_to_be_done(image: PlannedImage) -> bool:
    return image.error is None and image.source.left_alone is None


def _apart(outcome: Outcome, common: Orientation | None) -> Outcome:
    """Say where a person decided otherwise about an image than about, or the network on, the rest of its group."""
    record = outcome.record
    if record.group is None or common is None or not record.decided_by_user or record.orientation == common:
        return outcome
    note = f"decided apart from its group {record.group.name}, which is stored {orientation_words(common)}"
    told = (*outcome.told, f"{record.name}: {note}")
    return replace(outcome, record=replace(record, note="; ".join(filter(None, (note, record.note)))), told=told)


class Company:
    """Images that the network decides on together.

    They are read and looked at only when the first of them asks for its result: where all of them are
    as an earlier run left them nobody asks. One volume is in memory at a time.

    Parameters
    ----------
    sources:
        The images.
    seen:
        The checksums of each one's files.
    slice_axis:
        The stored axis that slices lie along; found where None.
    is_stack:
        Whether they are the slices of one stack, which has an order.
    """

    def __init__(
        self,
        sources: Mapping[Key, ImageFiles],
        seen: Mapping[Key, Seen],
        slice_axis: int | None,
        *,
        is_stack: bool = False,
    ) -> None:
        self.sources = sources
        self._seen = seen
        self._slice_axis = slice_axis
        self._is_stack = is_stack
        self._found: dict[Key, Recognition] = {}
        #: Without tracebacks: their frames would hold what was read of the images.
        self._failed: dict[Key, CMROrientError | MemoryError] = {}

    @property
    def digest(self) -> str:
        """A name for all that is decided on: another where a file comes, goes or changes."""
        lines = [
            f"{path} {series or ''} {self._told(path, series)}\n" for path, series in sorted(self.sources, key=str)
        ]
        return hashlib.sha256(encoded("".join(lines))).hexdigest()

    def seen(self, key: Key) -> Seen:
        """The checksums of an image's files."""
        return self._seen[key]

    def recognition(self, key: Key, recognizer: Recognizer) -> Recognition:
        """The result for one of them. Raises what went wrong with this one."""
        if not self._found and not self._failed:
            self._look(recognizer)
        if key in self._failed:
            # A copy: what is raised takes hold of all that it passes, the image among it.
            raise copy(self._failed[key])
        return self._found[key]

    def _told(self, path: str, series: str | None) -> str:
        try:
            return self._seen[path, series].checksum(self.sources[path, series].file_texts)
        except CMROrientError:
            return "unreadable"

    def _look(self, recognizer: Recognizer) -> None:
        looks: dict[Key, Look] = {}
        share = share_of_slices(len(self.sources))
        for key, source in self.sources.items():
            try:
                look = self._look_at(source, recognizer, share)
            except CMROrientError as error:
                self._failed[key] = copy(error)
            except MemoryError:
                self._failed[key] = MemoryError()
            except Exception as error:  # the others are decided on without it, whatever it is made of
                self._failed[key] = CMROrientError(unexpected(error))
            else:
                if look is not None:
                    looks[key] = look
        if len(looks) == 1:
            self._found = {key: recognizer.decide(look) for key, look in looks.items()}
        elif looks:
            numbers = [number_of(self.sources[key]) for key in looks] if self._is_stack else []
            self._found = dict(zip(looks, decide_together(recognizer, list(looks.values()), numbers), strict=True))

    def _look_at(self, source: ImageFiles, recognizer: Recognizer, limit: int) -> Look | None:
        """One of them; None where it is a label map. Its voxels are gone in the end."""
        volume = read_source(source, self._slice_axis)
        return None if is_label_map(volume) else recognizer.look(volume, limit=limit)
