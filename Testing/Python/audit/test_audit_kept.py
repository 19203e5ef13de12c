"""What an audit has looked at waits on disk: memory stays flat, and what comes back is what was put in."""

from __future__ import annotations

import errno
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from records import changed
from report_samples import acted_on, failed

from CMROrientLib.audit.audit import audit
from CMROrientLib.audit.kept import Kept
from CMROrientLib.cli.main import main
from CMROrientLib.errors import CMROrientError
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.pictures.thumbnails import Thumbnails
from CMROrientLib.run.records import Spool
from CMROrientLib.run.work import Outcome

#: Bytes of the record and of the picture of one image: 300 images more are six megabytes of either.
SIZE = 20_000


@pytest.mark.parametrize("more", [[], ["--json"], ["--only-problems"]])
def test_memory_stays_flat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], more: list[str]
) -> None:
    def found(options: RunOptions, *_: object) -> Iterator[Outcome]:
        # The folder's name tells how many.
        for number in range(int(options.inputs[0].name)):
            record = acted_on(f"patient_{number:06d}/cine.nii.gz", 0, 3, note=f"{number} ".ljust(SIZE, "n"))
            yield Outcome(record, Thumbnails(bytes([number % 256]) * SIZE))

    monkeypatch.setattr("CMROrientLib.audit.audit.recognize", found)
    peaks = []
    # What is imported and made once is in none of the last two.
    for images in (10, 100, 400):
        tracemalloc.start()
        try:
            assert main(["audit", str(tmp_path / str(images)), "-o", str(tmp_path / "report.html"), *more]) == 0
            peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        finally:
            tracemalloc.stop()
        capfd.readouterr()
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 400
    assert peaks[2] - peaks[1] < 3, peaks


def test_records_and_pictures_come_back_by_their_names(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    given = [
        ("right", acted_on("case.nii"), Thumbnails(b"1", b"2", b"3", b"4")),
        ("right", changed(acted_on(".", 0, 0), series="1.2", slice_order="base_first"), Thumbnails(b"5", views=b"6")),
        ("left", changed(acted_on("case.nii", 3), slice_order="apex_first"), Thumbnails(b"7")),
        ("left", failed("b.nii"), None),
        ("left", changed(acted_on("\udcff.nii"), slice_order="base_first"), Thumbnails(b"8", outlines=b"9")),
    ]
    for root, record, pictures in given:
        kept.add(root, Outcome(record, pictures))
    records, pictures_by_name = kept.told_apart()
    keys = [(".", "1.2"), ("b.nii", None), ("left/case.nii", None), ("right/case.nii", None), ("\udcff.nii", None)]
    assert [record.key for record in records] == keys and [record.key for record in records[1:3]] == keys[1:3]
    assert records[0] == given[1][1] and records[-1] == given[4][1] and records[1] == given[3][1]
    marks = [record.finding and record.finding.run_otherwise for record in records]
    assert marks == [None, None, (2, 3), None, None]
    assert dict(pictures_by_name) == {
        keys[0]: given[1][2], keys[2]: given[2][2], keys[3]: given[0][2], keys[4]: given[4][2]
    }  # fmt: skip
    assert len(pictures_by_name) == 4
    for missing in (("b.nii", None), ("case.nii", None), (".", None), ("z", None)):
        assert pictures_by_name.get(missing) is None
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Spool, piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("CMROrientLib.audit.audit.recognize", lambda *_: iter([Outcome(acted_on("a"))]))
    monkeypatch.setattr(Spool, "append", full)
    with pytest.raises(CMROrientError, match=r"cannot be written \(No space left on device\); make room there"):
        audit([tmp_path], tmp_path / "report" / "headers.html")
    assert list((tmp_path / "report").iterdir()) == []
