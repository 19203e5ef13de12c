"""The store of a run: what it keeps, who may open it, and what happens when it is damaged."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from records import flat
from sample_study import cmrorient, correct, environment, make_study, phantom, put

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.record import Record
from CMROrientLib.run.store import Store, read_records
from CMROrientLib.run.store_file import STORE_NAME, has_record
from CMROrientLib.run.tables import JSONL_NAME

ODD = "b\udcff ü.nii"


def test_records_and_pictures_come_back(tmp_path: Path) -> None:
    records = [flat("b.nii"), flat("a", series="1.2"), flat("a"), flat(ODD)]
    with Store.open(tmp_path / "out") as store:
        for record in records:
            store.put(record, Thumbnails(b"1", b"2") if record.series else None)
    with Store.open(tmp_path / "out") as store:
        assert list(store) == [("a", None), ("a", "1.2"), ("b.nii", None), (ODD, None)]
        assert [record.key for record in store.records()] == list(store)
        assert len(store) == 4
        assert dict(store.pictures) == {("a", "1.2"): Thumbnails(b"1", b"2")}
        assert ("b.nii", None) not in store.pictures
        assert store.get(("missing", None)) is None
        store.put(flat("a", series="1.2", error="lost"))
        assert store["a", "1.2"].error == "lost"
        assert store.pictures["a", "1.2"] == Thumbnails(b"1", b"2"), "pictures stay where none are given"
    assert {record.path for record in read_records(tmp_path / "out")} == {"a", "b.nii", ODD}
    assert [path.name for path in (tmp_path / "out").iterdir()] == [STORE_NAME]


def test_many_records_are_asked_for_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("CMROrientLib.run.store._KEYS_AT_A_TIME", 2)
    keys: list[tuple[str, str | None]] = [(".", f"1.{number}") for number in range(5)] + [(ODD, None), ("b.nii", None)]
    with Store.open(tmp_path) as store:
        for number, (path, series) in enumerate(keys):
            # Nobody knows where the third one lay.
            store.put(flat(path, series=series), None, None if number == 2 else tmp_path / path / str(series))
        asked = [keys[6], ("missing", None), *keys, keys[0], keys[0]]
        places = [(key, str(tmp_path / key[0] / str(key[1]))) for key in asked if key in keys and key != keys[2]]
        assert list(store.sources_of(asked)) == places
        assert store.source_of(keys[0]) == places[1][1] and store.source_of(("missing", None)) is None
        known = [key for key in asked if key in keys]
        assert [Record.from_json(line).key for line in store.lines(known)] == known
        assert list(store.lines([])) == list(store.sources_of([])) == []
        with pytest.raises(KeyError):
            list(store.lines(asked))


def test_a_second_run_is_refused_while_the_first_one_lives(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    put(phantom(1), source / "a.nii.gz")
    with Store.open(out):
        done = cmrorient("correct", source, "-o", out, "--orientation", 1)
        assert done.status == 2
        assert "another run is at work in this folder; wait for its end" in done.err
        with pytest.raises(CMROrientError, match="another run is at work"):
            read_records(out)
    assert cmrorient("correct", source, "-o", out, "--orientation", 1).status == 0


#: Times that two runs begin at once in a new folder: one start in seven lost the store.
STARTS = 40

#: Seconds.
_TICK = 0.05


def _begin_at_once(folder: Path, barrier: Any, answers: Any, name: str) -> None:
    """Begin, as often as there are folders, at the moment at which the other process does."""
    Store.open(folder / f"before {name}").close()
    for start in range(STARTS):
        barrier.wait()
        # Waking up takes one of them longer than the other: both go on when the clock says so.
        moment = (time.monotonic() // _TICK + 1) * _TICK
        while time.monotonic() < moment:
            pass
        try:
            store = Store.open(folder / str(start))
        except UsageError as error:
            answers.put((start, name, error.message))
            barrier.wait()
        else:
            store.put(flat(f"{name}.nii"))
            answers.put((start, name, None))
            # The other one has given up, or waits for this one's end; then it comes in after it.
            barrier.wait()
            store.close()


def test_runs_that_begin_at_once_lose_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("CMROrientLib.run.store.PATIENCE", 0.0)
    monkeypatch.setattr("CMROrientLib.run.store_file.PATIENCE", 0.0)
    context = multiprocessing.get_context("fork") if sys.platform == "linux" else pytest.skip("forks")
    barrier, answers = context.Barrier(2, timeout=60), context.Queue()
    both = [context.Process(target=_begin_at_once, args=(tmp_path, barrier, answers, name)) for name in "ab"]
    for process in both:
        process.start()
    told = [answers.get(timeout=120) for _ in range(2 * STARTS)]
    for process in both:
        process.join(60)
    for start in range(STARTS):
        ends = {name: message for number, name, message in told if number == start}
        began = [f"{name}.nii" for name, message in ends.items() if message is None]
        assert [record.path for record in read_records(tmp_path / str(start))] == began if began else True
        for message in ends.values():
            assert message is None or "another run is at work" in message
    assert sum(message is None for _, _, message in told) > 0


def test_who_comes_second_leaves_the_store_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However early: the store is there, and nothing in it yet."""
    monkeypatch.setattr("CMROrientLib.run.store.PATIENCE", 0.0)
    monkeypatch.setattr("CMROrientLib.run.store_file.PATIENCE", 0.0)
    # As on Windows, where a file that is open cannot be removed; elsewhere it must not be either.
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: pytest.fail("a file was removed"))
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path.name != STORE_NAME and exists(path))
    with Store.open(tmp_path) as store:
        store.put(flat("a.nii"))
        with pytest.raises(UsageError, match="another run is at work"):
            Store.open(tmp_path)
    assert [record.path for record in read_records(tmp_path)] == ["a.nii"]


def test_a_store_that_nothing_was_put_into_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / STORE_NAME).touch()
    assert not has_record(tmp_path)
    with pytest.raises(CMROrientError, match="there is no record of a run"):
        read_records(tmp_path)
    (tmp_path / JSONL_NAME).write_text(flat("a.nii").to_json() + "\n", encoding="utf-8")
    assert [record.path for record in read_records(tmp_path)] == ["a.nii"]
    with Store.copy(tmp_path) as store:
        assert list(store) == [("a.nii", None)]
    with Store.open(tmp_path) as store:
        assert list(store) == [("a.nii", None)]


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
from CMROrientLib.run.record import Record
from CMROrientLib.run.record import Record
from CMROrientLib.run.store import Store
store = Store.open(Path({str(tmp_path)!r}))
store.put(Record("a.nii"))
os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", code], env=environment(), check=False).returncode == 9
    assert [record.path for record in read_records(tmp_path)] == ["a.nii"]
    with Store.open(tmp_path) as store:
        assert ("a.nii", None) in store


def test_a_store_that_a_killed_run_was_writing_is_read(tmp_path: Path) -> None:
    """Its journal is there: whoever reads first has to take back what was half written."""
    out, killed = tmp_path / "out", tmp_path / "killed"
    with Store.open(out) as store:
        store.put(flat("a.nii"))
    connection = sqlite3.connect(out / STORE_NAME, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("UPDATE images SET before = ?", (bytes(1 << 20),))
    killed.mkdir()
    for path in out.iterdir():
        (killed / path.name).write_bytes(path.read_bytes())
    connection.close()
    assert sorted(path.name for path in killed.iterdir()) == [STORE_NAME, f"{STORE_NAME}-journal"]
    assert [record.path for record in read_records(killed)] == ["a.nii"]


def test_an_output_folder_of_version_1_is_gone_on_with(tmp_path: Path) -> None:
    study, out = make_study(tmp_path / "in"), tmp_path / "out"
    first = correct(study, out)
    (out / STORE_NAME).unlink()
    kept: list[bool] = []
    again = correct(study, out, progress=lambda outcome, done, total: kept.append(outcome.kept))
    assert sorted(kept) == [False, True, True, True], "only the one that failed is tried again"
    assert again.keys() == first.keys()
    assert (out / "cmrorient.html").read_text(encoding="utf-8").count("data:image/") >= 6


@pytest.mark.parametrize("version", [0, 99])
def test_a_store_of_another_version_is_told(tmp_path: Path, version: int) -> None:
    study, out = make_study(tmp_path / "in"), tmp_path / "out"
    correct(study, out)
    with sqlite3.connect(out / STORE_NAME) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    before = (out / STORE_NAME).read_bytes()
    with pytest.raises(UsageError, match=f"of version {version}, this program knows version 1"):
        correct(study, out)
    with pytest.raises(CMROrientError, match=f"of version {version}"):
        read_records(out)
    assert (out / STORE_NAME).read_bytes() == before


@pytest.mark.parametrize("damage", ["cut short", "text", "another program's"])
def test_a_damaged_store_is_told_and_the_lines_go_on(tmp_path: Path, damage: str) -> None:
    study, out = make_study(tmp_path / "in"), tmp_path / "out"
    correct(study, out)
    store = out / STORE_NAME
    if damage == "cut short":
        store.write_bytes(store.read_bytes()[:5000])
    elif damage == "text":
        store.write_bytes(b"no database at all" * 100)
    else:
        store.unlink()
        with sqlite3.connect(store) as connection:
            connection.execute("CREATE TABLE songs (title TEXT)")
        connection.close()
    with pytest.raises(UsageError, match=r"damaged|no store of a run") as told:
        correct(study, out)
    assert "move it away" in str(told.value)
    store.rename(tmp_path / "away")
    kept: list[bool] = []
    correct(study, out, progress=lambda outcome, done, total: kept.append(outcome.kept))
    assert kept.count(True) == 3


def test_lines_of_a_later_format_are_told(tmp_path: Path) -> None:
    (tmp_path / JSONL_NAME).write_text('{"path": "a.nii", "format": 99}\n{"path": "b.nii"}\n', encoding="utf-8")
    with pytest.raises(CMROrientError, match=r"line 1 of the record is broken .*of format 99"):
        read_records(tmp_path)
