"""The calls on folders that the package offers do what the commands of their names do."""

from __future__ import annotations

import inspect
import json
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

import CMROrientLib as cmr
from CMROrientLib.io import read, write
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.run.options import RunOptions
from CMROrientLib.volume import Volume


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """An image that is stored turned, with a header that tells so, and its mask elsewhere."""
    image, mask = make_phantom(slices=4, orientation=5, header="true", with_mask=True)
    write(image, tmp_path / "study" / "a" / "case.nii.gz")
    write(mask, tmp_path / "masks" / "case.nii.gz")
    return tmp_path / "study"


def test_what_was_segmented_comes_back(study: Path, tmp_path: Path) -> None:
    cmr.correct_folder(study, tmp_path / "out", orientation=5)
    mask = read(tmp_path / "masks" / "case.nii.gz")
    write(cmr.correct(mask, Orientation.ROTATE_90), tmp_path / "predicted" / "a" / "case_pred.nii.gz")
    write(mask, tmp_path / "predicted" / "stranger_pred.nii.gz")
    told: list[tuple[str, int, int]] = []
    done = cmr.restore_folder(
        tmp_path / "out",
        tmp_path / "predicted",
        tmp_path / "back",
        suffix="_pred",
        progress=lambda entry, number, total: told.append((entry.path, number, total)),
    )
    assert [(entry.path, entry.output) for entry in done] == [
        ("a/case_pred.nii.gz", "a/case_pred.nii.gz"),
        ("stranger_pred.nii.gz", None),
    ]
    assert done[1].error is not None and "no image of this path" in done[1].error
    assert told == [("a/case_pred.nii.gz", 1, 2), ("stranger_pred.nii.gz", 2, 2)]
    back = read(tmp_path / "back" / "a" / "case_pred.nii.gz")
    assert np.array_equal(back.array, mask.array)
    assert np.allclose(back.grid.affine, mask.grid.affine)
    with pytest.raises(cmr.CMROrientError, match="in the way"):
        cmr.restore_folder(tmp_path / "out", tmp_path / "predicted", tmp_path / "back", suffix="_pred")
    cmr.restore_folder(tmp_path / "out", tmp_path / "predicted", tmp_path / "back", suffix="_pred", overwrite=True)


def test_an_audit(study: Path, tmp_path: Path) -> None:
    lying = make_phantom(slices=4, orientation=1, header="false")
    assert isinstance(lying, Volume)
    write(lying, study / "b" / "case.nii.gz")
    told: list[int] = []
    records = cmr.audit_folder(
        study, tmp_path / "audit.html", progress=lambda outcome, number, total: told.append(number)
    )
    assert [record.path for record in records] == ["a/case.nii.gz", "b/case.nii.gz"] and told == [1, 2]
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["verdict"] for line in lines] == ["consistent", "mirrored"]
    assert (tmp_path / "audit.html").is_file() and (tmp_path / "audit.csv").is_file()
    with pytest.raises(cmr.CMROrientError, match=r"ends in \.html"):
        cmr.audit_folder(study, tmp_path / "audit.txt")
    with pytest.raises(cmr.CMROrientError, match="number of jobs"):
        cmr.audit_folder(study, tmp_path / "audit.html", jobs=0)


def test_an_audit_takes_what_a_run_without_output_can_be_told() -> None:
    correcting = {
        "output",
        "geometry",
        "target",
        "slice_order",
        "skip_conflicts",
        "reset_decisions",
        "dry_run",
        "verify",
    }
    known = {entry.name: entry.default for entry in fields(RunOptions)}
    parameters = inspect.signature(cmr.audit_folder).parameters
    own = {"inputs", "report", "progress", "warn"}
    assert set(parameters) - own == set(known) - correcting - {"inputs", "overwrite", "pictures"}
    assert all(parameters[name].default == known[name] for name in set(parameters) - own)
