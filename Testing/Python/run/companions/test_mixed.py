"""A folder as people have it, with everything in it at once: each part by its own rules, here and on a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clusters import local_cluster
from data_sets import COUNT, bids, nnunet, other_view, put_stack, upright
from phantom_dicom import phantom_files
from pydicom import dcmread
from pydicom.uid import generate_uid
from sample_study import NETWORK, Finished, cmrorient, phantom, put

from CMROrientLib.io import read


def put_everything(root: Path) -> Path:
    """A part of each layout, loose files, DICOM, label maps alone, and a plane that is no short axis."""
    nnunet(root / "nnunet", {"heart_001": 5, "heart_002": 2})
    bids(root / "bids", {"01": 3})
    put(phantom(4, seed=3), root / "siblings" / "images" / "p1.nrrd")
    put(phantom(4, seed=3, with_mask=True)[1], root / "siblings" / "labels" / "p1.nrrd")
    put(phantom(1, seed=4), root / "loose.mha")
    put(phantom(0, seed=5), root / "standard.nii.gz")
    phantom_files(root / "scanner" / "sax", orientation=2)
    for number, path in enumerate(phantom_files(root / "made", orientation=6, slices=COUNT), start=1):
        dataset = dcmread(path)
        dataset.SeriesInstanceUID, dataset.SeriesNumber = generate_uid(), number
        (root / "scanner" / "cines").mkdir(parents=True, exist_ok=True)
        dataset.save_as(root / "scanner" / "cines" / f"{number:02}.dcm")
        path.unlink()
    (root / "made").rmdir()
    put_stack(root / "stack", range(1, COUNT + 1), seed=6)
    put(other_view(0), root / "views" / "four_chamber.nii.gz")
    put(phantom(0, seed=7, with_mask=True)[1], root / "forgotten" / "heart.nii.gz")
    (root / "notes.txt").write_text("of a person")
    return root


#: How each part is stored, and what its images are decided on with.
STORED = {
    "nnunet/imagesTr/heart_001": (5, "channels"),
    "nnunet/imagesTr/heart_002": (2, "channels"),
    "bids/sub-01": (3, None),
    "siblings/images/p1.nrrd": (4, None),
    "loose.mha": (1, None),
    "standard.nii.gz": (0, None),
    "scanner/sax": (2, None),
    "scanner/cines": (6, "stack"),
    "stack/sax": (5, "stack"),
}


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_everything(tmp_path_factory.mktemp("mixed") / "in")


@pytest.fixture(scope="module")
def done(study: Path) -> Finished:
    return cmrorient("correct", study, "-o", study.parent / "out", *NETWORK, "--json")


def test_each_part_is_decided_on_by_its_own_rules(done: Finished) -> None:
    assert done.status == 0, done.err
    left = {record["path"] for record in done.records}
    for name, (orientation, kind) in STORED.items():
        found = [record for record in done.records if record["path"].startswith(name)]
        assert found, name
        assert {(record["orientation"], record["group_kind"], record["error"]) for record in found} == {
            (orientation, kind, None)
        }, name
        left -= {record["path"] for record in found}
    assert left == {"views/four_chamber.nii.gz", "forgotten/heart.nii.gz"}
    sizes = {record["group"]: len(record["companions"]) + 1 for record in done.records if record["group"]}
    assert sorted(sizes.values()) == [2, 2, COUNT, COUNT]


def test_what_is_no_short_axis_stays_behind_and_is_named(study: Path, done: Finished) -> None:
    alone = {record["path"]: record for record in done.records if record["output"] is None}
    assert {path: record["decision"] for path, record in alone.items()} == {
        "views/four_chamber.nii.gz": "not_short_axis",
        "forgotten/heart.nii.gz": "not_short_axis",
    }
    assert alone["forgotten/heart.nii.gz"]["note"] == "left alone: a label map without an image"
    out = study.parent / "out"
    assert not (out / "views").exists() and not (out / "forgotten").exists() and not (out / "notes.txt").exists()
    assert "short-axis image" not in done.err and "nothing but" not in done.err


def test_label_maps_and_small_files_go_with_their_part(study: Path, done: Finished) -> None:
    out = study.parent / "out"
    masks = {mask["path"] for record in done.records for mask in record["masks"]}
    assert masks == {
        "nnunet/labelsTr/heart_001.nii.gz",
        "nnunet/labelsTr/heart_002.nii.gz",
        "bids/derivatives/manual/sub-01/anat/sub-01_acq-sax_desc-heart_dseg.nii.gz",
        "siblings/labels/p1.nrrd",
    }
    for place, seed in (("nnunet/labelsTr/heart_002.nii.gz", 1), ("siblings/labels/p1.nrrd", 3)):
        np.testing.assert_array_equal(read(out / place).array, upright(seed)[1])
    assert json.loads((out / "nnunet" / "dataset.json").read_text())["numTraining"] == 2
    assert json.loads((out / "bids" / "dataset_description.json").read_text())["DatasetType"] == "derivative"
    assert not (out / "bids" / ".bidsignore").exists(), "the run's own files lie elsewhere"


def test_a_second_run_finds_all_done(study: Path, done: Finished) -> None:
    again = cmrorient("correct", study, "-o", study.parent / "out", *NETWORK, "--json")
    assert again.status == 0
    kept = len(done.records)
    assert f"{kept} of them by an earlier run" in " ".join(again.err.split())


@pytest.fixture
def scheduler() -> Iterator[str]:
    with local_cluster() as local:
        yield local.scheduler_address


def told(done: Finished) -> dict[tuple[str, str | None], dict[str, Any]]:
    """The records less what another order of the same sums changes."""
    rounded = ("confidence", "agreement", "slice_order_confidence", "angle", "margin")
    found = {}
    for record in done.records:
        record.update({name: None if record[name] is None else round(record[name], 2) for name in rounded})
        found[record["path"], record["series"]] = {k: v for k, v in record.items() if k != "seconds"}
    return found


def test_a_cluster_says_the_same(study: Path, done: Finished, scheduler: str) -> None:
    """Groups are whole wherever they are worked on."""
    there = cmrorient("correct", study, "-o", study.parent / "out2", *NETWORK, "--json", "--dask", scheduler)
    assert there.status == 0, there.err
    assert told(there) == told(done)
