"""Intervals against values from tables, and intervals over people."""

from __future__ import annotations

import numpy as np
import pytest

from CMROrientLib.training.evaluation.statistics import accuracy, clopper_pearson, cluster_bootstrap


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [
        (8, 10, 0.4439, 0.9748),
        (10, 10, 0.6915, 1.0),
        (0, 10, 0.0, 0.3085),
        (45, 45, 0.9213, 1.0),
        (1, 2, 0.0126, 0.9874),
    ],
)
def test_exact_interval(right: int, count: int, low: float, high: float) -> None:
    assert clopper_pearson(right, count) == pytest.approx((low, high), abs=6e-5)


def test_bootstrap_of_independent_answers_is_near_the_normal_interval() -> None:
    right = np.array([1] * 320 + [0] * 80)
    low, high = cluster_bootstrap(right, list(range(400)))
    half = 1.96 * np.sqrt(0.8 * 0.2 / 400)
    assert low == pytest.approx(0.8 - half, abs=0.006)
    assert high == pytest.approx(0.8 + half, abs=0.006)


def test_slices_of_one_person_do_not_narrow_the_interval() -> None:
    """Ten slices each, all right or all wrong: as wide as one slice each."""
    one = np.array([1] * 40 + [0] * 10)
    few = cluster_bootstrap(one, list(range(50)))
    many = cluster_bootstrap(np.repeat(one, 10), np.repeat(np.arange(50), 10).tolist())
    assert many == pytest.approx(few, abs=1e-12)
    naive = cluster_bootstrap(np.repeat(one, 10), list(range(500)))
    assert naive[1] - naive[0] < 0.5 * (many[1] - many[0])


def test_all_right_is_exact_over_people() -> None:
    found = accuracy(np.ones((30, 8), bool), ["a"] * 10 + ["b"] * 10 + ["c"] * 10)
    assert (found.value, found.right, found.count, found.subjects) == (1.0, 240, 240, 3)
    assert found.method == "exact over subjects"
    assert (found.low, found.high) == pytest.approx(clopper_pearson(3, 3))


def test_orientations_count_as_answers_and_people_as_samples() -> None:
    right = np.ones((20, 8), bool)
    right[3, :4] = False
    found = accuracy(right, [f"p{n // 2}" for n in range(20)])
    assert found.value == pytest.approx(1 - 4 / 160)
    assert (found.right, found.count, found.subjects) == (156, 160, 10)
    assert found.method == "bootstrap over subjects"
    assert found.low < found.value < found.high == 1.0
    assert found.to_json()["value"] == 0.975


def test_nothing_to_count_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 answers"):
        accuracy([], [])
    with pytest.raises(ValueError, match="2 answers for 1"):
        accuracy([True, False], ["a"])
