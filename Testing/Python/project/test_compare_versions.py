"""The comparison of two versions finds what differs, and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from differences import CHANGING, compare_folders, visible_text
from sample_study import make_study

from CMROrientLib import correct_folder
from CMROrientLib.orientation import Orientation


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's output folder."""
    place = tmp_path_factory.mktemp("versions")
    correct_folder(make_study(place / "in"), place / "out", orientation=Orientation.ROTATE_90)
    return place / "out"


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    """Another output folder, the same."""
    return Path(shutil.copytree(run, tmp_path / "copy"))


def change_records(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    path = folder / "cmrorient.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for record in records:
        change(record)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def test_the_same_folder_is_the_same(run: Path, copy: Path) -> None:
    told = compare_folders(run, copy)
    assert told.found == []
    assert (told.files, told.records, told.pages) == (3, 8, 1)
    assert told.pictures >= 6


def test_times_and_the_version_do_not_count(run: Path, copy: Path) -> None:
    change_records(copy, lambda record: record.update(dict.fromkeys(CHANGING, 9)))
    page = copy / "cmrorient.html"
    page.write_text(page.read_text(encoding="utf-8").replace("CMROrient 1.", "CMROrient 9.1."), encoding="utf-8")
    assert compare_folders(run, copy).found == []


def test_what_a_version_may_add(run: Path, copy: Path) -> None:
    (copy / "cmrorient.sqlite").unlink()
    change_records(copy, lambda record: record.pop("format"))
    told = compare_folders(copy, run)
    assert told.found == []
    assert (told.added_files, told.added_keys) == ({"cmrorient.sqlite"}, {"format"})
    assert len(compare_folders(run, copy).found) == 1 + 4, "and may not take away"


def test_one_byte_is_found(run: Path, copy: Path) -> None:
    image = copy / "standard.nrrd"
    content = bytearray(image.read_bytes())
    content[-1] ^= 1
    image.write_bytes(content)
    assert compare_folders(run, copy).found == ["standard.nrrd: the bytes differ"]


def test_a_missing_file_and_one_too_many_are_found(run: Path, copy: Path) -> None:
    (copy / "standard.nrrd").rename(copy / "normal.nrrd")
    assert len(compare_folders(run, copy).found) == 2


def test_a_field_is_found(run: Path, copy: Path) -> None:
    change_records(copy, lambda record: record.update(settings="another"))
    assert len(compare_folders(run, copy).found) == 4
    change_records(copy, lambda record: record.update(votes=record.pop("votes")))
    assert len(compare_folders(run, copy).found) == 8, "the order of fields counts"


def test_a_word_and_a_picture_of_the_page_are_found(run: Path, copy: Path) -> None:
    page = copy / "cmrorient.html"
    text = page.read_text(encoding="utf-8")
    changed = text.replace("Nothing is left open", "All is well").replace("base64,/9j/", "base64,/9j0", 1)
    page.write_text(changed, encoding="utf-8")
    found = compare_folders(run, copy).found
    assert len(found) >= 1 and "pictures differ" in found[-1]
    page.write_text(text.replace("class 5", "class 4"), encoding="utf-8")
    (found_words,) = compare_folders(run, copy).found
    assert "the text differs" in found_words


def test_words_of_a_page() -> None:
    page = "<style>a{}</style><h1>Two\n words</h1><script>let x</script><img alt='A heart'><span>0.3 s</span>"
    assert visible_text(page) == ["Two", "words", "A", "heart"]
