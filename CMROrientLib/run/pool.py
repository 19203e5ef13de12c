"""Doing many tasks: here, in spawned worker processes, or on a Dask cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any

from ..errors import UsageError
from ..recognition.engines import available_cores
from .plan import Settings, Task
from .record import Record
from .work import Outcome, in_slicer, work

#: How long a Dask scheduler may take to answer.
DASK_TIMEOUT = "20s"


def run_tasks(tasks: Sequence[Task], settings: Settings, jobs: int = 1, dask: str | None = None) -> Iterator[Outcome]:
    """The outcomes in the order in which they come in.

    Parameters
    ----------
    jobs:
        Worker processes; 1 works in this one, and so does Slicer, which cannot start any.
    dask:
        Address of a Dask scheduler, whose workers see the same files.
    """
    if dask is not None:
        return _run_on_dask(tasks, settings, dask)
    if jobs == 1 or len(tasks) < 2 or in_slicer():
        return (work(task, settings) for task in tasks)
    shared = replace(settings, threads=settings.threads or max(1, available_cores() // jobs))
    return _run_in_processes(tasks, shared, min(jobs, len(tasks)))


def _run_in_processes(tasks: Sequence[Task], settings: Settings, jobs: int) -> Iterator[Outcome]:
    pending = list(reversed(tasks))
    # For the workers only, which load numpy anew: each has one core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    pool = _pool(jobs)
    running: dict[Future[Outcome], Task] = {}
    try:
        while pending or running:
            # Few at a time: when a worker dies, all that were handed over are lost with it.
            lost: list[Task] = []
            while pending and len(running) < jobs + 1 and not lost:
                task = pending.pop()
                try:
                    running[pool.submit(work, task, settings)] = task
                except BrokenProcessPool:
                    lost.append(task)
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost.append(task)
            if lost:
                # Any of those under way may have killed it: each gets a process of its own.
                lost += running.values()
                running.clear()
                pool.shutdown(cancel_futures=True)
                for task in lost:
                    yield _alone(task, settings)
                pool = _pool(jobs)
    finally:
        # On an interruption the images under way are finished, so that nothing is left half done.
        pool.shutdown(cancel_futures=True)


def _alone(task: Task, settings: Settings) -> Outcome:
    with _pool(1) as pool:
        try:
            return pool.submit(work, task, settings).result()
        except BrokenProcessPool:
            return Outcome(died(task, "its worker process died (out of memory, or killed)"))


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"), initializer=_start_worker)


def _start_worker() -> None:
    # Ctrl-C reaches the whole group of processes; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What a library prints must not get between the records on the parent's standard output.
    sys.stdout = sys.stderr
    # A parent that was killed cannot tell its workers to end; they would wait for ever.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_on_dask(tasks: Sequence[Task], settings: Settings, address: str) -> Iterator[Outcome]:
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise UsageError("Dask is not installed; install it with: pip install distributed") from None
    try:
        client = Client(address, timeout=DASK_TIMEOUT)
    except (OSError, ValueError, TimeoutError) as error:
        raise UsageError(f"no Dask scheduler answers there ({str(error).splitlines()[0]})", address) from error
    settings = replace(settings, threads=settings.threads or 1)
    return _collect_from_dask(client, as_completed, tasks, settings)


def _collect_from_dask(client: Any, as_completed: Any, tasks: Sequence[Task], settings: Settings) -> Iterator[Outcome]:
    with client:
        futures = {client.submit(work, task, settings, pure=False): task for task in tasks}
        for future in as_completed(list(futures)):
            error = future.exception()
            if error is None:
                yield future.result()
            else:
                yield Outcome(died(futures[future], f"its worker failed ({type(error).__name__}: {error})"))
            future.release()


def died(task: Task, reason: str) -> Record:
    """The record of a task whose worker could not tell what happened."""
    return Record(path=task.path, series=task.source.series, kind=task.source.kind, error=" ".join(reason.split()))


def check_jobs(jobs: int) -> None:
    """Raise ``UsageError`` for a number of workers below 1."""
    if jobs < 1:
        raise UsageError(f"the number of jobs is 1 or more, not {jobs}")
