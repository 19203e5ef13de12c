"""Runs over files and folders: recognize them, or correct them into an output folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..progress import ItemProgress
from ..recognition.engines import choose_device
from ..recognition.model_files import find_model
from ..recognition.recognizer import Recognizer
from .files import checksum
from .options import RunOptions
from .plan import PlannedImage, RunPlan, plan_run, planned_files
from .pool import run_all
from .record import Record
from .store import Store, has_record
from .tables import CSV_NAME, JSONL_NAME, write_csv, write_jsonl
from .work import Assignment, Outcome

#: Called with a line that people should see although nothing failed.
Warn = Callable[[str], None]


def recognize(
    options: RunOptions, progress: ItemProgress[Outcome] | None = None, warn: Warn | None = None
) -> Iterator[Outcome]:
    """Recognize every image; nothing is written.

    What is wrong with the options is raised at once, before the first outcome is asked for.

    Yields
    ------
    An ``Outcome`` for each image as it is done, with its record and, where the options ask for
    them, its thumbnails.
    """
    check_network(options)
    plan = plan_run(options)
    _tell_lonely(plan, warn)
    return _counted(run_all(plan.images, options), len(plan.images), progress)


def correct(
    options: RunOptions,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    finish: Callable[[Store], None] | None = None,
) -> list[Record]:
    """Correct every image into the output folder, and keep the record there.

    Parameters
    ----------
    finish:
        Called with the store when all is done, before others are let in.

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
    check_network(options)
    plan = plan_run(options)
    _tell_lonely(plan, warn)
    if options.output is None or options.dry_run:
        outcomes = _counted(run_all(plan.images, options), len(plan.images), progress)
        records = {outcome.record.key: outcome.record for outcome in outcomes}
        return [records[image.key] for image in plan.images]
    if not options.overwrite and not has_record(options.output):
        _check_free(plan.images, options.output)
    run = _Run(options.output, plan)
    outcomes = _counted(run_all(plan.images, options, run.assignment), len(plan.images), progress)
    with Store.open(options.output) as run.store:
        return run.do(outcomes, finish)


class _Run:
    """One run into an output folder."""

    store: Store

    def __init__(self, output: Path, plan: RunPlan) -> None:
        self.output = output
        self.images = plan.images
        self.planned = {path: image.key for image in plan.images for path in planned_files(image, output)}

    def do(self, outcomes: Iterator[Outcome], finish: Callable[[Store], None] | None) -> list[Record]:
        """Keep the outcomes as they come in, and write the tables."""
        try:
            for outcome in outcomes:
                self._keep(outcome)
        finally:
            self._tables()
        if finish is not None:
            finish(self.store)
        return [self.store[image.key] for image in self.images]

    def assignment(self, image: PlannedImage) -> Assignment:
        """An image with what the store knows of it."""
        return Assignment(image, self.store.get(image.key), self.store.has_pictures(image.key))

    def _keep(self, outcome: Outcome) -> None:
        record = outcome.record
        prior = self.store.get(record.key)
        if prior is not None and not outcome.kept and record.error is None:
            self._remove_stale(prior, record)
        if not outcome.kept or outcome.thumbnails is not None:
            self.store.put(record, outcome.thumbnails)

    def _remove_stale(self, prior: Record, record: Record) -> None:
        """Remove what an earlier run wrote and this one did not: it would pass for corrected.

        What somebody has changed since, and what another image of this run writes, stays.
        """
        present = {name for names, _ in record.files.outputs for name in names}
        for names, digest in prior.files.outputs:
            paths = [self.output / name for name in names if name not in present]
            ours = len(paths) == len(names) and not any(
                self.planned.get(path, prior.key) != prior.key for path in paths
            )
            if paths and ours and all(path.is_file() for path in paths) and checksum(paths) == digest:
                for path in paths:
                    path.unlink()

    def _tables(self) -> None:
        write_jsonl(self.output / JSONL_NAME, self.store.records())
        write_csv(self.output / CSV_NAME, self.store.records())


def check_network(options: RunOptions) -> None:
    """Raise ``UsageError`` where the run's network or device cannot be used, before anything is written."""
    if options.orientation is not None:
        return
    try:
        find_model(options.model)
        choose_device(options.device)
        if options.jobs == 1 and options.dask is None:
            Recognizer(options.model, options.device, options.averaging, options.min_confidence)
    except UsageError:
        raise
    except CMROrientError as error:
        raise UsageError(error.message, error.path) from error


def _check_free(images: Sequence[PlannedImage], output: Path) -> None:
    """Raise ``UsageError`` where a folder that no run has written to holds a file that would be replaced."""
    for image in images:
        for path in planned_files(image, output):
            if path.exists():
                raise UsageError("this file is in the way and not from a run; give another folder or --overwrite", path)


def _tell_lonely(plan: RunPlan, warn: Warn | None) -> None:
    if warn is not None:
        for mask in plan.lonely_masks:
            warn(f"{mask}: a mask without an image beside it; passed over")


def _counted(outcomes: Iterator[Outcome], total: int, progress: ItemProgress[Outcome] | None) -> Iterator[Outcome]:
    with closing(outcomes):  # type: ignore[type-var]
        for done, outcome in enumerate(outcomes, start=1):
            yield outcome
            if progress is not None:
                progress(outcome, done, total)
