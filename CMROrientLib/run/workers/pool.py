"""Working on many images: here, in spawned worker processes, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ...i18n import in_slicer
from ..options import RunOptions
from ..plan import PlannedImage
from ..unit import units_of, work_on
from ..work import Assignment, Outcome
from .cluster import connect, run_on_cluster


def run_all(
    images: Sequence[PlannedImage], options: RunOptions, assign: Callable[[PlannedImage], Assignment] = Assignment
) -> Iterator[Outcome]:
    """The outcomes in the order in which they come in.

    They are made here, in ``options.jobs`` worker processes, or on a Dask cluster whose workers see
    the same files. Slicer cannot start processes: there everything is done in this one.

    Parameters
    ----------
    assign:
        Asked for each image when its turn comes.

    Raises
    ------
    UsageError
        At once, where there is no such cluster.
    """
    if options.dask is not None:
        return run_on_cluster(connect(options.dask), images, options, assign)
    if options.jobs == 1 or len(images) < 2 or in_slicer():
        units = units_of(images)
        return (outcome for unit in units for outcome in work_on([assign(image) for image in unit], options))
    # Not at file scope: most runs start no processes.
    from .processes import run_in_processes

    return run_in_processes(images, options, assign)


def check_cluster(options: RunOptions) -> None:
    """Raise ``UsageError`` where the Dask cluster of a run does not answer."""
    if options.dask is not None:
        connect(options.dask).close()
