"""Augmentation: labels as the anatomy then says, masks where the slices come to lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")


from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.training.augment import Augmenter, Batch  # noqa: E402
from CMROrientLib.training.augmentation.settings import Augmentation  # noqa: E402


@pytest.mark.parametrize("k", list(Orientation))
def test_augmentation_turns_as_the_library_does(k: Orientation) -> None:
    squares = torch.rand(64, 32, 32)
    still = replace(Augmentation.paper(), rotation=0, rotation_unknown=0, zoom=(1.0, 1.0), aspect=1.0)
    batch = batch_of(squares, float("nan"))
    images, targets = Augmenter(still, 32, 8, torch.Generator().manual_seed(int(k)))(batch)
    expected = squares / squares.amax((1, 2), keepdim=True)
    stored = targets.argmax(1) == k
    assert stored.any()
    np.testing.assert_allclose(images[stored], k.apply(expected[stored].numpy()), atol=1e-4)


def batch_of(squares, angle: float, negative: bool = False) -> Batch:
    count = len(squares)
    return Batch(
        squares,
        torch.zeros(squares.shape, dtype=torch.uint8),
        torch.full((count,), angle),
        torch.full((count, 3), float("nan")),
        torch.full((count,), negative),
        torch.zeros(count, dtype=torch.bool),
    )


def with_masks(squares) -> Batch:
    """The bright half of each square is the left ventricle."""
    batch = batch_of(squares, -23.0)
    return replace(batch, masks=3 * (squares > 0.5).byte(), drawn=torch.ones(len(squares), dtype=torch.bool))


def test_masks_come_to_lie_where_the_slices_do() -> None:
    squares = torch.zeros(16, 64, 64)
    squares[:, 10:40, 22:60] = 1
    settings = replace(Augmentation(), bias_share=0, noise_share=0, remap=0, invert=0, wrap=0, tissue=0, window=0)
    settings = replace(settings, bright_fill=0, gamma=0, blur=0, low_resolution=0)
    augmenter = Augmenter(settings, 64, 8, torch.Generator().manual_seed(1))
    batch = with_masks(squares)
    images, _ = augmenter(batch)
    tissues = augmenter.tissues(batch.masks, 16)
    assert tissues.shape == (16, 4, 16, 16)
    assert torch.allclose(tissues.sum(1), torch.ones(16, 16, 16))
    expected = torch.nn.functional.avg_pool2d(images, 4)
    assert float((tissues[:, 3] - expected).abs().mean()) < 0.02


def test_values_over_an_end_of_8_bit_come_out_at_the_other() -> None:
    dark = torch.full((400, 24, 24), 0.01)
    augmenter = Augmenter(replace(Augmentation(), wrap=1.0, varied=False), 24, 8, torch.Generator().manual_seed(2))
    augmenter._strength = torch.ones(400)
    wrapped = augmenter._wrap(dark)
    assert float(wrapped.min()) >= 0 and float(wrapped.max()) <= 1
    speckled = (wrapped > 0.9).flatten(1).any(1)
    assert 0.3 < float(speckled.float().mean()) < 0.8


@pytest.mark.parametrize(("angle", "rotation", "expected"), [(-23, 30, 0), (10, 35, 5), (-60, -35, 6), (0, 10, 0)])
def test_labels_are_what_the_anatomy_then_says(angle: float, rotation: float, expected: int) -> None:
    """A bar along the line between the ventricles tells the angle after augmentation."""
    settings = replace(
        Augmentation.paper(), rotation=abs(rotation), zoom=(1.0, 1.0), aspect=1.0, spread=3.0, turns=False, shift=0.0
    )
    rows, columns = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
    radians = np.deg2rad(angle)
    along = columns * np.cos(radians) + rows * np.sin(radians)
    across = -columns * np.sin(radians) + rows * np.cos(radians)
    bar = ((along > 0) & (along < 26) & (across.abs() < 3)).float()
    augmenter = Augmenter(settings, 64, 8, torch.Generator().manual_seed(0))
    # The largest rotation, clockwise or the other way.
    augmenter._uniform = lambda count, low, high: torch.full((count,), float(high if rotation > 0 else low))
    images, targets = augmenter(batch_of(bar[None], angle))
    weight = images[0] / images[0].sum()
    found = np.rad2deg(np.arctan2(float((weight * rows).sum()), float((weight * columns).sum())))
    assert abs(found - (angle + rotation)) < 2
    assert int(targets[0].argmax()) == expected
    assert float(targets.sum()) == pytest.approx(1)


def test_negatives_are_no_orientation() -> None:
    _, targets = Augmenter(Augmentation(), 32, 9, torch.Generator().manual_seed(0))(
        batch_of(torch.rand(8, 48, 48), float("nan"), negative=True)
    )
    assert (targets[:, 8] == 1).all() and (targets[:, :8] == 0).all()


def test_full_augmentation_gives_finite_pictures() -> None:
    settings = replace(
        Augmentation(), varied=False, **dict.fromkeys(("tissue", "wrap", "remap", "invert", "blur"), 1.0)
    )
    images, targets = Augmenter(settings, 48, 9, torch.Generator().manual_seed(0))(
        batch_of(torch.rand(32, 64, 64), -60)
    )
    assert torch.isfinite(images).all() and images.shape == (32, 48, 48)
    torch.testing.assert_close(targets.sum(1), torch.ones(32))


@pytest.mark.parametrize("shift", [0.0, None])
def test_crops_are_centred_round_the_heart(shift: float | None) -> None:
    """Where it is known: in the middle of the crop, and as large as ``closer`` says, nearly."""
    squares = torch.zeros(64, 96, 96)
    squares[:, 36:60, 42:66] = 1
    known = torch.tensor([54 / 96, 48 / 96, 24 / 96]).repeat(64, 1)
    batch = replace(with_masks(squares), hearts=known)
    settings = replace(Augmentation.paper(), rotation=0, closer=2.0, closer_share=1.0, shift=shift, aspect=1.0)
    augmenter = Augmenter(settings, 48, 8, torch.Generator().manual_seed(0))
    augmenter(batch)
    heart = augmenter.tissues(batch.masks, 24)[:, 3]
    size = torch.sqrt(heart.sum((1, 2))) / 24
    assert float(size.mean()) == pytest.approx(0.5, abs=0.05)
    assert float(size.std()) > 0.02
    steps = (torch.arange(24) + 0.5) / 24
    for axis in (1, 2):
        centre = (heart.sum(axis) * steps).sum(1) / heart.sum((1, 2))
        assert float((centre - 0.5).abs().max()) < 0.05
