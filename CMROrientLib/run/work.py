"""The work on one image: recognize, correct, write, record. Runs in any process."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from .. import __version__
from ..correction import Correction, plan, with_slice_order
from ..errors import CMROrientError
from ..io import read, read_source
from ..io.paths import relative
from ..orientation import Orientation
from ..recognition.recognizer import Recognizer, decided
from ..recognition.result import Recognition
from ..recognition.wording import words
from ..volume import Volume
from .companions import check_fit
from .files import checksum, put, would_write
from .options import RunOptions
from .parts import Action, Finding, ImageFacts, MaskFiles, RecordFiles
from .plan import PlannedImage, copies
from .record import Record
from .resume import changed_outputs, still_holds
from .thumbnails import Thumbnails, thumbnails_of


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
    """

    image: PlannedImage
    prior: Record | None = None
    has_picture: bool = False


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
    """

    record: Record
    thumbnails: Thumbnails | None = None
    kept: bool = False
    told: tuple[str, ...] = ()


def work(assignment: Assignment, options: RunOptions, threads: int | None = None) -> Outcome:
    """Do one assignment. Whatever goes wrong with this image is told in its record, never raised.

    Parameters
    ----------
    threads:
        CPU threads of the network; all cores where None.
    """
    start = time.perf_counter()
    image = assignment.image
    outcome: Outcome | None = None
    try:
        if image.error is not None:
            error = image.error
        elif image.source.left_alone is not None:
            outcome = Outcome(_left_alone(image, options))
        else:
            outcome = _Work(assignment, options, threads).do()
    except CMROrientError as raised:
        error = _told(raised, image)
    except MemoryError:
        error = "there is not enough memory for it"
    except Exception as raised:  # one image must not stop the others, whatever it is made of
        error = _unexpected(raised)
    if outcome is None:
        outcome = Outcome(_failed(assignment, options, error))
    if outcome.kept:
        return outcome
    return replace(outcome, record=replace(outcome.record, seconds=round(time.perf_counter() - start, 3)))


class _Work:
    """One image on its way from its file to its record."""

    def __init__(self, assignment: Assignment, options: RunOptions, threads: int | None) -> None:
        self.image = assignment.image
        self.assignment = assignment
        self.options = options
        override = self.image.override
        self.recognizer = (
            Recognizer(options.model, options.device, options.averaging, options.min_confidence, threads=threads)
            if override is None
            else None
        )
        self.model = None if self.recognizer is None else self.recognizer.model
        self.settings = options.digest(self.model, override)
        self.files = RecordFiles(
            kind=self.image.source.kind,
            sha256_in=checksum(self.image.source.files),
            masks=tuple(MaskFiles(mask.name, checksum(mask.source.files)) for mask in self.image.masks),
        )

    def do(self) -> Outcome:
        """Everything; what fails is raised."""
        prior = self.assignment.prior
        if (
            prior is not None
            and not self.options.overwrite
            and still_holds(prior, self.files, self.settings, self.options.output)
        ):
            return Outcome(prior, self._pictures_again(prior), kept=True)
        told = self._check_outputs(prior)
        return replace(self._done(), told=told)

    def _check_outputs(self, prior: Record | None) -> tuple[str, ...]:
        """What is replaced although a person changed it; CMROrientError where nobody asked for that."""
        output = self.options.output
        if not self.options.writing or output is None or prior is None:
            return ()
        changed = changed_outputs(prior, output)
        if changed and not self.options.overwrite:
            raise CMROrientError(
                f"changed in the output folder since it was written: {', '.join(changed)}; it is kept, and nothing is "
                "done: move it away, or give --overwrite to replace it"
            )
        return tuple(f"{name}: replaced although it was changed since it was written" for name in changed)

    def _done(self) -> Outcome:
        volume = read_source(self.image.source, self.options.slice_axis)
        masks = [read_source(mask.source, volume.slice_axis) for mask in self.image.masks]
        for mask, companion in zip(masks, self.image.masks, strict=True):
            check_fit(mask, volume, companion.source.path)
        recognition = self._recognized(volume)
        if not self.options.correcting:
            return self._outcome(volume, recognition)
        if not recognition.acted_on or (recognition.conflict and self.options.skip_conflicts):
            reason = "conflict of pixels and header: skipped" if recognition.acted_on else None
            return self._outcome(volume, recognition, self._action(None, volume), note=reason)
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
        note = "copied: nothing to change" if correction.changes_nothing else None
        return self._outcome(volume, recognition, action, files, note, correction.apply(volume))

    def _outcome(
        self,
        volume: Volume,
        recognition: Recognition,
        action: Action | None = None,
        files: RecordFiles | None = None,
        note: str | None = None,
        corrected: Volume | None = None,
    ) -> Outcome:
        record = Record(
            path=self.image.path,
            series=self.image.source.series,
            image=ImageFacts(
                grid=volume.stored()[1],
                slice_axis=volume.slice_axis,
                phases=volume.array.shape[0] if volume.array.ndim == 4 else 1,
                has_geometry=volume.has_geometry,
                scanner=volume.metadata.scanner or None,
            ),
            finding=self._finding(recognition),
            action=action,
            files=files or self.files,
            model=None if self.model is None else f"{self.model.name}@{self.model.checksum[:12]}",
            settings=self.settings,
            note="; ".join(filter(None, (note, *volume.metadata.notes))) or None,
            version=__version__,
        )
        return Outcome(record, thumbnails_of(volume, corrected) if self.options.drawing else None)

    def _recognized(self, volume: Volume) -> Recognition:
        override = self.image.override
        if override is None:
            assert self.recognizer is not None
            return self.recognizer.recognize(volume)
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
        output, destination = self.options.output, self.image.destination
        assert output is not None
        assert destination is not None
        if not self.options.overwrite:
            self._check_way(correction, volume, masks, output, destination)
        entries = []
        for mask, companion, entry in zip(masks, self.image.masks, self.files.masks, strict=True):
            written = put(companion.source, mask, correction, output / companion.name)
            names = tuple(sorted(relative(path, output) for path in written))
            entries.append(replace(entry, output=companion.name, sha256_out=checksum(written), written=names))
        written = put(self.image.source, volume, correction, destination)
        if not volume.has_geometry and self.image.source.kind != "dicom":
            # The file still says nothing of its place: its grid is the one that readers make up for it.
            action = replace(action, grid=read(destination, volume.slice_axis).stored()[1])
        return action, replace(
            self.files,
            output=relative(destination, output),
            sha256_out=checksum(written),
            written=tuple(sorted(relative(path, output) for path in written)),
            masks=tuple(entries),
        )

    def _check_way(
        self, correction: Correction, volume: Volume, masks: list[Volume], output: Path, destination: Path
    ) -> None:
        """Raise CMROrientError where another file than what this run writes has one of the names.

        The same bytes are what a run left that was killed before it had recorded them.
        """
        prior = self.assignment.prior
        known = {output / name for names, _ in (prior.files.outputs if prior is not None else ()) for name in names}
        parts = [(self.image.source, volume, destination)]
        parts += [(c.source, mask, output / c.name) for c, mask in zip(self.image.masks, masks, strict=True)]
        for source, part, place in parts:
            there = [path for path in copies(source, place).values() if path.exists() and path not in known]
            if there and not would_write(source, part, correction, place, there):
                names = ", ".join(relative(path, output) for path in there)
                raise CMROrientError(
                    f"in the way in the output folder and not from a run for this image: {names}; it is kept: move it "
                    "away, or give --overwrite to replace it"
                )

    def _pictures_again(self, prior: Record) -> Thumbnails | None:
        if not self.options.drawing or self.assignment.has_picture:
            return None
        volume = read_source(self.image.source, self.options.slice_axis)
        correction = prior.correction if prior.output is not None else None
        corrected = None if correction is None else correction.apply(volume)
        return thumbnails_of(volume, corrected)


def _left_alone(image: PlannedImage, options: RunOptions) -> Record:
    return replace(
        _bare(image, options),
        finding=Finding("not_short_axis"),
        note=f"left alone: {image.source.left_alone}",
    )


def _failed(assignment: Assignment, options: RunOptions, error: str) -> Record:
    """A record of an error. What an earlier run wrote or a person decided stays known beside it."""
    message, prior = " ".join(error.split()), assignment.prior
    if prior is not None and options.writing and (prior.output is not None or prior.decided_by_user):
        return replace(prior, error=message, version=__version__)
    return replace(_bare(assignment.image, options), error=message)


def _bare(image: PlannedImage, options: RunOptions) -> Record:
    return Record(
        path=image.path,
        series=image.source.series,
        action=Action(options.geometry, options.target) if options.correcting else None,
        files=RecordFiles(kind=image.source.kind),
        version=__version__,
    )


def _told(error: CMROrientError, image: PlannedImage) -> str:
    """The message; the file's name goes with it where it is not the image itself."""
    if error.path is None or Path(error.path) == image.source.path:
        return error.message
    return f"{Path(error.path).name}: {error.message}"


def _unexpected(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"unexpected {type(error).__name__}: {error}{where}"
