"""A process that is killed while it puts an image and its mask in place: the next run knows whose files they are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sample_study import cmrorient, environment, phantom, put, tree

from CMROrientLib.folders import correct_folder
from CMROrientLib.run import delivery
from CMROrientLib.run.delivery import notes_from_json
from CMROrientLib.run.store import Store

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")

#: Runs the command line, and kills the process after so many files of images have got their names, or, where
#: it says "record", as soon as the store is to be told of the first image.
KILLED = """
import os, signal, sys
from pathlib import Path
from CMROrientLib.cli.main import main
from CMROrientLib.run.store import Store

when, *arguments = sys.argv[1:]
places, real = 0, Path.replace

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def replace(self, target):
    global places
    if ".nii" in Path(target).name or ".dcm" in Path(target).name:
        if str(places) == when:
            die()
        places += 1
    return real(self, target)

Path.replace = replace
if when == "record":
    Store.put = die
sys.exit(main(arguments))
"""

#: None of the two, the mask alone, both but no record of them.
MOMENTS = ["0", "1", "record"]

RUNS = {
    "the same": ("--target", "2"),
    "as before": (),
    "another": ("--target", "3"),
    "another class": ("--target", "2", "--orientation", "6"),
}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    image, mask = phantom(5, with_mask=True)
    put(image, tmp_path / "in" / "a.nii")
    put(mask, tmp_path / "in" / "a_seg.nii")
    return tmp_path / "in"


def correct(study: Path, out: Path, *more: str, killed: str | None = None) -> tuple[int, str]:
    """Exit status and standard error of a run that the user decided."""
    decided = () if "--orientation" in more else ("--orientation", "5")
    words = ["correct", str(study), "-o", str(out), "--masks", "_seg", *decided, *more]
    if killed is None:
        done = cmrorient(*words)
        return done.status, done.err
    process = subprocess.run(
        [sys.executable, "-c", KILLED, killed, *words], env=environment(), capture_output=True, text=True, timeout=300
    )
    assert process.returncode == -signal.SIGKILL, process.stderr
    return process.returncode, process.stderr


def images(out: Path) -> dict[str, bytes]:
    """The files that a person sees."""
    return {name: data for name, data in tree(out).items() if name.endswith((".nii", ".dcm")) and name[0] != "."}


def clean(tmp_path: Path, study: Path, *more: str) -> dict[str, bytes]:
    """What the same run writes into a folder of its own."""
    assert correct(study, tmp_path / "clean", *more)[0] == 0
    return images(tmp_path / "clean")


def assert_nothing_is_left(out: Path) -> None:
    assert [path.name for path in out.rglob(".cmrorient-*")] == []


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("again", RUNS.values(), ids=RUNS.keys())
@pytest.mark.parametrize("before", [True, False], ids=["a second run", "the first run"])
def test_the_next_run_completes_it(
    study: Path, tmp_path: Path, moment: str, again: tuple[str, ...], before: bool
) -> None:
    out = tmp_path / "out"
    if before:
        assert correct(study, out)[0] == 0
    correct(study, out, "--target", "2", killed=moment)
    status, told = correct(study, out, *again)
    assert status == 0 and "changed" not in told and "in the way" not in told
    assert images(out) == clean(tmp_path, study, *again)
    assert_nothing_is_left(out)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_writes_nothing_leaves_no_half_of_it(study: Path, tmp_path: Path, moment: str) -> None:
    out, table = tmp_path / "out", tmp_path / "decisions.csv"
    table.write_text("path,orientation\na.nii,not-short-axis\n", encoding="utf-8")
    correct(study, out, "--target", "2", killed=moment)
    done = cmrorient("correct", study, "-o", out, "--masks", "_seg", "--decisions", table)
    assert done.status == 0 and images(out) == {}
    assert_nothing_is_left(out)


@pytest.mark.parametrize("moment", [0, 1, 2])
@pytest.mark.parametrize("again", [{"target": 2}, {"target": 3}, {}], ids=str)
def test_ctrl_c_between_them_leaves_it_to_the_store(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int, again: dict[str, int]
) -> None:
    """No hidden folder is left, and whose files they are is known all the same."""
    out, places, move = tmp_path / "out", [], delivery._move

    def stopped(made: Path, place: Path) -> None:
        if len(places) == moment:
            raise KeyboardInterrupt
        places.append(place)
        move(made, place)

    def put_nothing(*_: object) -> None:
        raise KeyboardInterrupt

    given = {"orientation": 5, "masks": ["_seg"]}
    correct_folder(study, out, **given)
    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_move", stopped)
        patched.setattr("CMROrientLib.run.store.Store.put", put_nothing)
        with pytest.raises(KeyboardInterrupt):
            correct_folder(study, out, target=2, **given)
    assert_nothing_is_left(out)
    [record] = correct_folder(study, out, **again, **given)
    assert record.error is None
    correct_folder(study, tmp_path / "other", **again, **given)
    assert images(out) == images(tmp_path / "other")
    with Store.copy(out) as store:
        assert notes_from_json(store.fact("notes of files whose images were not recorded")) == {}


@pytest.mark.parametrize("name", ["a.nii", "a_seg.nii"])
def test_an_edit_after_the_kill_is_a_persons(study: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    correct(study, out)
    correct(study, out, "--target", "2", killed="1")
    (out / name).write_bytes(b"edited by hand")
    before = images(out)
    for more in (("--target", "2"), ()):
        status, told = correct(study, out, *more)
        assert status == 1 and f"changed in the output folder since it was written: {name};" in told
        assert images(out) == before
    (out / name).unlink()
    assert correct(study, out, "--target", "2")[0] == 0
    assert images(out) == clean(tmp_path, study, "--target", "2")


def test_a_dicom_series_that_was_half_replaced_is_completed(data_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    [study] = [path for path in sorted((data_root / "dicom").iterdir()) if path.is_dir()][:1]
    assert correct(study, out)[0] == 0
    correct(study, out, "--target", "2", killed="2")
    status, told = correct(study, out, "--target", "3")
    assert status == 0 and "changed" not in told
    assert images(out) == clean(tmp_path, study, "--target", "3")
    assert_nothing_is_left(out)


def test_a_dry_run_knows_what_a_killed_run_left(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    correct(study, out)
    correct(study, out, "--target", "2", killed="1")
    before = tree(out)
    status, told = correct(study, out, "--target", "3", "--dry-run")
    assert (status, told) == (0, "1 image: 1 would be corrected\n") and tree(out) == before


def test_a_table_in_the_middle_of_which_a_run_was_killed_is_cleared_away(tmp_path: Path) -> None:
    put(phantom(3), tmp_path / "in" / "a.nii.gz")
    out = tmp_path / "out"
    assert cmrorient("correct", tmp_path / "in", "-o", out, "--orientation", "3").status == 0
    before = tree(out)
    (out / ".cmrorient-0123456789abcdef.tmp").write_bytes(b"half a ta")
    assert cmrorient("correct", tmp_path / "in", "-o", out, "--orientation", "3").status == 0
    assert tree(out) == before
