"""The command line as its users meet it: a process with arguments, two streams and an exit status."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from records import flat
from sample_study import NETWORK, Finished, cmrorient, command, environment, phantom, put
from skimage.io import imsave

from CMROrientLib import __version__
from CMROrientLib.cli.main import COMMANDS, EXAMPLES, build_parser, main
from CMROrientLib.cli.output import Reporter
from CMROrientLib.errors import UsageError
from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.engines import available_cores
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.record import Record
from CMROrientLib.run.store import read_records
from CMROrientLib.run.workers.pool import MOST_THREADS
from CMROrientLib.volume import Grid

#: The record's fields in the order that it promises.
_FIELDS = """
path series orientation header_orientation header_state conflict mirrored confidence decision decided_by votes slices
model geometry geometry_class target slice_axis grid_in grid_out sha256_in sha256_out output seconds error
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two images, one of them a conflict, in a folder with a space and an umlaut in its name."""
    source = tmp_path_factory.mktemp("study") / "für Test"
    put(phantom(5), source / "sub folder" / "a.nii.gz")
    put(phantom(1, header="false"), source / "b.mha")
    return source


def one_line(finished: Finished) -> str:
    """The only line on standard error; nothing on standard output, no traceback."""
    assert finished.out == ""
    lines = finished.err.splitlines()
    assert len(lines) == 1, finished.err
    return lines[0]


def test_recognize_prints_a_table(study: Path, tmp_path: Path) -> None:
    done = cmrorient("recognize", study, *NETWORK, cwd=tmp_path)
    assert done.status == 0
    assert re.search(
        r"^sub folder/a\.nii\.gz +5 turned by 90° clockwise +(over )?0\.\d\d +4/4 +"
        r"5 turned by 90° clockwise +stored turned by 90° clockwise$",
        done.out,
        re.MULTILINE,
    )
    assert "stored flipped left to right (conflict)" in done.out
    assert "reoriented" not in done.out + done.err
    assert len(done.out.splitlines()) == 3
    assert "2 images: 2 stored in another orientation; 1 with a conflict" in done.err
    assert list(tmp_path.iterdir()) == []


def test_inputs_are_told_and_all_may_be_asked_for(study: Path) -> None:
    """In full each of four slices is seen in eight copies, whole and close; else never less than once."""
    full, auto = (cmrorient("recognize", study, *NETWORK, "--json", *more) for more in (("--looks", "full"), ()))
    assert [record["inputs"] for record in full.records] == [64, 64]
    assert all(4 <= record["inputs"] <= 64 + 8 for record in auto.records)
    for one, other in zip(full.records, auto.records, strict=True):
        assert [one[name] for name in ("path", "orientation", "decision", "conflict")] == [
            other[name] for name in ("path", "orientation", "decision", "conflict")
        ]
    assert cmrorient("recognize", study, "--looks", "quick").status == 2


def test_recognize_prints_records_and_nothing_else(study: Path) -> None:
    (study / "text.nii").write_text("no image")
    try:
        done = cmrorient("recognize", study, *NETWORK, "--json")
    finally:
        (study / "text.nii").unlink()
    assert done.status == 1
    records = {record["path"]: record for record in done.records}
    assert set(records) == {"b.mha", "sub folder/a.nii.gz", "text.nii"}
    for record in records.values():
        assert list(record)[:24] == _FIELDS.split()
    a = records["sub folder/a.nii.gz"]
    assert (a["orientation"], a["header_orientation"], a["header_state"]) == (5, 5, "known")
    assert re.fullmatch(r"\w+@[0-9a-f]{12}", a["model"])
    assert re.fullmatch(r"[0-9a-f]{64}", a["sha256_in"])
    assert (records["b.mha"]["conflict"], records["b.mha"]["mirrored"]) == (True, True)
    assert records["text.nii"]["orientation"] is None
    assert "error: text.nii: " in done.err


def test_correct_in_one_go(study: Path, tmp_path: Path) -> None:
    done = cmrorient("correct", study, "-o", "out here", *NETWORK, "--json", cwd=tmp_path)
    assert done.status == 0
    out = tmp_path / "out here"
    printed = sorted((Record.from_dict(record) for record in done.records), key=lambda record: record.path)
    assert printed == read_records(out)
    np.testing.assert_array_equal(read(out / "sub folder" / "a.nii.gz").array, phantom(0).array)
    assert "cmrorient.html" in done.err
    page = (out / "cmrorient.html").read_text(encoding="utf-8")
    assert "cmrorient correct" in re.sub(r"<[^>]+>", "", page)
    again = cmrorient("correct", study, "-o", "out here", *NETWORK, cwd=tmp_path)
    assert again.status == 0
    assert "2 of them by an earlier run" in again.err
    assert "corrected (conflict)" in again.out


def test_correct_without_a_network(study: Path, tmp_path: Path) -> None:
    done = cmrorient("correct", study / "b.mha", "-o", tmp_path / "out", "--orientation", "0", *NETWORK)
    assert (done.status, (tmp_path / "out" / "b.mha").read_bytes()) == (0, (study / "b.mha").read_bytes())
    assert "copied" in done.out


def test_a_class_is_a_number_or_a_name(study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [tmp_path / "numbers", tmp_path / "names"]
    for out, stored, target in zip(outputs, ("5", "rotate-90"), ("2", "flip-vertical"), strict=True):
        assert main(["correct", str(study), "-o", str(out), "--orientation", stored, "--target", target]) == 0
    numbers, names = ((out / "b.mha").read_bytes() for out in outputs)
    assert numbers == names
    assert RunOptions(inputs="in", target="flip-vertical").target is Orientation.FLIP_VERTICAL  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"the target is .*not 'up': it is one of 0 identity, "):
        RunOptions(inputs="in", target="up")  # type: ignore[arg-type]
    capsys.readouterr()
    for option in ("--orientation", "--target"):
        with pytest.raises(SystemExit) as caught:
            main(["correct", "in", "-o", "out", option, "up"])
        assert caught.value.code == 2
        assert f"{option}: not 'up': it is one of 0 identity, 1 flip-horizontal" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["correct", "--help"])
    told = capsys.readouterr().out
    for k in Orientation:
        assert re.search(rf"^ +{k:d} +{k.short_name} +{k.label}$", told, re.MULTILINE)


def test_dry_run(study: Path, tmp_path: Path) -> None:
    done = cmrorient("correct", study, "-o", tmp_path / "out", "--dry-run", *NETWORK)
    assert done.status == 0
    assert "would be corrected" in done.out
    assert list(tmp_path.iterdir()) == []


def test_the_undecided_are_named_at_the_end(study: Path, tmp_path: Path) -> None:
    done = cmrorient("correct", study, "-o", tmp_path / "out", "--min-confidence", "1")
    assert done.status == 1
    assert re.search(r"^uncertain: b\.mha: Uncertain: most probably", done.err, re.MULTILINE)
    assert "2 images: 2 uncertain" in done.err


def test_an_edited_table_decides(study: Path, tmp_path: Path) -> None:
    out, table = tmp_path / "out", tmp_path / "edited.csv"
    cmrorient("correct", study, "-o", out, "--min-confidence", "1")
    rows = list(csv.DictReader((out / "cmrorient.csv").open(encoding="utf-8-sig", newline="")))
    for row in rows:
        row["decision"] = "reoriented"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    arguments = ["--decisions", table, "--min-confidence", "1", "--json", "--geometry", "follow"]
    done = cmrorient("correct", study, "-o", out, *arguments)
    assert done.status == 0
    assert [record["decided_by"] for record in done.records] == ["user", "user"]
    np.testing.assert_array_equal(read(out / "b.mha").array, phantom(0).array)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recognize", "missing"], "no such file or folder"),
        (["recognize", "IN", "--model", "best"], "no model"),
        (["recognize", "IN", "--device", "abacus"], "no device"),
        (["correct", "IN", "-o", "IN/out"], "lies inside the input"),
        (["correct", "IN", "-o", "IN"], "lies inside the input"),
        (["correct", "IN", "-o", "out", "--decisions", "bad.csv"], "need the columns"),
        (["correct", "IN", "-o", "out", "--jobs", "0"], "number of jobs"),
        (["correct", "IN", "-o", "out", "--jobs", "2", "--dask", "tcp://127.0.0.1:1"], "not both"),
        (["correct", "IN", "-o", "out", "--min-confidence", "7"], "from 0 to 1"),
        (["correct", "IN", "-o", "out", "--masks", "_seg.nii"], "ending of a mask"),
        (["correct", "IN", "-o", "bad.csv"], "output is a file"),
        (["correct", "IN", "-o", "bad.csv/out"], "output folder cannot be written"),
    ],
)
def test_wrong_usage_is_2_and_one_line(
    study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    given = [argument.replace("IN", str(study)) for argument in arguments]
    given[1:1] = NETWORK
    assert main(given) == 2
    streams = capsys.readouterr()
    assert message in one_line(Finished(2, streams.out, streams.err))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["explode"],
        ["correct", "in"],
        ["correct", "in", "-o", "out", "--target", "8"],
        ["correct", "in", "-o", "out", "--orientation", "-1"],
        ["correct", "in", "-o", "out", "--geometry", "best"],
        ["correct", "in", "-o", "out", "--orientation", "1", "--decisions", "x.csv"],
        ["correct", "in", "-o", "out", "--slice-axis", "3"],
        ["recognize"],
    ],
)
def test_wrong_arguments_are_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: cmrorient" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["empty folder", "text", "truncated", "photo"])
def test_wrong_input_is_1_and_told(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    path = folder
    if what == "text":
        path = folder / "text.nii"
        path.write_text("this is no image")
    elif what == "truncated":
        path = put(phantom(1), folder / "cut.nii.gz")
        path.write_bytes(path.read_bytes()[:5000])
    elif what == "photo":
        path = folder / "photo.png"
        imsave(path, np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    done = cmrorient("correct", path, "-o", tmp_path / "out", *NETWORK, "--json")
    assert done.status == 1
    assert "Traceback" not in done.err
    told = [line for line in done.err.splitlines() if not line.startswith(("1 image", "report:"))]
    assert len(told) == 1
    if what == "empty folder":
        assert "no images found (NIfTI, NRRD, MetaImage or DICOM); give the folder" in told[0]
        assert not (tmp_path / "out").exists()
    else:
        assert told[0].startswith(f"error: {path.name}: ")
        assert [record["error"] is not None for record in done.records] == [True]


def test_one_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    put(phantom(6), tmp_path / "in" / "good.nii.gz")
    (tmp_path / "in" / "bad.nii.gz").write_bytes(b"\x1f\x8b broken")
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", *NETWORK)
    assert done.status == 1
    np.testing.assert_array_equal(read(tmp_path / "out" / "good.nii.gz").array, phantom(0).array)
    assert "error: bad.nii.gz: " in done.err


def test_each_result_has_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    grid = Grid((1, 1, 1)).to_json()
    results = {
        "left alone (localizer)": flat("a", decision="not_short_axis", note="left alone: localizer"),
        "left alone": flat("b", decision="not_short_axis", decided_by="user"),
        "not short-axis": flat("c", orientation=3, decision="not_short_axis", slices=4),
        "uncertain": flat("d", orientation=3, decision="uncertain", words="Uncertain: who knows."),
        "skipped (conflict)": flat("e", orientation=3, decision="reoriented", conflict=True),
        "corrected": flat("f", orientation=3, decision="reoriented", geometry="auto", grid_out=grid),
        "copied": flat(
            "g", orientation=0, decision="standard", geometry="auto", grid_out=grid, note="copied: nothing to change"
        ),
        "error": flat("h", error="cannot be read"),
    }
    Reporter(RunOptions(inputs="in", output="out"), json=False).finish(list(results.values()))
    streams = capsys.readouterr()
    for line, result in zip(streams.out.splitlines()[1:], results, strict=True):
        assert line.endswith(f"  {result}")
    assert "error: h: cannot be read" in streams.err
    assert "uncertain: d: Uncertain: who knows." in streams.err
    assert "8 images: 2 left alone, 1 not short-axis" in streams.err


@pytest.mark.parametrize("name", ["recognize", "correct", "audit"])
def test_a_picture_gets_a_next_step(tmp_path: Path, name: str) -> None:
    imsave(tmp_path / "slice.png", np.arange(64 * 64, dtype=np.uint8).reshape(64, 64))
    more = {"recognize": [], "correct": ["-o", tmp_path / "out"], "audit": ["-o", tmp_path / "audit.html"]}[name]
    done = cmrorient(name, tmp_path / "slice.png", *more, *NETWORK)
    assert done.status == 1
    (line,) = [line for line in done.err.splitlines() if "made from" in line]
    assert line.startswith("error: slice.png: is in no known format: a PNG is a picture without the spacing")


def test_a_folder_without_short_axes_says_so_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    other = flat("a", orientation=3, decision="not_short_axis", slices=4)
    localizer = flat("b", decision="not_short_axis", note="left alone: localizer")
    short_axis = flat("c", orientation=0, decision="standard", slices=4)
    by_hand = flat("d", orientation=3, decision="not_short_axis", decided_by="user")

    def said(*records: Record) -> str:
        Reporter(RunOptions(inputs=("study",)), json=False).finish(records)  # type: ignore[arg-type]
        return capsys.readouterr().err

    assert "no image here is a short-axis image" in said(other, localizer)
    assert "--orientation or --decisions" in said(other).splitlines()[-1]
    for records in ([other, short_axis], [localizer], [by_hand], [other, flat("e", error="broken")]):
        assert "short-axis image" not in said(*records)


def test_version_and_help() -> None:
    done = cmrorient("--version")
    assert (done.status, done.out) == (0, f"cmrorient {__version__}\n")
    done = cmrorient("--help")
    assert done.status == 0
    assert all(name in done.out for name in COMMANDS)
    assert "exit status: 0 all done" in done.out


def test_the_overview_comes_without_arguments_and_has_an_example_for_each_command() -> None:
    bare, asked = cmrorient(), cmrorient("--help")
    assert (bare.status, bare.out, bare.err) == (2, "", asked.out)
    assert list(EXAMPLES) == list(COMMANDS)
    for name, example in EXAMPLES.items():
        assert f"\n  {example}\n" in asked.out
        first, *words = example.split()
        assert (first, words[0]) == ("cmrorient", name)
        parser = build_parser(name)
        assert parser.parse_args(words).command == name


@pytest.mark.parametrize("name", list(COMMANDS))
def test_each_command_has_its_help(name: str) -> None:
    parser = build_parser(name)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args([name, "--help"])
    assert caught.value.code == 0


@pytest.mark.parametrize("name", list(COMMANDS))
def test_only_what_goes_on_says_so(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a stop recognize, audit or benchmark begin anew, restore refuses what is there."""
    goes_on = name in ("correct", "train", "transfer")
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert ("the same command goes on" in capsys.readouterr().out) == goes_on

    class Stopped:
        """A command that somebody stops."""

        def add_arguments(self, parser: object) -> None:
            """None."""

        def run(self, arguments: object) -> int:
            """As Ctrl-C does."""
            raise KeyboardInterrupt

    monkeypatch.setattr("CMROrientLib.cli.main._command", lambda _: Stopped())
    assert main([name]) == 130
    assert ("give the same command again to go on" in capsys.readouterr().err) == goes_on


def start(source: Path, out: Path, jobs: str) -> subprocess.Popen[str]:
    """A run over forty cines, once it has recorded two of them."""
    first = put(phantom(3, phases=4), source / "000.nii.gz")
    for n in range(1, 40):
        (source / f"{n:03}.nii.gz").write_bytes(first.read_bytes())
    process = subprocess.Popen(
        command("correct", source, "-o", out, *NETWORK, "--no-averaging", "--jobs", jobs),
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        # A shell that started the tests in the background ignores Ctrl-C, and children inherit that.
        preexec_fn=None if os.name == "nt" else lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 300
    # Workers, threads too, get one more than they are in advance, and one outcome is just being recorded.
    ahead = (min(available_cores(), MOST_THREADS) if jobs == "1" else int(jobs)) + 2
    while len(list(out.glob("*.nii.gz"))) < 2 + ahead:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


def go_on(source: Path, out: Path, jobs: str) -> None:
    """The same command does the rest, and only that."""
    done = len(read_records(out))
    assert 2 <= done < 40
    again = cmrorient("correct", source, "-o", out, *NETWORK, "--no-averaging", "--jobs", jobs)
    assert again.status == 0
    assert f"{done} of them by an earlier run" in again.err
    assert len(read_records(out)) == 40


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_stops_and_the_same_command_goes_on(tmp_path: Path, jobs: str) -> None:
    out = tmp_path / "out"
    with start(tmp_path / "in", out, jobs) as process:
        # As a terminal does: to the whole group.
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=300)
    assert process.returncode == 130
    assert err.strip() == "cmrorient: stopped; give the same command again to go on"
    assert not list(out.glob(".cmrorient-*"))
    # What was under way when the signal came is in the record as well.
    assert len(read_records(out)) == len(list(out.glob("*.nii.gz")))
    go_on(tmp_path / "in", out, jobs)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_sigterm_stops_in_order_and_the_same_command_goes_on(tmp_path: Path, jobs: str) -> None:
    out = tmp_path / "out"
    with start(tmp_path / "in", out, jobs) as process:
        # As Kubernetes does: to the first process only.
        process.terminate()
        _, err = process.communicate(timeout=300)
    assert process.returncode == 143
    assert err.strip() == "cmrorient: stopped by SIGTERM; give the same command again to go on"
    assert not list(out.glob(".cmrorient-*"))
    # What was under way when the signal came is in the record as well.
    assert len(read_records(out)) == len(list(out.glob("*.nii.gz")))
    go_on(tmp_path / "in", out, jobs)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
def test_a_killed_run_leaves_no_workers_and_can_go_on(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with start(tmp_path / "in", out, "2") as process:
        process.kill()
        # The workers hold the other end of the stream: it ends when they have.
        process.communicate(timeout=300)
    go_on(tmp_path / "in", out, "2")
