"""DecisionTable of a user: what an edited table means, and tables that are refused."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from records import flat

from CMROrientLib.errors import UsageError
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.overrides import DecisionTable, Override, read_decisions
from CMROrientLib.run.tables import write_csv


def decisions(tmp_path: Path, text: str, encoding: str = "utf-8") -> DecisionTable:
    path = tmp_path / "decisions.csv"
    path.write_bytes(text.encode(encoding))
    return read_decisions(path)


def edited(tmp_path: Path, **changes: str) -> Override | None:
    """A run's own table with one row, "3 uncertain", after the changes."""
    path = tmp_path / "run.csv"
    row = flat("a.nii", orientation=3, decision="uncertain", decided_by="network", network="3 uncertain")
    write_csv(path, [row])
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    rows[0].update(changes)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return decisions(tmp_path, text.getvalue()).find("a.nii", None)


def test_two_columns_are_enough(tmp_path: Path) -> None:
    table = decisions(tmp_path, "path,orientation\nsub/a.nii,5\nb.nii,\n")
    assert table.find("sub/a.nii", None) == Override(Orientation.ROTATE_90)
    assert table.find("b.nii", None) is None
    assert table.find("c.nii", None) is None


def test_what_spreadsheets_make_of_it(tmp_path: Path) -> None:
    table = decisions(tmp_path, "\ufeffnote;path;orientation\r\n;ä b.nii;2.0\r\n;sub\\c.nii;7\r\n")
    assert table.find("ä b.nii", None) == Override(Orientation.FLIP_VERTICAL)
    assert table.find("sub/c.nii", None) == Override(Orientation.ANTI_TRANSPOSE)


def test_rows_that_nobody_edited_are_left_to_the_network(tmp_path: Path) -> None:
    assert edited(tmp_path) is None
    assert edited(tmp_path, orientation="") is None


def test_an_edit_is_a_decision(tmp_path: Path) -> None:
    assert edited(tmp_path, orientation="5") == Override(Orientation.ROTATE_90)
    assert edited(tmp_path, decision="reoriented") == Override(Orientation.ROTATE_180)
    assert edited(tmp_path, decided_by="user") == Override(Orientation.ROTATE_180)
    assert edited(tmp_path, network="") == Override(None, "uncertain")
    assert edited(tmp_path, decision="not_short_axis") == Override(None, "not_short_axis")


def test_rewritten_numbers_are_no_edit(tmp_path: Path) -> None:
    # A table program writes a column of whole numbers with an empty cell in it as 3.0.
    assert edited(tmp_path, orientation="3.0") is None
    assert edited(tmp_path, orientation="3.0", decision="not_short_axis") == Override(None, "not_short_axis")
    assert edited(tmp_path, orientation="5.0") == Override(Orientation.ROTATE_90)


def test_what_the_user_left_alone_stays_so(tmp_path: Path) -> None:
    # The record of such an image has no class.
    by_user = {"orientation": "", "network": "", "decided_by": "user"}
    assert edited(tmp_path, **by_user, decision="not_short_axis") == Override(None, "not_short_axis")
    assert edited(tmp_path, **by_user, decision="uncertain") == Override(None, "uncertain")
    assert edited(tmp_path, orientation="", decision="not_short_axis") == Override(None, "not_short_axis")
    # A DICOM series that is no image was left alone by no one's decision.
    assert edited(tmp_path, orientation="", network="", decided_by="", decision="not_short_axis") is None
    table = decisions(tmp_path, "path,orientation,decision\na.nii,,not_short_axis\n")
    assert table.find("a.nii", None) == Override(None, "not_short_axis")


def test_series_are_told_apart(tmp_path: Path) -> None:
    table = decisions(tmp_path, "path,series,orientation\ns,1.2,1\ns,1.3,2\nt,,3\n")
    assert table.find("s", "1.2") == Override(Orientation.FLIP_HORIZONTAL)
    assert table.find("s", "1.3") == Override(Orientation.FLIP_VERTICAL)
    assert table.find("s", "1.4") is None
    assert table.find("t", "1.9") == Override(Orientation.ROTATE_180)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "need the columns"),
        ("image,class\na.nii,1\n", "need the columns"),
        ("path,orientation\na.nii,8\n", "row 2: the orientation is a class"),
        ("path,orientation\na.nii,1.5\n", "row 2: the orientation is a class"),
        ("path,orientation\na.nii,inf\n", "row 2: the orientation is a class"),
        ("path,orientation\na.nii,left\n", "row 2: the orientation is a class"),
        ("path,orientation\na.nii,1\na.nii,2\n", "row 3 contradicts"),
        ("path,orientation\n,1\n", "row 2 names no path"),
        ("path,orientation,decision\na.nii,1,maybe\n", "row 2: the decision is one of"),
        ('path,orientation\n"a.nii,1\n', "not a CSV file"),
    ],
)
def test_tables_that_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        decisions(tmp_path, text)


def test_other_encodings_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        decisions(tmp_path, "path,orientation\nä.nii,1\n", encoding="latin-1")


def test_rows_about_nothing_are_told(tmp_path: Path) -> None:
    table = decisions(tmp_path, "path,orientation\na.nii,1\nb.nii,2\n")
    table.check_all_used([("a.nii", None), ("b.nii", None), ("c.nii", None)])
    with pytest.raises(UsageError, match=r"not among the inputs: b\.nii"):
        table.check_all_used([("a.nii", None)])


def test_a_class_may_be_named(tmp_path: Path) -> None:
    table = decisions(tmp_path, "path,orientation\na.nii,flip-vertical\nb.nii,2\nc.nii,ROTATE_90\n")
    found = [table.find(f"{name}.nii", None) for name in "abc"]
    assert found == [Override(Orientation(2)), Override(Orientation(2)), Override(Orientation(5))]
    # The network's own class by its name is no edit.
    assert edited(tmp_path, orientation="rotate-180") is None
    with pytest.raises(UsageError, match=r"row 2: .*not 'sideways': it is one of 0 identity, 1 flip-horizontal"):
        decisions(tmp_path, "path,orientation\na.nii,sideways\n")
