"""The record: nested in memory, flat on disk, and the schema that describes the flat form."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from records import flat
from report_samples import one_of_each
from sample_study import correct, make_study, phantom, put

from CMROrientLib.folders import recognize_folder
from CMROrientLib.run.record import FORMAT, Record, schema

#: The names of the flat form, in their order.
FIELDS = tuple(Record("").to_dict())


def check(record: Record) -> None:
    line = json.loads(record.to_json())
    jsonschema.validate(line, schema())
    assert tuple(line) == FIELDS  # identifiers are there where a run is told so


def test_the_schema_is_one_and_names_every_field() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert tuple(schema()["properties"]) == (*FIELDS, "identifiers")


def test_real_runs_fit_the_schema(tmp_path: Path) -> None:
    image, mask = phantom(6, with_mask=True)
    put(image, tmp_path / "in" / "m.nii.gz")
    put(mask, tmp_path / "in" / "m_seg.nii.gz")
    study = make_study(tmp_path / "in")
    for options in ({}, {"orientation": 2}, {"min_confidence": 1.0}, {"skip_conflicts": True, "geometry": "keep"}):
        for record in correct(study, tmp_path / "out", masks=["_seg"], overwrite=True, **options).values():
            check(record)
    for outcome in recognize_folder(study):
        check(outcome.record)


def test_real_dicom_fits_the_schema(data_root: Path, tmp_path: Path) -> None:
    for record in correct(data_root / "dicom", tmp_path / "out").values():
        check(record)


@pytest.mark.parametrize("record", one_of_each(), ids=lambda record: record.path)
def test_the_flat_form_comes_back(record: Record) -> None:
    assert Record.from_json(record.to_json()) == record


def test_a_line_of_version_1_has_no_format() -> None:
    line = flat("a.nii", decision="standard", orientation=0).to_dict()
    assert line.pop("format") == FORMAT
    assert Record.from_dict(line).decision == "standard"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": FORMAT + 1}, "of format"),
        ({"orientation": 9}, "not a valid Orientation"),
        ({"orientation": "2"}, "its orientation is '2'"),
        ({"decision": "perhaps"}, "its decision is 'perhaps'"),
        ({"votes": [1, 2]}, "not eight"),
        ({"grid_in": {"size": [1, 2]}}, "its grid_in is no grid"),
        ({"conflict": 1}, "its conflict is 1"),
        ({"masks": [{"output": "x"}]}, "a mask of it"),
        ({"files": "x"}, "its files is no list"),
        ({"path": None}, "not a record"),
    ],
)
def test_what_does_not_fit_is_told(change: dict[str, object], reason: str) -> None:
    line = {**flat("a.nii", decision="reoriented", orientation=3).to_dict(), **change}
    with pytest.raises(ValueError, match=reason):
        Record.from_dict(line)
