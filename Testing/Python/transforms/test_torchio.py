"""torchio's transform: standardizes subjects, stands in their history, and is undone by torchio's own means."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import data_set, in_standard_orientation

torch = pytest.importorskip("torch", reason="torch is not installed")
tio = pytest.importorskip("torchio", reason="torchio is not installed")

import CMROrientLib as cmr  # noqa: E402
from CMROrientLib.errors import CMROrientError  # noqa: E402

STORED = [0, 6, 1]


@pytest.fixture(scope="module")
def recognizer() -> cmr.Recognizer:
    return cmr.Recognizer(device="cpu", threads=2)


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    return data_set(tmp_path_factory.mktemp("torchio"), STORED)


def subject(case: dict[str, str], **more: Any) -> Any:
    return tio.Subject(mri=tio.ScalarImage(case["image"]), heart=tio.LabelMap(case["label"]), **more)


def standard(recognizer: cmr.Recognizer, **options: Any) -> Any:
    return cmr.transforms.ToStandardOrientation(recognizer=recognizer, **options)


def same(one: Any, other: Any) -> bool:
    return torch.equal(one.data, other.data) and np.allclose(one.affine, other.affine, atol=1e-4)


def test_images_and_label_maps_come_out_in_standard_orientation(cases: list, recognizer: cmr.Recognizer) -> None:
    for case, k in zip(cases, STORED, strict=True):
        given = subject(case)
        turned = standard(recognizer)(given)
        assert in_standard_orientation(turned.heart.data[0].numpy())
        assert in_standard_orientation(given.heart.data[0].numpy()) is (k == 0)
        turned.check_consistent_space()
        assert isinstance(turned.heart, tio.LabelMap) and turned.heart.data.dtype == given.heart.data.dtype


def test_every_voxel_keeps_its_place_under_a_true_header(cases: list, recognizer: cmr.Recognizer) -> None:
    given = subject(cases[1])
    turned = standard(recognizer)(given)
    for index in ((3, 5, 1), (60, 20, 3)):
        there = np.linalg.solve(turned.mri.affine, given.mri.affine @ [*index, 1])[:3].round().astype(int)
        assert turned.mri.data[(0, *there)] == given.mri.data[(0, *index)]


def test_the_history_says_what_was_done(cases: list, recognizer: cmr.Recognizer) -> None:
    turned = standard(recognizer)(subject(cases[1]))
    (done,) = turned.history
    assert isinstance(done, cmr.transforms.TurnToStandardOrientation)
    assert (done.orientation, done.geometry_class, done.decision) == (6, 6, "reoriented")
    assert "orientation=6" in repr(done)
    # Who repeats it on another copy gets the same without a second look.
    again = turned.get_composed_history()(subject(cases[1]))
    assert same(again.heart, turned.heart) and same(again.mri, turned.mri)


def test_the_inverse_brings_a_prediction_back(cases: list, recognizer: cmr.Recognizer) -> None:
    pipeline = tio.Compose([standard(recognizer), tio.RandomFlip(axes=(0, 1), flip_probability=1), tio.Pad(6)])
    for case in cases:
        given = subject(case)
        turned = pipeline(given)
        assert len(turned.history) == 3
        # A network that is always right.
        prediction = tio.LabelMap(tensor=(turned.heart.data == 3).to(torch.uint8), affine=turned.heart.affine)
        turned.add_image(prediction, "prediction")
        back = turned.apply_inverse_transform()
        assert same(back.mri, given.mri) and same(back.heart, given.heart)
        assert torch.equal(back.prediction.data.bool(), given.heart.data == 3)
        assert back.history == []


def test_the_subject_given_is_not_changed(cases: list, recognizer: cmr.Recognizer) -> None:
    given = subject(cases[1])
    given.load()
    before = copy.deepcopy(given)
    standard(recognizer)(given)
    assert same(given.mri, before.mri) and same(given.heart, before.heart) and given.history == []


def test_a_data_set_of_subjects_is_standardized_on_the_fly(cases: list, recognizer: cmr.Recognizer) -> None:
    data = tio.SubjectsDataset([subject(case) for case in cases], transform=standard(recognizer))
    assert all(in_standard_orientation(one.heart.data[0].numpy()) for one in data)


def test_what_torchio_takes_besides_subjects_is_taken(cases: list, recognizer: cmr.Recognizer) -> None:
    image = tio.ScalarImage(cases[1]["image"])
    turned = standard(recognizer)(image)
    assert isinstance(turned, tio.ScalarImage)
    torch.testing.assert_close(turned.data, standard(recognizer)(subject(cases[1])).mri.data)


def test_images_may_be_left_out(cases: list, recognizer: cmr.Recognizer) -> None:
    given = subject(cases[1])
    turned = standard(recognizer, exclude=["heart"], keep={"mri": "as_stored"})(given)
    assert same(turned.heart, given.heart) and not same(turned.mri, given.mri)
    assert same(turned.as_stored, given.mri)
    back = turned.apply_inverse_transform()
    assert same(back.heart, given.heart) and same(back.mri, given.mri)


def test_the_probability_is_torchios(cases: list, recognizer: cmr.Recognizer) -> None:
    given = subject(cases[1])
    assert standard(recognizer, p=0)(given).history == []


def test_a_person_may_have_decided(cases: list, recognizer: cmr.Recognizer) -> None:
    given = subject(cases[0], decided=1)
    turned = standard(recognizer, orientation_key="decided")(given)
    assert torch.equal(turned.mri.data, given.mri.data.flip(1))


def test_what_is_no_short_axis_is_left_alone_and_told(recognizer: cmr.Recognizer) -> None:
    noise = tio.Subject(mri=tio.ScalarImage(tensor=torch.rand(1, 64, 64, 4, generator=torch.manual_seed(3))))
    with pytest.warns(UserWarning, match="mri: "):
        left = standard(recognizer)(noise)
    assert torch.equal(left.mri.data, noise.mri.data)
    with pytest.raises(CMROrientError, match="leave the case out"):
        standard(recognizer, if_unsure="raise")(noise)


def test_values_that_are_not_finite_do_not_stop_it(cases: list, recognizer: cmr.Recognizer) -> None:
    given = subject(cases[1])
    values = given.mri.data.float()
    values[0, :3, :3] = float("nan")
    values[0, 3:5, :3] = float("inf")
    given.mri.set_data(values)
    assert in_standard_orientation(standard(recognizer)(given).heart.data[0].numpy())


def test_a_subject_without_an_image_is_told(cases: list, recognizer: cmr.Recognizer) -> None:
    labels = tio.Subject(heart=tio.LabelMap(cases[0]["label"]))
    with pytest.raises(KeyError, match=r"scalar image.*heart"):
        standard(recognizer)(labels)
    with pytest.raises(KeyError, match=r"t1.*mri, heart"):
        standard(recognizer, image="t1")(subject(cases[0]))


def test_a_file_written_by_torchio_is_that_of_the_library(
    cases: list, recognizer: cmr.Recognizer, tmp_path: Path
) -> None:
    turned = standard(recognizer)(subject(cases[1]))
    turned.mri.save(tmp_path / "turned.nii.gz")
    volume = cmr.read(cases[1]["image"])
    expected, written = cmr.correct(volume, 6), cmr.read(tmp_path / "turned.nii.gz")
    np.testing.assert_array_equal(written.array, expected.array)
    np.testing.assert_allclose(written.grid.affine, expected.grid.affine, atol=1e-3)
