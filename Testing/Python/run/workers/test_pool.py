"""Many workers: the same results, and no death that takes others with it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from clusters import local_cluster
from parts import need_module
from records import changed
from sample_study import MODEL, correct, environment, make_study, phantom, put, tree

from CMROrientLib.errors import UsageError
from CMROrientLib.folders import correct_folder
from CMROrientLib.io import read
from CMROrientLib.run import folder
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.plan import PlannedImage, RunPlan, plan_run
from CMROrientLib.run.seen import age
from CMROrientLib.run.work import Assignment, Outcome
from CMROrientLib.run.workers import cluster, pool, processes
from CMROrientLib.run.workers.pool import run_all
from CMROrientLib.volume import Volume


@pytest.fixture(autouse=True)
def outside_slicer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own: other tests leave a Slicer behind, in which no worker may start."""
    monkeypatch.delitem(sys.modules, "slicer", raising=False)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "in")


def test_jobs_give_the_same(study: Path, tmp_path: Path) -> None:
    alone = correct(study, tmp_path / "one")
    together = correct(study, tmp_path / "two", jobs=2)
    same = [
        {path: changed(record, seconds=None, confidence=None) for path, record in records.items()}
        for records in (alone, together)
    ]
    assert same[0] == same[1]
    for name, content in tree(tmp_path / "one").items():
        if not name.startswith("cmrorient"):
            assert tree(tmp_path / "two")[name] == content


class Deadly(str):
    """A path that kills the process that unpickles it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (9,)


def test_a_worker_that_dies_takes_nothing_with_it(tmp_path: Path) -> None:
    source = tmp_path / "in"
    for n in range(4):
        put(phantom(1, slices=1), source / f"{n}.nii")
    options = RunOptions(inputs=source, model=MODEL, jobs=2)
    images = plan_run(options).images
    images = [replace(image, path=Deadly(image.path)) if image.path == "1.nii" else image for image in images]
    outcomes = list(run_all(images, options))
    errors = {outcome.record.path: outcome.record.error for outcome in outcomes}
    assert sorted(errors) == ["0.nii", "1.nii", "2.nii", "3.nii"]
    assert errors.pop("1.nii") == "its worker process died (out of memory, or killed)"
    assert set(errors.values()) == {None}


def test_workers_are_never_started_inside_slicer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slicer = types.ModuleType("slicer")
    slicer.app = object()  # type: ignore[attr-defined]
    with monkeypatch.context() as inside:
        inside.setitem(sys.modules, "slicer", slicer)
        assert pool.in_slicer()
    monkeypatch.setattr(pool, "in_slicer", lambda: True)

    def refuse(jobs: int) -> None:
        raise AssertionError("a worker process was started")

    monkeypatch.setattr(processes, "_pool", refuse)
    for n in range(3):
        put(phantom(1, slices=1), tmp_path / "in" / f"{n}.nii")
    records = correct_folder(tmp_path / "in", tmp_path / "out", orientation=1, jobs=3)
    assert [record.error for record in records] == [None] * 3


def test_what_nobody_expected_is_an_error_of_one_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from CMROrientLib.run import work

    def read_source(source: Any, slice_axis: int | None) -> Volume:
        if source.path.name == "a.nii":
            raise KeyError("surprise")
        if source.path.name == "b.nii":
            raise MemoryError
        return read(source.path, slice_axis)

    monkeypatch.setattr(work, "read_source", read_source)
    for name in "abc":
        put(phantom(1, slices=1), tmp_path / "in" / f"{name}.nii")
    records = correct(tmp_path / "in", tmp_path / "out", orientation=1)
    assert records["a.nii"].error is not None
    assert records["a.nii"].error.startswith("unexpected KeyError: 'surprise' (test_pool.py, line ")
    assert records["b.nii"].error == "there is not enough memory for it"
    assert records["c.nii"].error is None


def test_a_dask_cluster_gives_the_same(study: Path, tmp_path: Path) -> None:
    need_module("distributed")
    alone = correct(study, tmp_path / "one")
    with local_cluster(1) as local:
        together = correct(study, tmp_path / "two", dask=local.scheduler_address)
    assert {path: (r.orientation, r.files.sha256_out, r.error) for path, r in together.items()} == {
        path: (r.orientation, r.files.sha256_out, r.error) for path, r in alone.items()
    }


def test_no_scheduler_is_wrong_usage(study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    need_module("distributed")
    monkeypatch.setattr(cluster, "TIMEOUT", "0.5s")
    with pytest.raises(UsageError, match="no Dask scheduler answers there"):
        correct(study, tmp_path / "out", dask="tcp://127.0.0.1:1")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_whole_group_ends_no_worker(number: signal.Signals) -> None:
    """SLURM and systemd send it to the workers, too: only the parent decides."""
    code = f"""
import os, signal, sys, time
from CMROrientLib.run.workers.processes import _pool


if __name__ == "__main__":
    signal.signal({int(number)}, lambda *_: None)
    pool = _pool(1)
    pool.submit(os.getpid).result()
    future = pool.submit(time.sleep, 1.5)
    time.sleep(0.3)
    os.killpg(os.getpid(), {int(number)})
    print("finished", future.result())
    pool.shutdown()
"""
    done = run_script(code)
    assert done.stdout == "finished None\n", done.stderr


def run_script(code: str) -> subprocess.CompletedProcess[str]:
    """Run a script whose workers can import it, in a group of its own, for a minute at most."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "run.py"
        script.write_text(code)
        return subprocess.run(
            [sys.executable, str(script)],
            env=environment(), capture_output=True, text=True, timeout=60, start_new_session=True,
        )  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")
@pytest.mark.parametrize("at_work", [False, True])
def test_a_worker_that_is_killed_keeps_no_pool_open(at_work: bool) -> None:
    """Whoever waits for the pool's end would wait for the workers that are left, which nobody tells to end."""
    code = f"""
import os, signal, sys, time
from concurrent.futures import wait
from CMROrientLib.run.workers.processes import _pool


def work(seconds):
    time.sleep(seconds)
    return os.getpid()


if __name__ == "__main__":
    pool = _pool(2)
    # The one that is idle first waits for work with the queue's lock in its hand.
    first, other = [pool.submit(work, seconds) for seconds in (1, 2)]
    first, other = first.result(), other.result()
    assert first != other
    if {at_work}:
        futures = [pool.submit(work, 300) for _ in range(2)]
        time.sleep(0.5)
    os.kill(first, signal.SIGKILL)
    if {at_work}:
        print([type(future.exception()).__name__ for future in futures])
    else:
        # Nobody waits for anything: the pool takes note of it all the same.
        time.sleep(1)
    pool.shutdown(cancel_futures=True)
    print("ended")
"""
    done = run_script(code)
    said = ["['BrokenProcessPool', 'BrokenProcessPool']"] if at_work else []
    assert done.stdout.splitlines() == [*said, "ended"], done.stderr


class DiesOnce(PlannedImage):
    """An image whose first worker dies when its files are in place and nothing is recorded yet."""

    def __getattribute__(self, name: str) -> Any:
        if name == "group" and multiprocessing.parent_process() is not None:
            output = object.__getattribute__(self, "output")
            if list(output.glob(".cmrorient*/note.json")) and not (output.parent / "died").exists():
                (output.parent / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
        return super().__getattribute__(name)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_what_a_dead_worker_put_in_place_is_none_of_a_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Done anew, with other settings, over an earlier run's files."""
    for n in range(5):
        put(phantom(1, slices=1), tmp_path / "in" / f"{n}.nii")
    correct_folder(tmp_path / "in", tmp_path / "out", orientation=5)

    def plan(options: RunOptions) -> RunPlan:
        found = plan_run(options)
        image = found.images[2]
        found.images[2] = DiesOnce(**{each.name: getattr(image, each.name) for each in fields(image)})
        return found

    monkeypatch.setattr(folder, "plan_run", plan)
    records = correct_folder(tmp_path / "in", tmp_path / "out", orientation=6, jobs=2)
    assert (tmp_path / "died").exists()
    assert [(record.error, record.orientation) for record in records] == [(None, 6)] * 5


def test_what_has_ended_is_told_before_more_of_what_was_done_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(40):
        put(phantom(1, slices=1), tmp_path / "in" / f"{n:02}.nii")
        age(tmp_path / "in" / f"{n:02}.nii")
    correct_folder(tmp_path / "in", tmp_path / "out", orientation=5)
    put(phantom(2, slices=1), tmp_path / "in" / "00.nii")
    handed: list[str] = []
    done_before = processes.done_before

    def slowly(some: Sequence[Assignment], options: RunOptions) -> list[Outcome] | None:
        time.sleep(0.2)
        found = done_before(some, options)
        handed.extend([] if found is not None else [each.image.path for each in some])
        return found

    monkeypatch.setattr(processes, "done_before", slowly)
    told: list[str] = []
    correct_folder(
        tmp_path / "in", tmp_path / "out", orientation=5, jobs=2, progress=lambda one, *_: told.append(one.record.path)
    )
    assert handed == ["00.nii"]
    assert sorted(told) == [f"{n:02}.nii" for n in range(40)] and told.index("00.nii") < 39
