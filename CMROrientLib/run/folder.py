"""A folder of images: find them, recognize them, correct them, and keep a record."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ..correction import GeometryMode
from ..errors import CMROrientError, UsageError
from ..io.paths import long_path
from ..orientation import Orientation
from ..progress import ItemProgress
from ..recognition.engines import choose_device
from ..recognition.model_files import find_model
from ..recognition.recognizer import check_min_confidence
from .companions import check_endings
from .overrides import read_decisions
from .plan import Plan, Settings, Task, check_orientation, check_settings, plan_run, planned_files
from .pool import check_jobs, run_tasks
from .record import CSV_NAME, HTML_NAME, JSONL_NAME, Record, append_record, read_records, write_csv, write_jsonl
from .thumbnails import Thumbnails
from .work import Outcome, checksum, outputs_of, recognizer_for

Inputs = Sequence[str | os.PathLike[str]] | str | os.PathLike[str]
Paths = Sequence[str | os.PathLike[str]]

#: Called with an outcome, the number of images done, and of all.
Progress = ItemProgress[Outcome]
#: Called with a line that people should see although nothing failed.
Warn = Callable[[str], None]


def recognize_folder(
    inputs: Inputs,
    *,
    model: str | Path = "universal",
    device: str = "auto",
    averaging: bool = True,
    min_confidence: float | None = None,
    slice_axis: int | None = None,
    masks: Sequence[str] = (),
    jobs: int = 1,
    dask: str | None = None,
    pictures: bool = False,
    progress: Progress | None = None,
    warn: Warn | None = None,
) -> Iterator[Outcome]:
    """Recognize every image of files and folders; nothing is written.

    Arguments are those of ``correct_folder``. What is wrong with them is raised at once, before
    the first outcome is asked for.

    Yields
    ------
    An ``Outcome`` for each image as it is done, with its record and, where ``pictures`` asks for
    them, its thumbnails.
    """
    settings = Settings(
        model=model,
        device=device,
        averaging=averaging,
        min_confidence=min_confidence,
        slice_axis=slice_axis,
        correcting=False,
        pictures=pictures,
    )
    _check(settings, jobs, network=True, here=jobs == 1 and dask is None)
    plan = plan_run(_paths(inputs), masks=check_endings(masks))
    _tell_lonely(plan, warn)
    return _counted(run_tasks(plan.tasks, settings, jobs, dask), len(plan.tasks), progress)


def correct_folder(
    inputs: Inputs,
    output: str | os.PathLike[str],
    *,
    model: str | Path = "universal",
    device: str = "auto",
    averaging: bool = True,
    geometry: GeometryMode = "auto",
    target: Orientation | int = Orientation.IDENTITY,
    skip_conflicts: bool = False,
    masks: Sequence[str] = (),
    slice_axis: int | None = None,
    orientation: Orientation | int | None = None,
    decisions: str | os.PathLike[str] | None = None,
    dry_run: bool = False,
    jobs: int = 1,
    min_confidence: float | None = None,
    overwrite: bool = False,
    dask: str | None = None,
    command: str = "",
    progress: Progress | None = None,
    warn: Warn | None = None,
) -> list[Record]:
    """Correct every image of files and folders into another folder, and keep the record there.

    The tree keeps its shape; inputs are never changed. A second call does only what is missing or
    has changed since. Scripts that ask for several ``jobs`` need the guard
    ``if __name__ == "__main__":``, because the workers import them.

    Parameters
    ----------
    inputs:
        One or more files and folders.
    output:
        The output folder; it must not lie inside an input, nor an input inside it.
    model, device, averaging, min_confidence:
        See ``Recognizer``.
    geometry, target:
        See ``correction.plan``.
    skip_conflicts:
        Leave images alone whose header tells another story than their pixels.
    masks:
        Endings of mask names, such as ``_seg``: ``case_seg.nii.gz`` gets what ``case.nii.gz`` gets.
    slice_axis:
        The stored axis 0, 1 or 2 that slices lie along; found where None.
    orientation:
        The class of all images, decided by the user; no network is run.
    decisions:
        A CSV with the user's decisions about single images; see ``batch_decisions``.
    dry_run:
        Write nothing at all.
    jobs:
        Worker processes.
    overwrite:
        Do everything anew, and replace files that are in the way.
    dask:
        Address of a Dask scheduler to work on.
    command:
        What was typed, for the report.
    progress, warn:
        Called after each image, and with things to know.

    Returns
    -------
    The records of these inputs, in the order of their names.

    Raises
    ------
    UsageError
        For a wrong call, before anything is written.
    CMROrientError
        Where there is no image, or the output folder cannot be written.
    """
    given = check_orientation(orientation)
    if given is not None and decisions is not None:
        raise UsageError("give an orientation for all images or decisions about single ones, not both")
    settings = Settings(
        model=model,
        device=device,
        averaging=averaging,
        min_confidence=min_confidence,
        geometry=geometry,
        target=check_orientation(target, "target") or Orientation.IDENTITY,
        skip_conflicts=skip_conflicts,
        slice_axis=slice_axis,
        pictures=not dry_run,
        overwrite=overwrite,
    )
    _check(settings, jobs, network=given is None, here=jobs == 1 and dask is None)
    table = None if decisions is None else read_decisions(Path(decisions))
    place = long_path(Path(output))
    plan = plan_run(_paths(inputs), place, masks=check_endings(masks), decisions=table, orientation=given)
    _tell_lonely(plan, warn)
    if dry_run:
        tasks = [replace(task, output=None, destination=None) for task in plan.tasks]
        outcomes = _counted(run_tasks(tasks, settings, jobs, dask), len(tasks), progress)
        records = {outcome.record.key: outcome.record for outcome in outcomes}
        return [records[task.key] for task in tasks]
    return _Run(place, plan.tasks, overwrite, command).do(settings, jobs, dask, progress)


class _Run:
    """One run into an output folder: what was there before, and the record as it grows."""

    def __init__(self, output: Path, tasks: list[Task], overwrite: bool, command: str) -> None:
        self.output = output
        self.command = command
        self.jsonl = output / JSONL_NAME
        self.page = output / HTML_NAME
        before = read_records(self.jsonl) if self.jsonl.is_file() else None
        if before is None and not overwrite:
            _check_free(tasks)
        self.records = {record.key: record for record in before or []}
        self.earlier = self._earlier_pictures()
        self.planned = {path: task.key for task in tasks for path in planned_files(task)}
        self.tasks = [
            replace(task, prior=self.records.get(task.key), has_picture=task.key in self.earlier) for task in tasks
        ]

    def _earlier_pictures(self) -> dict[tuple[str, str | None], Thumbnails]:
        from ..report.page import read_thumbnails

        try:
            return read_thumbnails(self.page)
        except (OSError, ValueError):
            # Nothing but speed depends on the earlier page: pictures are drawn anew.
            return {}

    def do(self, settings: Settings, jobs: int, dask: str | None, progress: Progress | None) -> list[Record]:
        outcomes = _counted(run_tasks(self.tasks, settings, jobs, dask), len(self.tasks), progress)
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            self.jsonl.touch()
        except OSError as error:
            raise UsageError(f"the output folder cannot be written ({error.strerror or error})", self.output) from error
        thumbnails: dict[tuple[str, str | None], Thumbnails] = {}
        try:
            for outcome in outcomes:
                self._keep(outcome)
                if outcome.thumbnails is not None:
                    thumbnails[outcome.record.key] = outcome.thumbnails
        finally:
            self._tables()
        self._report(thumbnails)
        return [self.records[task.key] for task in self.tasks]

    def _keep(self, outcome: Outcome) -> None:
        prior = self.records.get(outcome.record.key)
        if prior is not None and not outcome.kept and outcome.record.error is None:
            self._remove_stale(prior, outcome.record)
        self.records[outcome.record.key] = outcome.record
        if not outcome.kept:
            try:
                append_record(self.jsonl, outcome.record)
            except OSError as error:
                raise CMROrientError(f"the record cannot be written ({error.strerror or error})", self.jsonl) from error

    def _remove_stale(self, prior: Record, record: Record) -> None:
        """Remove what an earlier run wrote and this one did not: it would pass for corrected.

        What somebody has changed since, and what another image of this run writes, stays.
        """
        present = {name for names, _ in outputs_of(record) for name in names}
        for names, digest in outputs_of(prior):
            paths = [self.output / name for name in names if name not in present]
            ours = len(paths) == len(names) and not any(
                self.planned.get(path, prior.key) != prior.key for path in paths
            )
            if paths and ours and all(path.is_file() for path in paths) and checksum(paths) == digest:
                for path in paths:
                    path.unlink()

    def _tables(self) -> None:
        ordered = sorted(self.records.values(), key=lambda record: (record.path, record.series or ""))
        write_jsonl(self.jsonl, ordered)
        write_csv(self.output / CSV_NAME, ordered)

    def _report(self, fresh: dict[tuple[str, str | None], Thumbnails]) -> None:
        from ..report.page import write_report

        pictures = {key: picture for key, picture in self.earlier.items() if key in self.records}
        try:
            write_report(self.records.values(), self.page, {**pictures, **fresh}, command=self.command)
        except OSError as error:
            raise CMROrientError(f"the report cannot be written ({error.strerror or error})", self.page) from error


def _check(settings: Settings, jobs: int, *, network: bool, here: bool) -> None:
    """Find out what is wrong with a call before anything is written."""
    check_settings(settings)
    check_jobs(jobs)
    check_min_confidence(settings.min_confidence)
    if not network:
        return
    try:
        find_model(settings.model)
        choose_device(settings.device)
        if here:
            recognizer_for(settings)
    except UsageError:
        raise
    except CMROrientError as error:
        raise UsageError(error.message, error.path) from error


def _check_free(tasks: Sequence[Task]) -> None:
    """Raise ``UsageError`` where a folder that no run has written to holds a file that would be replaced."""
    for task in tasks:
        for path in planned_files(task):
            if path.exists():
                raise UsageError("this file is in the way and not from a run; give another folder or --overwrite", path)


def _tell_lonely(plan: Plan, warn: Warn | None) -> None:
    if warn is not None:
        for mask in plan.lonely_masks:
            warn(f"{mask}: a mask without an image beside it; passed over")


def _counted(outcomes: Iterator[Outcome], total: int, progress: Progress | None) -> Iterator[Outcome]:
    with closing(outcomes):  # type: ignore[type-var]
        for done, outcome in enumerate(outcomes, start=1):
            yield outcome
            if progress is not None:
                progress(outcome, done, total)


def _paths(inputs: Inputs) -> Paths:
    return [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
