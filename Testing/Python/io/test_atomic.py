"""Files that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from CMROrientLib.errors import CMROrientError
from CMROrientLib.io.atomic import UNFINISHED, replacing, write_bytes, write_text
from CMROrientLib.io.find import find


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
