"""What a terminal shows of a run: names, classes, and rows that fit."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from records import flat
from sample_study import NETWORK, cmrorient, command, environment, phantom, put

from CMROrientLib.cli.output import Reporter
from CMROrientLib.cli.table import table, wrapped
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.record import Record
from CMROrientLib.run.store import read_records
from CMROrientLib.volume import Grid

GRID = Grid((1, 1, 1)).to_json()
LONG = "a study with a long name/patient 0815/visit 2/cine_short_axis_stack_of_this_patient.nii.gz"


def every_row() -> Iterator[Record]:
    """Each class against each header, in each result, the longest reason among them."""
    sure = {"confidence": 0.999, "slices": 12, "votes": [12] * 8, "geometry": "auto"}
    for k in Orientation:
        for h in (None, *Orientation):
            told = {
                "orientation": int(k),
                "header_orientation": None if h is None else int(h),
                "header_state": "other_plane" if h is None else "known",
                "conflict": h is not k,
                "decision": "reoriented" if k else "standard",
                **sure,
            }
            yield flat(f"{k:d}{h}/{LONG}", **told, grid_out=GRID)
            if h is not k:
                yield flat(f"{k:d}{h}/skipped/{LONG}", **told)
            yield flat(f"{k:d}{h}/uncertain/{LONG}", **{**told, "decision": "uncertain", "words": "Uncertain."})
            yield flat(f"{k:d}{h}/none/{LONG}", **{**told, "decision": "not_short_axis"})
    yield flat(f"心臓/{LONG[:-7]}心臓心臓心臓.nii.gz", error="is cut short")
    yield flat(LONG, decision="not_short_axis", note="left alone: a localizer of three planes with a long description")


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> Iterator[None]:
    """Standard output as a terminal of this width."""
    with monkeypatch.context() as patched:
        patched.setenv("COLUMNS", str(columns))
        patched.setattr("sys.stdout.isatty", lambda: True)
        assert shutil.get_terminal_size().columns == columns
        yield


@pytest.mark.parametrize("columns", [80, 100, 132])
@pytest.mark.parametrize("run", [{}, {"output": "out"}, {"output": "out", "dry_run": True}])
def test_no_row_wraps(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: dict[str, object], columns: int
) -> None:
    records = list(every_row())
    with terminal(monkeypatch, columns):
        Reporter(RunOptions(inputs="in", **run), json=False).finish(records)  # type: ignore[arg-type]
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(records) + 1
    # Chinese characters take two places.
    assert max(len(line) + len(re.findall("[心臓]", line)) for line in lines) <= columns
    for line, record in zip(lines[1:], records, strict=True):
        assert line.startswith("…")
        if record.acted_on and columns >= 100:
            assert line.endswith("(conflict)") == record.conflict
        if record.decision == "not_short_axis":
            assert "12/12" not in line


def test_a_wide_terminal_and_a_file_get_all_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    records = list(every_row())
    Reporter(RunOptions(inputs="in"), json=False).finish(records)
    plain = capsys.readouterr().out
    with terminal(monkeypatch, 400):
        Reporter(RunOptions(inputs="in"), json=False).finish(records)
    assert capsys.readouterr().out == plain
    assert "7 transposed over the other diagonal" in plain
    assert all(record.path in plain for record in records)


def test_the_shortest_forms_come_last() -> None:
    headings = [("image",), ("stored", "at")]
    rows = [[("a/" * 20 + "name.nii",), ("2 flipped upside down", "2 flip-vertical", "2")]]
    ends = {70: "name.nii  2 flipped upside down", 40: "name.nii  2 flip-vertical", 30: "name.nii  2"}
    for columns, end in ends.items():
        assert table(headings, rows, columns)[1].endswith(end)
    for columns in range(1, 80):
        assert max(len(line) for line in table(headings, rows, columns)) <= columns


def test_what_is_no_short_axis_has_no_class(capsys: pytest.CaptureFixture[str]) -> None:
    record = flat("a.nii", orientation=3, decision="not_short_axis", slices=4, votes=[0, 0, 0, 4, 0, 0, 0, 0])
    for run in ({}, {"output": "out"}):
        Reporter(RunOptions(inputs="in", **run), json=False).finish([record])  # type: ignore[arg-type]
        row = capsys.readouterr().out.splitlines()[1]
        assert row.split() == ["a.nii", "not", "short-axis"]


def test_a_folder_with_one_series_is_called_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "SA cine"
    folder.mkdir()
    record = flat(".", series="1.2.3", orientation=3, decision="uncertain", words="Uncertain.", slices=4)
    monkeypatch.chdir(folder)
    for given in (folder, "."):
        Reporter(RunOptions(inputs=given), json=False).finish([record])
        shown = capsys.readouterr()
        assert shown.out.splitlines()[1].startswith("SA cine  3 turned by 180°")
        assert "uncertain: SA cine (series 1.2.3): Uncertain." in shown.err
    # Which of two folders it was nobody knows any more.
    Reporter(RunOptions(inputs=[folder, tmp_path]), json=False).finish([record])
    shown = capsys.readouterr()
    assert shown.out.splitlines()[1].startswith("series 1.2.3  3 turned by 180°")
    assert "uncertain: series 1.2.3: Uncertain." in shown.err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo-terminals")
def test_a_terminal_of_80_columns(tmp_path: Path) -> None:
    import pty

    put(phantom(7, header="false"), tmp_path / "in" / LONG)
    put(phantom(1), tmp_path / "in" / "b.nii.gz")
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        command("recognize", tmp_path / "in", *NETWORK),
        env={**environment(), "COLUMNS": "80"},
        stdout=writing,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    shown = b""
    try:
        while piece := os.read(reading, 4096):
            shown += piece
    except OSError:
        # What Linux says when the other end has been closed.
        pass
    os.close(reading)
    assert process.wait(timeout=300) == 0
    lines = shown.decode("utf-8").splitlines()
    assert len(lines) == 3
    assert max(map(len, lines)) <= 80
    assert re.match(r"…\S+\.nii\.gz  7 ", lines[1])
    assert lines[1].endswith("stored anti-transpose (conflict)")


def test_only_problems_are_shown(tmp_path: Path) -> None:
    put(phantom(5), tmp_path / "in" / "right.nii.gz")
    put(phantom(1, header="false"), tmp_path / "in" / "conflict.nii.gz")
    (tmp_path / "in" / "broken.nii").write_text("no image")
    for words in (["recognize", tmp_path / "in"], ["correct", tmp_path / "in", "-o", tmp_path / "out"]):
        done = cmrorient(*words, *NETWORK, "--only-problems")
        assert done.status == 1
        assert [line.split()[0] for line in done.out.splitlines()] == ["image", "broken.nii", "conflict.nii.gz"]
        assert "3 images: " in done.err
        done = cmrorient(*words, *NETWORK, "--only-problems", "--json")
        assert sorted(record["path"] for record in done.records) == ["broken.nii", "conflict.nii.gz"]
    assert len(read_records(tmp_path / "out")) == 3
    done = cmrorient("recognize", tmp_path / "in" / "right.nii.gz", *NETWORK, "--only-problems")
    assert (done.status, done.out) == (0, "")


def test_the_demos_table_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    from CMROrientLib.cli import demo
    from CMROrientLib.demo.study import CASES

    told = {"decision": "reoriented", "confidence": 0.999, "slices": 40, "votes": [40] * 8, "header_state": "known"}
    records = {
        c.name: flat(c.name, orientation=int(c.orientation), conflict=True, mirrored=True, **told) for c in CASES
    }
    wide = demo._table(records, dict.fromkeys(CASES, ""))
    assert any("7 transposed over the other diagonal" in line and line.endswith("right") for line in wide)
    with terminal(monkeypatch, 80):
        lines = demo._table(records, dict.fromkeys(CASES, ""))
    assert len(lines) == len(CASES) + 1 and max(map(len, lines)) <= 80
    assert all(case.name in line and line.endswith("right") for case, line in zip(CASES, lines[1:], strict=True))


def test_a_sentence_breaks_between_words() -> None:
    text = "error: 心臓/a name.nii: is cut short; bring it back, or leave it where it is"
    lines = wrapped(text, 30)
    assert " ".join(line.strip() for line in lines) == text
    assert all(len(line) + len(re.findall("[心臓]", line)) <= 30 for line in lines) and len(lines) > 2
    assert wrapped("x" * 50, 30) == ["x" * 50]


@pytest.mark.parametrize("words", [(), ("--help",), ("correct", "--help"), ("audit", "--help"), ("train", "--help")])
def test_help_fits_into_80_columns(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = cmrorient(*words)
    assert max(map(len, (done.out + done.err).splitlines())) <= 80


def test_a_dry_run_tells_what_is_done_already(tmp_path: Path) -> None:
    put(phantom(5), tmp_path / "in" / "a.nii")
    put(phantom(5, seed=1), tmp_path / "in" / "b.nii")
    cmrorient("correct", tmp_path / "in" / "a.nii", "-o", tmp_path / "out", "--orientation", "5")
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", "--orientation", "5", "--dry-run")
    assert ["would be corrected" in line for line in done.out.splitlines()[1:]] == [False, True]
    assert "2 images: 1 corrected, 1 would be corrected; 1 of them by an earlier run" in done.err
