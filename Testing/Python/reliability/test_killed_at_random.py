"""SIGKILL at random moments, again and again: the same command completes the run, as if nothing had been.

In one process, with workers, and on a Dask cluster whose client is killed; `make test-long` kills fifty times each.
Workers of a cluster are killed in `run/workers/test_cluster.py`, chosen moments are those of `run/persons_work`.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clusters import local_cluster
from undisturbed import LONG, emptied, images_in, left_in, run, same_as, started

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

KILLS = 50 if LONG else 2
IMAGES = 120 if LONG else 40

#: Another one each day; a failure prints it, and ``CMRORIENT_SEED`` takes it.
SEED = int(os.environ.get("CMRORIENT_SEED", time.strftime("%Y%m%d")))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Any, ...], float]:
    """(the inputs, what an undisturbed run leaves, how long it takes)."""
    folder = tmp_path_factory.mktemp("killed")
    source = images_in(folder / "in", IMAGES)
    before = time.monotonic()
    status, err = run(source, folder / "out")
    takes = time.monotonic() - before
    assert status == 0, err
    return source, left_in(folder / "out"), takes


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """The address of a cluster of two workers."""
    with local_cluster() as local:
        yield local.scheduler_address


@pytest.mark.parametrize("how", ["one job", "two jobs", "dask"])
def test_the_same_command_completes_it(
    how: str,
    study: tuple[Path, tuple[Any, ...], float],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    source, expected, takes = study
    more: tuple[str, ...] = {"one job": (), "two jobs": ("--jobs", "2"), "dask": ("--dask",)}[how]
    if how == "dask":
        more += (request.getfixturevalue("scheduler"),)
    draws = random.Random(f"{SEED} {how}")
    print(f"CMRORIENT_SEED={SEED}")
    out = tmp_path / "out"
    kills = 0
    while kills < KILLS:
        process = started(source, out, *more)
        began = time.monotonic()
        while not out.exists() and process.poll() is None and time.monotonic() - began < 60:
            time.sleep(0.01)
        time.sleep(draws.uniform(0, takes))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            kills += 1
        if process.wait() != -signal.SIGKILL:
            assert process.returncode == 0 and same_as(expected, out) == []
            emptied(out)
    record_property("kills", kills)
    status, err = run(source, out, *more)
    assert status == 0, err
    assert same_as(expected, out) == []
    assert not list(out.rglob(".cmrorient-*")), "what was under way is cleared away"
