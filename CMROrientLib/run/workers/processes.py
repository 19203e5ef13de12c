"""Working on many images in spawned worker processes, of which one may die without the others."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process
from multiprocessing.context import SpawnContext, SpawnProcess

from ...recognition.engines import available_cores
from ..options import RunOptions
from ..plan import PlannedImage
from ..unit import Units, alone, count_units, done_before, work_on
from ..work import Assignment, Outcome, failed
from .threads import hand_over


def run_in_processes(
    images: Sequence[PlannedImage],
    options: RunOptions,
    assign: Callable[[PlannedImage], Assignment],
    late: Callable[[Outcome], None] | None = None,
) -> Iterator[Outcome]:
    """The outcomes in the order in which they come in; see ``pool.run_all``."""
    jobs = count_units(images, options.jobs)
    threads = max(1, available_cores() // options.jobs)
    pending = Units(images)
    # For the workers only, which load numpy anew: each has one core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = _pool(jobs)
    running: dict[Future[list[Outcome]], list[Assignment]] = {}
    try:
        while pending or running:
            # Few at a time: when a worker dies, all that were handed over are lost with it.
            lost: list[list[Assignment]] = []
            # What has ended comes before more of what an earlier run has done.
            while pending and len(running) < jobs + 1 and not lost and not any(map(Future.done, running)):
                unit = [assign(image) for image in pending.take()]
                if (finished := done_before(unit, options)) is not None:
                    yield from finished
                    continue
                try:
                    running[pool.submit(_work_on, unit, options, threads)] = unit
                except BrokenProcessPool:
                    lost.append(unit)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    lost.append(running[future])
                del running[future]
            if lost:
                # Any of those under way may have killed it: each gets a process of its own.
                lost += running.values()
                running.clear()
                pool.shutdown(cancel_futures=True)
                for unit in lost:
                    yield from _apart(unit, options, threads)
                pool = _pool(jobs)
    finally:
        # On an interruption the images under way are finished, so that nothing is left half done.
        pool.shutdown(cancel_futures=True)
        hand_over(running, late)


def _work_on(unit: list[Assignment], options: RunOptions, threads: int) -> list[Outcome]:
    return list(work_on(unit, options, threads))


def _apart(unit: list[Assignment], options: RunOptions, threads: int) -> Iterator[Outcome]:
    """A unit in a process of its own; where that dies, each image without its group, so that the others are done."""
    with _pool(1) as pool:
        try:
            outcomes = pool.submit(_work_on, unit, options, threads).result()
        except BrokenProcessPool:
            outcomes = []
    if outcomes:
        yield from outcomes
    elif len(unit) == 1:
        yield Outcome(failed(unit[0], options, "its worker process died (out of memory, or killed)"))
    else:
        for assignment in unit:
            yield from _apart([alone(assignment)], options, threads)


class _Worker(SpawnProcess):
    """A worker of a pool.

    Where one dies, the pool ends the others and waits for that: it may have held the lock of their queue. It
    does so by SIGTERM, which they ignore, and would wait for ever.
    """

    def terminate(self) -> None:
        """End it, whatever it ignores."""
        self.kill()


class _Spawn(SpawnContext):
    Process = _Worker


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=_Spawn(), initializer=_start_worker)


def _start_worker() -> None:
    # Ctrl-C, and the SIGTERM of SLURM or systemd, reach the whole group of processes; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # What a library prints must not get between the records on the parent's standard output.
    sys.stdout = sys.stderr
    # A parent that was killed cannot tell its workers to end; they would wait for ever.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
