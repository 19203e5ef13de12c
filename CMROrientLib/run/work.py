"""The work on one image: recognize, correct, write, record. Runs in any process."""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from .. import __version__
from ..correction import Correction, plan, with_slice_order
from ..errors import CMROrientError
from ..io import read, read_source
from ..io.paths import relative
from ..orientation import Orientation
from ..recognition.cards.model_files import find_model
from ..recognition.recognizer import Recognizer, decided
from ..recognition.result import Recognition
from ..recognition.wording import words
from ..volume import Volume
from .companions.content import is_label_map
from .companions.label_maps import check_fit
from .delivery import Delivery, Noted, Written, delivery, read_notes, together
from .options import RunOptions
from .parts import Action, Finding, ImageFacts, MaskFiles, RecordFiles
from .pictures.thumbnails import Thumbnails, thumbnails_of
from .plan import PlannedImage, planned_files
from .record import Key, Record
from .resume import changed_outputs, files_now, still_holds
from .seen import Seen

#: Why a label map is not recognized.
LABEL_MAP_ALONE = "a label map without an image"


class Together(Protocol):
    """The images of a group, which the network decides on together; see ``unit.Company``."""

    @property
    def digest(self) -> str:
        """A name for all that is decided on."""
        ...

    def seen(self, key: Key) -> Seen:
        """The checksums of an image's files."""
        ...

    def recognition(self, key: Key, recognizer: Recognizer) -> Recognition:
        """The result for one of them. Raises what went wrong with this one."""
        ...


@dataclass(frozen=True)
class Assignment:
    """One image to be worked on, and what an earlier run left of it.

    Parameters
    ----------
    image:
        What is planned.
    prior:
        What an earlier run recorded about it.
    has_picture:
        Whether there is a picture of it already.
    noted:
        What runs that were killed had begun to put in place.
    seen:
        Checksums of files by their stamps, as an earlier run left them.
    """

    image: PlannedImage
    prior: Record | None = None
    has_picture: bool = False
    noted: Noted = field(default_factory=Noted)
    seen: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What became of one image.

    Parameters
    ----------
    record:
        What was found and done.
    thumbnails:
        Pictures for the report, where they were asked for and the image could be read.
    kept:
        Whether an earlier run had done it already.
    told:
        What people should know of it although nothing failed, in lines.
    noted:
        Where it is noted what was put in place, until the record is kept.
    seen:
        Checksums of files by their stamps, for the next run.
    """

    record: Record
    thumbnails: Thumbnails | None = None
    kept: bool = False
    told: tuple[str, ...] = ()
    noted: Noted = field(default_factory=Noted)
    seen: Mapping[str, str] = field(default_factory=dict)


def work(
    assignment: Assignment, options: RunOptions, threads: int | None = None, company: Together | None = None
) -> Outcome:
    """Do one assignment. Whatever goes wrong with this image is told in its record, never raised.

    Parameters
    ----------
    threads:
        CPU threads of the network; all cores where None.
    company:
        The images that it is decided on with, where it has some.
    """
    start = time.perf_counter()
    image = assignment.image
    outcome: Outcome | None = None
    seen = Seen(assignment.seen, verify=options.verify) if company is None else company.seen(image.key)
    try:
        if image.error is not None:
            error = image.error
        elif image.source.left_alone is not None:
            outcome = Outcome(_left_alone(image, options))
        else:
            outcome = _Work(assignment, options, threads, company, seen).do()
    except CMROrientError as raised:
        error = _told(raised, image)
    except MemoryError:
        error = "there is not enough memory for it"
    except Exception as raised:  # one image must not stop the others, whatever it is made of
        error = unexpected(raised)
    if outcome is None:
        outcome = Outcome(failed(assignment, options, error))
    if outcome.kept:
        # Mostly it is known already.
        return outcome if seen.now == assignment.seen else replace(outcome, seen=seen.now)
    record = replace(outcome.record, seconds=round(time.perf_counter() - start, 3))
    return replace(outcome, record=record, seen=seen.now)


class _Work:
    """One image on its way from its file to its record."""

    def __init__(
        self, assignment: Assignment, options: RunOptions, threads: int | None, company: Together | None, seen: Seen
    ) -> None:
        self.image = assignment.image
        self.assignment = assignment
        self.options = options
        override = self.image.override
        self.threads = threads
        self.noted = Noted()
        self.model = find_model(options.model) if override is None else None
        self.company = company
        self.seen = seen
        self.settings = options.digest(self.model, override, self._group_digest())
        self.files = files_now(self.image, seen)

    def _recognizer(self) -> Recognizer:
        """Made when an image is looked at: what a run finds done already needs no network."""
        o = self.options
        return Recognizer(o.model, o.device, o.averaging, o.min_confidence, threads=self.threads, looks=o.looks)

    def _group_digest(self) -> str | None:
        """What the result depends on besides this image: the others that are decided on with it."""
        if self.image.group is None:
            return None
        return self.image.group.name if self.company is None else self.company.digest

    def do(self) -> Outcome:
        """Everything; what fails is raised."""
        prior = self.assignment.prior
        if (
            prior is not None
            and not self.options.overwrite
            and still_holds(prior, self.files, self.settings, self.options.output, self.seen)
        ):
            return Outcome(prior, self._pictures_again(prior), kept=True)
        told = self._check_outputs(prior)
        return replace(self._done(), told=told, noted=self.noted)

    def _check_outputs(self, prior: Record | None) -> tuple[str, ...]:
        """What is replaced although a person changed it; CMROrientError where nobody asked for that."""
        output = self.options.output
        if output is None or prior is None:
            return ()
        changed = changed_outputs(prior, output, self.assignment.noted, self.seen)
        changed = changed and changed_outputs(prior, output, self._noted_now(output), self.seen)
        if changed and not self.options.overwrite:
            raise CMROrientError(
                f"changed in the output folder since it was written: {', '.join(changed)}; it is kept, and nothing is "
                "done: move it away, or give --overwrite to replace it"
            )
        replaced = "replaced" if self.options.writing else "would be replaced"
        return tuple(f"{name}: {replaced} although it was changed since it was written" for name in changed)

    def _done(self) -> Outcome:
        volume = read_source(self.image.source, self.options.slice_axis)
        masks = [read_source(mask.source, volume.slice_axis) for mask in self.image.masks]
        for mask, companion in zip(masks, self.image.masks, strict=True):
            check_fit(mask, volume, companion.source.path)
        if self.options.companions == "auto" and self.image.override is None and not masks and is_label_map(volume):
            return Outcome(
                replace(
                    _bare(self.image, self.options),
                    image=ImageFacts.from_volume(volume, self.options.include_identifiers),
                    files=self.files,
                    finding=Finding("not_short_axis"),
                    settings=self.settings,
                    note=f"left alone: {LABEL_MAP_ALONE}",
                ),
                thumbnails_of(volume, None) if self.options.drawing else None,
            )
        recognition = self._recognized(volume)
        if not self.options.correcting:
            return self._outcome(volume, masks, recognition)
        if not recognition.acted_on or (recognition.conflict and self.options.skip_conflicts):
            reason = "conflict of pixels and header: skipped" if recognition.acted_on else None
            return self._outcome(volume, masks, recognition, self._action(None, volume), note=reason)
        correction = with_slice_order(
            plan(recognition.orientation, recognition.header_orientation, self.options.geometry, self.options.target),
            volume,
            recognition.slice_order,
            self.options.slice_order,
            self.options.geometry,
        )
        action, files = self._action(correction, volume), self.files
        if self.options.writing:
            action, files = self._written(correction, volume, masks, action)
        else:
            self._try(correction, volume, masks)
        note = "copied: nothing to change" if correction.changes_nothing else None
        return self._outcome(volume, masks, recognition, action, files, note, correction.apply(volume))

    def _outcome(
        self,
        volume: Volume,
        masks: list[Volume],
        recognition: Recognition,
        action: Action | None = None,
        files: RecordFiles | None = None,
        note: str | None = None,
        corrected: Volume | None = None,
    ) -> Outcome:
        record = Record(
            path=self.image.path,
            series=self.image.source.series,
            image=ImageFacts.from_volume(volume, self.options.include_identifiers),
            finding=self._finding(recognition),
            action=action,
            files=files or self.files,
            model=None if self.model is None else f"{self.model.name}@{self.model.checksum[:12]}",
            settings=self.settings,
            note="; ".join(filter(None, (note, *volume.metadata.notes))) or None,
            version=__version__,
            group=self.image.group,
        )
        return Outcome(record, thumbnails_of(volume, corrected, masks) if self.options.drawing else None)

    def _recognized(self, volume: Volume) -> Recognition:
        override = self.image.override
        if override is None:
            recognizer = self._recognizer()
            if self.company is not None:
                return self.company.recognition(self.image.key, recognizer)
            return recognizer.recognize(volume)
        if override.orientation is not None:
            return decided(volume, override.orientation)
        return replace(decided(volume, Orientation.IDENTITY), decision=override.decision or "uncertain", conflict=False)

    def _finding(self, recognition: Recognition) -> Finding:
        override = self.image.override
        left_by_user = override is not None and override.orientation is None
        return Finding(
            decision=recognition.decision,
            orientation=None if left_by_user else recognition.orientation,
            header_orientation=recognition.header_orientation,
            header_state=recognition.header_state,
            conflict=bool(recognition.conflict),
            mirrored=bool(recognition.mirrored) and not left_by_user,
            confidence=round(float(recognition.confidence), 6),
            decided_by=recognition.decided_by,
            votes=tuple(int(v) for v in recognition.votes),
            slices=len(recognition.slice_indices),
            inputs=recognition.inputs if override is None else None,
            agreement=round(float(np.mean(recognition.agreement)), 6) if len(recognition.agreement) else None,
            slice_votes=tuple(Orientation(int(k)) for k in recognition.slice_probabilities.argmax(axis=1)),
            words="Left alone, as the user decided." if left_by_user else words(recognition),
            slice_order=recognition.slice_order,
            slice_order_confidence=None
            if override is not None
            else round(float(recognition.slice_order_confidence), 6),
            header_slice_order=recognition.header_slice_order,
            angle=None if recognition.angle is None else round(float(recognition.angle), 2),
            margin=None if recognition.margin is None else round(float(recognition.margin), 2),
            view=recognition.view,
            network=None if override is not None else f"{int(recognition.orientation)} {recognition.decision}",
        )

    def _action(self, correction: Correction | None, volume: Volume) -> Action:
        if correction is None:
            return Action(self.options.geometry, self.options.target, slice_order=self.options.slice_order)
        grid = (volume if correction.changes_nothing else correction.apply(volume)).stored()[1]
        return Action(
            self.options.geometry,
            self.options.target,
            correction.geometry_class,
            grid,
            self.options.slice_order,
            correction.reverse_slices,
            correction.reverse_slice_direction,
            correction.renumber,
        )

    def _written(
        self, correction: Correction, volume: Volume, masks: list[Volume], action: Action
    ) -> tuple[Action, RecordFiles]:
        """Write the masks, then the image, so that an image that is there has its masks beside it."""
        output, destination = self._places()
        with delivery(output) as made:
            entries, image = self._make(made, correction, volume, masks)
            if not volume.has_geometry and self.image.source.kind != "dicom":
                # The file still says nothing of its place: its grid is the one that readers make up for it.
                action = replace(action, grid=read(made.made_for(destination), volume.slice_axis).stored()[1])
            self._check_way(made)
            self.noted = made.put_in_place(self.image.key, self.assignment.prior)
        files = replace(
            self.files,
            output=relative(destination, output),
            sha256_out=image.sha256,
            written=image.names,
            masks=tuple(entries),
        )
        for names, found in files.outputs:
            self.seen.written((output / name for name in names), found or "")
        return action, files

    def _make(
        self, made: Delivery, correction: Correction, volume: Volume, masks: list[Volume]
    ) -> tuple[list[MaskFiles], Written]:
        output, destination = self._places()
        entries = []
        for mask, companion, entry in zip(masks, self.image.masks, self.files.masks, strict=True):
            written = made.make(companion.source, mask, correction, output / companion.name)
            entries.append(replace(entry, output=companion.name, sha256_out=written.sha256, written=written.names))
        return entries, made.make(self.image.source, volume, correction, destination)

    def _check_way(self, made: Delivery) -> None:
        """Raise CMROrientError where a file that is none of a run's for this image has one of the names."""
        if self.options.overwrite:
            return
        there = made.in_the_way(self._known(), self.assignment.noted)
        there = there and made.in_the_way(self._known(), self._noted_now(self._places()[0]))
        if there:
            raise CMROrientError(
                f"in the way in the output folder and not from a run for this image: {', '.join(there)}; it is kept: "
                "move it away, or give --overwrite to replace it"
            )

    def _try(self, correction: Correction, volume: Volume, masks: list[Volume]) -> None:
        """Raise what a run would raise that writes; nothing is written into the output folder."""
        output, _ = self._places()
        there = {relative(path, output) for path in planned_files(self.image, output) if path.exists()}
        if self.options.overwrite or there <= self._known():
            return
        with tempfile.TemporaryDirectory() as elsewhere, delivery(output, Path(elsewhere)) as made:
            self._make(made, correction, volume, masks)
            self._check_way(made)

    def _noted_now(self, output: Path) -> Noted:
        """What is noted of it, also by a worker that died since this was handed out."""
        return together({self.image.key: self.assignment.noted}, read_notes(output))[self.image.key]

    def _known(self) -> set[str]:
        """The names that the record tells of."""
        prior = self.assignment.prior
        return {name for names, _ in (() if prior is None else prior.files.outputs) for name in names}

    def _places(self) -> tuple[Path, Path]:
        """The output folder, and the image's place in it."""
        output, destination = self.options.output, self.image.destination
        assert output is not None
        assert destination is not None
        return output, destination

    def _pictures_again(self, prior: Record) -> Thumbnails | None:
        if not self.options.drawing or self.assignment.has_picture:
            return None
        volume = read_source(self.image.source, self.options.slice_axis)
        correction = prior.correction if prior.output is not None else None
        corrected = None if correction is None else correction.apply(volume)
        masks = [read_source(mask.source, volume.slice_axis) for mask in self.image.masks]
        return thumbnails_of(volume, corrected, masks)


def _left_alone(image: PlannedImage, options: RunOptions) -> Record:
    return replace(
        _bare(image, options),
        finding=Finding("not_short_axis"),
        note=f"left alone: {image.source.left_alone}",
    )


def failed(assignment: Assignment, options: RunOptions, error: str) -> Record:
    """A record of an error, in one line. What an earlier run wrote or a person decided stays known beside it."""
    message, prior = " ".join(error.split()), assignment.prior
    if prior is not None and prior.image is not None and not options.include_identifiers:
        prior = replace(prior, image=replace(prior.image, identifiers=None))
    if prior is not None and options.correcting and (prior.output is not None or prior.decided_by_user):
        return replace(prior, error=message, version=__version__)
    return replace(_bare(assignment.image, options), error=message)


def _bare(image: PlannedImage, options: RunOptions) -> Record:
    return Record(
        path=image.path,
        series=image.source.series,
        action=Action(options.geometry, options.target) if options.correcting else None,
        files=RecordFiles(kind=image.source.kind),
        version=__version__,
        group=image.group,
    )


def _told(error: CMROrientError, image: PlannedImage) -> str:
    """The message; the file's name goes with it where it is not the image itself."""
    if error.path is None or Path(error.path) == image.source.path:
        return error.message
    return f"{Path(error.path).name}: {error.message}"


def unexpected(error: Exception) -> str:
    """What is told of an error that nobody foresaw: its kind, its words and where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"unexpected {type(error).__name__}: {error}{where}"
