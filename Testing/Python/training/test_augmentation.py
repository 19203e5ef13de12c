"""Augmentation: labels as the anatomy then says, masks where the slices come to lie, transforms that keep nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("pydantic", reason="pydantic is not installed")

from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.recognition.preprocessing import Preprocessing  # noqa: E402
from CMROrientLib.training.augmentation.batch import Applied, Batch  # noqa: E402
from CMROrientLib.training.augmentation.draws import Draws  # noqa: E402
from CMROrientLib.training.augmentation.intensity.gamma import Gamma  # noqa: E402
from CMROrientLib.training.augmentation.intensity.inversion import Inversion  # noqa: E402
from CMROrientLib.training.augmentation.intensity.tissue_contrast import TissueContrast  # noqa: E402
from CMROrientLib.training.augmentation.intensity.varied_strength import VariedStrength  # noqa: E402
from CMROrientLib.training.augmentation.intensity.wrap_around import WrapAround  # noqa: E402
from CMROrientLib.training.augmentation.labels import targets, tissue_shares  # noqa: E402
from CMROrientLib.training.augmentation.pipeline import pipeline  # noqa: E402
from CMROrientLib.training.augmentation.settings import Augmentation  # noqa: E402
from CMROrientLib.training.augmentation.spatial.resampling import Resampling  # noqa: E402
from CMROrientLib.training.augmentation.spatial.rotation import Rotation  # noqa: E402
from CMROrientLib.training.augmentation.spatial.stored_orientation import StoredOrientation  # noqa: E402
from CMROrientLib.training.augmentation.transform import Compose  # noqa: E402
from CMROrientLib.training.losses.segmentation import auxiliary_segmentation_loss  # noqa: E402
from CMROrientLib.training.normalisation import normalised  # noqa: E402

EVERYTHING = replace(
    Augmentation(),
    varied=False,
    crop_diameters=2.0,
    crop_share=0.5,
    **dict.fromkeys(("tissue", "wrap", "remap", "invert", "blur", "low_resolution", "window", "bright_fill"), 1.0),
)


def draws(seed: int = 0) -> Draws:
    return Draws(torch.Generator().manual_seed(seed))


def batch_of(squares: torch.Tensor, angle: float = float("nan"), negative: bool = False) -> Batch:
    count = len(squares)
    return Batch(
        squares,
        torch.zeros(squares.shape, dtype=torch.uint8),
        torch.full((count,), angle),
        torch.full((count, 3), float("nan")),
        torch.full((count,), negative),
        torch.zeros(count, dtype=torch.bool),
        torch.tensor([float("nan"), 0.0]).repeat(count, 1),
        Applied.nothing(count),
    )


def with_masks(squares: torch.Tensor) -> Batch:
    """The bright half of each square is the left ventricle."""
    batch = batch_of(squares, -23.0)
    return replace(batch, masks=3 * (squares > 0.5).byte(), drawn=torch.ones(len(squares), dtype=torch.bool))


@pytest.mark.parametrize("k", list(Orientation))
def test_augmentation_turns_as_the_library_does(k: Orientation) -> None:
    squares = torch.rand(64, 32, 32)
    turned = Compose((StoredOrientation(), Resampling(32)))(batch_of(squares), draws(int(k)))
    stored = turned.applied.orientation == k
    assert stored.any()
    np.testing.assert_allclose(turned.images[stored], k.apply(squares[stored].numpy()), atol=1e-4)
    np.testing.assert_array_equal(targets(turned, 8)[stored].argmax(1), int(k))


def test_orientations_one_after_the_other_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    squares = torch.rand(64, 32, 32)
    turned = Compose((StoredOrientation(), StoredOrientation(), Resampling(32)))(batch_of(squares), draws())
    for k in Orientation:
        stored = turned.applied.orientation == k
        np.testing.assert_allclose(turned.images[stored], k.apply(squares[stored].numpy()), atol=1e-4)


def test_masks_come_to_lie_where_the_slices_do() -> None:
    squares = torch.zeros(16, 64, 64)
    squares[:, 10:40, 22:60] = 1
    only_spatial = replace(Augmentation(), bias_share=0, noise_share=0, remap=0, invert=0, wrap=0, tissue=0, window=0)
    settings = replace(only_spatial, bright_fill=0, gamma=0, blur=0, low_resolution=0)
    shown = pipeline(settings, 64)(with_masks(squares), draws(1))
    tissues = tissue_shares(shown.masks, 16)
    assert tissues.shape == (16, 4, 16, 16)
    torch.testing.assert_close(tissues.sum(1), torch.ones(16, 16, 16))
    expected = torch.nn.functional.avg_pool2d(shown.images, 4)
    assert float((tissues[:, 3] - expected).abs().mean()) < 0.02


def test_values_over_an_end_of_8_bit_come_out_at_the_other() -> None:
    dark = torch.full((400, 24, 24), 0.01)
    wrapped = WrapAround(1.0)(batch_of(dark), draws(2)).images
    assert float(wrapped.min()) >= 0 and float(wrapped.max()) <= 1
    speckled = (wrapped > 0.9).flatten(1).any(1)
    assert 0.3 < float(speckled.float().mean()) < 0.8


def test_tissue_contrast_changes_tissues_only() -> None:
    squares = torch.rand(8, 24, 24)
    before = with_masks(squares)
    after = TissueContrast(1.0)(before, draws())
    background = before.masks == 0
    torch.testing.assert_close(after.images[background], squares[background])
    assert not torch.equal(after.images, squares)


class Largest(Draws):
    """The largest of all that may be drawn, or the smallest."""

    def __init__(self, high: bool = True) -> None:
        super().__init__(torch.Generator())
        self.high = high

    def uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        return torch.full((count,), float(high if self.high else low))


@pytest.mark.parametrize(("angle", "rotation", "expected"), [(-23, 30, 0), (10, 35, 5), (-60, -35, 6), (0, 10, 0)])
def test_labels_are_what_the_anatomy_then_says(angle: float, rotation: float, expected: int) -> None:
    """A bar along the line between the ventricles tells the angle after augmentation."""
    rows, columns = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
    radians = np.deg2rad(angle)
    along = columns * np.cos(radians) + rows * np.sin(radians)
    across = -columns * np.sin(radians) + rows * np.cos(radians)
    bar = ((along > 0) & (along < 26) & (across.abs() < 3)).float()
    turn = Compose((Rotation(abs(rotation), 0.0, varied=False), Resampling(64)))
    turned = turn(batch_of(bar[None], angle), Largest(high=rotation > 0))
    assert float(turned.applied.rotation) == rotation
    weight = turned.images[0] / turned.images[0].sum()
    found = np.rad2deg(np.arctan2(float((weight * rows).sum()), float((weight * columns).sum())))
    assert abs(found - (angle + rotation)) < 2
    labels = targets(turned, 8, spread=3.0)
    assert int(labels[0].argmax()) == expected
    assert float(labels.sum()) == pytest.approx(1)


def test_without_spread_the_label_stays_whatever_the_rotation() -> None:
    turned = Rotation(90.0, 90.0, varied=False)(batch_of(torch.rand(4, 16, 16), 10.0), Largest())
    assert (targets(turned, 8).argmax(1) == Orientation.IDENTITY).all()
    assert (targets(turned, 8, spread=3.0).argmax(1) == Orientation.ROTATE_90).all()


def test_negatives_are_no_orientation() -> None:
    shown = pipeline(Augmentation(), 32)(batch_of(torch.rand(8, 48, 48), negative=True), draws())
    found = targets(shown, 9, 4.0, 16.0)
    assert (found[:, 8] == 1).all() and (found[:, :8] == 0).all()


def test_full_augmentation_gives_finite_pictures() -> None:
    shown = pipeline(EVERYTHING, 48)(batch_of(torch.rand(32, 64, 64), -60), draws())
    assert torch.isfinite(shown.images).all() and shown.images.shape == (32, 48, 48)
    torch.testing.assert_close(targets(shown, 9, 4.0, 16.0).sum(1), torch.ones(32))


@pytest.mark.parametrize("transform", pipeline(EVERYTHING, 48).transforms, ids=lambda one: type(one).__name__)
def test_a_transform_keeps_nothing_and_leaves_its_batch_alone(transform: Callable[[Batch, Draws], Batch]) -> None:
    """The same draws give the same again, whatever was done between; a batch of nobody is no trouble."""
    before = with_masks(torch.rand(6, 48, 48))
    kept = copy.deepcopy(before)
    first = transform(before, draws())
    transform(batch_of(torch.rand(3, 48, 48)), draws(1))
    again = transform(before, draws())
    for name in ("images", "masks", "angles", "hearts"):
        torch.testing.assert_close(getattr(before, name), getattr(kept, name), equal_nan=True, rtol=0, atol=0)
        torch.testing.assert_close(getattr(first, name), getattr(again, name), equal_nan=True, rtol=0, atol=0)
    for name in ("strength", "chance", "rotation", "orientation", "window"):
        assert torch.equal(getattr(before.applied, name), getattr(kept.applied, name))
        assert torch.equal(getattr(first.applied, name), getattr(again.applied, name))
    never = replace(before, applied=replace(before.applied, chance=torch.zeros(6)))
    assert transform(never, draws()).images.shape[0] == 6


def test_shares_are_right_on_average_whether_slices_vary_or_not() -> None:
    batch = batch_of(torch.rand(4000, 2, 2))
    for ready in (batch, VariedStrength()(batch, draws())):
        assert len(draws(1).chosen(ready, 0.3)) / 4000 == pytest.approx(0.3, abs=0.03)


def test_gamma_and_inversion_do_what_they_say() -> None:
    squares = torch.rand(4, 8, 8)
    bent = Gamma(0.5)(batch_of(squares), Largest()).images
    torch.testing.assert_close(bent, squares ** float(np.exp(0.5)))
    inverted = Inversion(1.0)(batch_of(squares), draws()).images
    torch.testing.assert_close(inverted, squares.amax((1, 2), keepdim=True) - squares)


def test_pictures_never_leave_their_device() -> None:
    """On torch's device without memory whatever is brought back to the processor fails."""
    shown = with_masks(torch.rand(6, 64, 64)).to(torch.device("meta"))
    for transform in pipeline(EVERYTHING, 48).transforms:
        shown = transform(shown, draws())
        assert shown.images.device.type == shown.masks.device.type == "meta", type(transform).__name__
    for preprocessing in (Preprocessing(), Preprocessing.paper(), Preprocessing(contrast="linear")):
        assert normalised(shown.images, preprocessing).device.type == "meta"
    assert targets(shown, 9, 4.0, 16.0).device.type == "meta"
    drawing = torch.zeros(6, 4, 12, 12, device="meta")
    assert auxiliary_segmentation_loss(drawing, shown.masks, shown.drawn).device.type == "meta"


@pytest.mark.parametrize("shift", [0.0, None])
def test_a_crop_round_the_heart_is_centred_on_it(shift: float | None) -> None:
    """Where it is known: in the middle of the crop, and as large as ``closer`` says, nearly."""
    squares = torch.zeros(64, 96, 96)
    squares[:, 36:60, 42:66] = 1
    known = torch.tensor([54 / 96, 48 / 96, 24 / 96]).repeat(64, 1)
    batch = replace(with_masks(squares), hearts=known)
    settings = replace(Augmentation.paper(), rotation=0, crop_diameters=2.0, crop_share=1.0, shift=shift, aspect=1.0)
    heart = tissue_shares(pipeline(settings, 48)(batch, draws()).masks, 24)[:, 3]
    size = torch.sqrt(heart.sum((1, 2))) / 24
    assert float(size.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(size.std()) > 0.02
    steps = (torch.arange(24) + 0.5) / 24
    for axis in (1, 2):
        centre = (heart.sum(axis) * steps).sum(1) / heart.sum((1, 2))
        assert float((centre - 0.5).abs().max()) < 0.05


@pytest.mark.parametrize(
    "preprocessing",
    [Preprocessing(size=40), replace(Preprocessing.paper(), size=64), Preprocessing(size=24, contrast="linear")],
)
def test_the_contrast_of_training_is_that_of_recognition(preprocessing: Preprocessing) -> None:
    size = preprocessing.size
    images = torch.rand(12, size, size, generator=torch.Generator().manual_seed(0)) ** 3
    images[0], images[1] = 0.3, 0.0
    images[1, 0] = 1
    images[2] = images[2].round()
    images[3] *= 1000
    ours, theirs = normalised(images, preprocessing).numpy(), preprocessing.normalise(images.numpy())
    assert ours.shape == theirs.shape
    # A value at the edge of a grey level may fall to the other side.
    assert np.abs(ours - theirs).max() < 0.05 and np.abs(ours - theirs).mean() < 1e-4
