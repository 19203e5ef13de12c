"""Made kinds of image, made short axes, and real views of other planes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from dataclasses import replace  # noqa: E402

import nibabel  # noqa: E402
from stacks import heart_stack  # noqa: E402
from test_augmentation import batch_of, draws  # noqa: E402

from CMROrientLib.errors import CMROrientError  # noqa: E402
from CMROrientLib.training.augmentation.batch import Batch  # noqa: E402
from CMROrientLib.training.augmentation.intensity.anisotropic import Anisotropic  # noqa: E402
from CMROrientLib.training.augmentation.intensity.dark_blood import DarkBlood  # noqa: E402
from CMROrientLib.training.augmentation.intensity.flow import Flow  # noqa: E402
from CMROrientLib.training.augmentation.intensity.inversion_recovery import InversionRecovery  # noqa: E402
from CMROrientLib.training.augmentation.intensity.parametric_map import ParametricMap  # noqa: E402
from CMROrientLib.training.augmentation.intensity.perfusion import Perfusion  # noqa: E402
from CMROrientLib.training.augmentation.transform import Transform  # noqa: E402
from CMROrientLib.training.cases import Case  # noqa: E402
from CMROrientLib.training.made_slices import made_short_axes  # noqa: E402
from CMROrientLib.training.negatives.families import training_negatives  # noqa: E402
from CMROrientLib.training.negatives.real_views import files_of_views, real_view  # noqa: E402

KINDS: list[Transform] = [
    InversionRecovery(1.0, signed=True),
    InversionRecovery(1.0, signed=False),
    ParametricMap(1.0),
    Perfusion(1.0),
    Flow(1.0),
    DarkBlood(1.0),
    Anisotropic(1.0),
]


def hearts() -> Batch:
    """Six slices with their masks, in a body with air round it."""
    stack = heart_stack()
    assert stack.mask is not None
    images = torch.from_numpy(np.asarray(stack.pixels, np.float32)[1:7] / 400)
    masks = torch.from_numpy(np.asarray(stack.mask, np.uint8)[1:7])
    return replace(batch_of(images, -23.0), masks=masks, drawn=torch.ones(6, dtype=torch.bool))


@pytest.mark.parametrize("kind", KINDS, ids=repr)
def test_each_kind_changes_the_images_and_nothing_else(kind: Transform) -> None:
    batch = hearts()
    shown = kind(batch, draws(3))
    assert torch.isfinite(shown.images).all() and shown.images.min() >= 0 and shown.images.max() <= 1
    assert not torch.equal(shown.images, batch.images)
    assert torch.equal(shown.masks, batch.masks) and torch.equal(shown.angles, batch.angles)
    assert torch.equal(kind(batch, draws(3)).images, shown.images)
    empty = replace(batch, applied=replace(batch.applied, chance=torch.zeros(6)))
    assert torch.equal(kind(empty, draws(3)).images, batch.images)


def test_without_signal_a_signed_image_is_grey_and_a_magnitude_dark() -> None:
    batch = hearts()
    air = torch.zeros(batch.images.shape, dtype=torch.bool)
    air[:, :4], air[:, -4:] = True, True
    signed = InversionRecovery(1.0, signed=True)(batch, draws(1)).images[air].mean()
    magnitude = InversionRecovery(1.0, signed=False)(batch, draws(1)).images[air].mean()
    assert signed > 0.25 > 0.2 > magnitude


def test_dark_blood_is_dark_and_flow_bright() -> None:
    batch = hearts()
    blood, muscle = batch.masks == 3, batch.masks == 2
    dark, flow = DarkBlood(1.0)(batch, draws(2)).images, Flow(1.0)(batch, draws(2)).images
    assert dark[blood].mean() < dark[muscle].mean()
    assert flow[blood].mean() > 1.5 * flow[muscle].mean()


def saved(folder: Path) -> Case:
    """The heart stack as files, and its case."""
    stack = heart_stack()
    assert stack.mask is not None
    for name, array in (("a.nii.gz", stack.pixels), ("a_seg.nii.gz", stack.mask)):
        volume = np.asarray(array, np.int16).transpose(2, 1, 0)
        nibabel.save(nibabel.Nifti1Image(volume, np.diag([1.5, 1.5, 9.0, 1.0])), folder / name)
    return Case(
        folder / "a.nii.gz", folder / "a_seg.nii.gz", "A", "A/a", angle=0.0, margin=22.0, mask_values=(1, 2, 3),
        base_first=False,
    )  # fmt: skip


def test_made_short_axes_are_slices_of_training_people_with_all_that_is_known(tmp_path: Path) -> None:
    case = saved(tmp_path)
    made = made_short_axes([case], 5, 64, seed=1)
    assert made.squares.shape == made.masks.shape == (5, 64, 64)
    assert set(np.unique(made.masks)) <= {0, 1, 2, 3} and (made.masks == 3).any(axis=(1, 2)).all()
    assert np.isfinite(made.hearts).all() and ((made.levels[:, 0] > 0) & (made.levels[:, 0] < 1)).all()
    assert {one.subject for one in made.cases} == {"A/a"}
    # The right ventricle lies to the left, as in the standard orientation.
    for mask in made.masks:
        if (mask == 1).any():
            assert np.nonzero(mask == 1)[1].mean() < np.nonzero(mask == 3)[1].mean()
    np.testing.assert_array_equal(made.squares, made_short_axes([case], 5, 64, seed=1).squares)
    with pytest.raises(CMROrientError, match="mask, slice order and angle"):
        made_short_axes([replace(case, base_first=None)], 5, 64, seed=1)


def test_real_views_are_found_by_name_and_shown(tmp_path: Path) -> None:
    saved(tmp_path)
    assert [path.name for path in files_of_views(tmp_path, ("a.nii.gz",))] == ["a.nii.gz"]
    assert len(files_of_views(tmp_path.parent, (tmp_path.name,))) == 2
    with pytest.raises(CMROrientError, match="no image that 'b\\*' stands for"):
        files_of_views(tmp_path, ("b*",))
    picture = real_view(np.random.default_rng(0), files_of_views(tmp_path, ("a.nii.gz",)), 48)
    assert picture.shape == (48, 48) and np.ptp(picture) > 0


def test_families_that_are_kept_for_judging_are_not_drawn() -> None:
    with pytest.raises(CMROrientError, match="no family of negatives made up"):
        training_negatives(3, without=["made up"])
    assert training_negatives(3, 1, [heart_stack()], 32, without=["made long axes"]).shape == (3, 32, 32)
