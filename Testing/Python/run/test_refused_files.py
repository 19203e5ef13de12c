"""Files that the system refuses: one that another program has open costs its image, never the run."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
from sample_study import correct, phantom, put

from CMROrientLib.cli.main import main
from CMROrientLib.errors import CMROrientError
from CMROrientLib.run.delivery import delivery
from CMROrientLib.run.store import Store


def open_elsewhere(path: Path) -> PermissionError:
    """What Windows says of a file that a viewer has open."""
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def test_an_image_that_is_open_in_a_viewer_says_to_close_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    for name in ("a.nii", "b.nii"):
        put(phantom(5), source / name)
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target == out / "a.nii":
            raise open_elsewhere(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    records = correct(source, out, orientation=5)
    assert records["b.nii"].error is None
    advice = "close the program that has it open, or give another folder"
    assert records["a.nii"].error == f"a.nii: cannot be written ({os.strerror(errno.EACCES)}); {advice}"


def test_an_old_output_that_is_open_in_a_viewer_is_its_images_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would pass for corrected: the run goes on, says what to do, and the next one removes it."""
    source, out, told = tmp_path / "in", tmp_path / "out", []
    for name in ("a.nii", "b.nii"):
        put(phantom(5), source / name)
    correct(source, out, orientation=5)
    table = tmp_path / "decisions.csv"
    table.write_text("path,orientation\na.nii,not-short-axis\nb.nii,not-short-axis\n")
    unlink = Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self == out / "a.nii":
            raise open_elsewhere(self)
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    for _ in range(2):
        records = correct(source, out, decisions=table, warn=told.append)
        assert not (out / "b.nii").exists() and records["b.nii"].error is None
        advice = "close the program that has it open, then run again, or remove it yourself"
        assert records["a.nii"].error == (
            f"a.nii: written by an earlier run and not by this one, and cannot be removed "
            f"({os.strerror(errno.EACCES)}); {advice}"
        )
        assert records["a.nii"].failed and (out / "cmrorient.html").is_file()
    monkeypatch.undo()
    records = correct(source, out, decisions=table, warn=told.append)
    assert records["a.nii"].error is None and not (out / "a.nii").exists()
    assert told.count("a.nii: removed, because this run does not write it") == 1
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith("cmrorient.")) == []


def test_a_removal_that_cannot_be_noted_is_its_images_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    put(phantom(5), source / "a.nii")
    correct(source, out, orientation=5)
    table = tmp_path / "decisions.csv"
    table.write_text("path,orientation\na.nii,not-short-axis\n")
    mkdir = Path.mkdir

    def refuse(self: Path, *given: object, **more: object) -> None:
        if self.parent == out:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        mkdir(self, *given, **more)

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert "cannot be removed" in (correct(source, out, decisions=table)["a.nii"].error or "")
    monkeypatch.undo()
    assert correct(source, out, decisions=table)["a.nii"].error is None
    assert not (out / "a.nii").exists()


def test_what_cannot_be_removed_is_told_as_it_comes_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever reads the lines of --json learns what the store and the sum say."""
    source, out = tmp_path / "in", tmp_path / "out"
    put(phantom(5), source / "a.nii")
    correct(source, out, orientation=5)
    table = tmp_path / "decisions.csv"
    table.write_text("path,orientation\na.nii,not-short-axis\n")

    def refuse(self: Path, missing_ok: bool = False) -> None:
        raise open_elsewhere(self)

    monkeypatch.setattr(Path, "unlink", refuse)
    capsys.readouterr()
    assert main(["correct", str(source), "-o", str(out), "--decisions", str(table), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert "cannot be removed" in (told["error"] or "")
    kept = json.loads((out / "cmrorient.jsonl").read_text(encoding="utf-8"))
    assert told["error"] == kept["error"]


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "change its permissions, or give another folder"),
        (errno.ENOSPC, "make room there, or give another folder"),
        (errno.EROFS, "give another folder, on a disk that can be written"),
    ],
)
def test_an_output_folder_that_is_refused_says_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    """At the beginning of a run, and at an image."""

    def refuse(self: Path, *given: object, **more: object) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    said = f"{tmp_path}: the output folder cannot be written ({os.strerror(number)}); {advice}"
    with pytest.raises(CMROrientError) as caught:
        Store.open(tmp_path)
    assert str(caught.value) == said
    with pytest.raises(CMROrientError) as caught, delivery(tmp_path):
        pass
    assert str(caught.value) == said
