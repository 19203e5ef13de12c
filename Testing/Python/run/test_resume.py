"""Runs after runs: going on after a stop, other settings, and decisions of a user."""

from __future__ import annotations

import csv
import ntpath
import types
from dataclasses import replace
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
from sample_study import correct, counting, make_study, phantom, put, tree

from CMROrientLib.errors import UsageError
from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.run import resume
from CMROrientLib.run.files import encoded
from CMROrientLib.run.store import read_records


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "in")


def test_the_undecided_are_not_written(study: Path, tmp_path: Path) -> None:
    records = correct(study, tmp_path / "out", min_confidence=1.0)
    assert {r.decision for r in records.values()} == {"uncertain", None}
    assert all(record.failed for record in records.values())
    assert [name for name in tree(tmp_path / "out") if not name.startswith("cmrorient")] == []


def test_what_no_longer_holds_is_removed(study: Path, tmp_path: Path) -> None:
    """An output of an earlier run that this one would not write must not pass for corrected."""
    out = tmp_path / "out"
    correct(study, out)
    (out / "sub" / "empty.mha").write_bytes(b"edited by hand")
    (out / "sub" / "mine.txt").write_bytes(b"not of a run")
    correct(study, out, min_confidence=1.0)
    assert sorted(n for n in tree(out) if not n.startswith("cmrorient")) == ["sub/empty.mha", "sub/mine.txt"]
    # What was edited is a person's; the record says so and goes on knowing what a run had written there.
    kept = {record.path: record for record in read_records(out) if record.output is not None}
    assert list(kept) == ["sub/empty.mha"] and "changed in the output folder" in (kept["sub/empty.mha"].error or "")


def test_what_cannot_be_read_any_more_keeps_its_output(study: Path, tmp_path: Path) -> None:
    """It may be the only good copy that is left."""
    out = tmp_path / "out"
    correct(study, out)
    written = (out / "turned.nii.gz").read_bytes()
    (study / "turned.nii.gz").write_bytes(b"lost")
    assert correct(study, out)["turned.nii.gz"].error is not None
    assert (out / "turned.nii.gz").read_bytes() == written


def test_a_mask_stays_one_where_its_ending_is_forgotten(tmp_path: Path) -> None:
    image, mask = phantom(2, with_mask=True)
    put(image, tmp_path / "in" / "a.nii")
    put(mask, tmp_path / "in" / "a_seg.nii")
    out = tmp_path / "out"
    correct(tmp_path / "in", out, masks=["_seg"], orientation=2)
    before = (out / "a_seg.nii").read_bytes()
    records = correct(tmp_path / "in", out, orientation=2)
    assert list(records) == ["a.nii"]
    assert [mask.output for mask in records["a.nii"].files.masks] == ["a_seg.nii"]
    assert (out / "a_seg.nii").read_bytes() == before


def test_a_second_run_does_only_what_is_missing(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = correct(study, out)
    before = tree(out)
    kept: list[bool] = []
    again = correct(study, out, progress=counting(kept))
    # The one that failed is tried again; what it says is the same but for its time.
    assert sorted(kept) == [False, True, True, True]
    assert {p: replace(r, seconds=None) for p, r in again.items()} == {
        p: replace(r, seconds=None) for p, r in first.items()
    }
    after = tree(out)
    assert {n: b for n, b in after.items() if not n.startswith("cmrorient")} == {
        n: b for n, b in before.items() if not n.startswith("cmrorient")
    }
    assert after["cmrorient.html"].count(b"data:image/") == before["cmrorient.html"].count(b"data:image/")


def test_what_changed_is_done_again(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    correct(study, out)
    put(phantom(3, seed=1), study / "turned.nii.gz")
    (out / "sub" / "empty.mha").unlink()
    (out / "standard.nrrd").unlink()
    (study / "text.nii").unlink()
    kept: list[bool] = []
    records = correct(study, out, progress=counting(kept))
    assert kept == [False, False, False]
    assert records["turned.nii.gz"].orientation == 3
    np.testing.assert_array_equal(read(out / "turned.nii.gz").array, phantom(0, seed=1).array)
    assert (out / "standard.nrrd").read_bytes() == (study / "standard.nrrd").read_bytes()
    assert {record.path for record in read_records(out)} == {*records, "text.nii"}, "the record forgets nothing"


def test_other_settings_are_another_run(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    correct(study, out)
    kept: list[bool] = []
    correct(study, out, target=2, progress=counting(kept))
    assert kept == [False] * 4
    np.testing.assert_array_equal(read(out / "turned.nii.gz").array, phantom(2).array)


def test_overwrite_does_everything_anew(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    correct(study, out)
    kept: list[bool] = []
    correct(study, out, overwrite=True, progress=counting(kept))
    assert kept == [False] * 4


def test_files_that_are_not_of_a_run_are_not_replaced(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(phantom(1), out / "turned.nii.gz")
    before = tree(out)
    with pytest.raises(UsageError, match="in the way"):
        correct(study, out, orientation=1)
    assert tree(out) == before
    assert correct(study, out, orientation=1, overwrite=True)["turned.nii.gz"].error is None


def test_a_run_of_version_1_that_was_killed_goes_on(study: Path, tmp_path: Path) -> None:
    """It left JSON lines only: here an output without a record, and a record that breaks off."""
    out = tmp_path / "out"
    records = correct(study, out)
    (out / "cmrorient.sqlite").unlink()
    lines = (out / "cmrorient.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    wanted = [line for line in lines if '"path": "standard.nrrd"' in line]
    (out / "cmrorient.jsonl").write_text(wanted[0] + lines[-1][:40], encoding="utf-8")
    (out / "cmrorient.csv").unlink()
    (out / "cmrorient.html").unlink()
    assert [record.path for record in read_records(out)] == ["standard.nrrd"]
    kept: list[bool] = []
    again = correct(study, out, progress=counting(kept))
    assert kept.count(True) == 1
    assert again.keys() == records.keys()
    assert {record.path for record in read_records(out)} == set(records)
    assert (out / "cmrorient.html").read_text(encoding="utf-8").count("data:image/") >= 6


def test_decisions_override_the_network(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    correct(study, out)
    path = out / "cmrorient.csv"
    rows = list(csv.DictReader(path.open(encoding="utf-8-sig", newline="")))
    for row in rows:
        if row["path"] == "turned.nii.gz":
            row["orientation"] = "6"
        if row["path"] == "standard.nrrd":
            row["decision"] = "not_short_axis"
    table = tmp_path / "edited.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    records = correct(study, out, decisions=table)
    turned = records["turned.nii.gz"]
    assert (turned.orientation, turned.finding.decided_by, turned.model, turned.finding.votes) == (
        6,
        "user",
        None,
        (0,) * 8,
    )
    np.testing.assert_array_equal(read(out / "turned.nii.gz").array, Orientation(6).inverse.apply(phantom(5).array))
    left_alone = records["standard.nrrd"]
    assert (left_alone.decision, left_alone.finding.decided_by, left_alone.output) == ("not_short_axis", "user", None)
    assert not (out / "standard.nrrd").exists()
    assert records["sub/empty.mha"].finding.decided_by == "network"
    kept: list[bool] = []
    correct(study, out, decisions=table, progress=counting(kept))
    assert kept.count(True) == 3


def test_decisions_without_an_image_are_refused(study: Path, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("path,orientation\nmissing.nii,1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="not among the inputs"):
        correct(study, tmp_path / "out", decisions=table)
    assert not (tmp_path / "out").exists()


def test_names_of_a_record_are_parted_as_the_system_parts_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind Windows' prefix of long paths a "/" is no separator."""
    put(phantom(1, slices=2), tmp_path / "in" / "sub-01" / "a.nii")
    [record] = correct(tmp_path / "in", tmp_path / "out").values()
    [(_, digest)] = record.files.outputs
    looked: list[str] = []

    def is_file(path: str) -> bool:
        looked.append(path)
        return "/" not in path

    windows = types.SimpleNamespace(path=types.SimpleNamespace(join=ntpath.join, isfile=is_file))
    monkeypatch.setattr(resume, "os", windows)
    seen = types.SimpleNamespace(checksum=lambda paths: digest)
    output = PureWindowsPath("\\\\?\\C:\\out")
    assert resume.still_holds(record, record.files, record.settings or "", output, seen)  # type: ignore[arg-type]
    assert looked == ["\\\\?\\C:\\out\\sub-01\\a.nii"]


@pytest.mark.parametrize("name", ["h\udcff.nii", "half \ud800 pair.nii", "Größe.nii"])
def test_names_that_are_no_text_have_bytes(name: str) -> None:
    assert encoded(name) and encoded(name) != encoded(name + " ")
