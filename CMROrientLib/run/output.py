"""A run into an output folder: what a person changed or decided there is kept.

A dry run is one whose store is a copy in memory, and which leaves all files as they are.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

from .. import __version__
from ..errors import CMROrientError, UsageError
from ..io import ImageFiles, find
from ..io.paths import relative
from ..io.real_paths import RealPaths
from ..io.refused import reason
from ..progress import ItemProgress
from .companions.label_maps import Companion
from .dataset_files import carry_over, take_back
from .delivery import (
    Noted,
    note_removal,
    notes_from_json,
    notes_to_json,
    read_notes,
    remove_unfinished,
    several,
    together,
)
from .files import checksum
from .options import RunOptions
from .overrides import DecisionTable, Override, read_decisions
from .plan import PlannedImage, RunPlan, planned_files
from .record import Key, Record
from .records import Records
from .seen import Seen
from .store import Store
from .tables import CSV_NAME, JSONL_NAME, write_csv, write_jsonl
from .work import Assignment, Outcome
from .workers.pool import run_all

_TABLE = "sha256 of the table"
_LINES = "version and sha256 of the lines"
_NOTES = "notes of files whose images were not recorded"
_EDITED = "cmrorient-edited"


class _NotRemovedError(CMROrientError):
    """What an earlier run wrote cannot be removed."""


class OutputRun:
    """One run into an output folder.

    Raises
    ------
    UsageError
        Where another image was written there under the same name.
    """

    def __init__(
        self,
        options: RunOptions,
        plan: RunPlan,
        store: Store,
        output: Path,
        warn: Callable[[str], None],
        fail: Callable[[str], None],
    ) -> None:
        self.options = options
        self.store = store
        self.output = output
        self.warn = warn
        # What is taken back and what is carried over may fail alike.
        self.fail = cache(fail)
        self.noted = together(notes_from_json(store.fact(_NOTES)), read_notes(output))
        self.places = RealPaths()
        #: What was handed out and is not kept yet; two inputs that are left alone may have one key.
        self._under_way: dict[Key, deque[PlannedImage]] = {}
        #: Whose outputs were removed.
        self.removed: set[Key] = set()
        self._check_inputs([image for image in plan.images if not image.contested])
        if options.writing:
            remove_unfinished(output, self.noted)
        self.images = self._with_known_masks(plan.images)
        self.table = self._edited_table()

    @cached_property
    def planned(self) -> dict[Path, Key]:
        """Whose each file is that this run may write; asked for where something is to be removed."""
        return {path: image.key for image in self.images for path in planned_files(image, self.output)}

    def do(self, progress: ItemProgress[Outcome] | None, finish: Callable[[Store], None] | None) -> Records:
        """Work, keep the outcomes as they come in, and write the tables."""

        def keep_late(outcome: Outcome) -> None:
            if outcome.record.key in self._under_way:
                self._keep(outcome, self._under_way[outcome.record.key][0])

        outcomes = run_all(self.images, self.options, self._assignment, keep_late)
        unwritten: set[Key] = set()
        gone: set[Key] = set()
        finished = False
        try:
            # Workers that are still at it have ended before anything is written about them.
            with closing(outcomes):  # type: ignore[type-var]
                for number, made in enumerate(outcomes, start=1):
                    image = self._under_way[made.record.key][0]
                    outcome = self._keep(made, image)
                    record = outcome.record
                    self._is_kept(image.key)
                    if record.output is None:
                        unwritten.add(image.key)
                        # What failed may have left something there.
                        gone.update(() if record.error is not None else (image.key,))
                    if progress is not None:
                        progress(outcome, number, len(self.images))
            finished = True
        finally:
            if self.options.writing:
                self._hold_notes()
                self._tables(finished)
        if self.options.writing:
            done = [image for image in self.images if image.key not in unwritten and self._is_own(image)]
            left = [image for image in self.images if image.key in gone]
            take_back(self.images, done, left, self.removed, self.output, self.store, self.warn, self.fail)
        if self.options.writing and self.options.companions == "auto":
            carry_over(self.images, done, self.output, self.store, self.warn, self.fail)
        if finish is not None and self.options.writing:
            finish(self.store)
        records = Records()
        for line in self.store.lines(image.key for image in self.images):
            records.append(line)
        return records

    def _is_own(self, image: PlannedImage) -> bool:
        """Whether what lies in the output is of this image; of contested ones the record tells."""
        before = self.store.source_of(image.key) if image.contested else None
        return before is None or before == self.places.of(image.source.path_text)

    def _hold_notes(self) -> None:
        """Leave in the store what is noted of images that were not recorded, and no hidden folder."""
        left = together(self.noted, read_notes(self.output))
        self.store.note(_NOTES, notes_to_json(left))
        # All of them: an interruption may have come while one was being removed.
        remove_unfinished(self.output, {})

    def _check_inputs(self, images: Sequence[PlannedImage]) -> None:
        waiting = iter(images)
        for key, before in self.store.sources_of(image.key for image in images):
            # They come in the order of the images, less those that the store does not know.
            image = next(image for image in waiting if image.key == key)
            if before != self.places.of(image.source.path_text):
                self._check_input(image, before)

    def _check_input(self, image: PlannedImage, before: str) -> None:
        prior = self.store.get(image.key)
        if prior is None or prior.output is None:
            return
        seen = Seen(self.store.seen(image.key), verify=self.options.verify)
        if seen.checksum(image.source.file_texts) != prior.files.sha256_in:
            raise UsageError(
                f"{before} was written to it, and {image.source.path} would be; give each an output folder of its "
                "own, or correct the folder that holds both",
                self.output / prior.output,
            )

    def _with_known_masks(self, images: list[PlannedImage]) -> list[PlannedImage]:
        """Images with the masks that went with them before, also where nobody named their endings this time."""
        with_masks = self.store.with_masks()
        if not with_masks:
            return images
        by_path = {image.path: image for image in images}
        taken: set[str] = set()
        found = []
        for image in images:
            prior = self.store.get(image.key) if image.key in with_masks else None
            names = {mask.name for mask in image.masks}
            for mask in () if prior is None else prior.files.masks:
                if mask.path in names or not any((self.output / name).exists() for name in mask.written):
                    continue
                own = by_path.get(mask.path)
                source = own.source if own is not None else _beside(image, mask.path)
                if source is None:
                    gone = f"its mask {mask.path} is no longer there; image and mask are left as they are"
                    gone += f": bring it back, or remove {mask.output} from the output"
                    image = replace(image, error=image.error or gone)
                    continue
                taken.add(mask.path)
                image = replace(image, masks=(*image.masks, Companion(source, mask.path)))
                self.warn(f"{mask.path}: follows {image.path} as in the earlier run")
            found.append(image)
        return [image for image in found if image.path not in taken]

    def _edited_table(self) -> DecisionTable | None:
        """What a person decided in the table of the earlier run; what cannot be read is kept beside the new one."""
        path = self.output / CSV_NAME
        if not path.is_file() or checksum([path]) == self.store.fact(_TABLE):
            return None
        try:
            table = read_decisions(path)
        except UsageError as error:
            self._put_aside(f"{CSV_NAME} was edited and cannot be read ({error.message})")
            return None
        known = {image.key for image in self.images}
        if self.store.fact(_TABLE) is not None:
            self.warn(f"{CSV_NAME} was edited: its decisions are taken")
        if not table.rows.keys() <= known:
            self._put_aside(f"{CSV_NAME} was edited and decides about images that are not among the inputs")
        return table

    def _put_aside(self, reason: str) -> None:
        number, place = 1, self.output / f"{_EDITED}.csv"
        while place.exists():
            number += 1
            place = self.output / f"{_EDITED}-{number}.csv"
        if self.options.writing:
            shutil.copyfile(self.output / CSV_NAME, place)
        self.warn(f"{reason}; it {'is' if self.options.writing else 'would be'} kept as {place.name}")

    def _assignment(self, image: PlannedImage) -> Assignment:
        """An image with what the store knows of it, and with what a person decided about it before."""
        self._under_way.setdefault(image.key, deque()).append(image)
        prior, has_pictures, seen = self.store.known(image.key)
        if image.override is None and not self.options.reset_decisions:
            decided = self._decided(image, prior)
            image = image if decided is None else replace(image, override=decided)
        return Assignment(image, prior, has_pictures, self._noted(image.key), seen)

    def _is_kept(self, key: Key) -> None:
        self._under_way[key].popleft()
        if not self._under_way[key]:
            del self._under_way[key]

    def _noted(self, key: Key) -> Noted:
        return self.noted.get(key, Noted())

    def _decided(self, image: PlannedImage, prior: Record | None) -> Override | None:
        if self.table is not None:
            said = self.table.find(*image.key)
            if said is not None or self.table.takes_back(*image.key):
                return said
        if prior is None or prior.finding is None or not prior.decided_by_user:
            return None
        if prior.finding.orientation is not None:
            return Override(prior.finding.orientation)
        return Override(None, prior.finding.decision)

    def _keep(self, outcome: Outcome, image: PlannedImage) -> Outcome:
        """Keep what became of an image; the outcome as it is kept, which tells of what could not be removed, too."""
        record, noted = outcome.record, [outcome.noted]
        if record.error is None and not outcome.kept:
            removals: list[Noted] = []
            try:
                removals.extend(self._remove_stale(record, self._written_by(record, image)))
            except _NotRemovedError as refused:
                # What is noted of it stays: the next run goes on there.
                record = replace(record, error=refused.message)
                outcome = replace(outcome, record=record)
                self.noted = together(self.noted, {record.key: self._still_noted(record.key)})
            else:
                noted += removals
        if record.error is None:
            noted.append(self._noted(record.key))
        if (not outcome.kept or outcome.thumbnails is not None) and not self._failed_alike(outcome):
            # What lies in the output folder is of the input that it was made from, whoever contests it.
            contested = image.contested and record.output is not None
            source = None if contested else Path(self.places.of(image.source.path_text))
            self.store.put(record, outcome.thumbnails, source)
        if outcome.seen and outcome.seen != self.store.seen(record.key):
            self.store.keep_seen(record.key, outcome.seen)
        if self.options.writing:
            for each in noted:
                each.discard()
            if record.error is None:
                self.noted.pop(record.key, None)
        for line in outcome.told:
            self.warn(line)
        return outcome

    def _failed_alike(self, outcome: Outcome) -> bool:
        """Whether an image failed as it did before: then nothing is to be told anew."""
        record = outcome.record
        prior = None if record.error is None or outcome.thumbnails is not None else self.store.get(record.key)
        return prior is not None and replace(record, seconds=prior.seconds).to_json() == prior.to_json()

    def _written_by(self, record: Record, image: PlannedImage) -> set[str]:
        """The names of what a run writes for an image, or would write."""
        if self.options.writing:
            return {name for names, _ in record.files.outputs for name in names}
        if record.action is None or record.action.grid is None:
            return set()
        return {relative(path, self.output) for path in planned_files(image, self.output)}

    def _remove_stale(self, record: Record, present: set[str]) -> Iterator[Noted]:
        """Remove what an earlier run wrote and this one did not: it would pass for corrected.

        What somebody has changed since, and what another image of this run writes, stays.

        Yields
        ------
        Where each removal is noted, until the record is kept.
        """
        prior, noted = self.store.get(record.key), self._noted(record.key)
        outputs = [] if prior is None else prior.files.outputs
        told = {name for names, _ in outputs for name in names}
        for names, digest in [*outputs, *(((name,), None) for name in noted.digests if name not in told)]:
            paths = [self.output / name for name in names if name not in present]
            if len(paths) < len(names) or any(self.planned.get(path, record.key) != record.key for path in paths):
                continue
            there = [name for name, path in zip(names, paths, strict=True) if path.is_file()]
            try:
                as_recorded = len(there) == len(names) and checksum(paths) == digest
                if there and (as_recorded or noted.explains(self.output, there)):
                    if self.options.writing:
                        yield note_removal(self.output, record.key, there)
                    for name in there:
                        self._remove(name)
                    self.removed.add(record.key)
            except (OSError, CMROrientError) as error:
                why = reason(error) if isinstance(error, OSError) else error.message
                raise _NotRemovedError(
                    f"{', '.join(there)}: written by an earlier run and not by this one, and cannot be removed "
                    f"({why}); close the program that has it open, then run again, or remove it yourself"
                ) from error

    def _still_noted(self, key: Key) -> Noted:
        """What a record that forgets the earlier outputs of an image leaves to be noted of them."""
        prior, noted = self.store.get(key), self._noted(key)
        found = {name: set(digests) for name, digests in noted.digests.items()}
        for names, one in () if prior is None else prior.files.outputs:
            each = {names[0]: one or ""} if len(names) == 1 else {}
            # Of several files in one checksum nothing is known where one cannot be read.
            with suppress(CMROrientError):
                each = each or several(names, one, self.output)
            for name, own in each.items():
                found.setdefault(name, set()).add(own)
        return Noted({name: frozenset(digests) for name, digests in found.items()}, noted.folders)

    def _remove(self, name: str) -> None:
        if self.options.writing:
            (self.output / name).unlink()
        does = "removed, because this run does" if self.options.writing else "would be removed, because this run would"
        self.warn(f"{name}: {does} not write it")

    def _tables(self, finished: bool) -> None:
        if not self.store.changed and self.table is None and self._as_left():
            return
        write_jsonl(self.output / JSONL_NAME, self.store.records())
        self.store.note(_LINES, f"{__version__} {checksum([self.output / JSONL_NAME])}")
        if self.table is not None and not finished:
            return  # It may decide about images that had no turn: the next run reads it again.
        if self.table is not None and any(self._failed(key) for key in self.table.rows):
            self._put_aside(f"{CSV_NAME} was edited and decides about images that failed")
        write_csv(self.output / CSV_NAME, self.store.records())
        self.store.note(_TABLE, checksum([self.output / CSV_NAME]))

    def _as_left(self) -> bool:
        """Whether the tables are those that this version wrote for the records that there are."""
        lines, table = self.output / JSONL_NAME, self.output / CSV_NAME
        return (
            lines.is_file()
            and table.is_file()
            and self.store.fact(_LINES) == f"{__version__} {checksum([lines])}"
            and self.store.fact(_TABLE) == checksum([table])
        )

    def _failed(self, key: Key) -> bool:
        record = self.store.get(key)
        return record is not None and record.error is not None


def counted(outcomes: Iterator[Outcome], total: int, progress: ItemProgress[Outcome] | None) -> Iterator[Outcome]:
    """The outcomes, each told to ``progress`` when it has been taken."""
    with closing(outcomes):  # type: ignore[type-var]
        for done, outcome in enumerate(outcomes, start=1):
            yield outcome
            if progress is not None:
                progress(outcome, done, total)


def _beside(image: PlannedImage, name: str) -> ImageFiles | None:
    """A file below the path that was given for an image."""
    root = image.source.path.parents[len(PurePosixPath(image.path).parts) - 1]
    try:
        sources = find(root / name)
    except CMROrientError:
        return None
    return sources[0] if len(sources) == 1 else None
