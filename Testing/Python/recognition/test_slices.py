"""Which slices count as middle ones, and which one stands for a stack."""

from __future__ import annotations

import numpy as np
import pytest

from CMROrientLib.recognition.slices import central_slice, middle_slices


@pytest.mark.parametrize(
    ("count", "expected"), [(1, [0]), (2, [0, 1]), (3, [0, 1, 2]), (4, [1, 2]), (10, list(range(1, 9)))]
)
def test_middle_slices_are_those_whose_centre_lies_in_the_middle_seventy_per_cent(
    count: int, expected: list[int]
) -> None:
    np.testing.assert_array_equal(np.flatnonzero(middle_slices(np.arange(count), count)), expected)


def test_slices_of_several_stacks_at_once() -> None:
    np.testing.assert_array_equal(middle_slices([0, 5, 0], [10, 10, 1]), [False, True, True])


@pytest.mark.parametrize(("count", "central"), [(1, 0), (2, 1), (9, 4), (10, 5)])
def test_the_central_slice(count: int, central: int) -> None:
    assert central_slice(count) == central
