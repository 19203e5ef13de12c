"""The demo with the bundled model: every volume comes out right, and a wrong one would be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from records import changed

from CMROrientLib import Recognizer, read, write
from CMROrientLib.cli.main import main
from CMROrientLib.demo.picture import Pair, draw_pairs
from CMROrientLib.demo.study import CASES, check
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import HEADERS, SEQUENCES, make_phantom
from CMROrientLib.run.store import read_records


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished demo."""
    folder = tmp_path_factory.mktemp("demo") / "study"
    assert main(["demo", "-o", str(folder)]) == 0
    return folder


def test_the_study_holds_every_orientation_sequence_and_header():
    assert {case.orientation for case in CASES} == set(Orientation)
    assert {case.sequence for case in CASES} == set(SEQUENCES)
    assert {case.header for case in CASES} == set(HEADERS)
    assert {case.name.partition(".")[2] for case in CASES} >= {"nii", "nii.gz", "nrrd", "mha", "mhd"}
    assert any(case.phases > 1 for case in CASES)


def test_every_volume_and_mask_is_right(study):
    records = {record.path: record for record in read_records(study / "corrected")}
    assert {case.name: check(case, records.get(case.name), study / "corrected") for case in CASES} == {
        case.name: "" for case in CASES
    }


def test_the_picture_shows_all_of_it(study):
    with Image.open(study / "before-after.png") as picture:
        assert picture.width > 1200 and picture.height > 1000
        assert np.asarray(picture.convert("L")).std() > 20


def test_a_second_run_gives_the_same(tmp_path, monkeypatch, capsys):
    import CMROrientLib.demo.study as demo

    monkeypatch.setattr(demo, "CASES", CASES[3:5])
    for _ in range(2):
        assert main(["demo", "-o", str(tmp_path / "new" / "demo")]) == 0
        out = capsys.readouterr().out
        assert "over 0.99" in out and "1.00" not in out
        assert out.count(" right\n") == 2 and "2 of 2" in out


def test_check_tells_what_is_wrong(study, tmp_path):
    case = CASES[0]
    record = next(record for record in read_records(study / "corrected") if record.path == case.name)
    good = read(study / "corrected" / case.name), read(study / "corrected" / case.mask_name)

    def found(image, mask):
        (tmp_path / case.name).parent.mkdir(exist_ok=True)
        write(image, tmp_path / case.name)
        write(mask, tmp_path / case.mask_name)
        return check(case, record, tmp_path)

    flip, stay = Orientation.FLIP_HORIZONTAL, Orientation.IDENTITY
    assert found(*good) == ""
    assert found(good[0].reindexed(flip, stay), good[1]) == "image differs"
    assert found(good[0], good[1].reindexed(flip, stay)) == "mask differs"
    shifted = replace(good[0].grid, origin=(1.0, 2.0, 3.0))
    assert found(replace(good[0], grid=shifted), good[1]) == "image lies elsewhere"
    assert check(case, changed(record, orientation=0), study / "corrected") == "recognized as 0"
    assert "uncertain" in check(case, changed(record, decision="uncertain"), study / "corrected")
    assert check(case, None, study / "corrected") == "no record"


def test_a_wrong_volume_makes_the_demo_fail(tmp_path, monkeypatch, capsys):
    import CMROrientLib.demo.study as demo

    truth = demo.CASES[1]
    monkeypatch.setattr(demo, "CASES", (truth,))
    monkeypatch.setattr(Orientation, "inverse", property(lambda self: self))  # 5 and 6 no longer undo each other
    assert main(["demo", "-o", str(tmp_path / "demo")]) == 1
    assert "WRONG" in capsys.readouterr().out


def test_somebody_elses_folder_is_refused(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    assert main(["demo", "-o", str(tmp_path)]) == 2
    assert main(["demo", "-o", str(tmp_path / "thesis.txt")]) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    assert "not empty" in capsys.readouterr().err


def test_a_volume_that_was_not_written_leaves_its_place_empty(tmp_path):
    volume = make_phantom(size=(48, 64), slices=1)
    draw_pairs([Pair("one", volume, None)], tmp_path / "picture.png")
    with Image.open(tmp_path / "picture.png") as picture:
        assert picture.format == "PNG"
    assert [p.name for p in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_other_people_are_recognized_too(sequence):
    recognizer = Recognizer(device="cpu")
    for seed in range(11, 19):
        orientation = Orientation(seed % 8)
        volume = make_phantom(sequence, slices=5, seed=seed, orientation=orientation, header="empty")
        result = recognizer.recognize(volume)
        assert result.orientation is orientation, (seed, orientation)
        assert result.decision in ("standard", "reoriented"), (seed, orientation, result.confidence)
