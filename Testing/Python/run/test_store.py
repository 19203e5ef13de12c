"""The store of a run: what it keeps, who may open it, and what happens when it is damaged."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from records import flat
from sample_study import cmrorient, correct, environment, make_study, phantom, put

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.store import STORE_NAME, Store, read_records
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


def test_the_lock_ends_with_its_process(tmp_path: Path) -> None:
    code = f"""
import os
from pathlib import Path
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
