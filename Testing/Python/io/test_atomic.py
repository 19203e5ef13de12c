"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
from pathlib import Path

import pytest

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io.atomic import UNFINISHED, hashing, replacing, replacing_many, write_bytes, write_text
from CMROrientLib.io.find import find
from CMROrientLib.io.read_write import write
from CMROrientLib.phantom.phantom import make_phantom


def test_an_interruption_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), replacing([tmp_path / "a", tmp_path / "b"]) as (first, _):
        first.write(b"half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_at_the_end_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.bin"
    write_bytes(path, b"before")
    with replacing([path]) as (stream,):
        stream.write(b"after")
        assert path.read_bytes() == b"before"
        unfinished = [other.name for other in path.parent.iterdir() if other != path]
        assert [name.startswith(UNFINISHED) for name in unfinished] == [True]
        assert find(path.parent) == []
    assert path.read_bytes() == b"after"
    assert list(path.parent.iterdir()) == [path]


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Größe\n≥ 2\r\n")
    assert (tmp_path / "a.txt").read_bytes() == "Größe\n≥ 2\r\n".encode()


def test_what_cannot_be_written_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(CMROrientError, match="cannot be written") as caught:
        write_text(tmp_path / "a", "text")
    assert caught.value.path == str(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_is_written_is_hashed_on_the_way_and_not_read_again(tmp_path: Path) -> None:
    volume = make_phantom(seed=1, slices=2)
    write(volume, tmp_path / "plain.nii.gz")
    opened: list[tuple[str, str]] = []
    watching = [True]

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if watching[0] and event == "open":
            opened.append((str(arguments[0]), str(arguments[1])))

    sys.addaudithook(watch)
    with hashing() as digests:
        for name in ("a.nii.gz", "a.nrrd", "a.mhd"):
            write(volume, tmp_path / name)
    watching[0] = False
    assert {mode for name, mode in opened if str(tmp_path) in name} == {"x"}
    assert len(digests) == 4
    assert digests == {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in digests}
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "plain.nii.gz").read_bytes()


def test_a_file_that_failed_has_no_checksum(tmp_path: Path) -> None:
    with hashing() as digests, pytest.raises(RuntimeError), replacing([tmp_path / "a"]) as (stream,):
        stream.write(b"half")
        raise RuntimeError
    assert digests == {} and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EACCES, "close the program that has it open, or give another folder"),
        (errno.EPERM, "close the program that has it open, or give another folder"),
        (errno.ENOSPC, "make room there, or give another folder"),
        (errno.EDQUOT, "make room there, or give another folder"),
        (errno.EROFS, "give another folder, on a disk that can be written"),
        (errno.ENAMETOOLONG, "rename it, or give another folder"),
        (errno.EISDIR, "move away what is in the way, or give another folder"),
        (errno.EIO, "check the disk, or give another folder"),
    ],
    ids=errno.errorcode.get,
)
def test_the_advice_fits_what_the_system_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    """A table that is open in Excel is not helped by room on the disk."""

    def refuse(self: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number), str(self))

    monkeypatch.setattr(Path, "replace", refuse)
    path = tmp_path / "out" / "a.csv"
    with pytest.raises(CMROrientError) as one:
        write_text(path, "text")
    with pytest.raises(CMROrientError) as many, replacing_many([path]) as [unfinished]:
        unfinished.write_text("text")
    for caught in (one, many):
        assert caught.value.message == f"cannot be written ({os.strerror(number)}); {advice}"
