"""Names that differ in case only: one file where the file system says so, two elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sample_study import phantom, put

from CMROrientLib.errors import UsageError
from CMROrientLib.folders import correct_folder, restore_folder
from CMROrientLib.io import one_file
from CMROrientLib.io.one_file import ignores_case, names_in


@pytest.fixture
def no_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system as macOS has it: what is there is there in any case."""

    def lexists(path: str | os.PathLike[str]) -> bool:
        folder, name = os.path.split(os.fspath(path))
        return name.casefold() in {other.casefold() for other in os.listdir(folder)}  # noqa: PTH208

    monkeypatch.setattr(os.path, "lexists", lexists)


def test_the_file_system_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert ignores_case(tmp_path) == ignores_case(tmp_path / "deep" / "out") == (tmp_path / "A").exists()
    (tmp_path / "empty").mkdir()
    assert ignores_case(tmp_path / "empty") == (tmp_path / "A").exists()
    assert [path.name for path in (tmp_path / "empty").iterdir()] == []


@pytest.mark.usefixtures("no_case")
def test_one_text_is_one_file(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    name_of = names_in(tmp_path)
    assert name_of(tmp_path / "Größe.nii") == name_of(tmp_path / "gro\u0308sse.NII") != name_of(tmp_path / "b.nii")


@pytest.mark.usefixtures("no_case")
@pytest.mark.parametrize("name", ["s\u0131n\u0131f.nii", "Stra\u00dfe.nii"])
def test_names_that_systems_fold_differently_tell_nothing(tmp_path: Path, name: str) -> None:
    """Their other case is another file even where case is ignored."""
    (tmp_path / name).touch()
    (tmp_path / "deep").mkdir()
    assert ignores_case(tmp_path)


def test_two_files_where_case_counts(tmp_path: Path) -> None:
    for name in ("x", "X"):
        (tmp_path / name).touch()
    if len(list(tmp_path.iterdir())) == 2:
        assert names_in(tmp_path)(tmp_path / "a.nii") != names_in(tmp_path)(tmp_path / "A.nii")


def test_an_empty_disk_cannot_tell_and_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) == tmp_path)
    assert ignores_case(tmp_path / "out")


def test_runs_and_the_way_back_refuse_to_write_two_to_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out, labels = tmp_path / "in", tmp_path / "out", tmp_path / "labels"
    for folder in (source, labels):
        for name in ("case.nii", "Case.nii"):
            put(phantom(5, with_mask=True)[folder == labels], folder / name)
    if len(list(source.iterdir())) < 2:
        pytest.skip("here they are one file from the beginning")
    records = correct_folder(source, out, orientation=5)
    assert [record.error for record in records] == [None, None]
    monkeypatch.setattr(one_file, "ignores_case", lambda folder: True)
    with pytest.raises(UsageError, match="would both be written to it"):
        restore_folder(out, labels, tmp_path / "back")
    records = correct_folder(source, tmp_path / "other", orientation=5)
    assert ["would both be written to" in (record.error or "") for record in records] == [True, True]
