"""A folder of DICOM files through the whole of ``correct``: series, cine, localizers and broken files."""

from __future__ import annotations

from pathlib import Path

import dicom_cases as cases
import numpy as np
import pytest
from pydicom import dcmread

import CMROrientLib as cmr

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR")


@pytest.fixture
def study(data_root: Path, tmp_path: Path) -> Path:
    """Two series in one folder, a cine, a localizer, a report and a broken file."""
    stack = cases.people(data_root, count=3)
    film = cases.people(data_root, "cine_one_slice", "SCD0000301", count=4)
    root = tmp_path / "in"
    cases.save_all([cases.turned(d, 2) for d in stack], root / "mixed")
    for n, dataset in enumerate(cases.fresh_series([cases.turned(d, 2, with_header=False) for d in stack])):
        cases.save(dataset, root / "mixed" / f"other{n}")
    for n, dataset in enumerate(cases.fresh_series(stack, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])):
        cases.save(dataset, root / "mixed" / f"localizer{n}")
    cases.save_all(cases.fresh_series([cases.turned(d, 2) for d in film]), root / "cine", cases.LOSSLESS["RLE"])
    (report,) = cases.fresh_series(stack[:1], Modality="SR", SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33")
    cases.save(report, root / "report.dcm")
    (root / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"x" * 200)
    return root


def test_correct_a_study(study: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in study.rglob("*") if path.is_file()}
    records = cmr.correct_folder(study, tmp_path / "out", orientation=2)
    assert {path: path.read_bytes() for path in study.rglob("*") if path.is_file()} == before
    by_path: dict[str, list] = {}
    for record in records:
        by_path.setdefault(record.path, []).append(record)
    assert {path: len(found) for path, found in by_path.items()} == {
        "broken.dcm": 1,
        "cine": 1,
        "mixed": 3,
        "report.dcm": 1,
    }
    assert by_path["broken.dcm"][0].error
    (report,) = by_path["report.dcm"]
    assert report.error is None and report.note == "left alone: not an image (structured report)"
    localizers = [record for record in by_path["mixed"] if record.note == "left alone: localizer"]
    assert len(localizers) == 1 and localizers[0].decision == "not_short_axis" and localizers[0].output is None
    assert by_path["cine"][0].image.phases == 4 and by_path["cine"][0].image.scanner == "GE MEDICAL SYSTEMS SIGNA HDx"
    done = [record for record in records if record.output]
    assert {record.series for record in done}.isdisjoint({localizers[0].series}) and len(done) == 3
    assert sorted(record.finding.header_orientation for record in done) == [0, 2, 2]


def test_what_is_written(study: Path, data_root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    records = cmr.correct_folder(study, out, orientation=2)
    written = sorted(path.relative_to(out).as_posix() for path in out.glob("*/*") if path.is_file())
    sources = [path.relative_to(study).as_posix() for path in study.glob("*/*") if "localizer" not in path.name]
    assert written == sorted(sources)
    for record in records:
        for name in record.files.written if record.output else ():
            old, new = dcmread(study / name), dcmread(out / name)
            np.testing.assert_array_equal(new.pixel_array, np.flipud(old.pixel_array))
            assert new.StudyInstanceUID == old.StudyInstanceUID and new.SeriesInstanceUID != old.SeriesInstanceUID
    # A second run finds everything done, whatever made it.
    again = cmr.correct_folder(study, out, orientation=2)
    assert [record.files.sha256_out for record in again] == [record.files.sha256_out for record in records]


def test_standard_series_are_copied_byte_for_byte(study: Path, tmp_path: Path) -> None:
    cmr.correct_folder(study / "cine", tmp_path / "out", orientation=0, geometry="keep")
    for path in (study / "cine").iterdir():
        assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
