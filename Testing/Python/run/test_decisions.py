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
from CMROrientLib.run.record import Record
from CMROrientLib.run.tables import COLUMNS, write_csv


def decisions(tmp_path: Path, text: str, encoding: str = "utf-8") -> DecisionTable:
    path = tmp_path / "decisions.csv"
    path.write_bytes(text.encode(encoding))
    return read_decisions(path)


UNCERTAIN = flat("a.nii", orientation=3, decision="uncertain", decided_by="network", network="3 uncertain")
TURNED = flat("a.nii", orientation=2, decision="reoriented", decided_by="network", network="2 reoriented")
OTHER_VIEW = flat("a.nii", orientation=4, decision="not_short_axis", decided_by="network", network="4 not_short_axis")
BY_USER = flat("a.nii", orientation=2, decision="reoriented", decided_by="user")
LEFT_BY_USER = flat("a.nii", decision="not_short_axis", decided_by="user")


def edited(tmp_path: Path, **changes: str) -> Override | None:
    """A table of version 1.0, which held all fields, with one row, "3 uncertain", after the changes."""
    cells = {name: "" if value is None else str(value) for name, value in UNCERTAIN.to_dict().items()}
    return _table(tmp_path, {**cells, **changes}).find("a.nii", None)


def written(tmp_path: Path, record: Record, **changes: str) -> DecisionTable:
    """A run's own table with one record, after the changes."""
    path = tmp_path / "run.csv"
    write_csv(path, [record])
    [row] = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    assert tuple(row) == COLUMNS and changes.keys() <= set(COLUMNS)
    return _table(tmp_path, {**row, **changes})


def _table(tmp_path: Path, row: dict[str, str]) -> DecisionTable:
    text = io.StringIO()
    writer = csv.DictWriter(text, row.keys())
    writer.writeheader()
    writer.writerow(row)
    return decisions(tmp_path, text.getvalue())


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


LEFT = Override(None, "not_short_axis")


@pytest.mark.parametrize("how", ["not-short-axis", "not short-axis", "not_short_axis", "Not short axis"])
def test_an_orientation_may_be_none_of_the_eight(tmp_path: Path, how: str) -> None:
    table = decisions(tmp_path, f"path,series,orientation\na.nii,,{how}\ns,1.2,{how}\ns,1.3,flip-vertical\n")
    assert table.find("a.nii", None) == table.find("s", "1.2") == LEFT
    assert table.find("s", "1.3") == Override(Orientation.FLIP_VERTICAL)
    assert written(tmp_path, TURNED, orientation=how).find("a.nii", None) == LEFT
    assert edited(tmp_path, orientation=how) == LEFT


def test_a_row_that_nobody_edited_decides_nothing(tmp_path: Path) -> None:
    for record in (UNCERTAIN, TURNED, OTHER_VIEW, flat("a.nii", error="broken"), flat("a.nii")):
        table = written(tmp_path, record)
        assert table.rows == {}
    for record, override in ((BY_USER, Override(Orientation(2))), (LEFT_BY_USER, LEFT)):
        assert written(tmp_path, record).rows == {("a.nii", None): override}


@pytest.mark.parametrize(
    ("record", "changes", "override"),
    [
        (TURNED, {"orientation": "5"}, Override(Orientation(5))),
        (TURNED, {"orientation": "rotate-90"}, Override(Orientation(5))),
        (TURNED, {"orientation": "2"}, None),
        (TURNED, {"orientation": "2.0"}, None),
        (TURNED, {"orientation": "2,0"}, None),
        (TURNED, {"decision": "not_short_axis"}, LEFT),
        (TURNED, {"decision": "not short-axis"}, LEFT),
        (TURNED, {"decision": "uncertain"}, Override(None, "uncertain")),
        (TURNED, {"decision": "not_short_axis", "orientation": ""}, LEFT),
        (TURNED, {"decision": "not_short_axis", "orientation": "not-short-axis"}, LEFT),
        (TURNED, {"decided_by": "user"}, Override(Orientation(2))),
        (TURNED, {"orientation": "5", "as_written": ""}, Override(Orientation(5))),
        (UNCERTAIN, {"decision": "reoriented"}, Override(Orientation(3))),
        (UNCERTAIN, {"decided_by": "user"}, Override(Orientation(3))),
        (UNCERTAIN, {"orientation": "4"}, Override(Orientation(4))),
        (OTHER_VIEW, {"orientation": "4"}, Override(Orientation(4))),
        (OTHER_VIEW, {"decided_by": "user"}, LEFT),
        (BY_USER, {"orientation": "3"}, Override(Orientation(3))),
        (BY_USER, {"decision": "not_short_axis"}, LEFT),
        (LEFT_BY_USER, {"orientation": "3"}, Override(Orientation(3))),
        (LEFT_BY_USER, {"orientation": "3", "decision": "reoriented"}, Override(Orientation(3))),
    ],
)
def test_an_edit_of_the_table_is_a_decision(
    tmp_path: Path, record: Record, changes: dict[str, str], override: Override | None
) -> None:
    table = written(tmp_path, record, **changes)
    assert (table.find("a.nii", None), table.taken_back) == (override, frozenset())


@pytest.mark.parametrize("record", [BY_USER, LEFT_BY_USER])
@pytest.mark.parametrize(
    "changes", [{"orientation": ""}, {"decided_by": ""}, {"decided_by": "network"}, {"decision": ""}]
)
def test_a_decision_is_taken_back_in_the_table(tmp_path: Path, record: Record, changes: dict[str, str]) -> None:
    table = written(tmp_path, record, **changes)
    assert table.rows == {} and table.takes_back("a.nii", None) and not table.takes_back("b.nii", None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"orientation": "sideways"},
            "row 2: the orientation is a class from 0 to 7 or its name, or not-short-axis, not",
        ),
        ({"decision": "maybe"}, "row 2: the decision is one of"),
        ({"orientation": "3", "decision": "not_short_axis"}, "row 2: its orientation and its decision, not_short_axis"),
        (
            {"orientation": "not-short-axis", "decision": "uncertain"},
            "row 2: its orientation and its decision, uncertain",
        ),
        ({"as_written": "x"}, "row 2: the column as_written was changed"),
    ],
)
def test_edits_that_cannot_be_understood_are_told(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        written(tmp_path, TURNED, **changes)


def test_an_image_of_another_view_needs_a_class_to_be_acted_on(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="row 2: it is reoriented, but its orientation is no class; give one"):
        written(tmp_path, OTHER_VIEW, decision="reoriented")


@pytest.mark.parametrize(
    "name", ["=1+1.nii", "+a.nii", "-a.nii", "@a.nii", "'=a.nii", "'a.nii", 'a,;"b.nii', "ä\n.nii"]
)
def test_no_cell_is_taken_for_a_formula(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "run.csv", [flat(name, orientation=2, decision="reoriented", decided_by="user")])
    [_, row] = csv.reader(io.StringIO((tmp_path / "run.csv").read_text(encoding="utf-8-sig"), newline=""))
    assert row[0][0] not in "=+-@" and row[0].removeprefix("'").endswith(name.removeprefix("'"))
    assert read_decisions(tmp_path / "run.csv").rows == {(name, None): Override(Orientation(2))}


def test_what_a_spreadsheet_saves_is_read(tmp_path: Path) -> None:
    """Semicolons, a mark, carriage returns, and the empty rows below."""
    write_csv(tmp_path / "run.csv", [TURNED, flat("b.nii", orientation=0, decision="standard", decided_by="network")])
    rows = list(csv.reader(io.StringIO((tmp_path / "run.csv").read_text(encoding="utf-8-sig"))))
    rows[2][2] = "flip-horizontal"
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows([*rows, [""] * len(rows[0])])
    table = decisions(tmp_path, text.getvalue(), "utf-8-sig")
    assert table.rows == {("b.nii", None): Override(Orientation.FLIP_HORIZONTAL)}
