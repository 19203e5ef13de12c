"""Label maps are found by layout, by name and by content, and turned with their image."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from data_sets import bids, nnunet, upright
from sample_study import NETWORK, cmrorient, phantom, put

from CMROrientLib.errors import UsageError
from CMROrientLib.io import read
from CMROrientLib.run.companions.bids import BidsName, owners
from CMROrientLib.run.companions.content import is_label_map
from CMROrientLib.run.companions.layouts import channel_of, is_named_after
from CMROrientLib.run.options import NamePattern, RunOptions
from CMROrientLib.run.plan import RunPlan, plan_run
from CMROrientLib.volume import Volume


def planned(root: Path, **options: object) -> dict[str, list[str]]:
    """The masks of each image by their names."""
    plan = plan_run(RunOptions(inputs=root, **options))
    return {image.path: [mask.name for mask in image.masks] for image in plan.images}


def lonely(plan: RunPlan) -> list[str]:
    return [path.name for path in plan.lonely_masks]


def image_and_mask(folder: Path, image: str, mask: str, seed: int = 0, orientation: int = 5) -> None:
    pair = phantom(orientation, seed=seed, with_mask=True)
    put(pair[0], folder / image)
    put(pair[1], folder / mask)


def test_nnunet(tmp_path: Path) -> None:
    nnunet(tmp_path / "in", {"heart_001": 5, "heart_002": 2})
    out = tmp_path / "out"
    done = cmrorient("correct", tmp_path / "in", "-o", out, *NETWORK, "--json")
    assert done.status == 0, done.err
    records = {record["path"]: record for record in done.records}
    assert sorted(records) == [f"imagesTr/heart_00{case}_000{channel}.nii.gz" for case in (1, 2) for channel in (0, 1)]
    assert {name: [mask["path"] for mask in record["masks"]] for name, record in records.items()} == {
        "imagesTr/heart_001_0000.nii.gz": ["labelsTr/heart_001.nii.gz"],
        "imagesTr/heart_001_0001.nii.gz": [],
        "imagesTr/heart_002_0000.nii.gz": ["labelsTr/heart_002.nii.gz"],
        "imagesTr/heart_002_0001.nii.gz": [],
    }
    for seed, case in enumerate(("heart_001", "heart_002")):
        image, mask = upright(seed)
        np.testing.assert_array_equal(read(out / "imagesTr" / f"{case}_0000.nii.gz").array, image)
        np.testing.assert_array_equal(read(out / "labelsTr" / f"{case}.nii.gz").array, mask)


def test_bids_below_derivatives(tmp_path: Path) -> None:
    bids(tmp_path / "ds", {"01": 5, "02": 2})
    out = tmp_path / "ds" / "derivatives" / "cmrorient"
    for _ in range(2):  # The second time with the results of the first below derivatives.
        done = cmrorient("correct", tmp_path / "ds", "-o", out, *NETWORK, "--json")
        assert done.status == 0, done.err
        assert [[mask["path"] for mask in record["masks"]] for record in done.records] == [
            [f"derivatives/manual/sub-0{n}/anat/sub-0{n}_acq-sax_desc-heart_dseg.nii.gz"] for n in (1, 2)
        ]
    for seed, subject in enumerate(("sub-01", "sub-02")):
        image, mask = upright(seed, sequence="T2")
        np.testing.assert_array_equal(read(out / subject / "anat" / f"{subject}_acq-sax_T2w.nii.gz").array, image)
        place = out / "derivatives" / "manual" / subject / "anat" / f"{subject}_acq-sax_desc-heart_dseg.nii.gz"
        np.testing.assert_array_equal(read(place).array, mask)


def test_bids_beside(tmp_path: Path) -> None:
    folder = tmp_path / "sub-01" / "anat"
    image_and_mask(folder, "sub-01_T2w.nii.gz", "sub-01_label-LV_mask.nii.gz")
    put(phantom(5, slices=3, with_mask=True)[1], folder / "sub-01_dseg.nii.gz")
    image_and_mask(tmp_path / "sub-02" / "anat", "sub-02_run-1_T2w.nii", "sub-02_run-2_dseg.nii")
    assert planned(tmp_path) == {
        "sub-01/anat/sub-01_T2w.nii.gz": ["sub-01/anat/sub-01_label-LV_mask.nii.gz"],
        "sub-02/anat/sub-02_run-1_T2w.nii": [],
    }
    assert lonely(plan_run(RunOptions(inputs=tmp_path))) == ["sub-01_dseg.nii.gz", "sub-02_run-2_dseg.nii"]


@pytest.mark.parametrize(
    ("label", "image", "fits"),
    [
        ("sub-01_dseg", "sub-01_T2w", True),
        ("sub-01_acq-sax_desc-lv_mask", "sub-01_acq-sax_run-2_cine", True),
        ("sub-01_space-orig_dseg", "sub-01_T2w", True),
        ("sub-01_space-MNI_dseg", "sub-01_T2w", False),
        ("sub-01_res-2_dseg", "sub-01_T2w", False),
        ("sub-01_dseg", "sub-02_T2w", False),
        ("sub-01_dseg", "sub-01_ses-1_T2w", False),
        ("sub-01_acq-lax_dseg", "sub-01_acq-sax_T2w", False),
    ],
)
def test_names_of_bids(label: str, image: str, fits: bool) -> None:
    mask, seen = BidsName.of(label), BidsName.of(image)
    assert mask is not None and seen is not None
    assert mask.may_label(seen) == fits


def test_of_several_images_the_nearest_name_counts() -> None:
    images = [(name, BidsName.of(name)) for name in ("sub-1_acq-a_T2w", "sub-1_acq-a_run-1_T2w", "sub-1_acq-b_T2w")]
    label = BidsName.of("sub-1_acq-a_dseg")
    assert label is not None
    assert owners(label, [(key, name) for key, name in images if name is not None]) == ["sub-1_acq-a_T2w"]
    assert BidsName.of("patient_T2w") is None


@pytest.mark.parametrize(("images", "labels"), [("images", "labels"), ("Images", "Masks"), ("img", "segmentations")])
def test_sibling_folders(tmp_path: Path, images: str, labels: str) -> None:
    for seed, place in enumerate(("train/a", "train/b", "c")):
        image_and_mask(tmp_path, f"{images}/{place}.nii.gz", f"{labels}/{place}.nii.gz", seed)
    image_and_mask(tmp_path, f"{images}/d.nii.gz", f"{labels}/d_seg.nrrd", 3)
    put(phantom(5, with_mask=True)[1], tmp_path / labels / "e.nii.gz")
    found = planned(tmp_path)
    assert found == {
        **{f"{images}/{place}.nii.gz": [f"{labels}/{place}.nii.gz"] for place in ("c", "train/a", "train/b")},
        f"{images}/d.nii.gz": [f"{labels}/d_seg.nrrd"],
    }
    assert lonely(plan_run(RunOptions(inputs=tmp_path))) == ["e.nii.gz"]


def test_sibling_folders_of_each_person(tmp_path: Path) -> None:
    for person in ("P1", "P2"):
        image_and_mask(tmp_path / person, "images/sax.nii", "labels/sax.nii")
    assert planned(tmp_path) == {f"{p}/images/sax.nii": [f"{p}/labels/sax.nii"] for p in ("P1", "P2")}


def test_by_content(tmp_path: Path) -> None:
    image_and_mask(tmp_path, "a.nii.gz", "a_heart.nii.gz")
    image_and_mask(tmp_path, "b.nii.gz", "label-b.mha", 1)
    # Named after an image, but an image itself, of another size, or of another name.
    put(phantom(5, seed=2), tmp_path / "a_late.nii.gz")
    put(phantom(5, seed=2, slices=3, with_mask=True)[1], tmp_path / "b_small.nii.gz")
    put(phantom(5, with_mask=True)[1], tmp_path / "ventricles.nii.gz")
    found = planned(tmp_path)
    assert (found["a.nii.gz"], found["b.nii.gz"]) == (["a_heart.nii.gz"], ["label-b.mha"])
    assert sorted(found) == ["a.nii.gz", "a_late.nii.gz", "b.nii.gz", "b_small.nii.gz", "ventricles.nii.gz"]
    # What no image was found for is seen to be a label map when it is read.
    done = cmrorient("recognize", tmp_path, *NETWORK, "--json")
    alone = {r["path"] for r in done.records if r["note"] == "left alone: a label map without an image"}
    assert alone == {"b_small.nii.gz", "ventricles.nii.gz"}
    assert all(
        r["orientation"] is None and r["decision"] == "not_short_axis" for r in done.records if r["path"] in alone
    )


def test_without_companions_only_endings_count(tmp_path: Path) -> None:
    image_and_mask(tmp_path, "a.nii.gz", "a_seg.nii.gz")
    image_and_mask(tmp_path, "images/b.nii.gz", "labels/b.nii.gz")
    assert planned(tmp_path, companions="none") == {
        name: [] for name in ("a.nii.gz", "a_seg.nii.gz", "images/b.nii.gz", "labels/b.nii.gz")
    }
    assert planned(tmp_path, companions="none", masks=["_seg"])["a.nii.gz"] == ["a_seg.nii.gz"]


@pytest.mark.parametrize("companions", ["auto", "none"])
def test_other_layouts_are_told(tmp_path: Path, companions: str) -> None:
    image_and_mask(tmp_path, "scans/p1/heart_im.nii.gz", "truth/p1/heart_ro.nii.gz")
    image_and_mask(tmp_path, "scans/p2/x.nii.gz", "scans/p2/truth/x.nii.gz")
    image_and_mask(tmp_path, "flat/y_im.nii.gz", "flat/y_ro.nii.gz")
    told = {"masks_in": ["truth"], "mask_names": "{case}_im={case}_ro", "companions": companions}
    assert planned(tmp_path, **told) == {
        "flat/y_im.nii.gz": ["flat/y_ro.nii.gz"],
        "scans/p1/heart_im.nii.gz": ["truth/p1/heart_ro.nii.gz"],
        "scans/p2/x.nii.gz": ["scans/p2/truth/x.nii.gz"],
    }
    words = ["--masks-in", "truth", "--mask-names", "{case}_im={case}_ro", "--companions", companions]
    done = cmrorient("correct", tmp_path, "-o", tmp_path.parent / "told", *words, "--orientation", 5)
    assert done.status == 0, done.err
    np.testing.assert_array_equal(
        read(tmp_path.parent / "told" / "truth" / "p1" / "heart_ro.nii.gz").array, phantom(0, with_mask=True)[1].array
    )


@pytest.mark.parametrize("names", ["{case}", "a=b", "{case}=b", "x/{case}={case}", "{case}={case}={case}"])
def test_pairs_of_names_that_make_no_sense(names: str) -> None:
    with pytest.raises(UsageError, match="no pair of names"):
        RunOptions(inputs="in", mask_names=[names])


@pytest.mark.parametrize("folder", ["", "a/b", ".."])
def test_folders_of_masks_that_make_no_sense(folder: str) -> None:
    with pytest.raises(UsageError, match="no name of a folder of masks"):
        RunOptions(inputs="in", masks_in=[folder])


def test_patterns_of_names() -> None:
    assert NamePattern("{case}_0000={case}").label_of("heart_1_0000") == "heart_1"
    assert NamePattern("im_{case}=ro_{case}").label_of("heart") is None
    assert channel_of(PurePosixPath("imagesTr/x_0001")) == (PurePosixPath("imagesTr/x"), "0001")
    assert channel_of(PurePosixPath("people/x_2015")) is None
    assert is_named_after("a_seg", "a") and is_named_after("seg-a", "a")
    assert not is_named_after("ab", "a") and not is_named_after("a", "a")


def test_nothing_but_label_maps(tmp_path: Path) -> None:
    for seed in range(2):
        put(phantom(5, seed=seed, with_mask=True)[1], tmp_path / "in" / "labelsTr" / f"x{seed}.nii.gz")
    done = cmrorient("recognize", tmp_path / "in")
    assert done.status == 1
    assert "nothing but 2 label maps (x0.nii.gz …)" in done.err and "they follow their image" in done.err
    # Given itself, the folder's name says nothing; what is in it does.
    done = cmrorient("recognize", tmp_path / "in" / "labelsTr", "--json")
    assert done.status == 0
    assert "nothing but label maps" in done.err
    assert {record["note"] for record in done.records} == {"left alone: a label map without an image"}


def test_a_file_given_by_its_name_brings_its_label_map(tmp_path: Path) -> None:
    image_and_mask(tmp_path, "a.nii.gz", "a_heart.nii.gz")
    put(phantom(5, seed=2), tmp_path / "a_late.nii.gz")
    assert planned(tmp_path / "a.nii.gz") == {"a.nii.gz": ["a_heart.nii.gz"]}
    assert planned(tmp_path / "a.nii.gz", companions="none") == {"a.nii.gz": []}


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (np.arange(3, dtype=np.uint8), True),
        (np.array([0, 500], np.int16), True),
        (np.array([0.0, 1.0]), True),
        (np.array([0.0, 0.5]), False),
        (np.array([-1, 0, 1]), False),
        (np.arange(17), False),
        (np.array([0, 0]), False),
        (np.array([0.0, np.nan]), False),
    ],
)
def test_what_a_label_map_is(values: np.ndarray, found: bool) -> None:
    volume = phantom(with_mask=True)[1]
    array = values[np.arange(volume.array.size) % len(values)].reshape(volume.array.shape)
    assert is_label_map(Volume(array, volume.grid)) == found


def test_real_images_are_no_label_maps(data_root: Path) -> None:
    for folder in ("acdc", "mnms_a", "myops", "emidec"):
        paths = sorted((data_root / folder).glob("*.nii.gz"))[:12]
        assert paths
        for path in paths:
            assert is_label_map(read(path)) == path.name.endswith("_seg.nii.gz"), path
