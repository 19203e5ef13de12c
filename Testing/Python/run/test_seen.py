"""A second run reads only what its size and times do not tell; nothing that was changed is taken for what it was."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sample_study import cmrorient, counting, phantom, put, tree

from CMROrientLib.folders import correct_folder
from CMROrientLib.run import seen
from CMROrientLib.run.record import Record
from CMROrientLib.run.seen import Seen, stamp_of

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no time of change of a file's entry")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """An image with a mask, one without, and two channels that are decided on together; all written a minute ago."""
    image, mask = phantom(5, with_mask=True)
    put(image, tmp_path / "in" / "a.nii")
    put(mask, tmp_path / "in" / "a_seg.nii")
    put(phantom(5, seed=1), tmp_path / "in" / "b.nii")
    for channel in range(2):
        put(phantom(5, seed=2), tmp_path / "in" / "imagesTr" / f"c_{channel:04d}.nii")
    for path in (tmp_path / "in").rglob("*.nii"):
        backdate(path)
    return tmp_path / "in"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read for their checksums."""
    names: list[str] = []
    real = seen.checksum

    def checksum(paths: tuple[Path, ...]) -> str:
        names.extend(path.name for path in paths)
        return real(paths)

    monkeypatch.setattr(seen, "checksum", checksum)
    return names


def backdate(path: Path, seconds: float = 60) -> None:
    past = time.time_ns() - int(seconds * 1e9)
    os.utime(path, ns=(past, past))


def correct(study: Path, out: Path, **options: object) -> dict[str, Record]:
    given = {"min_confidence": 0.0, "averaging": False, "masks": ["_seg"], **options}
    return {record.path: record for record in correct_folder(study, out, **given)}


def in_place(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def in_its_place(path: Path, data: bytes) -> None:
    """As ``rsync -a`` does it."""
    made = path.with_name("made")
    made.write_bytes(data)
    made.replace(path)


def test_a_second_run_reads_nothing(study: Path, tmp_path: Path, read: list[str]) -> None:
    out = tmp_path / "out"
    first = correct(study, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and "sqlite" not in path.name}
    read.clear()
    kept: list[bool] = []
    again = correct(study, out, progress=counting(kept))
    assert kept == [True] * 4 and read == []
    assert again == first
    after = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file() and "sqlite" not in path.name}
    assert after == before, "where nothing is new nothing is written, no table and no page"
    correct(study, out, verify=True, progress=counting(kept))
    assert kept[4:] == [True] * 4
    assert sorted(read) == sorted([*(p.name for p in study.rglob("*.nii")), *(p.name for p in out.rglob("*.nii"))])


def test_tables_and_page_come_back(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    correct(study, out, orientation=5)
    before = tree(out)
    for name in ("cmrorient.jsonl", "cmrorient.csv", "cmrorient.html"):
        (out / name).unlink()
        correct(study, out, orientation=5)
        assert (out / name).is_file()
    (out / "cmrorient.jsonl").write_text("", encoding="utf-8")
    correct(study, out, orientation=5)
    assert {name: data for name, data in tree(out).items() if name.endswith(("jsonl", "csv"))} == {
        name: data for name, data in before.items() if name.endswith(("jsonl", "csv"))
    }


@pytest.mark.parametrize("edit", [in_place, in_its_place])
@pytest.mark.parametrize("keeping_time", [False, pytest.param(True, marks=posix)])
@pytest.mark.parametrize("name", ["a.nii", "a_seg.nii", "imagesTr/c_0001.nii"])
def test_an_input_that_changed_is_done_again(
    study: Path, tmp_path: Path, edit: Callable[[Path, bytes], None], keeping_time: bool, name: str
) -> None:
    """Also where it has the size and the time of before."""
    out, path = tmp_path / "out", study / name
    correct(study, out)
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[400] ^= 1
    edit(path, bytes(data))
    if keeping_time:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert (path.stat().st_size, path.stat().st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    kept: list[bool] = []
    correct(study, out, progress=counting(kept))
    assert kept.count(False) == (2 if "imagesTr" in name else 1), "channels are decided on together"


@pytest.mark.parametrize("edit", [in_place, in_its_place])
@pytest.mark.parametrize("keeping_time", [False, pytest.param(True, marks=posix)])
@pytest.mark.parametrize("name", ["a.nii", "a_seg.nii"])
def test_an_edit_at_once_and_of_one_size_is_seen(
    study: Path, tmp_path: Path, read: list[str], edit: Callable[[Path, bytes], None], keeping_time: bool, name: str
) -> None:
    out, path = tmp_path / "out", tmp_path / "out" / name
    correct(study, out, orientation=5)
    stat, data = path.stat(), bytearray(path.read_bytes())
    data[400] ^= 1
    edit(path, bytes(data))
    if keeping_time:
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    backdated = edit is in_place and not keeping_time
    if backdated:
        backdate(path)
    for verify in (False, False, True):
        read.clear()
        error = correct(study, out, orientation=5, verify=verify)["a.nii"].error or ""
        assert f"changed in the output folder since it was written: {name}" in error
        assert path.read_bytes() == data
    # What the edit is told by is kept, too.
    if backdated:
        read.clear()
        assert "changed in the output" in (correct(study, out, orientation=5)["a.nii"].error or "")
        assert read == []


def test_copies_of_the_whole_are_read_once(study: Path, tmp_path: Path, read: list[str]) -> None:
    """As a disk that is copied with its times: nothing is done anew."""
    correct(study, tmp_path / "out")
    places = [tmp_path / "moved" / name for name in ("in", "out")]
    for place in places:
        shutil.copytree(tmp_path / place.name, place)
    for expected in (True, False):
        read.clear()
        kept: list[bool] = []
        correct(*places, progress=counting(kept))
        assert kept == [True] * 4 and bool(read) == expected


def test_a_store_of_before_reads_once(study: Path, tmp_path: Path, read: list[str]) -> None:
    out = tmp_path / "out"
    correct(study, out)
    with closing(sqlite3.connect(out / "cmrorient.sqlite")) as store:
        store.execute("DROP TABLE seen")
    for expected in (10, 0):
        read.clear()
        kept: list[bool] = []
        correct(study, out, progress=counting(kept))
        assert kept == [True] * 4 and len(read) == expected


def test_what_no_stat_tells_is_found_by_verify(study: Path, tmp_path: Path) -> None:
    """A disk that lost bits: here the store is told that the changed file is as it was."""
    out, path = tmp_path / "out", tmp_path / "out" / "b.nii"
    correct(study, out, orientation=5)
    with closing(sqlite3.connect(out / "cmrorient.sqlite")) as store:
        told = json.loads(store.execute("SELECT checksums FROM seen WHERE path = ?", (b"b.nii",)).fetchone()[0])
        before = told.pop(stamp_of([path]) or "")
        path.write_bytes(b"\0" * path.stat().st_size)
        backdate(path)
        told[stamp_of([path]) or ""] = before
        store.execute("UPDATE seen SET checksums = ? WHERE path = ?", (json.dumps(told), b"b.nii"))
        store.commit()
    same = ("--masks", "_seg", "--orientation", 5, "--min-confidence", 0, "--no-averaging")
    assert cmrorient("correct", study, "-o", out, *same).status == 0
    done = cmrorient("correct", study, "-o", out, *same, "--verify")
    assert done.status == 1 and "b.nii: changed in the output folder since it was written" in done.err


def test_files_that_may_change_unseen_have_no_stamp(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    assert stamp_of([path]) is None, "a clock of whole seconds would not tell the next edit from this one"
    looked_at = Seen()
    looked_at.checksum([path])
    assert looked_at.now == {}
    backdate(path, 3)
    stamp = stamp_of([path])
    assert stamp is not None
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert stamp_of([path]) != stamp, "a nanosecond is another time"
    assert stamp_of([path, tmp_path / "missing"]) is None
    looked_at = Seen({stamp_of([path]) or "": "known"})
    assert looked_at.checksum([path]) == "known"
    assert Seen({stamp_of([path]) or "": "known"}, verify=True).checksum([path]) != "known"


def test_a_failure_that_stays_rewrites_nothing(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (study / "broken.nii").write_bytes(b"no image")
    correct(study, out, orientation=5)
    before = tree(out)
    records = correct(study, out, orientation=5)
    assert records["broken.nii"].failed
    assert {n: d for n, d in tree(out).items() if "sqlite" not in n} == {
        n: d for n, d in before.items() if "sqlite" not in n
    }
