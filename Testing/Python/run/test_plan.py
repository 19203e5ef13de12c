"""Where the images of a run go, and the calls that are refused before anything is written."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
import pytest
from sample_study import MODEL, phantom, put

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.folders import correct_folder, recognize_folder
from CMROrientLib.io import ImageFiles, read
from CMROrientLib.io.metaimage.header import MetaImageHeader
from CMROrientLib.recognition.cards.model_files import find_model
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.run import plan as batch_plan
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.plan import RunPlan
from CMROrientLib.run.plan import plan_run as plan_of


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def plan_run(inputs, output=None, **options) -> RunPlan:
    return plan_of(RunOptions(inputs=inputs, output=output, **options))


def names(plan: RunPlan) -> list[str]:
    return [image.path for image in plan.images]


def test_the_tree_keeps_its_shape(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    touch(source / "a.nii.gz", source / "sub one" / "ü" / "b.mha", source / "notes.txt", source / ".hidden.nii")
    plan = plan_run([source], out)
    assert names(plan) == ["a.nii.gz", "sub one/ü/b.mha"]
    assert [image.destination for image in plan.images] == [out / "a.nii.gz", out / "sub one" / "ü" / "b.mha"]


def test_files_and_folders_together(tmp_path: Path) -> None:
    touch(tmp_path / "one" / "a.nii", tmp_path / "two" / "deep" / "b.nrrd", tmp_path / "two" / "c.nii")
    plan = plan_run([tmp_path / "one" / "a.nii", tmp_path / "two"], tmp_path / "out")
    assert names(plan) == ["a.nii", "c.nii", "deep/b.nrrd"]


def test_a_file_finds_the_masks_beside_it(tmp_path: Path) -> None:
    one, out = put(phantom(5), tmp_path / "in" / "one.nii.gz"), tmp_path / "out"
    put(phantom(5), tmp_path / "in" / "one_seg.nrrd")
    put(phantom(5), tmp_path / "in" / "two.nii.gz")
    put(phantom(5), tmp_path / "in" / "two_seg.nii.gz")
    touch(
        tmp_path / "in" / "one_segmented.nii", tmp_path / "in" / "one_seg.txt", tmp_path / "in" / "sub" / "one_seg.nii"
    )
    plan = plan_run([one], out, masks=["_seg", "_gt"])
    assert names(plan) == ["one.nii.gz"]
    assert [mask.name for mask in plan.images[0].masks] == ["one_seg.nrrd"]
    # Given as well, it is neither an image nor lonely.
    plan = plan_run([one, tmp_path / "in" / "one_seg.nrrd"], out, masks=["_seg"])
    assert (names(plan), plan.lonely_masks) == (["one.nii.gz"], [])
    assert plan_run([one], out).images[0].masks == ()
    correct_folder(one, out, masks=["_seg"], orientation=5)
    for name in ("one.nii.gz", "one_seg.nrrd"):
        np.testing.assert_array_equal(read(out / name).array, phantom(0).array)
    assert not (out / "two_seg.nii.gz").exists()


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".mha", ".nrrd"])
def test_masks_follow_their_image(tmp_path: Path, suffix: str) -> None:
    touch(tmp_path / "p" / f"a{suffix}", tmp_path / "p" / "a_seg.nii.gz", tmp_path / "p" / "a_gt.mha")
    touch(tmp_path / "p" / "a_segmented.nii", tmp_path / "q" / "b_seg.nii", tmp_path / "p" / "_seg.nii")
    plan = plan_run([tmp_path], masks=["_seg", "_gt"])
    assert names(plan) == [f"p/a{suffix}", "p/a_segmented.nii"]
    assert sorted(mask.name for mask in plan.images[0].masks) == ["p/a_gt.mha", "p/a_seg.nii.gz"]
    assert sorted(path.name for path in plan.lonely_masks) == ["_seg.nii", "b_seg.nii"]


@pytest.mark.parametrize("endings", [[""], ["_seg.nii.gz"], ["a/b"]])
def test_endings_that_make_no_sense(endings: list[str]) -> None:
    with pytest.raises(UsageError, match="ending of a mask"):
        RunOptions(inputs="in", masks=endings)


def test_missing_and_empty_inputs(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file or folder"):
        plan_run([tmp_path / "missing"])
    with pytest.raises(UsageError, match="at least one"):
        plan_run([])
    with pytest.raises(CMROrientError, match="no images found") as caught:
        plan_run([tmp_path])
    assert not isinstance(caught.value, UsageError)


def test_output_and_input_lie_apart(tmp_path: Path) -> None:
    source = tmp_path / "in"
    touch(source / "sub" / "a.nii")
    for output in (source, source / "out", source / "sub" / ".." / "x", tmp_path):
        with pytest.raises(UsageError, match="lies inside"):
            plan_run([source], output)
    with pytest.raises(UsageError, match="lies inside"):
        plan_run([source / "sub" / "a.nii"], source / "sub")
    with pytest.raises(UsageError, match="the output is a file"):
        plan_run([source / "sub"], source / "sub" / "a.nii")
    # Beside a single file is not over it.
    assert len(plan_run([source / "sub" / "a.nii"], source / "sub" / "out").images) == 1


@pytest.mark.skipif(os.name == "nt", reason="links need rights that a Windows user lacks")
def test_links_do_not_lead_out_of_the_output(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    touch(source / "sub" / "a.nii")
    out.mkdir()
    (tmp_path / "link").symlink_to(source)
    with pytest.raises(UsageError, match="lies inside"):
        plan_run([source], tmp_path / "link" / "out")
    (out / "sub").symlink_to(source / "sub")
    with pytest.raises(UsageError, match="a link leads out"):
        plan_run([source], out)


@pytest.mark.skipif(os.name == "nt", reason="links need rights that a Windows user lacks")
def test_links_do_not_lead_into_the_output(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    touch(source / "a.nii", out / "sub" / "a.nii")
    (source / "round").symlink_to(tmp_path)
    # Else every run would take the results of the one before for images.
    with pytest.raises(UsageError, match="a link in the input leads into the output folder"):
        plan_run([source], out)
    assert names(plan_run([source], tmp_path / "other")) == ["a.nii", "round/out/sub/a.nii"]


def test_two_inputs_for_one_output(tmp_path: Path) -> None:
    touch(tmp_path / "one" / "a.nii", tmp_path / "two" / "a.nii", tmp_path / "two" / "b.nii")
    plan = plan_run([tmp_path / "one", tmp_path / "two"], tmp_path / "out")
    assert [(image.path, image.contested) for image in plan.images] == [
        ("a.nii", True),
        ("a.nii", True),
        ("b.nii", False),
    ]
    plan = plan_run([tmp_path / "one" / "a.nii", tmp_path / "two" / "a.nii"], tmp_path / "out")
    assert all("would both be written to a.nii" in (image.error or "") for image in plan.images)
    assert names(plan_run([tmp_path / "one", tmp_path / "two" / "b.nii"], tmp_path / "out")) == ["a.nii", "b.nii"]
    # Nothing is written twice by looking twice.
    assert len(plan_run([tmp_path / "one", tmp_path / "two"]).images) == 3


def test_the_same_input_twice_is_one(tmp_path: Path) -> None:
    touch(tmp_path / "in" / "a.nii")
    plan = plan_run([tmp_path / "in", tmp_path / "in", tmp_path / "in" / "a.nii"], tmp_path / "out")
    assert names(plan) == ["a.nii"]


def test_a_series_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = (tmp_path / "in" / "s" / "1", tmp_path / "in" / "s" / "2")
    touch(*files)
    series = [ImageFiles(files[0].parent, files[:1], "dicom", "1.2"), ImageFiles(files[1].parent, files[1:], "dicom")]
    monkeypatch.setattr(batch_plan, "find", lambda root: series)
    plan = plan_run([tmp_path / "in"], tmp_path / "out")
    assert [image.key for image in plan.images] == [("s", "1.2"), ("s", None)]
    assert {image.destination for image in plan.images} == {tmp_path / "out" / "s"}
    clashing = [replace(series[0], series="1.3"), series[0]]
    monkeypatch.setattr(batch_plan, "find", lambda root: clashing)
    assert all(image.contested for image in plan_run([tmp_path / "in"], tmp_path / "out").images)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"geometry": "best"}, "geometry is one of"),
        ({"target": 8}, "target is a class"),
        ({"orientation": -1}, "orientation is a class"),
        ({"slice_axis": 3}, "slice axis"),
        ({"jobs": 0}, "number of jobs"),
        ({"min_confidence": 2.0}, "from 0 to 1"),
        ({"model": "best"}, "no model"),
        ({"device": "best"}, "no device"),
        ({"masks": [".nii"]}, "ending of a mask"),
        ({"decisions": "missing.csv"}, "cannot be read"),
        ({"orientation": 1, "decisions": "x.csv"}, "not both"),
    ],
)
def test_wrong_calls_write_nothing(tmp_path: Path, settings: dict[str, object], message: str) -> None:
    put(phantom(slices=1), tmp_path / "in" / "a.nii")
    with pytest.raises(UsageError, match=message):
        correct_folder(tmp_path / "in", tmp_path / "out", **settings)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_wrong_calls_are_told_before_the_first_image(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        recognize_folder(tmp_path / "missing")


def test_settings_have_a_digest() -> None:
    model = find_model(MODEL)
    other = replace(model, checksum="other")
    recalibrated = replace(model, card=replace(model.card, decision=DecisionRule(min_confidence=0.123)))
    settings = RunOptions(inputs="in")
    assert settings.digest(model, None) == RunOptions(inputs="other", device="cpu", jobs=3).digest(model, None)
    others = [
        RunOptions(inputs="in", min_confidence=0.5),
        RunOptions(inputs="in", geometry="keep"),
        RunOptions(inputs="in", skip_conflicts=True),
        RunOptions(inputs="in", slice_axis=2),
        RunOptions(inputs="in", averaging=False),
    ]
    digests = {settings.digest(m, None) for m in (model, other, recalibrated, None)}
    digests |= {entry.digest(model, None) for entry in others}
    assert len(digests) == 9


def test_the_header_of_a_detached_image_is_read_once_for_its_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once to find the image's files, and once to know what would be written."""
    for name in "abc":
        put(phantom(1, slices=1), tmp_path / "in" / f"{name}.mhd")
    read: Counter[str] = Counter()
    header_of = MetaImageHeader.read.__func__

    def count(kind: type[MetaImageHeader], stream: IO[bytes], path: Path) -> MetaImageHeader:
        read[path.name] += 1
        return header_of(kind, stream, path)

    monkeypatch.setattr(MetaImageHeader, "read", classmethod(count))
    assert len(plan_run(tmp_path / "in", tmp_path / "out", companions="none").images) == 3
    assert read == {"a.mhd": 2, "b.mhd": 2, "c.mhd": 2}
