"""Images that belong together get one decision: channels, sequences on one grid, series of one stack."""

from __future__ import annotations

import csv
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_sets import nnunet, upright
from dicom_cases import fresh_series, save_all, turned
from edited_table import edit_table
from pydicom import FileDataset, dcmread
from sample_study import MIN_CONFIDENCE, NETWORK, cmrorient, correct, counting, phantom, put
from test_grouping import put_slices

from CMROrientLib.folders import recognize_folder
from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.run.options import RunOptions
from CMROrientLib.run.plan import plan_run
from CMROrientLib.run.record import Record
from CMROrientLib.run.work import Assignment
from CMROrientLib.run.workers import processes


@pytest.fixture(scope="module")
def data_set(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nnunet(tmp_path_factory.mktemp("nnunet"), {"heart_001": 5, "heart_002": 2})


def by_group(records: list[dict[str, object]]) -> dict[object, list[dict[str, object]]]:
    found: dict[object, list[dict[str, object]]] = {}
    for record in records:
        found.setdefault(record["group"], []).append(record)
    return found


def test_channels_get_one_decision(data_set: Path) -> None:
    done = cmrorient("recognize", data_set, *NETWORK, "--json")
    groups = by_group(done.records)
    assert sorted(groups) == ["imagesTr/heart_001", "imagesTr/heart_002"]
    for name, orientation in (("imagesTr/heart_001", 5), ("imagesTr/heart_002", 2)):
        first, second = groups[name]
        assert first["orientation"] == second["orientation"] == orientation
        assert first["confidence"] == second["confidence"]
        assert {first["group_kind"], second["group_kind"]} == {"channels"}
        assert first["companions"] == [{"path": second["path"], "series": None}]
        assert "Decided together with one other image." in str(first["words"])
        assert sum(first["votes"]) == first["slices"] == 4, "votes are each image's own"


def test_alone_where_nobody_asks_for_groups(data_set: Path) -> None:
    done = cmrorient("recognize", data_set / "imagesTr", *NETWORK, "--companions", "none", "--json")
    assert {record["group"] for record in done.records} == {None}
    assert len({record["confidence"] for record in done.records}) == 4


def test_the_joint_answer_is_that_of_all_slices(data_set: Path) -> None:
    recognizer = Recognizer(min_confidence=MIN_CONFIDENCE, looks="full")
    volumes = [read(data_set / "imagesTr" / f"heart_001_000{channel}.nii.gz") for channel in (0, 1)]
    together, alone = recognizer.recognize_together(volumes), [recognizer.recognize(volume) for volume in volumes]
    assert {found.orientation for found in together} == {Orientation.ROTATE_90}
    for joint, own in zip(together, alone, strict=True):
        np.testing.assert_allclose(joint.slice_probabilities, own.slice_probabilities, atol=1e-6)
        assert (joint.together, own.together) == (2, 1)
    stacked = replace(volumes[0], array=np.stack([volume.array for volume in volumes]))
    assert together[0].confidence == pytest.approx(recognizer.recognize(stacked).confidence, abs=0.05)


def test_a_weak_member_is_carried_by_the_others() -> None:
    """One of three images shows next to nothing."""
    recognizer = Recognizer(min_confidence=MIN_CONFIDENCE)
    good = phantom(5)
    noise = replace(good, array=np.random.default_rng(0).integers(0, 900, good.array.shape).astype(np.int16))
    found = recognizer.recognize_together([good, phantom(5, sequence="LGE"), noise])
    assert {entry.orientation for entry in found} == {Orientation.ROTATE_90}
    assert len({entry.decision for entry in found}) == 1


def test_members_that_are_sure_of_different_classes_are_uncertain(tmp_path: Path) -> None:
    first, second = phantom(2, slices=8), phantom(3, slices=8, sequence="LGE")
    put(first, tmp_path / "in" / "P_C0.nii")
    # On one grid, and turned apart from the other.
    put(replace(second, grid=first.grid), tmp_path / "in" / "P_LGE.nii")
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert done.status == 1
    assert {(record["decision"], record["output"]) for record in done.records} == {("uncertain", None)}
    assert all("sure of different orientations" in record["words"] for record in done.records)
    alone = cmrorient("recognize", tmp_path / "in", "--companions", "none", "--json")
    assert sorted(record["orientation"] for record in alone.records) == [2, 3]


def series_a_slice(root: Path, slices: list[FileDataset], orientation: int, **attributes: object) -> None:
    """A stack as scanners store it: one series a slice, each in a folder of its own."""
    for n, dataset in enumerate(slices, start=1):
        series = fresh_series([turned(dataset, orientation)], SeriesNumber=n, **attributes)
        save_all(series, root / f"series{n:03d}")


@pytest.fixture(scope="module")
def people_slices(data_root: Path) -> dict[str, list[FileDataset]]:
    """Slices of two people's stacks, base to apex."""
    return {
        person: [dcmread(path) for path in sorted((data_root / "dicom" / person / "ed_stack").glob("*.dcm"))[1:7]]
        for person in ("SCD0000201", "SCD0000301")
    }


def test_series_of_one_stack(people_slices: dict[str, list[FileDataset]], tmp_path: Path) -> None:
    for person, slices in people_slices.items():
        series_a_slice(tmp_path / "in" / person, slices, 5)
    # The same places in another study, and a stack that is one series.
    slices = people_slices["SCD0000201"]
    series_a_slice(tmp_path / "in" / "later", slices[2:4], 5, StudyInstanceUID="1.2.3.4")
    save_all(fresh_series(slices, StudyInstanceUID="1.2.3.5"), tmp_path / "in" / "whole")
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", "--json")
    groups = by_group(done.records)
    assert {name: len(members) for name, members in groups.items()} == {
        "SCD0000201": 6,
        "SCD0000301": 6,
        "later": 2,
        None: 1,
    }
    for name in ("SCD0000201", "SCD0000301"):
        members = groups[name]
        assert {record["group_kind"] for record in members} == {"stack"}
        assert len({(r["orientation"], r["decision"], r["confidence"]) for r in members}) == 1
        assert members[0]["orientation"] == 5 and members[0]["decision"] == "reoriented"
        # The series are numbered from the base.
        assert {(r["slice_order"], r["header_slice_order"]) for r in members} == {("base_first", "base_first")}
        for n, dataset in enumerate(people_slices[name], start=1):
            (written,) = (tmp_path / "out" / name / f"series{n:03d}").glob("*.dcm")
            np.testing.assert_array_equal(dcmread(written).pixel_array, dataset.pixel_array)


def test_a_file_a_slice(tmp_path: Path) -> None:
    for seed, person in enumerate(("P1", "P2")):
        put_slices(tmp_path / "in" / person, "sax_{}.nii.gz", seed=seed, count=8, size=(104, 128))
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", *NETWORK, "--json")
    assert done.status == 0, done.err
    groups = by_group(done.records)
    assert {name: len(members) for name, members in groups.items()} == {"P1/sax": 8, "P2/sax": 8}
    assert {record["orientation"] for record in done.records} == {5}
    image, _ = upright(0, slices=8)
    for n in range(8):
        np.testing.assert_array_equal(read(tmp_path / "out" / "P1" / f"sax_{n + 1}.nii.gz").array[0], image[n])


def test_sequences_of_real_people(data_root: Path, tmp_path: Path) -> None:
    for case in ("Case3001", "Case3002"):
        for path in (data_root / "myops").glob(f"{case}_*.nii.gz"):
            volume = read(path)
            put(volume.reindexed(Orientation(6), Orientation(6)), tmp_path / "in" / path.name)
    done = cmrorient("correct", tmp_path / "in", "-o", tmp_path / "out", "--json")
    assert done.status == 0, done.err
    assert {name: len(members) for name, members in by_group(done.records).items()} == {"Case3001": 3, "Case3002": 3}
    assert {record["orientation"] for record in done.records} == {6}
    masks = {mask["path"] for record in done.records for mask in record["masks"]}
    assert masks == {path.name for path in (tmp_path / "in").glob("*_seg.nii.gz")} and masks
    for path in (tmp_path / "in").iterdir():
        np.testing.assert_array_equal(
            read(tmp_path / "out" / path.name).array, read(data_root / "myops" / path.name).array
        )


def test_a_persons_decision_holds_for_the_image_that_it_names(data_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    correct(data_set, out)
    edit_table(out, "imagesTr/heart_001_0000.nii.gz", orientation="3")
    told: list[str] = []
    records = correct(data_set, out, warn=told.append)
    first, second = (records[f"imagesTr/heart_001_000{channel}.nii.gz"] for channel in (0, 1))
    assert (first.orientation, first.decided_by_user, first.group) == (3, True, records[first.path].group)
    assert (second.orientation, second.decided_by_user) == (5, False)
    assert "decided apart from its group imagesTr/heart_001" in (first.note or "")
    assert any("decided apart from its group" in line for line in told)
    # The label map follows the image that it belongs to.
    mask = phantom(5, with_mask=True)[1].array
    np.testing.assert_array_equal(read(out / "labelsTr" / "heart_001.nii.gz").array, Orientation(3).inverse.apply(mask))
    told.clear()
    again = correct(data_set, out, warn=told.append)
    assert again[first.path].orientation == 3 and told == []
    records = correct(data_set, out, reset_decisions=True)
    assert {records[name].orientation for name in (first.path, second.path)} == {5}


def test_a_second_run_does_what_is_missing(data_set: Path, tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    shutil.copytree(data_set, source)
    kept: list[bool] = []
    first = correct(source, out)
    correct(source, out, progress=counting(kept))
    assert kept == [True] * 4
    (out / "imagesTr" / "heart_001_0001.nii.gz").unlink()
    kept.clear()
    assert correct(source, out, progress=counting(kept)).keys() == first.keys()
    assert sorted(kept) == [False, True, True, True]
    # A channel that comes changes what the others are decided on with.
    put(phantom(5, sequence="T2"), source / "imagesTr" / "heart_001_0002.nii.gz")
    kept.clear()
    records = correct(source, out, progress=counting(kept))
    assert sorted(kept) == [False, False, False, True, True]
    group = records["imagesTr/heart_001_0000.nii.gz"].group
    assert group is not None and len(group.companions) == 2


def test_an_image_that_cannot_be_read_does_not_stop_its_group(data_set: Path, tmp_path: Path) -> None:
    shutil.copytree(data_set, tmp_path / "in")
    (tmp_path / "in" / "imagesTr" / "heart_001_0001.nii.gz").write_bytes(b"lost")
    records = correct(tmp_path / "in", tmp_path / "out")
    assert records["imagesTr/heart_001_0001.nii.gz"].error is not None
    assert records["imagesTr/heart_001_0000.nii.gz"].orientation == 5


def test_workers_decide_alike(data_set: Path, tmp_path: Path) -> None:
    """A group is one unit of work, whoever does it."""

    def told(record: Record) -> dict[str, object]:
        return {name: value for name, value in record.to_dict().items() if name not in ("seconds", "confidence")}

    here = correct(data_set, tmp_path / "one")
    there = correct(data_set, tmp_path / "two", jobs=2)
    assert {path: told(record) for path, record in here.items()} == {
        path: told(record) for path, record in there.items()
    }


def test_the_record_of_a_group_comes_back(data_set: Path) -> None:
    for outcome in recognize_folder(data_set, orientation=Orientation.ROTATE_90):
        record = outcome.record
        assert Record.from_json(record.to_json()) == record and record.group is not None
    with pytest.raises(ValueError, match="no path"):
        Record.from_dict({**record.to_dict(), "companions": [{"series": "1.2"}]})


def test_a_group_is_shown_as_a_group(data_set: Path, tmp_path: Path) -> None:
    done = cmrorient("correct", data_set, "-o", tmp_path / "out", *NETWORK)
    lines = [line.rstrip() for line in done.out.splitlines()]
    place = lines.index("imagesTr/heart_001: 2 channels of one case")
    assert [line.split()[0] for line in lines[place + 1 : place + 3]] == [
        f"imagesTr/heart_001_000{channel}.nii.gz" for channel in (0, 1)
    ]
    assert all(line.startswith("  ") for line in lines[place + 1 : place + 3])
    page = (tmp_path / "out" / "cmrorient.html").read_text(encoding="utf-8")
    assert page.count('data-group="imagesTr/heart_001"') == 2
    assert "one of 2 channels of one case" in page
    with (tmp_path / "out" / "cmrorient.csv").open(encoding="utf-8-sig", newline="") as stream:
        assert {row["group"] for row in csv.DictReader(stream)} == {"imagesTr/heart_001", "imagesTr/heart_002"}


def test_an_audit_groups_alike(data_set: Path, tmp_path: Path) -> None:
    done = cmrorient("audit", data_set, "-o", tmp_path / "audit.html", *NETWORK, "--json")
    groups = by_group(done.records)
    assert {name: len(members) for name, members in groups.items()} == {
        "imagesTr/heart_001": 2,
        "imagesTr/heart_002": 2,
    }
    assert all(len({record["confidence"] for record in members}) == 1 for members in groups.values())


def die(*arguments: object) -> None:
    """What a worker does that is killed."""
    os._exit(9)


def test_where_a_groups_worker_dies_each_image_is_tried_alone(data_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = plan_run(RunOptions(inputs=data_set / "imagesTr", orientation=5)).images
    units: list[int] = []
    sent = processes._work_on

    class Pool:
        """Loses every group, as when there is not memory for all of it."""

        def __init__(self) -> None:
            self.real = real(1)

        def __enter__(self) -> Pool:
            return self

        def __exit__(self, *told: object) -> None:
            self.real.shutdown()

        def submit(self, call: object, unit: list[Assignment], *more: object) -> object:
            units.append(len(unit))
            return self.real.submit(die if len(unit) > 1 else sent, unit, *more)

    real = processes._pool
    monkeypatch.setattr(processes, "_pool", lambda jobs: Pool())
    unit = [Assignment(image) for image in images[:2]]
    outcomes = list(processes._apart(unit, RunOptions(inputs=data_set, orientation=5), 1))
    assert units == [2, 1, 1]
    assert [(o.record.error, o.record.orientation, o.record.group) for o in outcomes] == [(None, 5, None)] * 2
