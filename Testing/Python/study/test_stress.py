# ruff: noqa: F811 (pytest takes fixtures by their names)
"""Stress: slices made harder as they say, and only certain answers counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import PREPROCESSING, data, oracle, pattern  # noqa: F401
from study.stress import CURVES, Change, expected_class, middle_slices_of, rotated, stress, stressed, unchanged

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.training.cases import Case, read_cases


@pytest.mark.parametrize(
    ("angle", "rotation", "expected"),
    [
        (-23.0, 0.0, Orientation.IDENTITY),
        (-23.0, 30.0, Orientation.IDENTITY),
        (0.0, 30.0, None),  # 30° lies 8° past the border
        (10.0, 30.0, Orientation.ROTATE_90),
        (-50.0, -30.0, Orientation.ROTATE_270),
        (-40.0, -30.0, None),
        (20.0, 0.0, None),
        (None, 10.0, None),
        (None, 0.0, Orientation.IDENTITY),
    ],
)
def test_the_class_after_a_rotation_is_the_anatomy_s(
    angle: float | None, rotation: float, expected: Orientation | None
) -> None:
    margin = None if angle is None else min(angle + 68, 22 - angle)
    assert expected_class(Case(Path("a.nii"), angle=angle, margin=margin), rotation) is expected


def test_rotation_by_a_quarter_turn_is_class_five() -> None:
    """The change and the label turn the same way: a rotation by +90° is Orientation.ROTATE_90."""
    image = pattern()
    turned = rotated(image, (0, 0), np.random.default_rng(0), 90.0)
    np.testing.assert_allclose(turned, Orientation.ROTATE_90.apply(image), atol=0.01)
    assert expected_class(Case(Path("a.nii"), angle=-23.0, margin=45.0), 90.0) is Orientation.ROTATE_90


def test_changes_do_what_they_say(data: Path) -> None:
    random = np.random.default_rng(0)
    image = pattern(60, 40)
    half = CURVES["crop, share of the field of view"][0.5].apply(image, (10.0, 20.0), random)
    assert half.shape == (30, 20)
    np.testing.assert_array_equal(half, image[:30, 10:30])
    wide = CURVES["padding, share of the field of view"][1.5].apply(image, (0, 0), random)
    assert wide.shape == (90, 60)
    np.testing.assert_array_equal(wide[15:75, 10:50], image)
    assert (
        CURVES["resolution, pixels on the longer side"][64.0].apply(image.repeat(2, 0), (0, 0), random).shape[0] == 64
    )
    assert CURVES["inverted contrast"][1.0].apply(image, (0, 0), random).argmin() == image.argmax()
    noisy = CURVES["noise, share of the 99th percentile"][0.2].apply(image, (0, 0), random)
    assert noisy.min() >= 0
    assert np.std(noisy - (image - image.min())) > 0.1 * np.percentile(image, 99) * 0.5
    assert CURVES["extra rotation, degrees"][0.0].apply is unchanged


def test_stress_counts_certain_answers_only(data: Path) -> None:
    cases = read_cases(data)
    slices = middle_slices_of(cases, each=2)
    assert len(slices) == 8
    assert {slice_.number for slice_ in slices} <= {1, 2, 3, 4}
    still = stressed(Inference(oracle, PREPROCESSING), cases, slices, Change(unchanged))
    assert len(still.logits) == 6  # the border case is not counted
    assert still.middle.all()
    seen: list[tuple[str, float]] = []
    curves = stress(
        Inference(oracle, PREPROCESSING), cases, each=1, keep=lambda curve, level, _: seen.append((curve, level))
    )
    assert list(curves) == list(CURVES)
    assert len(seen) == sum(len(levels) for levels in CURVES.values())
    for curve, rows in curves.items():
        start = next(row for row in rows if row.level in (0.0, 1.0) or curve.startswith("resolution"))
        assert start.averaged.value == 1.0, curve
