"""Runs over files and folders: recognize them, or correct them into an output folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..progress import ItemProgress
from ..recognition.cards.model_files import find_model
from ..recognition.engines import choose_device
from ..recognition.recognizer import Recognizer
from .options import RunOptions
from .output import OutputRun, counted
from .plan import PlannedImage, RunPlan, plan_run, planned_files
from .record import Record
from .store import Store
from .store_file import has_record
from .work import LABEL_MAP_ALONE, Outcome
from .workers.pool import check_cluster, network_threads, run_all

#: Called with a line that people should see although nothing failed.
Warn = Callable[[str], None]

_ONLY_LABEL_MAPS = (
    "nothing but label maps here: they are not recognized, they follow their image; give the folder that holds the "
    "images too"
)


def recognize(
    options: RunOptions,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    planned: Callable[[int], None] | None = None,
) -> Iterator[Outcome]:
    """Recognize every image; nothing is written.

    What is wrong with the options is raised at once, before the first outcome is asked for.

    Parameters
    ----------
    planned:
        Called with the number of images, before any is looked at.

    Yields
    ------
    An ``Outcome`` for each image as it is done, with its record and, where the options ask for
    them, its thumbnails.
    """
    check_network(options)
    plan = plan_run(options)
    if planned is not None:
        planned(len(plan.images))
    _open_network(options, plan)
    _tell_lonely(plan, warn)
    return _with_last_word(counted(run_all(plan.images, options), len(plan.images), progress), warn)


def correct(
    options: RunOptions,
    progress: ItemProgress[Outcome] | None = None,
    warn: Warn | None = None,
    finish: Callable[[Store], None] | None = None,
    fail: Warn | None = None,
) -> Sequence[Record]:
    """Correct every image into the output folder, and keep the record there.

    Parameters
    ----------
    finish:
        Called with the store when all is done, before others are let in.
    fail:
        Called with a line for what could not be done and is no image's; ``warn`` where None.

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
    goes_on = options.output is not None and not options.overwrite and has_record(options.output)
    if not goes_on:
        _open_network(options, plan)
    _tell_lonely(plan, warn)
    if options.output is None:
        outcomes = counted(run_all(plan.images, options), len(plan.images), progress)
        records = {outcome.record.key: outcome.record for outcome in _with_last_word(outcomes, warn)}
        return [records[image.key] for image in plan.images]
    if not options.overwrite and not goes_on:
        _check_free(plan.images, options.output)
    check_cluster(options)
    with Store.open(options.output) if options.writing else Store.copy(options.output) as store:
        told = warn or _nothing
        done = OutputRun(options, plan, store, options.output, told, fail or told).do(progress, finish)
    if warn is not None and all(record.note == f"left alone: {LABEL_MAP_ALONE}" for record in done):
        warn(_ONLY_LABEL_MAPS)
    return done


def check_network(options: RunOptions) -> None:
    """Raise ``UsageError`` where the run's network or device cannot be used, before anything is written."""
    if options.orientation is not None:
        return
    with _as_usage():
        find_model(options.model)
        choose_device(options.device)


def _open_network(options: RunOptions, plan: RunPlan) -> None:
    """Load the network, which stays. Raise ``UsageError`` where that cannot be done, before anything is written.

    A run that goes on where an earlier one stopped may have nothing to look at: it loads it when it has.
    """
    if options.jobs == 1 and options.dask is None and any(image.override is None for image in plan.images):
        with _as_usage():
            threads = network_threads(plan.images, options)
            Recognizer(options.model, options.device, options.averaging, options.min_confidence, threads=threads)


@contextmanager
def _as_usage() -> Iterator[None]:
    try:
        yield
    except UsageError:
        raise
    except CMROrientError as error:
        raise UsageError(error.message, error.path) from error


def _check_free(images: Sequence[PlannedImage], output: Path) -> None:
    """Raise ``UsageError`` where a folder that no run has written to holds a file that would be replaced."""
    for image in images:
        for path in () if image.contested else planned_files(image, output):
            if path.exists():
                raise UsageError("this file is in the way and not from a run; give another folder or --overwrite", path)


def _tell_lonely(plan: RunPlan, warn: Warn | None) -> None:
    if warn is not None:
        for mask in plan.lonely_masks:
            warn(f"{mask}: a mask without an image beside it is passed over; give the folder that holds the image too")


def _with_last_word(outcomes: Iterator[Outcome], warn: Warn | None) -> Iterator[Outcome]:
    """The outcomes, and a word in the end where they were about nothing but label maps."""
    only = True
    with closing(outcomes):  # type: ignore[type-var]
        for outcome in outcomes:
            only &= outcome.record.note == f"left alone: {LABEL_MAP_ALONE}"
            yield outcome
    if only and warn is not None:
        warn(_ONLY_LABEL_MAPS)


def _nothing(line: str) -> None:
    """Nobody wants to know."""
