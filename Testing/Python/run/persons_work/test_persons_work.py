"""A person's work in the output folder is never lost: edits, decisions, and images with their masks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from edited_table import edit_table
from sample_study import cmrorient, correct, phantom, put, tree

from CMROrientLib.folders import correct_folder
from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.record import Record

EDIT = b"edited by hand"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """An image with its mask, and one without."""
    image, mask = phantom(5, with_mask=True)
    put(image, tmp_path / "in" / "a.nii.gz")
    put(mask, tmp_path / "in" / "a_seg.nii.gz")
    put(phantom(5, seed=1), tmp_path / "in" / "b.nii.gz")
    return tmp_path / "in"


def run(study: Path, out: Path, **options: object) -> tuple[dict[str, Record], list[str]]:
    """The records of a run that the user decided, by path, and what was told."""
    told: list[str] = []
    given = {"orientation": 5, **options}
    if given["orientation"] is None:
        del given["orientation"]
        given.setdefault("min_confidence", 0.3)
    return {r.path: r for r in correct_folder(study, out, warn=told.append, **given)}, told


def images(out: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(out).items() if not name.startswith("cmrorient")}


def test_forgotten_masks_follow_all_the_same(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    records, told = run(study, out, target=2, companions="none")
    assert sorted(records) == ["a.nii.gz", "b.nii.gz"]
    assert told == ["a_seg.nii.gz: follows a.nii.gz as in the earlier run"]
    upright, mask = phantom(2, with_mask=True)
    np.testing.assert_array_equal(read(out / "a.nii.gz").array, upright.array)
    np.testing.assert_array_equal(read(out / "a_seg.nii.gz").array, mask.array)


def test_a_mask_is_found_again_where_only_the_image_is_given(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    records, _ = run(study / "a.nii.gz", out, target=2)
    assert [mask.path for mask in records["a.nii.gz"].files.masks] == ["a_seg.nii.gz"]
    np.testing.assert_array_equal(read(out / "a_seg.nii.gz").array, phantom(2, with_mask=True)[1].array)


def test_a_mask_that_is_gone_leaves_both_as_they_are(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    before = images(out)
    (study / "a_seg.nii.gz").unlink()
    records, _ = run(study, out, masks=["_seg"], target=2)
    assert "its mask a_seg.nii.gz is no longer there" in (records["a.nii.gz"].error or "")
    after = images(out)
    assert {name: after[name] for name in ("a.nii.gz", "a_seg.nii.gz")} == {
        name: before[name] for name in ("a.nii.gz", "a_seg.nii.gz")
    }
    (out / "a_seg.nii.gz").unlink()
    records, _ = run(study, out, masks=["_seg"], target=2)
    assert records["a.nii.gz"].error is None


@pytest.mark.parametrize("name", ["a.nii.gz", "a_seg.nii.gz"])
@pytest.mark.parametrize("options", [{}, {"target": 2}, {"masks": []}, {"orientation": 3}], ids=str)
def test_an_edit_is_kept_and_named(study: Path, tmp_path: Path, name: str, options: dict[str, object]) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    (out / name).write_bytes(EDIT)
    before = images(out)
    for _ in range(2):
        records, _told = run(study, out, **{"masks": ["_seg"], **options})
        error = records["a.nii.gz"].error or ""
        assert f"changed in the output folder since it was written: {name}" in error
        assert records["a.nii.gz"].failed
        after = images(out)
        assert (after["a.nii.gz"], after["a_seg.nii.gz"]) == (before["a.nii.gz"], before["a_seg.nii.gz"])
    assert error in (out / "cmrorient.jsonl").read_text(encoding="utf-8")
    assert "changed in the output folder" in (out / "cmrorient.html").read_text(encoding="utf-8")


def test_an_edit_is_replaced_only_when_asked(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    before = images(out)
    (out / "a_seg.nii.gz").write_bytes(EDIT)
    records, told = run(study, out, masks=["_seg"], overwrite=True)
    assert told == ["a_seg.nii.gz: replaced although it was changed since it was written"]
    assert records["a.nii.gz"].error is None and images(out) == before


def test_an_edit_that_is_taken_away_is_done_again(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    before = images(out)
    (out / "a.nii.gz").write_bytes(EDIT)
    run(study, out, masks=["_seg"])
    (out / "a.nii.gz").unlink()
    records, _ = run(study, out, masks=["_seg"])
    assert records["a.nii.gz"].error is None and images(out) == before


def test_another_patient_of_the_same_name_is_refused(tmp_path: Path) -> None:
    first = put(phantom(5), tmp_path / "P" / "01" / "cine.nii.gz")
    second = put(phantom(3, seed=1), tmp_path / "P" / "02" / "cine.nii.gz")
    out = tmp_path / "out"
    assert cmrorient("correct", first.parent, "-o", out, "--orientation", 5).status == 0
    before = tree(out)
    done = cmrorient("correct", second.parent, "-o", out, "--orientation", 5)
    assert done.status == 2
    assert str(first) in done.err and str(second) in done.err and "an output folder of its own" in done.err
    assert {n: b for n, b in tree(out).items() if "sqlite" not in n} == {
        n: b for n, b in before.items() if "sqlite" not in n
    }


def test_an_input_that_was_moved_is_the_same_image(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    before = images(out)
    moved = study.rename(tmp_path / "elsewhere")
    records, _ = run(moved, out, masks=["_seg"])
    assert images(out) == before and not any(record.failed for record in records.values())


def test_a_file_of_somebody_else_is_kept(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study / "b.nii.gz", out)
    (out / "a.nii.gz").write_bytes(EDIT)
    records, _ = run(study, out, masks=["_seg"])
    assert "in the way in the output folder" in (records["a.nii.gz"].error or "")
    assert (out / "a.nii.gz").read_bytes() == EDIT
    assert not (out / "a_seg.nii.gz").exists(), "a mask without its image"


def test_what_a_killed_run_wrote_is_no_obstacle(study: Path, tmp_path: Path) -> None:
    """It was written, but not recorded."""
    other, out = tmp_path / "other", tmp_path / "out"
    run(study, other, masks=["_seg"])
    run(study / "b.nii.gz", out)
    for name in ("a.nii.gz", "a_seg.nii.gz"):
        (out / name).write_bytes((other / name).read_bytes())
    records, _ = run(study, out, masks=["_seg"])
    assert records["a.nii.gz"].error is None and images(out) == images(other)


def test_a_decision_stays_until_it_is_taken_back(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"], orientation=6)
    before = images(out)
    records, _ = run(study, out, masks=["_seg"], orientation=None)
    assert {r.orientation for r in records.values()} == {Orientation.ROTATE_270}
    assert all(record.decided_by_user for record in records.values())
    assert images(out) == before
    assert "Decided by a person" in (out / "cmrorient.html").read_text(encoding="utf-8")
    records, _ = run(study, out, masks=["_seg"], orientation=None, reset_decisions=True)
    assert {r.orientation for r in records.values()} == {Orientation.ROTATE_90}
    assert not any(record.decided_by_user for record in records.values())


def test_an_edited_table_in_the_output_folder_is_taken(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"], orientation=None)
    edit_table(out, "b.nii.gz", orientation="3")
    records, told = run(study, out, masks=["_seg"], orientation=None)
    assert told == ["cmrorient.csv was edited: its decisions are taken"]
    assert (records["b.nii.gz"].orientation, records["b.nii.gz"].decided_by_user) == (3, True)
    assert records["a.nii.gz"].orientation == 5
    records, told = run(study, out, masks=["_seg"], orientation=None)
    assert (records["b.nii.gz"].orientation, told) == (3, []), "and stays"
    edit_table(out, "b.nii.gz", decided_by="", orientation="", decision="")
    records, _ = run(study, out, masks=["_seg"], orientation=None)
    assert (records["b.nii.gz"].orientation, records["b.nii.gz"].decided_by_user) == (5, False), "taken back"


def test_a_table_that_cannot_be_read_is_kept(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    for number, text in enumerate((b"my notes", b"other notes"), start=1):
        (out / "cmrorient.csv").write_bytes(text)
        _, told = run(study, out, masks=["_seg"])
        kept = out / ("cmrorient-edited.csv" if number == 1 else "cmrorient-edited-2.csv")
        assert kept.read_bytes() == text
        assert len(told) == 1 and kept.name in told[0]


def test_decisions_about_other_images_are_kept(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"], orientation=None)
    edit_table(out, "b.nii.gz", orientation="3")
    _, told = run(study / "a.nii.gz", out, orientation=None)
    assert any("not among the inputs; it is kept as cmrorient-edited.csv" in line for line in told)
    assert ",3," in (out / "cmrorient-edited.csv").read_text(encoding="utf-8")


def test_conflicts_that_are_skipped_later_take_their_mask_along(tmp_path: Path) -> None:
    image, mask = phantom(5, with_mask=True, header="false")
    put(image, tmp_path / "in" / "a.nii")
    put(mask, tmp_path / "in" / "a_seg.nii")
    out = tmp_path / "out"
    run(tmp_path / "in", out, masks=["_seg"])
    (out / "a_seg.nii").write_bytes(EDIT)
    before = images(out)
    records, told = run(tmp_path / "in", out, masks=["_seg"], skip_conflicts=True)
    assert records["a.nii"].failed and told == [] and images(out) == before
    write(read(tmp_path / "in" / "a_seg.nii"), out / "a_seg.nii")
    (out / "a_seg.nii").unlink()
    run(tmp_path / "in", out, masks=["_seg"])
    _, told = run(tmp_path / "in", out, masks=["_seg"], skip_conflicts=True)
    assert sorted(told) == [f"{name}: removed, because this run does not write it" for name in ("a.nii", "a_seg.nii")]
    assert images(out) == {}


def test_what_can_no_longer_be_read_stays_known(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"])
    before, good = images(out), (study / "a.nii.gz").read_bytes()
    (study / "a.nii.gz").write_bytes(b"lost")
    records, _ = run(study, out, masks=["_seg"])
    assert records["a.nii.gz"].error is not None and images(out) == before
    (study / "a.nii.gz").write_bytes(good)
    records, _ = run(study, out, masks=["_seg"], target=2)
    assert records["a.nii.gz"].error is None
    np.testing.assert_array_equal(read(out / "a.nii.gz").array, phantom(2).array)


def test_the_same_run_tells_nothing(study: Path, tmp_path: Path) -> None:
    correct(study, tmp_path / "out", masks=["_seg"])
    told: list[str] = []
    correct(study, tmp_path / "out", masks=["_seg"], warn=told.append)
    assert told == []


def test_an_edited_table_outlives_a_run_that_is_stopped(study: Path, tmp_path: Path) -> None:
    """Before the image that it decides about had its turn."""
    out = tmp_path / "out"
    run(study, out, masks=["_seg"], orientation=None)
    edit_table(out, "b.nii.gz", orientation="3")

    def stop(outcome: object, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(study, out, masks=["_seg"], orientation=None, progress=stop)
    records, _ = run(study, out, masks=["_seg"], orientation=None)
    assert (records["b.nii.gz"].orientation, records["b.nii.gz"].decided_by_user) == (3, True)


def test_a_decision_about_an_image_that_fails_is_kept(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, masks=["_seg"], orientation=None)
    edit_table(out, "b.nii.gz", orientation="3")
    edited = (out / "cmrorient.csv").read_bytes()
    (out / "b.nii.gz").write_bytes(EDIT)
    records, told = run(study, out, masks=["_seg"], orientation=None)
    assert records["b.nii.gz"].failed
    assert (out / "cmrorient-edited.csv").read_bytes() == edited
    assert any("images that failed; it is kept as cmrorient-edited.csv" in line for line in told)


@pytest.mark.parametrize("where", ["decisions", "table"])
def test_an_image_that_a_person_calls_not_short_axis_stays_alone(study: Path, tmp_path: Path, where: str) -> None:
    out, decisions = tmp_path / "out", tmp_path / "decisions.csv"
    run(study, out, masks=["_seg"], orientation=None)
    decisions.write_text("path,series,orientation\na.nii.gz,,not-short-axis\nb.nii.gz,,3\n", encoding="utf-8")
    if where == "table":
        edit_table(out, "a.nii.gz", orientation="not-short-axis")
        edit_table(out, "b.nii.gz", orientation="rotate-180")
    given = {"decisions": decisions} if where == "decisions" else {}
    for options in (given, {}, {"target": 2}):
        records, _ = run(study, out, masks=["_seg"], orientation=None, **options)
        left = records["a.nii.gz"]
        assert (left.decision, left.decided_by_user, left.output, left.failed) == ("not_short_axis", True, None, False)
        assert sorted(images(out)) == ["b.nii.gz"]
        assert (records["b.nii.gz"].orientation, records["b.nii.gz"].decided_by_user) == (3, True)
    edit_table(out, "a.nii.gz", orientation="")
    records, _ = run(study, out, masks=["_seg"], orientation=None)
    assert (records["a.nii.gz"].orientation, records["a.nii.gz"].decided_by_user) == (5, False)
    assert sorted(images(out)) == ["a.nii.gz", "a_seg.nii.gz", "b.nii.gz"]
