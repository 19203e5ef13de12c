"""The header audit from files to report, with the bundled model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import parts
import pytest
from pages import pictures_on

from CMROrientLib.audit.audit import audit
from CMROrientLib.audit.verdict import Verdict, verdict_of
from CMROrientLib.cli.main import main
from CMROrientLib.errors import UsageError
from CMROrientLib.io import write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom

MIRRORED = {Orientation(k) for k in (1, 2, 4, 7)}


def snapshot(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Phantoms in all orientations, with headers that are true, false and empty, and a broken file."""
    folder = tmp_path_factory.mktemp("archive")
    for k in Orientation:
        for header in ("true", "false", "empty"):
            volume = make_phantom(slices=3, seed=k, orientation=k, header=header)  # type: ignore[call-overload]
            write(volume, folder / header / f"class{k:d}.nii.gz")
    (folder / "broken.nrrd").write_bytes(b"NRRD0004\ntype: short\n")
    return folder


def test_an_archive_of_phantoms(archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(archive)
    page = tmp_path / "report" / "headers.html"
    assert main(["audit", str(archive), "-o", str(page)]) == 1
    shown = capsys.readouterr()
    assert "error: broken.nrrd: " in shown.err
    assert snapshot(archive) == before
    assert sorted(path.name for path in page.parent.iterdir()) == ["headers.csv", "headers.html", "headers.jsonl"]
    found = {}
    for line in page.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        found[entry["path"]] = entry["verdict"]
    expected = {"broken.nrrd": Verdict.ERROR.value}
    for k in Orientation:
        expected[f"true/class{k:d}.nii.gz"] = Verdict.CONSISTENT.value
        expected[f"empty/class{k:d}.nii.gz"] = Verdict.SILENT.value
        false = Verdict.MIRRORED if k in MIRRORED else Verdict.NOT_FOLLOWED if k else Verdict.CONSISTENT
        expected[f"false/class{k:d}.nii.gz"] = false.value
    assert found == expected
    assert set(pictures_on(page)) == {(path, None) for path in found if path != "broken.nrrd"}


def test_an_audit_can_lie_in_the_archive_and_be_done_again(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    (folder / "true").mkdir(parents=True)
    for path in sorted((archive / "true").iterdir())[:2]:
        (folder / "true" / path.name).write_bytes(path.read_bytes())
    for _ in range(2):
        records = audit(folder, folder)
        assert [verdict_of(record) for record in records] == [Verdict.CONSISTENT] * 2
    assert sorted(path.name for path in folder.iterdir()) == [
        "cmrorient-audit.csv",
        "cmrorient-audit.html",
        "cmrorient-audit.jsonl",
        "true",
    ]


def test_wrong_usage_writes_nothing(archive: Path, tmp_path: Path) -> None:
    assert main(["audit", str(tmp_path / "nowhere"), "-o", str(tmp_path / "page.html")]) == 2
    assert main(["audit", str(archive), "-o", str(tmp_path / "page.png")]) == 2
    (tmp_path / "page.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="in the way"):
        audit(archive, tmp_path / "page.html")
    assert snapshot(tmp_path).keys() == {"page.html"}


def test_dicom_series_tell_their_scanner(data_root: Path, tmp_path: Path) -> None:
    folder = parts.need_path(data_root / "dicom" / "SCD0000201", "needs the CC0 DICOM series")
    records = audit(folder, tmp_path)
    assert {record.path for record in records} == {"ed_stack", "cine_one_slice"}
    assert {record.image.scanner for record in records} == {"GE MEDICAL SYSTEMS SIGNA HDx"}
    assert {verdict_of(record) for record in records} == {Verdict.CONSISTENT}
    text = (tmp_path / "cmrorient-audit.html").read_text(encoding="utf-8")
    assert '<th scope="row"><bdi>GE MEDICAL SYSTEMS SIGNA HDx</bdi></th><td>2</td><td>2</td>' in text


def test_a_report_that_cannot_be_written_is_told_before_the_work(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    looked_at = []
    with pytest.raises(UsageError, match=r"the report's folder cannot be written .*give another folder"):
        audit(
            archive,
            tmp_path / "file" / "audit.html",
            progress=lambda outcome, done, total: looked_at.append(outcome),
        )
    assert looked_at == []
