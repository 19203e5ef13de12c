"""A dry run tells what the run would do, in a folder that holds a person's work, and writes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_study import phantom, put, tree

from CMROrientLib.errors import UsageError
from CMROrientLib.folders import correct_folder
from CMROrientLib.io import read, write
from CMROrientLib.run.record import Record


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """An image with its mask, and one without."""
    image, mask = phantom(5, with_mask=True)
    put(image, tmp_path / "in" / "a.nii.gz")
    put(mask, tmp_path / "in" / "a_seg.nii.gz")
    put(phantom(5, seed=1), tmp_path / "in" / "b.nii.gz")
    return tmp_path / "in"


def run(study: Path, out: Path, **options: object) -> tuple[list[Record], list[str]]:
    told: list[str] = []
    return correct_folder(study, out, warn=told.append, min_confidence=0.3, **options), told


def said(records: list[Record]) -> list[tuple[object, ...]]:
    """What must be the same in the dry run and in the run."""
    return [
        (r.path, r.orientation, r.decision, r.decided_by_user, r.error, r.action, r.note, r.settings) for r in records
    ]


def decided(study: Path, out: Path) -> None:
    run(study, out, masks=["_seg"], orientation=6)


def left_alone(study: Path, out: Path) -> None:
    table = out.parent / "decisions.csv"
    table.write_text("path,orientation\na.nii.gz,not-short-axis\n", encoding="utf-8")
    run(study, out, masks=["_seg"])
    run(study, out, masks=["_seg"], decisions=table)


def edited_table(study: Path, out: Path) -> None:
    run(study, out, masks=["_seg"])
    text = (out / "cmrorient.csv").read_text(encoding="utf-8-sig")
    (out / "cmrorient.csv").write_text(text.replace("b.nii.gz,,rotate-90", "b.nii.gz,,rotate-180"), encoding="utf-8")


def notes_for_a_table(study: Path, out: Path) -> None:
    run(study, out, masks=["_seg"])
    (out / "cmrorient.csv").write_bytes(b"my notes")


def edited_mask(study: Path, out: Path) -> None:
    run(study, out, masks=["_seg"])
    (out / "a_seg.nii.gz").write_bytes(b"edited by hand")


def edited_image(study: Path, out: Path) -> None:
    run(study, out, masks=["_seg"])
    write(read(study / "b.nii.gz"), out / "b.nii.gz")


def somebody_elses(study: Path, out: Path) -> None:
    run(study / "a.nii.gz", out, masks=["_seg"])
    (out / "b.nii.gz").write_bytes(b"somebody else's")


def lost_mask(study: Path, out: Path) -> None:
    run(study, out, masks=["_seg"])
    (study / "a_seg.nii.gz").unlink()


def lost_store(study: Path, out: Path) -> None:
    """As version 1.0 left it."""
    run(study, out, masks=["_seg"])
    (out / "cmrorient.sqlite").unlink()


def nothing(study: Path, out: Path) -> None:
    """Not even the folder."""


@pytest.mark.parametrize(
    "before",
    [
        decided,
        left_alone,
        edited_table,
        notes_for_a_table,
        edited_mask,
        edited_image,
        somebody_elses,
        lost_mask,
        lost_store,
        nothing,
    ],
)
@pytest.mark.parametrize(
    "options",
    [{}, {"target": 2}, {"masks": ()}, {"overwrite": True}, {"reset_decisions": True}, {"orientation": 3}],
    ids=str,
)
def test_it_tells_what_the_run_does(
    study: Path, tmp_path: Path, before: Callable[[Path, Path], None], options: dict[str, object]
) -> None:
    out = tmp_path / "out"
    before(study, out)
    files = tree(tmp_path)
    given = {"masks": ["_seg"], **options}
    foretold, told = run(study, out, dry_run=True, **given)
    assert tree(tmp_path) == files and out.exists() == (before is not nothing)
    done, told_then = run(study, out, **given)
    assert said(foretold) == said(done)
    wordings = (("would be ", ""), ("would not", "does not"), ("is kept", "kept"))
    for would, does in wordings:
        told = [line.replace(would, does) for line in told]
        told_then = [line.replace(would, does) for line in told_then]
    assert told == told_then


def test_what_the_run_would_remove_is_named(study: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "out", tmp_path / "decisions.csv"
    run(study, out, masks=["_seg"])
    table.write_text("path,orientation\na.nii.gz,not-short-axis\n", encoding="utf-8")
    _, told = run(study, out, masks=["_seg"], decisions=table, dry_run=True)
    assert sorted(told) == [
        f"{name}: would be removed, because this run would not write it" for name in ("a.nii.gz", "a_seg.nii.gz")
    ]


def test_what_the_run_would_refuse_is_refused(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(phantom(3), out / "a.nii.gz")
    with pytest.raises(UsageError, match="in the way"):
        run(study, out, dry_run=True)
    other = tmp_path / "other"
    run(study, other)
    put(phantom(3, seed=4), tmp_path / "in 2" / "a.nii.gz")
    with pytest.raises(UsageError, match="was written to it"):
        run(tmp_path / "in 2", other, dry_run=True)


def test_a_store_that_a_killed_run_left_half_written_is_read(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, orientation=6)
    store = out / "cmrorient.sqlite"
    connection = sqlite3.connect(store, isolation_level=None)
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("BEGIN")
    connection.execute("UPDATE images SET record = 'half of it', before = zeroblob(100000)")
    left = {path.name: path.read_bytes() for path in (store, out / "cmrorient.sqlite-journal")}
    connection.execute("ROLLBACK")
    connection.close()
    for name, data in left.items():
        (out / name).write_bytes(data)
    before = tree(out)
    records, _ = run(study, out, dry_run=True)
    assert all(record.decided_by_user and record.orientation == 6 for record in records)
    assert tree(out) == before


def test_a_folder_in_which_a_run_is_at_work_is_refused(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(study, out, orientation=6)
    connection = sqlite3.connect(out / "cmrorient.sqlite", isolation_level=None)
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(UsageError, match="another run is at work"):
        run(study, out, dry_run=True)
    connection.close()
