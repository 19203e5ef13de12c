"""The output of a data set is a data set again: its small files are carried over, and true."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_sets import bids, nnunet
from sample_study import NETWORK, cmrorient, correct, phantom, put, tree

from CMROrientLib.correction import Correction
from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.companions.axes import turned_axis


def load(path: Path) -> dict[str, object]:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_data_set_of_nnunet(tmp_path: Path) -> None:
    source, out = nnunet(tmp_path / "in", {"heart_001": 5, "heart_002": 2}), tmp_path / "out"
    (source / "README.md").write_text("Hearts")
    (source / "notes.docx").write_text("a person's")
    done = cmrorient("correct", source, "-o", out, *NETWORK)
    assert done.status == 0, done.err
    assert (out / "dataset.json").read_bytes() == (source / "dataset.json").read_bytes()
    assert (out / "README.md").is_file() and not (out / "notes.docx").exists()
    before = tree(out)
    assert cmrorient("correct", source, "-o", out, *NETWORK).status == 0
    assert {name: data for name, data in tree(out).items() if not name.startswith("cmrorient")} == {
        name: data for name, data in before.items() if not name.startswith("cmrorient")
    }


def test_cases_that_are_not_written_are_not_counted(tmp_path: Path) -> None:
    source, out = nnunet(tmp_path / "in", {"heart_001": 5, "heart_002": 2}, channels=1), tmp_path / "out"
    told = load(source / "dataset.json")
    told["training"] = [
        {"image": f"./imagesTr/heart_00{n}.nii.gz", "label": f"./labelsTr/heart_00{n}.nii.gz"} for n in (1, 2)
    ]
    (source / "dataset.json").write_text(json.dumps(told))
    (source / "imagesTr" / "heart_002_0000.nii.gz").write_bytes(b"lost")
    correct(source, out)
    carried = load(out / "dataset.json")
    assert carried["numTraining"] == 1 and carried["training"] == told["training"][:1]
    assert {key: carried[key] for key in ("channel_names", "labels")} == {
        k: told[k] for k in ("channel_names", "labels")
    }


def test_a_data_set_of_bids(tmp_path: Path) -> None:
    source, out = bids(tmp_path / "ds", {"01": 5, "02": 2}), tmp_path / "ds" / "derivatives" / "cmrorient"
    told = load(source / "dataset_description.json")
    told.update(License="CC0", Authors=["A. Person"], DatasetDOI="doi:10.1/x")
    (source / "dataset_description.json").write_text(json.dumps(told))
    (source / "sub-01" / "sub-01_scans.tsv").write_text("filename\nanat/sub-01_acq-sax_T2w.nii.gz\n")
    done = cmrorient("correct", source, "-o", out, *NETWORK)
    assert done.status == 0, done.err
    description = load(out / "dataset_description.json")
    assert description["DatasetType"] == "derivative" and description["BIDSVersion"] == "1.9.0"
    assert description["GeneratedBy"][0]["Name"] == "CMROrient" and description["GeneratedBy"][0]["Version"]
    assert description["SourceDatasets"] == [{"URL": "../..", "DOI": "doi:10.1/x"}]
    assert (description["License"], description["Authors"]) == (
        "CC0",
        ["A. Person"],
    ) and "DatasetDOI" not in description
    for name in ("participants.tsv", "README", "sub-01/sub-01_scans.tsv"):
        assert (out / name).read_bytes() == (source / name).read_bytes()
    # Stored rotated by 90°, the rows are the standard columns.
    for subject, direction in (("sub-01", "i-"), ("sub-02", "j")):
        sidecar = load(out / subject / "anat" / f"{subject}_acq-sax_T2w.json")
        assert sidecar["PhaseEncodingDirection"] == direction
    # It is a data set for CMROrient, too.
    again = cmrorient("recognize", out, *NETWORK, "--json")
    assert [(record["orientation"], len(record["masks"])) for record in again.records] == [(0, 1), (0, 1)]


def test_a_persons_files_are_kept(tmp_path: Path) -> None:
    source, out = nnunet(tmp_path / "in", {"heart_001": 5}), tmp_path / "out"
    correct(source, out, orientation=5)
    (out / "dataset.json").write_text("mine")
    told: list[str] = []
    correct(source, out, orientation=3, warn=told.append)
    assert (out / "dataset.json").read_text() == "mine"
    assert told == [
        "dataset.json: in the output folder and not from a run; it is kept, and that of the data set is not "
        "carried over: move it away to have that one"
    ]
    # What a run wrote follows its source.
    (out / "dataset.json").write_bytes((source / "dataset.json").read_bytes())
    (source / "dataset.json").write_text('{"numTraining": 1}')
    correct(source, out, orientation=3)
    assert load(out / "dataset.json") == {"numTraining": 1}


@pytest.mark.parametrize("options", [{"dry_run": True}, {"companions": "none"}], ids=str)
def test_nothing_is_carried_over_where_nobody_asks(tmp_path: Path, options: dict[str, object]) -> None:
    source, out = nnunet(tmp_path / "in", {"heart_001": 5}), tmp_path / "out"
    correct(source, out, orientation=5, **options)
    assert not (out / "dataset.json").exists()


@pytest.mark.parametrize("k", list(Orientation))
@pytest.mark.parametrize("slice_axis", [0, 1, 2])
def test_axes_go_where_the_voxels_go(k: Orientation, slice_axis: int) -> None:
    volume = phantom(0, size=(32, 40), slices=4)
    volume = replace(volume, slice_axis=slice_axis, array=np.arange(volume.array.size).reshape(volume.array.shape))
    array, grid = volume.stored()
    turned, _ = Correction(k, Orientation.IDENTITY).apply(volume).stored()
    for axis in range(3):
        place, backwards = turned_axis(Correction(k, Orientation.IDENTITY), grid, slice_axis, axis)
        line = np.moveaxis(array, 2 - axis, -1)[0, 0]
        found = np.moveaxis(turned, 2 - place, -1)
        found = found[..., ::-1] if backwards else found
        assert (found == line).all(axis=-1).any()


def test_an_image_without_a_sidecar_gets_none(tmp_path: Path) -> None:
    put(phantom(5), tmp_path / "in" / "a.nii.gz")
    correct(tmp_path / "in", tmp_path / "out", orientation=5)
    assert sorted(name for name in tree(tmp_path / "out") if not name.startswith("cmrorient")) == ["a.nii.gz"]
    assert read(tmp_path / "out" / "a.nii.gz").array.shape == phantom(0).array.shape
