"""The output of a BIDS data set is a valid derivative, and what it says of its images is true of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from bids_validator import errors
from sample_study import cmrorient, correct, phantom, put

from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.run.companions.sidecars import Sidecars
from CMROrientLib.run.parts import Action, Finding, ImageFacts
from CMROrientLib.run.record import Record
from CMROrientLib.volume import Volume

FRAME = "ImageOrientationPatientDICOM"
IN_PLANE = "InPlanePhaseEncodingDirectionDICOM"


def say(path: Path, **told: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(told))


def load(path: Path) -> dict[str, object]:
    return json.loads(path.read_text(encoding="utf-8"))


def as_dicom(volume: Volume) -> list[float]:
    """The directions of a DICOM file as dcm2niix would have found them: its rows are turned over."""
    column, row, _ = volume.stored()[1].directions.T
    return [*column, *-row]


def put_data_set(root: Path) -> Path:
    """Images of all places where a sidecar may tell of one; half of them are no short axis."""
    say(root / "dataset_description.json", Name="Hearts", BIDSVersion="1.9.0", Authors=["A", "B"])
    (root / "README.md").write_text("Hearts of the phantom, a stack and a cine of each.\n")
    (root / "participants.tsv").write_text("participant_id\tage\nsub-01\t40\nsub-02\t50\nsub-03\t60\n")
    (root / ".bidsignore").write_text("*_notes.txt")
    (root / "sub-01_notes.txt").write_text("a person's")

    # In the root: for all images of a suffix.
    say(root / "T2w.json", MagneticFieldStrength=1.5, PhaseEncodingDirection="j-")
    # A person with one image that is left alone; the sidecar is dcm2niix's.
    anat = root / "sub-01" / "anat"
    image = phantom(5, sequence="T2")
    put(image, anat / "sub-01_acq-sax_T2w.nii.gz")
    say(anat / "sub-01_acq-sax_T2w.json", EchoTime=0.05, **{FRAME: as_dicom(image), IN_PLANE: "COL"})
    put(phantom(0, seed=9), anat / "sub-01_acq-lax_T2w.nii.gz")
    (root / "sub-01" / "sub-01_scans.tsv").write_text(
        "filename\tacq_time\r\nanat/sub-01_acq-sax_T2w.nii.gz\tn/a\r\nanat/sub-01_acq-lax_T2w.nii.gz\tn/a\r\n"
    )
    manual = root / "derivatives" / "manual"
    say(manual / "dataset_description.json", Name="By hand", BIDSVersion="1.9.0", DatasetType="derivative",
        GeneratedBy=[{"Name": "A reader"}])  # fmt: skip
    (manual / "README.md").write_text("Drawn by a reader who does not exist.\n")
    put(
        phantom(5, sequence="T2", with_mask=True)[1],
        manual / "sub-01" / "anat" / "sub-01_acq-sax_desc-heart_dseg.nii.gz",
    )
    say(manual / "dseg.json", Manual=True)

    # A person with a session, whose cines share a sidecar in the root; and two stacks that share one beside them.
    session = root / "sub-02" / "ses-1"
    say(root / "task-rest_bold.json", TaskName="rest", RepetitionTime=1.0, PhaseEncodingDirection="i",
        SliceTiming=[0.0, 0.2, 0.4, 0.6])  # fmt: skip
    for run, orientation in (("1", 6), ("2", 0)):
        put(phantom(orientation, seed=2, phases=3), session / "func" / f"sub-02_ses-1_task-rest_run-{run}_bold.nii.gz")
    say(session / "anat" / "sub-02_ses-1_T2w.json", EchoTime=0.08)
    for name, orientation in (("a", 3), ("b", 0)):
        put(phantom(orientation, seed=2, sequence="T2"), session / "anat" / f"sub-02_ses-1_acq-{name}_T2w.nii.gz")
    (root / "sub-02" / "sub-02_sessions.tsv").write_text("session_id\tage\nses-1\t50\n")
    # A person of whom nothing is written.
    put(phantom(0, seed=9), root / "sub-03" / "anat" / "sub-03_acq-lax_T2w.nii.gz")
    return root


DECISIONS = {
    "sub-01/anat/sub-01_acq-sax_T2w.nii.gz": "5",
    "sub-01/anat/sub-01_acq-lax_T2w.nii.gz": "not-short-axis",
    "sub-02/ses-1/func/sub-02_ses-1_task-rest_run-1_bold.nii.gz": "6",
    "sub-02/ses-1/func/sub-02_ses-1_task-rest_run-2_bold.nii.gz": "0",
    "sub-02/ses-1/anat/sub-02_ses-1_acq-a_T2w.nii.gz": "3",
    "sub-02/ses-1/anat/sub-02_ses-1_acq-b_T2w.nii.gz": "0",
    "sub-03/anat/sub-03_acq-lax_T2w.nii.gz": "not-short-axis",
}


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return put_data_set(tmp_path_factory.mktemp("bids") / "ds")


@pytest.fixture(scope="module")
def output(data_set: Path) -> Path:
    table = data_set.parent / "decisions.csv"
    table.write_text("path,series,orientation\n" + "".join(f"{path},,{cell}\n" for path, cell in DECISIONS.items()))
    out = data_set / "derivatives" / "cmrorient"
    done = cmrorient("correct", data_set, "-o", out, "--decisions", table)
    assert done.status == 0, done.err
    return out


def test_the_validator_accepts_it(data_set: Path, output: Path) -> None:
    assert errors(data_set) == []
    assert errors(output, derivatives=True) == []


def test_it_lists_what_is_there(data_set: Path, output: Path) -> None:
    assert (output / "participants.tsv").read_text().split("\n") == [
        "participant_id\tage", "sub-01\t40", "sub-02\t50", ""
    ]  # fmt: skip
    assert (output / "sub-01" / "sub-01_scans.tsv").read_bytes().decode() == (
        "filename\tacq_time\r\nanat/sub-01_acq-sax_T2w.nii.gz\tn/a\r\n"
    )
    assert (output / "sub-02" / "sub-02_sessions.tsv").read_text() == "session_id\tage\nses-1\t50\n"
    assert (output / ".bidsignore").read_text() == "*_notes.txt\n/cmrorient.*\n"
    assert load(output / "derivatives" / "manual" / "dataset_description.json")["GeneratedBy"][1:] == [
        {"Name": "A reader"}
    ]
    assert load(output / "derivatives" / "manual" / "dseg.json") == {"Manual": True}


def told_of(image: Path, root: Path) -> dict[str, object]:
    """What a reader of BIDS joins of the sidecars that count for an image."""
    *entities, suffix = image.name.removesuffix(".nii.gz").split("_")
    found: dict[str, object] = {}
    for folder in reversed([image.parent, *[f for f in image.parent.parents if f.is_relative_to(root)]]):
        fitting = [
            path
            for path in folder.glob("*.json")
            if (parts := path.stem.split("_"))[-1] == suffix and set(parts[:-1]) <= set(entities)
        ]
        assert len(fitting) <= 1, "BIDS has no more than one in a folder"
        found.update(load(fitting[0]) if fitting else {})
    return found


def images(output: Path) -> Iterator[tuple[str, Path]]:
    for name, decided in DECISIONS.items():
        if decided != "not-short-axis":
            yield name, output / name


def test_shared_sidecars_stay_and_what_changed_is_overridden(data_set: Path, output: Path) -> None:
    for name in ("T2w.json", "task-rest_bold.json"):
        assert (output / name).read_bytes() == (data_set / name).read_bytes()
    func = output / "sub-02" / "ses-1" / "func"
    # Rotated back, columns are rows; what was not turned needs no word of its own but that of every derivative.
    assert load(func / "sub-02_ses-1_task-rest_run-1_bold.json") == {
        "PhaseEncodingDirection": "j", "SkullStripped": False
    }  # fmt: skip
    assert load(func / "sub-02_ses-1_task-rest_run-2_bold.json") == {"SkullStripped": False}
    # BIDS has no place for a shared sidecar beside an image's own.
    anat = output / "sub-02" / "ses-1" / "anat"
    assert not (anat / "sub-02_ses-1_T2w.json").exists()
    assert load(anat / "sub-02_ses-1_acq-a_T2w.json") == {
        "EchoTime": 0.08, "PhaseEncodingDirection": "j", "SkullStripped": False
    }  # fmt: skip
    assert told_of(anat / "sub-02_ses-1_acq-b_T2w.nii.gz", output) == {
        "MagneticFieldStrength": 1.5, "PhaseEncodingDirection": "j-", "EchoTime": 0.08, "SkullStripped": False
    }  # fmt: skip


def test_the_frame_is_that_of_the_turned_image(output: Path) -> None:
    name = "sub-01/anat/sub-01_acq-sax_T2w"
    told, image = load(output / f"{name}.json"), read(output / f"{name}.nii.gz")
    np.testing.assert_allclose(told[FRAME], as_dicom(image), atol=1e-5)
    assert told[IN_PLANE] == "ROW" and told["EchoTime"] == 0.05
    assert told["PhaseEncodingDirection"] == "i-", "overridden beside the image"


def edge(volume: Volume, direction: str) -> object:
    """The voxels at the end that a direction points to, whichever way they lie."""
    array, _ = volume.stored()
    axis = array.ndim - 1 - "ijk".index(direction[0])
    return sorted(np.take(array, 0 if direction.endswith("-") else -1, axis).ravel().tolist())


@pytest.mark.parametrize("name", [name for name, k in DECISIONS.items() if k != "not-short-axis"])
def test_the_phase_is_encoded_along_the_same_voxels(data_set: Path, output: Path, name: str) -> None:
    """Held against the voxels: the end that the direction points to shows the same before and after."""
    before, after = (told_of(root / name, root)["PhaseEncodingDirection"] for root in (data_set, output))
    stored, corrected = read(data_set / name), read(output / name)
    assert edge(stored, str(before)) == edge(corrected, str(after))
    assert DECISIONS[name] == "0" or before != after


@pytest.mark.parametrize("k", list(Orientation))
def test_any_direction_of_any_class(k: Orientation, tmp_path: Path) -> None:
    image, root = phantom(k, size=(32, 40), slices=4), tmp_path / "ds"
    say(root / "dataset_description.json", Name="x", BIDSVersion="1.9.0")
    directions = {"a": "i", "b": "i-", "c": "j", "d": "j-", "e": "k", "f": "k-"}
    for person, direction in directions.items():
        put(image, root / f"sub-{person}" / "anat" / f"sub-{person}_T2w.nii")
        told = {"PhaseEncodingDirection": direction, FRAME: as_dicom(image)}
        say(root / f"sub-{person}" / f"sub-{person}_T2w.json", **told)
    correct(root, tmp_path / "out", orientation=k)
    for person, direction in directions.items():
        above = tmp_path / "out" / f"sub-{person}" / f"sub-{person}_T2w.json"
        corrected = above.parent / "anat" / f"sub-{person}_T2w.nii"
        told = {**load(above), **load(corrected.with_suffix(".json"))}
        assert edge(image, direction) == edge(read(corrected), str(told["PhaseEncodingDirection"]))
        np.testing.assert_allclose(told[FRAME], as_dicom(read(corrected)), atol=1e-5)


def test_reversed_slices_keep_their_times(tmp_path: Path) -> None:
    own = tmp_path / "ds" / "sub-1" / "func" / "sub-1_task-rest_bold.nii"
    say(tmp_path / "ds" / "task-rest_bold.json", SliceTiming=[0.0, 0.2, 0.4, 0.6])
    grid = phantom(0, size=(32, 40), slices=4).stored()[1]
    record = Record(
        "a",
        image=ImageFacts(grid, 2),
        finding=Finding("standard", Orientation.IDENTITY),
        action=Action("auto", geometry_class=Orientation.IDENTITY, grid=grid, slices_reversed=True),
    )
    changed = Sidecars.of(own, tmp_path / "ds").changed(record, derived=True)
    assert json.loads(changed or b"") == {"SliceEncodingDirection": "k-", "SkullStripped": False}


@pytest.mark.parametrize("frame", [None, "no numbers", [1, 0, 0], [0.0] * 6, [float("nan")] * 6, [1, 0, 0, 1, 0, 0]])
def test_a_frame_of_something_else_is_left(frame: object, tmp_path: Path) -> None:
    put(phantom(5, size=(32, 40), slices=4), tmp_path / "in" / "a.nii")
    say(tmp_path / "in" / "a.json", **{FRAME: frame})
    correct(tmp_path / "in", tmp_path / "out", orientation=5)
    assert (tmp_path / "out" / "a.json").read_bytes() == (tmp_path / "in" / "a.json").read_bytes()


def test_what_is_no_object_is_carried_over_as_it_is(tmp_path: Path) -> None:
    put(phantom(5, size=(32, 40), slices=4), tmp_path / "in" / "a.nii")
    (tmp_path / "in" / "a.json").write_text("[1, 2")
    correct(tmp_path / "in", tmp_path / "out", orientation=5)
    assert (tmp_path / "out" / "a.json").read_text() == "[1, 2"
