"""What was carried over for an image goes with it, unless somebody has changed it or it tells of others too."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from data_sets import bids, nnunet
from sample_study import correct

ANAT = "anat/sub-0{0}_acq-sax_T2w"


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """The second person's image is the only one of a sidecar of its own folder, and in a table."""
    root = bids(tmp_path / "ds", {"01": 5, "02": 5})
    for n in "12":
        (root / f"sub-0{n}" / f"sub-0{n}_scans.tsv").write_text(f"filename\n{ANAT.format(n)}.nii.gz\n")
        (root / f"sub-0{n}" / f"sub-0{n}_T2w.json").write_text('{"EchoTime": 0.05}')
    return root


def decisions(tmp_path: Path, *names: str) -> Path:
    table = tmp_path / "decisions.csv"
    table.write_text("path,orientation\n" + "".join(f"{name},not-short-axis\n" for name in names))
    return table


def left(out: Path) -> set[str]:
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith("cmrorient.")}


@pytest.mark.parametrize("companions", ["auto", "none"])
def test_it_goes_with_its_image(data_set: Path, tmp_path: Path, companions: str) -> None:
    out, told = tmp_path / "out", []
    correct(data_set, out, orientation=5)
    before = left(out)
    # A label map alone would be an image.
    table = decisions(tmp_path, f"sub-01/{ANAT.format(1)}.nii.gz")
    correct(data_set, out, decisions=table, warn=told.append, companions=companions)
    mask = "derivatives/manual/sub-01/anat/sub-01_acq-sax_desc-heart_dseg"
    gone = {name for name in before if name.startswith(("sub-01/", mask))}
    assert len(gone) >= 5 and left(out) == before - gone
    assert f"sub-01/{ANAT.format(1)}.json: removed, because its image is gone" in told
    if companions == "auto":
        assert (out / "participants.tsv").read_text() == "participant_id\nsub-02\n"
    # As if it had never been there, and it comes back.
    correct(data_set, out, orientation=5)
    assert left(out) == before


def test_what_a_person_changed_stays_and_is_told(data_set: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out", []
    correct(data_set, out, orientation=5)
    sidecar = f"sub-01/{ANAT.format(1)}.json"
    (out / sidecar).write_text("{}")
    correct(data_set, out, decisions=decisions(tmp_path, f"sub-01/{ANAT.format(1)}.nii.gz"), warn=told.append)
    assert (out / sidecar).read_text() == "{}"
    assert any(line.startswith(f"{sidecar}: changed since it was carried over; it is kept") for line in told)


def test_nothing_is_left_of_a_data_set_without_images(tmp_path: Path) -> None:
    source, out = nnunet(tmp_path / "in", {"heart_001": 5}, channels=1), tmp_path / "out"
    correct(source, out, orientation=5)
    assert "dataset.json" in left(out)
    correct(source, out, decisions=decisions(tmp_path, "imagesTr/heart_001_0000.nii.gz"))
    assert left(out) == set()


@pytest.fixture
def refusing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], AbstractContextManager[None]]:
    """A folder that nobody may list."""

    @contextmanager
    def at(folder: Path) -> Iterator[None]:
        glob = Path.glob

        def refuse(self: Path, pattern: str) -> Iterator[Path]:
            if self == folder:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
            return glob(self, pattern)

        with monkeypatch.context() as patched:
            patched.setattr(Path, "glob", refuse)
            yield

    return at


def failures(told: list[str]) -> list[str]:
    return [line for line in told if "cannot be carried over (" in line]


@pytest.mark.parametrize("companions", ["auto", "none"])
def test_a_folder_that_refuses_costs_its_own_files_only(
    data_set: Path, tmp_path: Path, refusing: Callable[[Path], AbstractContextManager[None]], companions: str
) -> None:
    """Of an image that is gone: the run ends as ever, and a later one removes what this one could not."""
    out, told = tmp_path / "out", []
    correct(data_set, out, orientation=5)
    before = left(out)
    table = decisions(tmp_path, f"sub-01/{ANAT.format(1)}.nii.gz")
    with refusing(data_set / "sub-01"):
        records = correct(data_set, out, decisions=table, warn=told.append, companions=companions)
    assert {record.error for record in records.values()} == {None}
    assert len(failures(told)) == 1 and failures(told)[0].startswith(f"{data_set / 'sub-01'}: ")
    assert f"sub-01/{ANAT.format(1)}.json" in left(out) < before
    correct(data_set, out, decisions=table, companions=companions)
    assert not any(name.startswith("sub-01/") for name in left(out))


@pytest.mark.parametrize("companions", ["auto", "none"])
def test_what_may_tell_of_others_stays_where_that_cannot_be_found_out(
    data_set: Path, tmp_path: Path, refusing: Callable[[Path], AbstractContextManager[None]], companions: str
) -> None:
    """The sidecar of an image that is gone tells of one in a folder below, too, and that one refuses."""
    copy = data_set / "sub-01" / "sub-01_T2w.nii.gz"
    copy.write_bytes((data_set / f"sub-02/{ANAT.format(2)}.nii.gz").read_bytes())
    out, told = tmp_path / "out", []
    correct(data_set, out, orientation=5)
    sidecar = out / "sub-01" / "sub-01_T2w.json"
    before = sidecar.read_bytes()
    with refusing(data_set / "sub-01" / "anat"):
        table = decisions(tmp_path, "sub-01/sub-01_T2w.nii.gz")
        records = correct(data_set, out, decisions=table, warn=told.append, companions=companions)
    assert {record.error for record in records.values()} == {None}
    assert not sidecar.with_suffix(".nii.gz").exists() and sidecar.read_bytes() == before
    assert len(failures(told)) == 1 and failures(told)[0].startswith(f"{data_set / 'sub-01' / 'anat'}: ")
