"""MONAI's dictionary transform: standardizes cases, keeps its trace, and is undone by MONAI's own means."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import data_set, heart, in_standard_orientation

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("monai", reason="MONAI is not installed")

from monai.data import CacheDataset, DataLoader, Dataset, MetaTensor, decollate_batch, set_track_meta  # noqa: E402
from monai.transforms import (  # noqa: E402
    Activationsd,
    AsDiscreted,
    Compose,
    Invertd,
    LoadImaged,
    RandFlipd,
    Spacingd,
    SpatialPadd,
    allow_missing_keys_mode,
)

import CMROrientLib as cmr  # noqa: E402
from CMROrientLib.errors import CMROrientError  # noqa: E402

STORED = [0, 5, 2]
KEYS = ["image", "label"]


@pytest.fixture(scope="module")
def recognizer() -> cmr.Recognizer:
    return cmr.Recognizer(device="cpu", threads=2)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    return data_set(tmp_path_factory.mktemp("monai"), STORED)


def load() -> Any:
    return LoadImaged(KEYS, ensure_channel_first=True)


def standard(recognizer: cmr.Recognizer, **options: Any) -> Any:
    return cmr.transforms.StandardOrientationd(KEYS, recognizer=recognizer, **options)


def test_images_and_labels_come_out_in_standard_orientation(cases: list, recognizer: cmr.Recognizer) -> None:
    for case in cases:
        stored = load()(case)
        turned = standard(recognizer)(stored)
        assert in_standard_orientation(turned["label"][0].numpy())
        assert turned["image"].shape == turned["label"].shape
        torch.testing.assert_close(turned["image"].affine, turned["label"].affine)
        assert turned["image"].dtype == stored["image"].dtype
    assert not all(in_standard_orientation(load()(case)["label"][0].numpy()) for case in cases)


def test_the_affine_goes_with_the_pixels(cases: list, recognizer: cmr.Recognizer) -> None:
    stored = load()(cases[1])
    turned = standard(recognizer)(stored)
    for key in KEYS:
        # The header was right: every voxel keeps its place in the patient.
        for index in ((3, 5, 1), (60, 20, 3)):
            value, place = stored[key][0][index], stored[key].affine @ torch.tensor([*index, 1.0], dtype=torch.double)
            there = torch.linalg.solve(turned[key].affine, place)[:3].round().long()
            assert turned[key][0][tuple(there)] == value


def test_the_trace_says_what_was_done(cases: list, recognizer: cmr.Recognizer) -> None:
    turned = standard(recognizer)(load()(cases[1]))
    for key in KEYS:
        trace = turned[key].applied_operations[-1]
        assert trace["class"] == "StandardOrientationd"
        told = trace["extra_info"]
        assert (told["orientation"], told["geometry_class"], told["decision"]) == (5, 5, "reoriented")


def test_the_input_is_not_changed(cases: list, recognizer: cmr.Recognizer) -> None:
    stored = load()(cases[1])
    before = {key: (stored[key].clone(), stored[key].affine.clone()) for key in KEYS}
    transform = standard(recognizer)
    turned = transform(stored)
    transform.inverse(turned)
    assert len(turned["image"].applied_operations) == 1
    for key in KEYS:
        assert torch.equal(stored[key], before[key][0]) and torch.equal(stored[key].affine, before[key][1])
        assert stored[key].applied_operations == []


def test_compose_inverts_it_among_others(cases: list, recognizer: cmr.Recognizer) -> None:
    transform = Compose([load(), standard(recognizer), SpatialPadd(KEYS, (160, 160, 8)), RandFlipd(KEYS, prob=1.0)])
    for case in cases:
        stored = load()(case)
        back = transform.inverse(transform(case))
        for key in KEYS:
            assert torch.equal(back[key].as_tensor(), stored[key].as_tensor())
            torch.testing.assert_close(back[key].affine, stored[key].affine, atol=1e-4, rtol=0)
            assert back[key].applied_operations == []


def test_keys_may_be_missing_where_that_is_allowed(cases: list, recognizer: cmr.Recognizer) -> None:
    transform = Compose([load(), standard(recognizer)])
    turned = transform(cases[1])
    with allow_missing_keys_mode(transform):
        back = transform.inverse({"label": turned["label"]})
    assert torch.equal(back["label"].as_tensor(), load()(cases[1])["label"].as_tensor())
    with pytest.raises(RuntimeError, match="applying transform"):
        transform.inverse({"label": turned["label"]})


def test_predictions_of_a_batch_come_back_by_invertd(cases: list, recognizer: cmr.Recognizer) -> None:
    """As MONAI's inference tutorials do it: collate, predict, decollate, invert, compare."""
    transform = Compose([load(), standard(recognizer), SpatialPadd(KEYS, (128, 128, 8))])
    (batch,) = DataLoader(Dataset(cases, transform), batch_size=len(cases), num_workers=0)
    assert batch["image"].shape == (3, 1, 128, 128, 8)
    # A network that is always right, with two channels of logits.
    batch["pred"] = torch.cat([(batch["label"] != 3).float(), (batch["label"] == 3).float()], dim=1) * 10
    after = Compose(
        [
            Activationsd("pred", softmax=True),
            Invertd("pred", transform, orig_keys="image", nearest_interp=False, to_tensor=True),
            AsDiscreted("pred", argmax=True),
        ]
    )
    for case, one in zip(cases, decollate_batch(batch), strict=True):
        label = load()(case)["label"]
        predicted = after(one)["pred"]
        assert torch.equal(predicted.as_tensor().int(), (label == 3).as_tensor().int())
        torch.testing.assert_close(predicted.affine, label.affine, atol=1e-4, rtol=0)


def test_a_resampled_case_comes_back_onto_its_grid(cases: list, recognizer: cmr.Recognizer) -> None:
    transform = Compose([load(), standard(recognizer), Spacingd(KEYS, (1.5, 1.5, -1), mode=("bilinear", "nearest"))])
    label = load()(cases[1])["label"]
    back = transform.inverse(transform(cases[1]))["label"]
    assert back.shape == label.shape
    assert ((back == 3) & (label == 3)).sum() > 0.9 * (label == 3).sum()


def test_cached_data_sets_decide_once(cases: list, recognizer: cmr.Recognizer, monkeypatch: Any) -> None:
    looked = []
    original = cmr.Recognizer.recognize
    monkeypatch.setattr(
        cmr.Recognizer,
        "recognize",
        lambda self, image, *more, **kw: looked.append(1) or original(self, image, *more, **kw),
    )
    data = CacheDataset(cases[:2], Compose([load(), standard(recognizer), RandFlipd(KEYS, 1.0)]), progress=False)
    for _ in range(3):
        for index in range(2):
            data[index]
    # One decision a case, not one a key or one a round.
    assert len(looked) == 2


def test_a_person_may_have_decided(cases: list, recognizer: cmr.Recognizer) -> None:
    transform = standard(recognizer, orientation_key="decided")
    case = {**load()(cases[0]), "decided": 1}
    turned = transform(case)
    assert torch.equal(turned["image"].as_tensor(), case["image"].as_tensor().flip(1))
    assert transform({**case, "decided": None})["image"].applied_operations[-1]["extra_info"]["orientation"] == 0


def test_a_case_that_is_no_short_axis_is_left_alone_and_told(recognizer: cmr.Recognizer) -> None:
    noise = MetaTensor(
        np.random.default_rng(1).random((1, 64, 64, 4), np.float32), meta={"filename_or_obj": "noise.nii"}
    )
    case = {"image": noise, "label": noise.clone()}
    with pytest.warns(UserWarning, match=r"noise\.nii: "):
        turned = standard(recognizer)(case)
    assert torch.equal(turned["image"].as_tensor(), noise.as_tensor())
    transform = standard(recognizer, if_unsure="leave")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        back = transform.inverse(transform(case))
    assert torch.equal(back["image"].as_tensor(), noise.as_tensor())
    with pytest.raises(CMROrientError, match=r"noise\.nii.*leave the case out"):
        standard(recognizer, if_unsure="raise")(case)


def test_conflicts_may_be_left_alone(recognizer: cmr.Recognizer, tmp_path: Path) -> None:
    image, label = heart(1, header="true")
    lying = cmr.correct(image, 2, geometry="keep"), cmr.correct(label, 2, geometry="keep")
    for name, volume in zip(KEYS, lying, strict=True):
        cmr.write(volume, tmp_path / f"{name}.nii.gz")
    case = load()({key: tmp_path / f"{key}.nii.gz" for key in KEYS})
    assert not torch.equal(standard(recognizer)(case)["image"].as_tensor(), case["image"].as_tensor())
    left = standard(recognizer, skip_conflicts=True)(case)
    assert torch.equal(left["image"].as_tensor(), case["image"].as_tensor())
    turned = standard(recognizer)(case)
    assert in_standard_orientation(turned["label"][0].numpy())


def test_without_metadata_the_pixels_are_turned_all_the_same(cases: list, recognizer: cmr.Recognizer) -> None:
    case = load()(cases[1])
    expected = standard(recognizer)(case)["label"].as_tensor()
    set_track_meta(False)
    try:
        turned = standard(recognizer)({key: case[key].as_tensor() for key in KEYS})
        assert type(turned["label"]) is torch.Tensor and torch.equal(turned["label"], expected)
    finally:
        set_track_meta(True)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"if_unsure": "never"}, ValueError, "warn, leave, raise"),
        ({"geometry": "best"}, ValueError, "auto, follow, keep"),
        ({"slice_order": "up"}, ValueError, "base_first"),
        ({"target": 9}, ValueError, "9"),
        ({"recognizer": "nobody"}, CMROrientError, "universal"),
    ],
)
def test_wrong_options_are_told_when_it_is_made(options: dict, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        cmr.transforms.StandardOrientationd(KEYS, **options)


def test_a_case_without_its_image_is_told(recognizer: cmr.Recognizer) -> None:
    with pytest.raises(KeyError, match="the image to look at"):
        standard(recognizer)({"label": torch.zeros(1, 4, 4, 4)})


def test_it_travels_pickled_without_a_network(cases: list) -> None:
    transform = cmr.transforms.StandardOrientationd(KEYS)
    transform(load()(cases[0]))
    data = pickle.dumps(transform)
    assert len(data) < 100_000
    turned = pickle.loads(data)(load()(cases[1]))
    assert in_standard_orientation(turned["label"][0].numpy())
