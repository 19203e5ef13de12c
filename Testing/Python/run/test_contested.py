"""Two inputs for one output: both are named, neither is written, and the others are done."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from sample_study import cmrorient, phantom, put, tree

from CMROrientLib.folders import audit_folder, correct_folder, recognize_folder
from CMROrientLib.io import read
from CMROrientLib.run.store import read_records
from CMROrientLib.volume import Volume


@pytest.fixture
def studies(tmp_path: Path) -> list[Path]:
    """Two people: one name is in both studies, one in each alone."""
    for number, person in enumerate(("P1", "P2")):
        put(phantom(5, seed=number), tmp_path / person / "cine.nii.gz")
        put(phantom(5, seed=2 + number), tmp_path / person / f"of_{person}.nii.gz")
    return [tmp_path / "P1", tmp_path / "P2"]


def images(out: Path) -> dict[str, bytes]:
    return {name: data for name, data in tree(out).items() if not name.startswith("cmrorient")}


@pytest.mark.parametrize("jobs", [1, 2])
def test_both_are_named_and_the_others_are_done(studies: list[Path], tmp_path: Path, jobs: int) -> None:
    out = tmp_path / "out"
    done = cmrorient("correct", *studies, "-o", out, "--orientation", 5, "--jobs", jobs)
    assert done.status == 1
    for words in (
        studies[0] / "cine.nii.gz",
        studies[1] / "cine.nii.gz",
        "cine.nii.gz: rename one",
        "folders of their",
    ):
        assert str(words) in done.err
    assert sorted(images(out)) == ["of_P1.nii.gz", "of_P2.nii.gz"]
    np.testing.assert_array_equal(read(out / "of_P2.nii.gz").array, phantom(0, seed=3).array)
    records = {record.path: record for record in read_records(out)}
    assert sorted(records) == ["cine.nii.gz", "of_P1.nii.gz", "of_P2.nii.gz"]
    assert records["cine.nii.gz"].failed and records["cine.nii.gz"].output is None
    assert "would both be written" in (out / "cmrorient.html").read_text(encoding="utf-8")
    # One of them alone is no rival of anybody.
    assert cmrorient("correct", studies[0], "-o", out, "--orientation", 5).status == 0
    np.testing.assert_array_equal(read(out / "cine.nii.gz").array, phantom(0).array)


def test_a_dry_run_tells_the_same(studies: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    dry = cmrorient("correct", *studies, "-o", out, "--orientation", 5, "--dry-run", "--json")
    assert dry.status == 1 and not out.exists()
    done = cmrorient("correct", *studies, "-o", out, "--orientation", 5, "--json")
    assert done.status == 1
    told = [sorted((row["path"], row["error"] or "") for row in run.records) for run in (dry, done)]
    assert told[0] == told[1] and len(told[0]) == 4


@pytest.mark.parametrize("more", [{}, {"overwrite": True}, {"target": 2}])
def test_what_lies_there_is_neither_written_nor_removed(
    studies: list[Path], tmp_path: Path, more: dict[str, object]
) -> None:
    out = tmp_path / "out"
    correct_folder(studies[0], out, orientation=6)
    before = images(out)
    records = correct_folder(studies, out, orientation=5, **more)
    assert [record.error is None for record in records] == [False, True, False, True]
    assert images(out)["cine.nii.gz"] == before["cine.nii.gz"]
    prior = next(record for record in read_records(out) if record.path == "cine.nii.gz")
    assert prior.output == "cine.nii.gz" and prior.orientation == 6, "what is known of it stays known"
    assert [record.error for record in correct_folder(studies[0], out, orientation=6)] == [None, None]
    # An edit of it outlives all of this, too.
    (out / "cine.nii.gz").write_bytes(b"edited")
    correct_folder(studies, out, orientation=5, **more)
    assert images(out)["cine.nii.gz"] == b"edited"


def test_a_file_of_nobody_is_kept(studies: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "cine.nii.gz").write_bytes(b"somebody else's")
    records = correct_folder(studies, out, orientation=5)
    assert sum(record.failed for record in records) == 2
    assert images(out)["cine.nii.gz"] == b"somebody else's"


def test_a_data_file_that_two_headers_name(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    put(phantom(5), source / "a.mhd")
    put(phantom(3, seed=1), source / "c.nii")
    shutil.copy(source / "a.mhd", source / "b.mhd")
    done = cmrorient("correct", source, "-o", out, "--orientation", 5)
    assert done.status == 1
    assert str(source / "a.mhd") in done.err and str(source / "b.mhd") in done.err
    assert "both bring the file a." in done.err and "give each one of its own" in done.err
    assert sorted(images(out)) == ["c.nii"]
    # Nothing is written where one only looks.
    assert [outcome.record.error for outcome in recognize_folder(source, orientation=5)] == [None] * 3
    assert [r.error for r in audit_folder(source, tmp_path / "audit.html", orientation=5)] == [None] * 3


def test_a_mask_that_two_images_claim(tmp_path: Path) -> None:
    image, mask = phantom(5, with_mask=True)
    for name in ("a.nii.gz", "a.nrrd"):
        put(image, tmp_path / "in" / name)
    put(mask, tmp_path / "in" / "a_seg.nii.gz")
    put(phantom(5, seed=1), tmp_path / "in" / "b.nii.gz")
    records = correct_folder(tmp_path / "in", tmp_path / "out", orientation=5, masks=["_seg"])
    assert [record.failed for record in records] == [True, True, False]
    assert "both bring the file a_seg.nii.gz" in (records[0].error or "")
    assert sorted(images(tmp_path / "out")) == ["b.nii.gz"]


@pytest.fixture
def rival_data_sets(tmp_path: Path) -> list[Path]:
    """Two data sets of nnU-Net whose only cases have one name."""
    for seed, name in enumerate(("na", "nb")):
        put(phantom(5, seed=seed), tmp_path / name / "imagesTr" / "case_0000.nii.gz")
        (tmp_path / name / "dataset.json").write_text(f'{{"numTraining": 1, "name": "{name}"}}')
        (tmp_path / name / "README.md").write_text(name)
    return [tmp_path / "na", tmp_path / "nb"]


def test_a_data_set_of_contested_images_only_is_none(rival_data_sets: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert all(record.failed for record in correct_folder(rival_data_sets, out, orientation=5))
    assert images(out) == {}


def test_a_contested_image_that_lies_there_is_of_the_data_set_that_it_was_made_from(
    rival_data_sets: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    correct_folder(rival_data_sets[0], out, orientation=5)
    before = images(out)
    assert sorted(before) == ["README.md", "dataset.json", "imagesTr/case_0000.nii.gz"]
    correct_folder(rival_data_sets[::-1], out, orientation=5)
    assert images(out) == before


@pytest.mark.parametrize("orientation", [0, 5])
@pytest.mark.parametrize("listed", [False, True])
def test_a_data_file_that_two_headers_would_get(tmp_path: Path, orientation: int, listed: bool) -> None:
    """They name files of their own, and one of them would be written under the name that the other one has."""
    source, out = tmp_path / "in", tmp_path / "out"
    put(phantom(orientation), source / "a.mhd")
    header = source / "a.mhd"
    voxels = next(path for path in source.iterdir() if path != header)
    data = read(header).stored()[0].tobytes()
    header.write_text(
        header.read_text().replace("CompressedData = True", "CompressedData = False").split("ElementDataFile")[0]
        + ("ElementDataFile = LIST\na0.dat\na1.dat\n" if listed else "ElementDataFile = a.dat\n")
    )
    voxels.unlink()
    for name, part in (("a0", data[: len(data) // 2]), ("a1", data[len(data) // 2 :])) if listed else (("a", data),):
        (source / f"{name}.dat").write_bytes(part)
    other = phantom(orientation, seed=1)
    put(other, source / "a.nhdr")
    text = (source / "a.nhdr").read_text().replace("encoding: gzip", "encoding: raw").replace("a.raw.gz", "a.raw")
    (source / "a.nhdr").write_text(text)
    (source / "a.raw.gz").unlink()
    (source / "a.raw").write_bytes(read_bytes_of(other))
    put(phantom(3, seed=2), source / "c.nii")
    done = cmrorient("correct", source, "-o", out, "--orientation", 5)
    assert done.status == 1
    assert str(header) in done.err and str(source / "a.nhdr") in done.err
    assert "would both be written to a.raw: rename one" in done.err
    assert sorted(images(out)) == ["c.nii"]
    assert cmrorient("correct", header, "-o", tmp_path / "alone", "--orientation", 5).status == 0
    assert sorted(images(tmp_path / "alone")) == ["a.mhd", "a.raw"]


def read_bytes_of(volume: Volume) -> bytes:
    array = volume.stored()[0]
    return array.astype(array.dtype.newbyteorder("<")).tobytes()


def test_a_data_file_that_two_headers_with_their_voxels_behind_them_would_get(tmp_path: Path) -> None:
    """Neither names a file, and both are written with one beside them."""
    source, out = tmp_path / "in", tmp_path / "out"
    for seed, (name, renamed) in enumerate((("case.mha", "case.mhd"), ("case.nrrd", "case.nhdr"))):
        put(phantom(5, seed=seed), source / name)
        (source / name).rename(source / renamed)
    # Not packed, so that both files have one name.
    nrrd = source / "case.nhdr"
    head = nrrd.read_bytes().split(b"\n\n")[0].replace(b"encoding: gzip", b"encoding: raw")
    nrrd.write_bytes(head + b"\n\n" + read_bytes_of(phantom(5, seed=1)))
    mhd = source / "case.mhd"
    head = mhd.read_bytes().split(b"ElementDataFile")[0].replace(b"CompressedData = True", b"CompressedData = False")
    head = b"".join(line for line in head.splitlines(keepends=True) if not line.startswith(b"CompressedDataSize"))
    mhd.write_bytes(head + b"ElementDataFile = LOCAL\n" + read_bytes_of(phantom(5)))
    done = cmrorient("correct", source, "-o", out, "--orientation", 5, "--overwrite")
    assert done.status == 1
    assert str(mhd) in done.err and str(nrrd) in done.err
    assert "would both be written to case.raw: rename one" in done.err
    assert sorted(images(out)) == []
    for seed, header in enumerate((mhd, nrrd)):
        alone = tmp_path / header.suffix
        assert cmrorient("correct", header, "-o", alone, "--orientation", 5).status == 0
        np.testing.assert_array_equal(read(alone / header.name).array, phantom(0, seed=seed).array)
