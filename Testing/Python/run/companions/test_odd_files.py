"""One odd small file of a data set costs itself only: images, the other files, the page and the sum are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from data_sets import bids, nnunet
from sample_study import phantom, put

from CMROrientLib.cli.main import main

SIDECAR = "anat/sub-01_acq-sax_T2w.json"


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    return bids(tmp_path / "ds", {"01": 5, "02": 2})


def run(source: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit status and standard error of a run that has made its page and told its sum."""
    status = main(["correct", str(source), "-o", str(out), "--orientation", "5"])
    err = capsys.readouterr().err
    assert "corrected" in err.splitlines()[-2] and err.splitlines()[-1] == f"report: {out / 'cmrorient.html'}"
    assert (out / "cmrorient.html").is_file()
    return status, err


def left(out: Path, *less: str) -> None:
    """The files of the data set that are there, but for some."""
    expected = {"README", "participants.tsv", "dataset_description.json", ".bidsignore"}
    expected |= {f"sub-0{n}/anat/sub-0{n}_acq-sax_T2w.{ending}" for n in (1, 2) for ending in ("json", "nii.gz")}
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert {name for name in found if not name.startswith(("cmrorient", "derivatives"))} == expected - {*less}


def test_half_of_a_pair(data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON may escape it, UTF-8 cannot hold it."""
    (data_set / "sub-01" / SIDECAR).write_text(r'{"Note": "\ud83d", "PhaseEncodingDirection": "j-"}')
    assert run(data_set, tmp_path / "out", capsys)[0] == 0
    left(tmp_path / "out")
    carried = (tmp_path / "out" / "sub-01" / SIDECAR).read_text(encoding="utf-8")
    told = {"Note": "\ud83d", "PhaseEncodingDirection": "i-", "SkullStripped": False}
    assert json.loads(carried) == told and r'"\ud83d"' in carried


@pytest.mark.parametrize("depth", [400, 100_000])
def test_nested_deeply(data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], depth: int) -> None:
    """Deeper than Python writes in lines, and than it reads."""
    odd = data_set / "sub-01" / SIDECAR
    odd.write_text('{"PhaseEncodingDirection": "j-", "a": ' + "[" * depth + "]" * depth + "}")
    assert run(data_set, tmp_path / "out", capsys)[0] == 0
    left(tmp_path / "out")
    carried = (tmp_path / "out" / "sub-01" / SIDECAR).read_text()
    if depth > 1000:
        assert carried == odd.read_text(), "what nobody can read is nobody's to change"
    else:
        assert json.loads(carried)["PhaseEncodingDirection"] == "i-"


def test_the_longest_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sidecar's would be longer than a name may be."""
    put(phantom(5), tmp_path / "in" / f"{'a' * 251}.nii")
    put(phantom(5), tmp_path / "in" / "b.nii")
    (tmp_path / "in" / "b.json").write_text('{"PhaseEncodingDirection": "j-"}')
    assert run(tmp_path / "in", tmp_path / "out", capsys)[0] == 0
    assert json.loads((tmp_path / "out" / "b.json").read_text()) == {"PhaseEncodingDirection": "i-"}


def test_the_longest_name_in_bids(data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There each image has to have a sidecar, and this one cannot."""
    name = f"sub-01_acq-{'a' * 236}_T2w"
    put(phantom(5), data_set / "sub-01" / "anat" / f"{name}.nii")
    status, err = run(data_set, tmp_path / "out", capsys)
    assert status == 1
    assert f"{name}.json: cannot be written (" in err and "rename it, or give another folder" in err
    assert (tmp_path / "out" / "sub-01" / SIDECAR).is_file() and (tmp_path / "out" / "README").is_file()


@pytest.mark.parametrize("table", ["participants.tsv", "sub-01/sub-01_scans.tsv", "sub-01/sub-01_sessions.tsv"])
@pytest.mark.parametrize("cell", ["a" * 300, "a\0b"])
def test_a_cell_that_no_file_can_be_called(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, cell: str
) -> None:
    """Its row goes, as that of any other file that is not there, and the table stays."""
    column = {"participants": "participant_id", "scans": "filename", "sessions": "session_id"}
    head, there = column[Path(table).stem.split("_")[-1]], "anat" if "sub-" in table else "sub-01"
    (data_set / table).write_text(f"{head}\tnote\n{cell}\tn/a\n{there}\tn/a\n")
    status, err = run(data_set, tmp_path / "out", capsys)
    assert status == 0 and "cannot be carried over" not in err
    assert (tmp_path / "out" / table).read_text() == f"{head}\tnote\n{there}\tn/a\n"


@pytest.mark.parametrize("name", ["README", "participants.tsv", ".bidsignore", f"sub-01/{SIDECAR}"])
def test_one_that_cannot_be_read(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (data_set / ".bidsignore").write_text("notes.txt\n")
    read_bytes = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self == data_set / name:
            raise PermissionError(13, "Permission denied", str(self))
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    status, err = run(data_set, tmp_path / "out", capsys)
    assert status == 1
    assert err.count("cannot be carried over") == 1
    advice = "make it readable and run again, or remove it"
    assert f"warning: {data_set / name}: cannot be carried over (Permission denied); {advice}" in err
    left(tmp_path / "out", name)
    monkeypatch.undo()
    assert run(data_set, tmp_path / "out", capsys)[0] == 0
    left(tmp_path / "out")


def test_a_shared_sidecar_that_cannot_be_read(
    data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told once, and what lies beside the images is carried over."""
    shared = data_set / "T2w.json"
    shared.write_text('{"EchoTime": 0.05}')
    read_bytes = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self == shared:
            raise PermissionError(13, "Permission denied", str(self))
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    status, err = run(data_set, tmp_path / "out", capsys)
    assert status == 1 and err.count("cannot be carried over") == 1 and str(shared) in err
    left(tmp_path / "out")


def test_a_description_that_is_no_json(data_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    description = data_set / "dataset_description.json"
    description.write_text("Hearts")
    status, err = run(data_set, tmp_path / "out", capsys)
    assert status == 1
    told = f"warning: {description}: is no JSON object; mend it, so that the output can be a data set"
    assert told in err.splitlines()
    left(tmp_path / "out", description.name)


def test_a_description_of_nnunet_that_is_no_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = nnunet(tmp_path / "in", {"heart_001": 5}, channels=1)
    (source / "dataset.json").write_text("[" * 100_000)
    assert run(source, tmp_path / "out", capsys)[0] == 0
    assert (tmp_path / "out" / "dataset.json").read_text() == "[" * 100_000
