"""What ``restore`` never replaces: a file of an original, whichever file of a segmentation would take its place."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_study import tree
from test_restore import OBLIQUE, corrected, image_on, segment

from CMROrientLib.cli.main import main
from CMROrientLib.io import find, read, write
from CMROrientLib.restore import targets
from CMROrientLib.restore.restore import restore


def raw(header: Path) -> None:
    """Write an image anew with its voxels plain in ``case.raw``."""
    import SimpleITK as sitk

    header.parent.mkdir(parents=True, exist_ok=True)
    write(image_on(OBLIQUE), header.with_suffix(".nii"))
    sitk.WriteImage(sitk.ReadImage(str(header.with_suffix(".nii"))), str(header))
    header.with_suffix(".nii").unlink()
    assert header.with_suffix(".raw").is_file()


@pytest.mark.parametrize("more", [[], ["--overwrite"]])
@pytest.mark.parametrize("original", ["case.mhd", "case.nhdr"])
@pytest.mark.parametrize("changed", ["", "edited", "moved", "no store"])
def test_no_voxels_of_an_original_are_replaced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], original: str, changed: str, more: list[str]
) -> None:
    inputs, out, seg = tmp_path / "in", tmp_path / "out", tmp_path / "seg"
    raw(inputs / original)
    corrected(inputs, out)
    segment(out / original, seg / "case.nhdr")
    assert (seg / "case.raw").is_file()
    if changed == "edited":
        (inputs / "case.raw").write_bytes((inputs / "case.raw").read_bytes()[::-1])
    elif changed == "moved":
        inputs = inputs.rename(tmp_path / "moved")
    elif changed == "no store":
        (out / "cmrorient.sqlite").unlink()
    before = tree(inputs)
    assert main(["restore", str(out), str(seg), "-o", str(inputs), *more]) == 2
    told = capsys.readouterr().err
    assert str(inputs / "case.") in told
    assert ("original image itself" if more else "in the way") in told and "give another folder" in told
    assert tree(inputs) == before
    assert main(["restore", str(out), str(seg), "-o", str(tmp_path / "back")]) == 0


def test_each_header_in_a_folder_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``--overwrite`` every target that is there is held against all headers beside it."""
    for number in range(12):
        raw(tmp_path / f"case_{number}.mhd")
    read: list[Path] = []

    def counted(path: Path) -> object:
        read.append(path)
        return find(path)

    monkeypatch.setattr(targets, "find", counted)
    claimed = targets.Targets([], [], overwrite=True, name_of=str)
    for header in sorted(tmp_path.glob("*.mhd")):
        claimed.claim([header, header.with_suffix(".raw")], header.name)
    assert sorted(read) == sorted(tmp_path.glob("*.mhd"))


def test_two_segmentations_with_one_data_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw(tmp_path / "in" / "case.nhdr")
    corrected(tmp_path / "in", tmp_path / "out")
    segment(tmp_path / "out" / "case.nhdr", tmp_path / "seg" / "case.nhdr")
    text = (tmp_path / "seg" / "case.nhdr").read_text().replace("case.raw", "other.dat")
    (tmp_path / "seg" / "case.raw").rename(tmp_path / "seg" / "other.dat")
    (tmp_path / "seg" / "case.nhdr").write_text(text)
    segment(tmp_path / "out" / "case.nhdr", tmp_path / "seg" / "case.mhd")
    call = ["restore", str(tmp_path / "out"), str(tmp_path / "seg"), "-o", str(tmp_path / "back")]
    assert main(call) == 2
    assert "case.mhd and case.nhdr would both be written to it" in capsys.readouterr().err
    assert not (tmp_path / "back").exists()


def test_a_data_file_that_is_named_late_replaces_nothing(tmp_path: Path) -> None:
    """A segmentation without a place gets a header of its own, and with it another name for its voxels."""
    raw(tmp_path / "in" / "case.nhdr")
    corrected(tmp_path / "in", tmp_path / "out")
    segment(tmp_path / "out" / "case.nhdr", tmp_path / "seg" / "case.nhdr")
    lines = (tmp_path / "seg" / "case.nhdr").read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(("space", "kinds"))]
    (tmp_path / "seg" / "case.nhdr").write_text("".join(kept))
    assert not read(tmp_path / "seg" / "case.nhdr").has_geometry
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "case.raw.gz").write_bytes(b"somebody's")
    [entry] = restore(tmp_path / "out", tmp_path / "seg", tmp_path / "back")
    assert "in the way" in (entry.error or "")
    assert tree(tmp_path / "back") == {"case.raw.gz": b"somebody's"}
