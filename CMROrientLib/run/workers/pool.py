"""Working on many images: here, in threads, in spawned worker processes, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ...i18n import in_slicer
from ...recognition.engines import available_cores
from ..options import RunOptions
from ..plan import PlannedImage
from ..unit import Units, count_units, work_on
from ..work import Assignment, Outcome
from .cluster import connect, run_on_cluster

#: More threads wait for one another: what is no library's work takes one core at a time.
MOST_THREADS = 4


def run_all(
    images: Sequence[PlannedImage],
    options: RunOptions,
    assign: Callable[[PlannedImage], Assignment] = Assignment,
    late: Callable[[Outcome], None] | None = None,
) -> Iterator[Outcome]:
    """The outcomes in the order in which they come in.

    They are made here, several at a time in threads, in ``options.jobs`` worker processes, or on a Dask cluster
    whose workers see the same files. Slicer cannot start processes: there everything is done in this one.

    Parameters
    ----------
    assign:
        Asked for each image when its turn comes.
    late:
        Given what threads, processes and workers have done when an interruption ends the iteration: outcomes that
        nobody asked for any longer, and maybe some that were.

    Raises
    ------
    UsageError
        At once, where there is no such cluster.
    """
    if options.dask is not None:
        return run_on_cluster(connect(options.dask), images, options, assign, late=late)
    at_once = threads_for(images, options)
    if at_once > 1:
        from .threads import run_in_threads

        return run_in_threads(images, options, assign, at_once, network_threads(images, options), late)
    if options.jobs == 1 or len(images) < 2 or in_slicer():
        return _here(images, options, assign)
    from .processes import run_in_processes

    return run_in_processes(images, options, assign, late)


def _here(
    images: Sequence[PlannedImage], options: RunOptions, assign: Callable[[PlannedImage], Assignment]
) -> Iterator[Outcome]:
    """One after the other."""
    pending = Units(images)
    while pending:
        yield from work_on([assign(image) for image in pending.take()], options)


def threads_for(images: Sequence[PlannedImage], options: RunOptions) -> int:
    """How many images of a run this process works on at a time.

    One, where there is one, in Slicer, where workers elsewhere do the work, and where one is DICOM: what
    pydicom is told of how strict to be holds for the whole process.
    """
    if options.jobs > 1 or options.dask is not None or in_slicer():
        return 1
    if any(image.source.kind == "dicom" for image in images):
        return 1
    return count_units(images, min(available_cores(), MOST_THREADS))


def network_threads(images: Sequence[PlannedImage], options: RunOptions) -> int | None:
    """CPU threads of the network for each image; None for all cores."""
    count = threads_for(images, options)
    return None if count == 1 else max(1, available_cores() // count)


def check_cluster(options: RunOptions) -> None:
    """Raise ``UsageError`` where the Dask cluster of a run does not answer."""
    if options.dask is not None:
        connect(options.dask).close()
