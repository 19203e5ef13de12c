"""The stored metrics are what their types say, to the last key."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from study.left_out import reliability
from study.remarks import read_remarks
from study.results.page import TRAINING
from study.stored import StoredMetrics

from CMROrientLib.errors import CMROrientError

FILES = sorted((TRAINING / "metrics").glob("*.json"))


def test_every_file_is_read_and_would_be_written_back_as_it_is() -> None:
    """So no key is unknown, none is missing, and each has its type."""
    found = StoredMetrics.read(TRAINING / "metrics").to_json()
    assert len(FILES) >= 11 and set(found) == {path.stem for path in FILES}
    for path in FILES:
        text = json.dumps(found[path.stem], indent=1, ensure_ascii=False) + "\n"
        assert text == path.read_text(encoding="utf-8"), path.name


@pytest.mark.parametrize(
    ("file", "before", "after", "complaint"),
    [
        ("left_out", '"slices_single"', '"slices_once"', "left_out.M&Ms vendor A"),
        ("stress", '"level": 0.9', '"level": "0.9"', "level is not a number"),
        ("calibration", '"one slice": {\n  "answers"', '"one slice": {\n  "answer"', "one slice"),
        ("rejection", '"real_volumes"', '"volumes"', "real_volumes"),
        ("universal", '"method": "bootstrap over subjects"', '"method": "guess"', "method is 'guess'"),
        ("ablation", '"variant"', '"words"', "variant"),
        ("paper_table", '"seeds"', '"seed"', "seeds"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_told(
    file: str, before: str, after: str, complaint: str, tmp_path: Path
) -> None:
    """By its key, or because it would not be written back as it is."""
    for path in FILES:
        shutil.copy(path, tmp_path)
    text = (tmp_path / f"{file}.json").read_text(encoding="utf-8")
    assert before in text
    changed = text.replace(before, after)
    (tmp_path / f"{file}.json").write_text(changed, encoding="utf-8")
    try:
        found = StoredMetrics.read(tmp_path).to_json()[file]
    except CMROrientError as error:
        assert complaint in str(error)
    else:
        assert found != json.loads(changed)


def test_a_file_that_nobody_knows_is_told(tmp_path: Path) -> None:
    (tmp_path / "guesses.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CMROrientError, match="there is no guesses"):
        StoredMetrics.read(tmp_path)


def test_reliability_bins_hold_equally_many() -> None:
    rows = reliability(np.linspace(0, 1, 100), np.arange(100) >= 50)
    assert [row.count for row in rows] == [10] * 10
    assert rows[0].accuracy == 0
    assert rows[-1].accuracy == 1
    assert rows[-1].confidence == pytest.approx(np.linspace(0, 1, 100)[90:].mean())


def test_remarks_say_which_models_fail_how() -> None:
    remarks = read_remarks()
    universal, paper = remarks.known_failures("universal"), remarks.known_failures("cine")
    assert len(universal) == 6 and paper == remarks.known_failures("lge") == remarks.known_failures("t2")
    assert not set(universal) & set(paper) and remarks.known_failures("mine") == ()
    for name in ("universal", "cine"):
        card = TRAINING.parent / "CMROrientLib" / "recognition" / "models" / f"{name}.json"
        assert json.loads(card.read_text(encoding="utf-8"))["known_failures"] == list(remarks.known_failures(name))


@pytest.mark.parametrize(
    "text", ["[[section]]", "[[sections]]\nheadline = 'x'", "[[sections]]\ntext = 1", "sections = "]
)
def test_remarks_that_are_not_right_are_told(text: str, tmp_path: Path) -> None:
    (tmp_path / "remarks.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CMROrientError, match="these are no remarks"):
        read_remarks(tmp_path / "remarks.toml")
