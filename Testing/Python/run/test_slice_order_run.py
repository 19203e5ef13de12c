"""A run that brings slices into one order: files, masks, record, the way back, audit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from sample_study import phantom

from CMROrientLib.audit.audit import audit
from CMROrientLib.audit.verdict import Verdict, verdict_of
from CMROrientLib.cli.main import main
from CMROrientLib.errors import UsageError
from CMROrientLib.folders import correct_folder
from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.restore.restore import restore
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.record import Record
from CMROrientLib.volume import Volume

STAY = Orientation.IDENTITY


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three stacks and their masks; slice 0 of one is at the apex. What the pixels show is marked in them."""
    for index, name in enumerate("abc"):
        volume = phantom(3, seed=index)
        array = volume.array.copy()
        array[:, 0, 0] = np.arange(len(array)) if name == "c" else np.arange(len(array))[::-1]
        (tmp_path / "in").mkdir(exist_ok=True)
        write(replace(volume, array=array), tmp_path / "in" / f"{name}.nii.gz")
        write(replace(volume, array=(array > 400).astype(np.uint8)), tmp_path / "in" / f"{name}_seg.nii.gz")
    seen = Recognizer.recognize

    def recognize(self: Recognizer, volume: Volume, progress: object = None) -> object:
        marks = volume.array[:, 0, 0].astype(int)
        order = "base_first" if marks[0] > marks[-1] else "apex_first"
        return replace(seen(self, volume), slice_order=order, slice_order_confidence=0.99)

    monkeypatch.setattr(Recognizer, "recognize", recognize)
    return tmp_path


def records_of(out: Path) -> dict[str, Record]:
    lines = (out / "cmrorient.jsonl").read_text().splitlines()
    return {record.path: record for record in map(Record.from_json, lines)}


def run(study: Path, order: str = "base-first", **more: object) -> dict[str, Record]:
    given = {"masks": ("_seg",), "min_confidence": 0.3, "slice_order": order, **more}
    correct_folder(study / "in", study / "out", **given)  # type: ignore[arg-type]
    return records_of(study / "out")


@pytest.mark.parametrize("geometry", ["auto", "follow", "keep"])
def test_stacks_and_masks_come_in_one_order(study: Path, geometry: str) -> None:
    records = run(study, geometry=geometry)
    for name in "abc":
        source, fixed = (read(study / folder / f"{name}.nii.gz") for folder in ("in", "out"))
        mask = read(study / "out" / f"{name}_seg.nii.gz")
        record = records[f"{name}.nii.gz"]
        assert record.action is not None
        reverse = name == "c"
        assert record.action.slices_reversed == reverse
        p = record.orientation
        assert p is not None
        expected = p.inverse.apply(source.array[::-1] if reverse else source.array)
        assert np.array_equal(fixed.array, expected)
        assert np.array_equal(mask.array, (fixed.array > 400).astype(np.uint8))
        assert np.allclose(mask.grid.affine, fixed.grid.affine)
        assert np.allclose(fixed.grid.centre, source.grid.centre, atol=1e-4)


def test_the_way_back_reverses_them_again(study: Path) -> None:
    run(study, geometry="follow")
    for name in "abc":
        image = sitk.ReadImage(str(study / "out" / f"{name}.nii.gz"))
        (study / "labels").mkdir(exist_ok=True)
        sitk.WriteImage(sitk.Cast(image / 100, sitk.sitkUInt8), str(study / "labels" / f"{name}.nii.gz"))
    done = restore(study / "out", study / "labels", study / "back")
    assert [entry.error for entry in done] == [None] * 3
    for name in "abc":
        original, back = (sitk.ReadImage(str(study / place / f"{name}.nii.gz")) for place in ("in", "back"))
        wanted = (sitk.GetArrayFromImage(original) // 100).astype(np.uint8)
        np.testing.assert_array_equal(sitk.GetArrayFromImage(back), wanted)
        np.testing.assert_allclose(back.GetDirection(), original.GetDirection(), atol=1e-6)
        np.testing.assert_allclose(back.GetOrigin(), original.GetOrigin(), atol=1e-4)


def test_a_second_run_with_another_order_does_it_anew(study: Path) -> None:
    first = run(study, "base-first")
    again = run(study, "base-first")
    assert [record.to_json() for record in first.values()] == [record.to_json() for record in again.values()]
    other = run(study, "apex-first")
    assert [record.action.slices_reversed for record in other.values() if record.action] == [True, True, False]
    kept = run(study, "keep")
    assert not any(record.action.slices_reversed for record in kept.values() if record.action)
    assert all(record.action.slice_order == "keep" for record in kept.values() if record.action)


def test_audit_names_the_stack_that_runs_against_the_rest(study: Path) -> None:
    records = audit(study / "in", study / "report", min_confidence=0.3, masks=("_seg",))
    found = {record.path: verdict_of(record) for record in records}
    assert found["c.nii.gz"] is Verdict.SLICES_REVERSED
    assert Verdict.SLICES_REVERSED not in (found["a.nii.gz"], found["b.nii.gz"])
    lines = [json.loads(line) for line in (study / "report" / "cmrorient-audit.jsonl").read_text().splitlines()]
    words = {line["path"]: line["words"] for line in lines}
    assert "from apex to base, against the rest: 2 of 3 stacks run the other way" in words["c.nii.gz"]
    assert "Slices against the rest" in (study / "report" / "cmrorient-audit.html").read_text()


def test_the_command_line_says_so(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--masks", "_seg", "--min-confidence", "0.3"]
    assert main(["recognize", str(study / "in"), *given]) == 0
    assert "slices run from base to apex in 2 and from apex to base in 1 of the stacks" in capsys.readouterr().err
    assert main(["correct", str(study / "in"), "-o", str(study / "o"), "--slice-order", "apex-first", *given]) == 0
    assert "slices run" not in capsys.readouterr().err
    assert "reversed" in (study / "o" / "cmrorient.html").read_text()


def test_an_order_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="keep, base_first, apex_first, not 'top_first'"):
        RunOptions(inputs=tmp_path, slice_order="top-first")  # type: ignore[arg-type]
