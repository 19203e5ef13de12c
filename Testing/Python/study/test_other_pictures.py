"""Other pictures: families that training has never shown, and what is made of them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from oracle import PREPROCESSING, oracle
from stacks import stack
from study.other_pictures.families import TEST_FAMILIES, orthogonal_cut
from study.other_pictures.images import TEST_IMAGES
from study.other_pictures.patterns import TEST_PATTERNS
from study.other_pictures.rejection import rejection, show_other_pictures, together

from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.training.negatives.families import TRAIN_FAMILIES
from CMROrientLib.training.negatives.images import TRAIN_IMAGES, PackagedImage
from CMROrientLib.training.negatives.patterns import TRAIN_PATTERNS
from CMROrientLib.training.negatives.reslices import Stack


def test_rejection_counts_other_pictures_by_family() -> None:
    stacks = [Stack(np.random.default_rng(0).random((8, 40, 40)), (8.0, 1.0, 1.0))]
    shown = show_other_pictures(Inference(oracle, PREPROCESSING), stacks, count=120)
    rule = DecisionRule(max_not_short_axis=0.5)
    table = {str(name): rejection(shown.of(str(name)), rule) for name in np.unique(shown.families)}
    assert together(table) == rejection(shown, rule)
    assert rejection(shown, rule).pictures == 120
    assert table["blank"].rejected == table["blank"].pictures == shown.blank.sum() > 0
    for row in table.values():
        assert row.rejected + row.uncertain + row.acted_on == row.pictures
        assert row.interval[0] <= row.rejected / row.pictures <= row.interval[1]
    never = replace(shown, blank=np.zeros(120, bool))
    assert rejection(never, DecisionRule(max_not_short_axis=1.0)).rejected == 0


def pictures_by_family(registry: dict[str, list[PackagedImage]]) -> dict[str, list[np.ndarray]]:
    return {family: [plane for image in images for plane in image.pixels()] for family, images in registry.items()}


def hashes(planes: list[np.ndarray]) -> set[str]:
    return {hashlib.sha256(np.ascontiguousarray(plane).tobytes()).hexdigest() for plane in planes}


def test_families_have_their_own_names_and_generators() -> None:
    assert not set(TRAIN_FAMILIES) & set(TEST_FAMILIES)
    assert not set(TRAIN_PATTERNS.values()) & set(TEST_PATTERNS.values())
    assert set(TRAIN_PATTERNS) <= set(TRAIN_FAMILIES)
    assert set(TEST_PATTERNS) <= set(TEST_FAMILIES)


def test_packaged_pictures_of_training_and_test_share_no_content() -> None:
    train, test = pictures_by_family(TRAIN_IMAGES), pictures_by_family(TEST_IMAGES)
    for family, planes in {**train, **test}.items():
        assert len(planes) >= 5, f"{family}: the packages no longer ship what they did"
    train_hashes = hashes([plane for planes in train.values() for plane in planes])
    test_hashes = hashes([plane for planes in test.values() for plane in planes])
    assert len(train_hashes) > 20
    assert not train_hashes & test_hashes


def test_orthogonal_cuts_run_through_the_slices() -> None:
    """Rows of the cut follow the stack's axis: the slice number (hundreds) grows downwards."""
    picture = orthogonal_cut(np.random.default_rng(0), stack(), 128)
    inside = picture[:, picture.shape[1] // 2]
    inside = inside[inside > 0]
    assert inside[-1] - inside[0] > 500
    assert (np.diff(inside) >= 0).all()


@pytest.mark.parametrize("image", [image for images in TEST_IMAGES.values() for image in images], ids=str)
def test_each_named_file_is_there(image: PackagedImage) -> None:
    pytest.importorskip(image.package)
    planes = image.pixels()
    assert planes
    assert all(plane.ndim == 2 and plane.dtype == np.float32 and np.ptp(plane) > 0 for plane in planes)


@pytest.mark.parametrize("name", list(TEST_FAMILIES))
def test_each_family_draws_finite_pictures_that_differ(name: str) -> None:
    random = np.random.default_rng(3)
    pictures = [TEST_FAMILIES[name].draw(random, [stack()], 64) for _ in range(4)]
    for picture in pictures:
        assert picture is not None
        assert picture.shape == (64, 64)
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
    assert name == "blank" or not np.array_equal(pictures[0], pictures[1])
