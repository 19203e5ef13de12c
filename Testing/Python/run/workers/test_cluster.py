"""A Dask cluster whose workers are killed: every image gets its record, and the one that kills is found."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from clusters import local_cluster
from parts import need_module
from sample_study import phantom, put

from CMROrientLib.errors import CMROrientError
from CMROrientLib.run.folder import correct
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.plan import PlannedImage, plan_run
from CMROrientLib.run.store import read_records
from CMROrientLib.run.work import Assignment, Outcome
from CMROrientLib.run.workers import cluster as on_cluster
from CMROrientLib.run.workers.cluster import connect, run_on_cluster

#: Images of the run that workers are killed in; ``make test-long`` has 5,000.
IMAGES = 5000 if os.environ.get("CMRORIENT_LONG") else 60
KILLS = 10 if os.environ.get("CMRORIENT_LONG") else 3


class Fatal(PlannedImage):
    """An image that kills the worker that takes it up."""

    def __getattribute__(self, name: str) -> Any:
        if name == "error" and multiprocessing.parent_process() is not None:
            os._exit(9)
        return super().__getattribute__(name)


class Slow(PlannedImage):
    """An image that takes a worker a while."""

    def __getattribute__(self, name: str) -> Any:
        if name == "masks" and multiprocessing.parent_process() is not None:
            time.sleep(0.1)
        return super().__getattribute__(name)


@pytest.fixture
def cluster() -> Iterator[Any]:
    need_module("distributed")
    import dask

    # A worker takes seconds to come back; three deaths of a task, as is usual, are not needed here.
    few = dask.config.set({"distributed.scheduler.allowed-failures": 1})
    with few, local_cluster() as local:
        yield local


def options_for(folder: Path, cluster: Any, **more: Any) -> RunOptions:
    return RunOptions(
        inputs=folder, output=folder.parent / "out", orientation=3, dask=cluster.scheduler_address, **more
    )


def images_in(folder: Path, count: int) -> None:
    source = put(phantom(3, slices=1, size=(32, 36)), folder / "00000.nii")
    for n in range(1, count):
        (folder / f"{n:05}.nii").write_bytes(source.read_bytes())


def test_killed_workers_cost_no_image(tmp_path: Path, cluster: Any) -> None:
    images_in(tmp_path / "in", IMAGES)
    options = options_for(tmp_path / "in", cluster)
    images = plan_run(options).images
    ended = threading.Event()
    killed = []

    def kill() -> None:
        while len(killed) < KILLS and not ended.wait(0.7):
            pids = [worker.pid for worker in cluster.workers.values() if worker.pid]
            if pids:
                os.kill(pids[len(killed) % len(pids)], signal.SIGKILL)
                killed.append(pids)

    killer = threading.Thread(target=kill)
    handed: list[str] = []

    def assign(image: Any) -> Assignment:
        handed.append(image.path)
        return Assignment(image)

    outcomes, ahead = [], 0
    killer.start()
    for outcome in run_on_cluster(connect(options.dask or ""), images, options, assign, chunk=4):
        if not killed:
            # The first kill comes before the end, however fast the machine is.
            time.sleep(0.05)
        outcomes.append(outcome)
        ahead = max(ahead, len(handed) - len(outcomes))
    ended.set()
    killer.join()
    assert killed
    assert sorted(outcome.record.path for outcome in outcomes) == [image.path for image in images]
    # Workers that die of no fault of an image's own are no error of the image, but for one in bad luck.
    errors = [outcome.record.error for outcome in outcomes if outcome.record.error]
    assert errors == []
    assert ahead <= 2 * 2 * 4 + 4
    for image in images:
        assert (tmp_path / "out" / image.path).is_file()


def test_an_image_that_kills_is_found_and_named(tmp_path: Path, cluster: Any) -> None:
    images_in(tmp_path / "in", 9)
    options = options_for(tmp_path / "in", cluster)
    images = [
        Fatal(**{field.name: getattr(image, field.name) for field in fields(image)})
        if image.path == "00004.nii"
        else image
        for image in plan_run(options).images
    ]
    outcomes = list(run_on_cluster(connect(options.dask or ""), images, options, Assignment, chunk=5))
    errors = {outcome.record.path: outcome.record.error for outcome in outcomes}
    assert len(errors) == 9
    assert errors.pop("00004.nii") == "its worker process died (out of memory, or killed)"
    assert set(errors.values()) == {None}


def test_a_lost_scheduler_is_told(tmp_path: Path) -> None:
    images_in(tmp_path / "in", 40)
    local = local_cluster(1)
    options = options_for(tmp_path / "in", local)
    client = connect(options.dask or "")
    outcomes = run_on_cluster(client, plan_run(options).images, options, Assignment, chunk=2)
    next(outcomes)
    local.close()
    with pytest.raises(CMROrientError, match="connection to the Dask scheduler was lost"):
        list(outcomes)


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.nii"))


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_run_records_what_is_written(tmp_path: Path, cluster: Any, stop: type[BaseException]) -> None:
    images_in(tmp_path / "in", 3 * on_cluster.CHUNK)
    options = options_for(tmp_path / "in", cluster)

    def interrupt(outcome: Outcome, done: int, total: int) -> None:
        if done == 2:
            raise stop

    with pytest.raises(stop):
        correct(options, interrupt)
    there = written(tmp_path / "out")
    records = read_records(tmp_path / "out")
    # The chunk in hand at least, of which two were taken.
    assert len(there) >= on_cluster.CHUNK
    assert [record.output for record in records] == there
    time.sleep(1)
    assert written(tmp_path / "out") == there
    assert [record.error for record in correct(options)] == [None] * 3 * on_cluster.CHUNK


def slow_images(options: RunOptions) -> list[PlannedImage]:
    return [
        Slow(**{field.name: getattr(image, field.name) for field in fields(image)})
        for image in plan_run(options).images
    ]


def test_workers_end_after_the_image_that_they_are_at(tmp_path: Path, cluster: Any) -> None:
    images_in(tmp_path / "in", 60)
    options = options_for(tmp_path / "in", cluster)
    late: list[str] = []
    keep = lambda outcome: late.append(outcome.record.path)  # noqa: E731
    outcomes = run_on_cluster(connect(options.dask or ""), slow_images(options), options, Assignment, 15, keep)
    taken = next(outcomes).record.path
    outcomes.close()  # type: ignore[attr-defined]
    there = written(tmp_path / "out")
    assert taken in late and sorted(late) == there
    assert 15 <= len(there) < 60


@pytest.mark.parametrize("fate", ["SIGKILL", "SIGSTOP"])
def test_a_worker_that_died_is_not_waited_for(
    tmp_path: Path, cluster: Any, fate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_cluster, "LAST_WAIT", 2.0)
    images_in(tmp_path / "in", 60)
    options = options_for(tmp_path / "in", cluster)
    late: list[Outcome] = []
    outcomes = run_on_cluster(connect(options.dask or ""), slow_images(options), options, Assignment, 6, late.append)
    next(outcomes)
    pids = [worker.pid for worker in cluster.workers.values() if worker.pid]
    try:
        for pid in pids:
            os.kill(pid, getattr(signal, fate))
        begun = time.monotonic()
        outcomes.close()  # type: ignore[attr-defined]
        assert time.monotonic() - begun < 2 * on_cluster.LAST_WAIT + 3
    finally:
        for pid in pids if fate == "SIGSTOP" else ():
            os.kill(pid, signal.SIGCONT)


def test_all_threads_of_a_worker_hear_that_they_are_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """And ask no more often than twice a second, however many images they take up."""
    distributed = need_module("distributed")
    asked = []
    told = [False]

    class Event:
        def __init__(self, name: str) -> None:
            self.name = name

        def is_set(self) -> bool:
            asked.append(self.name)
            return told[0]

    now = [100.0]
    monkeypatch.setattr(distributed, "Event", Event)
    monkeypatch.setattr(on_cluster, "time", types.SimpleNamespace(monotonic=lambda: now[0]))
    assert not any(on_cluster._is_to_end("a run") for _ in range(50)) and len(asked) == 1
    told[0] = True
    assert not on_cluster._is_to_end("a run")
    now[0] += on_cluster.ASKED_EVERY
    assert all(on_cluster._is_to_end("a run") for _ in range(50)) and len(asked) == 2
    assert on_cluster._is_to_end("another run") and asked[2:] == ["another run"]
