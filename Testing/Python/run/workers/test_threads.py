"""Several images at a time in one process: the same records and files in the same order, and in bounded memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sample_study import NETWORK, cmrorient, correct, make_study, phantom, put, tree

from CMROrientLib.run import unit
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.plan import PlannedImage, plan_run
from CMROrientLib.run.record import Record
from CMROrientLib.run.seen import age
from CMROrientLib.run.work import Assignment, Outcome
from CMROrientLib.run.workers import pool, threads


@pytest.fixture
def study(tmp_path: Path) -> Path:
    source = make_study(tmp_path / "in")
    for n in range(6):
        put(phantom(n, slices=2 + n % 2), source / "more" / f"{n}.nii.gz")
    return source


def told(records: dict[str, Record]) -> list[Record]:
    return [replace(record, seconds=None) for record in records.values()]


def test_threads_give_the_same_records_files_and_order(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "available_cores", lambda: 1)
    alone = correct(study, tmp_path / "alone")
    monkeypatch.setattr(pool, "available_cores", lambda: 4)
    together = correct(study, tmp_path / "together")
    assert list(alone) == list(together)
    assert told(alone) == told(together)
    images = [{name: data for name, data in tree(tmp_path / out).items() if "cmrorient" not in name}
              for out in ("alone", "together")]  # fmt: skip
    assert images[0] == images[1] and len(images[0]) == 9


def test_a_process_of_its_own_prints_the_same_lines(study: Path, tmp_path: Path) -> None:
    lines = [cmrorient("recognize", study, *NETWORK).out for _ in range(2)]
    assert lines[0] == lines[1]
    paths = [line.split()[0] for line in lines[0].splitlines() if ".n" in line or ".mha" in line]
    assert paths == sorted(paths)


def test_no_thread_is_asked_about_what_is_done_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """But about what has to be read again, what was changed, and what is to be done otherwise."""
    monkeypatch.setattr(pool, "available_cores", lambda: 2)
    for n in range(6):
        put(phantom(n % 3, slices=2), tmp_path / "in" / f"{n}.nii.gz")
        age(tmp_path / "in" / f"{n}.nii.gz")
    first = correct(tmp_path / "in", tmp_path / "out", orientation=5)
    handed: list[str] = []

    def work_on(some: Sequence[Assignment], *more: Any) -> list[Outcome]:
        handed.extend(each.image.path for each in some)
        return list(unit.work_on(some, *more))

    monkeypatch.setattr(threads, "_work_on", work_on)
    again = correct(tmp_path / "in", tmp_path / "out", orientation=5)
    assert handed == [] and told(again) == told(first)
    (tmp_path / "out" / "2.nii.gz").write_bytes((tmp_path / "in" / "4.nii.gz").read_bytes())
    again = correct(tmp_path / "in", tmp_path / "out", orientation=5)
    assert "2.nii.gz" in handed and "changed in the output folder" in (again["2.nii.gz"].error or "")
    handed.clear()
    correct(tmp_path / "in", tmp_path / "out", orientation=5, verify=True)
    assert len(handed) == 6
    handed.clear()
    correct(tmp_path / "in", tmp_path / "out", orientation=6)
    assert len(handed) == 6


def planned(folder: Path, count: int) -> tuple[RunOptions, Sequence[PlannedImage]]:
    for n in range(count):
        put(phantom(1, slices=1), folder / f"{n:02}.nii")
    options = RunOptions(inputs=folder, orientation=1)
    return options, plan_run(options).images


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Work that takes a while; how many were at work whenever one began."""
    seen: list[int] = []
    now, lock = [0], threading.Lock()

    def work_on(some: Sequence[Assignment], *told: Any) -> Iterator[Outcome]:
        with lock:
            now[0] += 1
            seen.append(now[0])
        time.sleep(0.05)
        yield from unit.work_on(some, *told)
        with lock:
            now[0] -= 1

    monkeypatch.setattr(threads, "work_on", work_on)
    return seen


def test_no_more_images_are_begun_than_there_is_room_for(
    tmp_path: Path, slow: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    options, images = planned(tmp_path, 8)
    assigned: list[str] = []

    def assign(image: PlannedImage) -> Assignment:
        assigned.append(image.path)
        return Assignment(image)

    for number, outcome in enumerate(threads.run_in_threads(images, options, assign, 3, 1), start=1):
        assert outcome.record.error is None
        assert len(assigned) <= number + 3
    assert max(slow) == 3 and len(slow) == 8
    slow.clear()
    monkeypatch.setattr(threads, "MOST_BYTES", images[0].source.path.stat().st_size + 1)
    assert len(list(threads.run_in_threads(images, options, Assignment, 3, 1))) == 8
    assert max(slow) == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_whoever_stops_finds_nothing_under_way(tmp_path: Path, slow: list[int], stop: type[BaseException]) -> None:
    options, images = planned(tmp_path, 8)
    late: list[str] = []
    keep = lambda outcome: late.append(outcome.record.path)  # noqa: E731
    outcomes = threads.run_in_threads(images, options, Assignment, 2, 1, keep)
    taken = [next(outcomes).record.path, next(outcomes).record.path]
    with pytest.raises(stop if stop is not GeneratorExit else StopIteration):
        outcomes.throw(stop) if stop is not GeneratorExit else (outcomes.close(), next(outcomes))  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("cmrorient")]
    assert len(slow) < 8
    # What was finished all the same is told, and the one in hand again: it may not have been kept yet.
    assert late == [image.path for image in images[1 : len(slow)]] and taken[1] == late[0]


def test_what_pydicom_reads_is_worked_on_one_at_a_time(tmp_path: Path) -> None:
    options, images = planned(tmp_path, 3)
    assert pool.threads_for(images[:1], options) == 1
    dicom = replace(images[0], source=replace(images[0].source, kind="dicom"))
    assert pool.threads_for([dicom, *images], options) == 1
    assert pool.network_threads([dicom, *images], options) is None
    assert pool.threads_for(images, replace(options, jobs=2)) == 1
