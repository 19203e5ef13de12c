"""What was carried over for an image goes with it, unless somebody has changed it or it tells of others too."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_sets import bids, nnunet
from sample_study import correct

ANAT = "anat/sub-0{0}_acq-sax_T2w"


@pytest.fixture
def data_set(tmp_path: Path) -> Path:
    """The second person's image is the only one of a sidecar of its own folder, and in a table."""
    root = bids(tmp_path / "ds", {"01": 5, "02": 5})
    for n in "12":
        (root / f"sub-0{n}" / f"sub-0{n}_scans.tsv").write_text(f"filename\n{ANAT.format(n)}.nii.gz\n")
        (root / f"sub-0{n}" / f"sub-0{n}_T2w.json").write_text('{"EchoTime": 0.05}')
    return root


def decisions(tmp_path: Path, *names: str) -> Path:
    table = tmp_path / "decisions.csv"
    table.write_text("path,orientation\n" + "".join(f"{name},not-short-axis\n" for name in names))
    return table


def left(out: Path) -> set[str]:
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith("cmrorient.")}


@pytest.mark.parametrize("companions", ["auto", "none"])
def test_it_goes_with_its_image(data_set: Path, tmp_path: Path, companions: str) -> None:
    out, told = tmp_path / "out", []
    correct(data_set, out, orientation=5)
    before = left(out)
    # A label map alone would be an image.
    table = decisions(tmp_path, f"sub-01/{ANAT.format(1)}.nii.gz")
    correct(data_set, out, decisions=table, warn=told.append, companions=companions)
    mask = "derivatives/manual/sub-01/anat/sub-01_acq-sax_desc-heart_dseg"
    gone = {name for name in before if name.startswith(("sub-01/", mask))}
    assert len(gone) >= 5 and left(out) == before - gone
    assert f"sub-01/{ANAT.format(1)}.json: removed, because its image is gone" in told
    if companions == "auto":
        assert (out / "participants.tsv").read_text() == "participant_id\nsub-02\n"
    # As if it had never been there, and it comes back.
    correct(data_set, out, orientation=5)
    assert left(out) == before


def test_what_a_person_changed_stays_and_is_told(data_set: Path, tmp_path: Path) -> None:
    out, told = tmp_path / "out", []
    correct(data_set, out, orientation=5)
    sidecar = f"sub-01/{ANAT.format(1)}.json"
    (out / sidecar).write_text("{}")
    correct(data_set, out, decisions=decisions(tmp_path, f"sub-01/{ANAT.format(1)}.nii.gz"), warn=told.append)
    assert (out / sidecar).read_text() == "{}"
    assert any(line.startswith(f"{sidecar}: changed since it was carried over; it is kept") for line in told)


def test_nothing_is_left_of_a_data_set_without_images(tmp_path: Path) -> None:
    source, out = nnunet(tmp_path / "in", {"heart_001": 5}, channels=1), tmp_path / "out"
    correct(source, out, orientation=5)
    assert "dataset.json" in left(out)
    correct(source, out, decisions=decisions(tmp_path, "imagesTr/heart_001_0000.nii.gz"))
    assert left(out) == set()
