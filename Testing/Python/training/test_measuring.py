"""Learning the level of a slice, the direction between the ventricles, and doubts of their own."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("pydantic")

from pathlib import Path  # noqa: E402

from stacks import heart_stack  # noqa: E402
from test_augmentation import batch_of, draws  # noqa: E402

from CMROrientLib.errors import CMROrientError  # noqa: E402
from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.recognition.measures import angle_of  # noqa: E402
from CMROrientLib.recognition.networks import build  # noqa: E402
from CMROrientLib.training.augmentation.labels import directions  # noqa: E402
from CMROrientLib.training.augmentation.spatial.resampling import Resampling  # noqa: E402
from CMROrientLib.training.augmentation.spatial.rotation import Rotation  # noqa: E402
from CMROrientLib.training.augmentation.spatial.stored_orientation import StoredOrientation  # noqa: E402
from CMROrientLib.training.augmentation.transform import Compose  # noqa: E402
from CMROrientLib.training.cases import Case  # noqa: E402
from CMROrientLib.training.checkpoint import load_weights  # noqa: E402
from CMROrientLib.training.losses.measuring import measuring_loss  # noqa: E402
from CMROrientLib.training.optimization import Optimization  # noqa: E402
from CMROrientLib.training.recipe import Stage  # noqa: E402
from CMROrientLib.training.slices import slice_levels  # noqa: E402

SMALL = {"outputs": 9, "in_channels": 1, "channels": (8, 16), "blocks": (0, 0), "features": 16, "draws": True}


def test_directions_turn_with_rotation_and_storage() -> None:
    batch = Compose((Rotation(60, 60), StoredOrientation(), Resampling(16)))(
        batch_of(torch.rand(64, 16, 16), -23.0), draws()
    )
    for direction, stored, rotation in zip(
        directions(batch).numpy(), batch.applied.orientation.tolist(), batch.applied.rotation.tolist(), strict=True
    ):
        measured = np.array([[[0.0, *direction]]])
        assert angle_of(measured, Orientation(stored)) == pytest.approx(np.clip(rotation, -45, 45), abs=1e-3)
    assert torch.isnan(directions(batch_of(torch.rand(2, 16, 16)))).all()


def test_levels_follow_the_masks_and_the_slice_order() -> None:
    mask = np.zeros((9, 4, 4), np.uint8)
    mask[2:8, 1:3, 1:3] = 3
    apex_first = slice_levels(Case(Path("a"), base_first=False), mask, 9)
    np.testing.assert_allclose(apex_first[2:8, 0], np.linspace(0, 1, 6), atol=1e-6)
    assert apex_first[0, 0] == pytest.approx(-0.3) and apex_first[8, 0] == pytest.approx(1.2)
    np.testing.assert_allclose(slice_levels(Case(Path("a"), base_first=True), mask[::-1], 9)[::-1], apex_first)
    by_place = slice_levels(Case(Path("a"), base_first=True), None, 5)
    np.testing.assert_allclose(by_place[:, 0], [1, 0.75, 0.5, 0.25, 0])
    assert 0 < by_place[0, 1] < apex_first[0, 1] == 1
    unknown = slice_levels(Case(Path("a")), mask, 9)
    assert np.isnan(unknown[:, 0]).all() and not unknown[:, 1].any()


def test_the_loss_counts_what_is_known_only() -> None:
    measures = torch.tensor([[0.5, 1.0, 0.0], [9.0, 9.0, 9.0]])
    levels = torch.tensor([[0.5, 1.0], [torch.nan, 0.0]])
    wanted = torch.tensor([[1.0, 0.0], [torch.nan, torch.nan]])
    assert float(measuring_loss(measures, levels, wanted)) == 0
    assert float(measuring_loss(measures, torch.tensor([[0.1, 1.0], [0.0, 0.0]]), wanted)) > 0.1
    assert float(measuring_loss(measures, levels * torch.nan_to_num(levels), -wanted)) > 1


def test_heads_leave_the_eight_classes_as_they_are() -> None:
    torch.manual_seed(0)
    plain = build("compact", **SMALL).eval()
    wider = build("compact", **SMALL, measures=True, doubts=True)
    load_weights(wider, plain.state_dict())
    images = torch.randn(6, 1, 32, 32)
    before = plain(images)
    optimization = Optimization.of(wider, Stage(1, only=("measure", "doubt")), 5)
    for _ in range(5):
        found = wider.everything(images)
        optimization.step(found.logits[:, 8].mean() + found.measures.square().mean())
    after = wider.eval()(images)
    assert torch.equal(before[:, :8], after[:, :8]) and torch.equal(before[:, 9:12], after[:, 9:12])
    assert not torch.allclose(before[:, 8], after[:, 8])
    assert after.shape == (6, 15)
    # The ninth output has its own odds, however large the eight are.
    odds = after[:, 8] - torch.logsumexp(after[:, :8], dim=1)
    assert odds.abs().max() < 20


def test_a_stage_names_parts_that_there_are() -> None:
    with pytest.raises(CMROrientError, match="no part measure"):
        Optimization.of(build("compact", **SMALL), Stage(1, only=("measure",)), 5)
    with pytest.raises(CMROrientError, match="also draws"):
        build("compact", **{**SMALL, "draws": False}, measures=True)
    with pytest.raises(CMROrientError, match="nine outputs"):
        build("compact", **{**SMALL, "outputs": 8}, doubts=True)


def test_the_heart_of_a_stack_has_the_mask_s_shape_and_closes_at_its_apex() -> None:
    from CMROrientLib.training.negatives.heart_shape import HeartShape
    from CMROrientLib.training.negatives.planes import TO_PATIENT, PlaneOfView, four_chamber

    stack = heart_stack()
    heart = HeartShape.of(stack, np.random.default_rng(0))
    assert heart is not None and heart.height == pytest.approx(5 * 9.0)
    assert heart.toward[1] > 0.9, "the left ventricle lies to the right"
    across = PlaneOfView(np.array([2 * 9.0, 0, 0]), np.eye(3)[1], np.eye(3)[2]).points(96.0, 64)
    right, outer, left = heart.ventricles(across)
    assert stack.mask is not None
    assert (left > 0).sum() * 1.5**2 == pytest.approx((stack.mask[3] == 3).sum() * 1.5**2, rel=0.25)
    assert (right > 0).any() and (outer > 0).sum() > (left > 0).sum()
    below = PlaneOfView(np.array([-25.0, 0, 0]), np.eye(3)[1], np.eye(3)[2]).points(96.0, 64)
    assert all((field < 0).all() for field in heart.ventricles(below))
    plane = four_chamber(np.random.default_rng(1), heart.middle, heart.toward)
    normal = np.cross(plane.down, plane.across)
    assert abs(normal[0]) < 0.5, "a long-axis plane holds the axis"
    # Columns, rows and up are right-handed; in this order they are not.
    assert np.linalg.det(TO_PATIENT) == pytest.approx(-1)
