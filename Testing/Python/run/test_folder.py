"""Runs over folders: what is written and what is recorded."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from sample_study import MIN_CONFIDENCE, MODEL, correct, digest, make_study, phantom, put, tree

from CMROrientLib.correction import Correction
from CMROrientLib.errors import UsageError
from CMROrientLib.folders import correct_folder, recognize_folder
from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.store import read_records
from CMROrientLib.run.tables import COLUMNS
from CMROrientLib.volume import Grid, Volume


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return make_study(tmp_path / "in")


def test_a_folder_is_corrected(study: Path, tmp_path: Path) -> None:
    before = tree(study)
    out = tmp_path / "out"
    records = correct(study, out)
    assert tree(study) == before, "originals are never touched"
    assert sorted(tree(out)) == [
        "cmrorient.csv",
        "cmrorient.html",
        "cmrorient.jsonl",
        "cmrorient.sqlite",
        "standard.nrrd",
        "sub/empty.mha",
        "turned.nii.gz",
    ]
    standard = phantom(0)
    for name in ("turned.nii.gz", "sub/empty.mha", "standard.nrrd"):
        np.testing.assert_array_equal(read(out / name).array, standard.array)
    np.testing.assert_allclose(read(out / "turned.nii.gz").grid.affine, standard.grid.affine, atol=1e-4)
    assert (out / "standard.nrrd").read_bytes() == before["standard.nrrd"]
    turned = records["turned.nii.gz"]
    assert (turned.orientation, turned.finding.header_orientation, turned.action.geometry_class) == (5, 5, 5)
    assert (turned.decision, turned.finding.decided_by, turned.conflict, turned.finding.mirrored) == (
        "reoriented",
        "network",
        False,
        False,
    )
    assert turned.files.sha256_in == digest(study / "turned.nii.gz")
    assert turned.files.sha256_out == digest(out / "turned.nii.gz")
    assert (turned.output, turned.files.written, turned.files.kind, turned.error) == (
        "turned.nii.gz",
        ("turned.nii.gz",),
        "nifti",
        None,
    )
    assert turned.image.grid == read(study / "turned.nii.gz").stored()[1]
    for record in records.values():
        if record.action.grid is not None:
            written = read(out / record.path).stored()[1]
            np.testing.assert_allclose(written.affine, record.action.grid.affine, atol=1e-4)
            assert written.size == record.action.grid.size
    assert (records["sub/empty.mha"].finding.header_state, records["sub/empty.mha"].action.geometry_class) == (
        "none",
        0,
    )
    assert (records["standard.nrrd"].decision, records["standard.nrrd"].note) == (
        "standard",
        "copied: nothing to change",
    )
    broken = records["text.nii"]
    assert broken.error is not None
    assert "\n" not in broken.error
    assert (broken.output, broken.orientation, broken.decision, broken.failed) == (None, None, None, True)


def test_the_record_is_kept_as_lines_and_as_a_table(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    records = correct(study, out)
    assert {record.path: record for record in read_records(out)} == records
    rows = list(csv.DictReader((out / "cmrorient.csv").open(encoding="utf-8-sig", newline="")))
    assert [row["path"] for row in rows] == sorted(records)
    by_path = {row["path"]: row for row in rows}
    assert tuple(rows[0]) == COLUMNS
    assert by_path["turned.nii.gz"]["orientation"] == "rotate-90"
    assert by_path["turned.nii.gz"]["output"] == "turned.nii.gz"
    assert by_path["text.nii"]["orientation"] == ""
    page = (out / "cmrorient.html").read_text(encoding="utf-8")
    assert "turned.nii.gz" in page
    assert page.count("data:image/") >= 6


@pytest.mark.parametrize("geometry", ["auto", "follow", "keep"])
@pytest.mark.parametrize("header", ["true", "false", "empty"])
def test_geometry_modes(tmp_path: Path, geometry: str, header: str) -> None:
    k = Orientation.ROTATE_90
    stored = phantom(k, header=header)
    put(stored, tmp_path / "in" / "a.nii")
    record = correct(tmp_path / "in", tmp_path / "out", orientation=5, geometry=geometry, target=3)["a.nii"]
    h = {"true": k, "false": Orientation.IDENTITY, "empty": None}[header]
    expected = {"auto": h or Orientation.IDENTITY, "follow": k, "keep": Orientation.IDENTITY}[geometry]
    assert record.finding.header_orientation == h
    assert record.action.geometry_class == expected
    assert record.conflict == (header == "false")
    result = read(tmp_path / "out" / "a.nii")
    wanted = Correction(k, expected, Orientation.ROTATE_180).apply(stored)
    np.testing.assert_array_equal(result.array, Orientation.ROTATE_180.apply(phantom(0).array))
    if header != "empty":
        np.testing.assert_allclose(result.grid.affine, wanted.grid.affine, atol=1e-4)
    assert result.has_geometry == (header != "empty")
    assert record.finding.decided_by == "user"
    assert record.model is None


def test_conflicts_can_be_skipped(tmp_path: Path) -> None:
    put(phantom(5, header="false"), tmp_path / "in" / "a.nii")
    put(phantom(5), tmp_path / "in" / "b.nii")
    records = correct(tmp_path / "in", tmp_path / "out", skip_conflicts=True, orientation=5)
    assert (records["a.nii"].conflict, records["a.nii"].output) == (True, None)
    assert records["a.nii"].note == "conflict of pixels and header: skipped"
    assert not records["a.nii"].failed
    assert not (tmp_path / "out" / "a.nii").exists()
    assert (tmp_path / "out" / "b.nii").exists()
    # Without the switch it is corrected, and what an earlier run left out is done now.
    records = correct(tmp_path / "in", tmp_path / "out", orientation=5)
    assert records["a.nii"].output == "a.nii"


def test_masks_follow_their_image(tmp_path: Path) -> None:
    image, mask = phantom(6, with_mask=True)
    # The mask's own header was left behind when its image was turned: it gets the same operation.
    other = replace(mask, grid=phantom(0, size=(image.grid.size[0], image.grid.size[1])).grid)
    source = tmp_path / "in"
    put(image, source / "a.nii.gz")
    put(mask, source / "a_seg.nii.gz")
    put(other, source / "a_gt.mha")
    out = tmp_path / "out"
    record = correct(source, out, masks=["_seg", "_gt"])["a.nii.gz"]
    assert len(read_records(out)) == 1
    upright, upright_mask = phantom(0, with_mask=True)
    np.testing.assert_array_equal(read(out / "a.nii.gz").array, upright.array)
    for name in ("a_seg.nii.gz", "a_gt.mha"):
        np.testing.assert_array_equal(read(out / name).array, upright_mask.array)
        assert read(out / name).array.dtype == np.uint8
    correction = Correction(Orientation(6), Orientation(6))
    np.testing.assert_allclose(read(out / "a_seg.nii.gz").grid.affine, upright_mask.grid.affine, atol=1e-4)
    np.testing.assert_allclose(read(out / "a_gt.mha").grid.affine, correction.apply(other).grid.affine, atol=1e-4)
    assert [(m.path, m.output) for m in record.files.masks] == [
        ("a_gt.mha", "a_gt.mha"),
        ("a_seg.nii.gz", "a_seg.nii.gz"),
    ]
    assert record.files.masks[1].sha256_out == digest(out / "a_seg.nii.gz")


def test_masks_of_a_standard_image_are_copied(tmp_path: Path) -> None:
    image, mask = phantom(0, with_mask=True)
    put(image, tmp_path / "in" / "a.nii.gz")
    put(mask, tmp_path / "in" / "a_seg.nrrd")
    correct(tmp_path / "in", tmp_path / "out", masks=["_seg"], orientation=0)
    assert {n: b for n, b in tree(tmp_path / "out").items() if not n.startswith("cmrorient")} == tree(tmp_path / "in")


def test_a_mask_that_does_not_fit_is_an_error_of_its_case(tmp_path: Path) -> None:
    _, mask = phantom(1, with_mask=True, size=(64, 128))
    put(phantom(1), tmp_path / "in" / "a.nii")
    put(mask, tmp_path / "in" / "a_seg.nii")
    put(phantom(1), tmp_path / "in" / "b.nii")
    (tmp_path / "in" / "b_seg.nii").write_bytes(b"broken")
    put(phantom(1), tmp_path / "in" / "c.nii")
    told: list[str] = []
    records = correct(tmp_path / "in", tmp_path / "out", masks=["_seg"], orientation=1, warn=told.append)
    assert records["a.nii"].error is not None
    assert records["a.nii"].error.startswith("a_seg.nii: the mask has 64 × 128 × 4 columns")
    assert records["b.nii"].error is not None
    assert records["b.nii"].error.startswith("b_seg.nii: ")
    assert records["c.nii"].error is None
    assert [n for n in tree(tmp_path / "out") if n.endswith(".nii")] == ["c.nii"]
    assert told == []


def test_a_mask_without_an_image_is_told(tmp_path: Path) -> None:
    put(phantom(1), tmp_path / "in" / "a.nii")
    put(phantom(1), tmp_path / "in" / "b_seg.nii")
    told: list[str] = []
    records = correct(tmp_path / "in", tmp_path / "out", masks=["_seg"], orientation=1, warn=told.append)
    assert list(records) == ["a.nii"]
    assert len(told) == 1
    assert "b_seg.nii" in told[0]


def test_a_3d_mask_of_a_cine(tmp_path: Path) -> None:
    cine = phantom(7, phases=3, slices=2)
    _, mask = phantom(7, with_mask=True, slices=2)
    put(cine, tmp_path / "in" / "a.nii")
    put(mask, tmp_path / "in" / "a_seg.nii")
    record = correct(tmp_path / "in", tmp_path / "out", masks=["_seg"])["a.nii"]
    assert (record.orientation, record.image.phases, record.error) == (7, 3, None)
    np.testing.assert_array_equal(read(tmp_path / "out" / "a.nii").array, phantom(0, phases=3, slices=2).array)
    np.testing.assert_array_equal(read(tmp_path / "out" / "a_seg.nii").array, Orientation(7).inverse.apply(mask.array))


def test_slices_along_another_axis(tmp_path: Path) -> None:
    upright = phantom(4)
    put(replace(upright, slice_axis=0), tmp_path / "in" / "a.nii")
    found = correct(tmp_path / "in", tmp_path / "out", orientation=4)["a.nii"]
    assert found.image.slice_axis == 0
    given = correct(tmp_path / "in", tmp_path / "out", orientation=4, slice_axis=2)["a.nii"]
    assert given.image.slice_axis == 2
    assert given.settings != found.settings


def test_a_dry_run_writes_nothing(study: Path, tmp_path: Path) -> None:
    records = correct(study, tmp_path / "out", dry_run=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert records["turned.nii.gz"].orientation == 5
    assert records["turned.nii.gz"].action.grid is not None
    assert {(r.output, r.files.sha256_out) for r in records.values()} == {(None, None)}


def test_the_output_folder_cannot_be_made(study: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="output folder cannot be written"):
        correct(study, tmp_path / "file" / "out", orientation=1)


def test_an_output_that_cannot_be_written_is_an_error_of_its_case(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "turned.nii.gz").mkdir(parents=True)
    (out / "sub").write_text("a file where a folder has to be")
    records = correct(study, out, orientation=5, overwrite=True)
    assert records["turned.nii.gz"].error is not None
    assert records["sub/empty.mha"].error is not None
    assert records["standard.nrrd"].error is None
    assert records["turned.nii.gz"].output is None


def test_recognizing_writes_nothing(study: Path, tmp_path: Path) -> None:
    outcomes = list(recognize_folder(study, model=MODEL, min_confidence=MIN_CONFIDENCE, pictures=True))
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    found = {outcome.record.path: outcome.record for outcome in outcomes}
    assert found["turned.nii.gz"].orientation == 5
    assert found["turned.nii.gz"].action is None
    assert [outcome.thumbnails is None for outcome in outcomes].count(True) == 1


def test_blank_and_tiny_images(tmp_path: Path) -> None:
    nibabel.save(nibabel.Nifti1Image(np.zeros((20, 20, 3), np.int16), np.eye(4)), tmp_path / "blank.nii")
    nibabel.save(nibabel.Nifti1Image(np.arange(4, dtype=np.int16).reshape(2, 2, 1), np.eye(4)), tmp_path / "tiny.nii")
    records = {o.record.path: o.record for o in recognize_folder(tmp_path, model=MODEL, min_confidence=MIN_CONFIDENCE)}
    said = "there is nothing to see in it: every slice has one value only; check how it was exported"
    assert records["blank.nii"].error == said
    assert records["tiny.nii"].error is None


def test_one_file_alone(tmp_path: Path) -> None:
    path = put(phantom(1), tmp_path / "in" / "deep" / "ä b.nii")
    records = correct_folder(path, tmp_path / "out", orientation=1)
    assert [(record.path, record.output) for record in records] == [("ä b.nii", "ä b.nii")]


def test_every_type_is_bit_identical(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    grid = Grid((5, 7, 3), (1.5, 1.25, 8.0), (1.0, 2.0, 3.0))
    for dtype in ("uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"):
        array = rng.integers(0, 200, (3, 7, 5)).astype(dtype)
        if array.dtype.kind == "f":
            array += rng.random(array.shape).astype(dtype)
        put(Volume(array, grid), tmp_path / "in" / f"{dtype}.nii.gz")
    records = correct(tmp_path / "in", tmp_path / "out", orientation=6)
    assert len(records) == 7
    for path in records:
        before, after = read(tmp_path / "in" / path), read(tmp_path / "out" / path)
        assert after.array.dtype == before.array.dtype
        np.testing.assert_array_equal(Orientation(6).apply(after.array), before.array)
