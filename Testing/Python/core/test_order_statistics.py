"""Percentiles, medians and distinct numbers are those of numpy, to the last bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from CMROrientLib.order_statistics import distinct, median, percentiles, percentiles_of_counts, percentiles_of_rows

TYPES = [np.float64, np.float32, np.uint8, np.int16, np.uint16, np.int32]
PERCENTS = st.lists(st.floats(0, 100) | st.sampled_from([0.0, 0.5, 1.0, 50.0, 99.0, 99.3, 99.5, 100.0]), min_size=1)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(TYPES), st.integers(1, 5000), st.integers(0, 2**32 - 1), st.integers(1, 60), PERCENTS)
def test_percentiles_are_those_of_numpy(
    kind: type[np.generic], size: int, seed: int, levels: int, percents: list[float]
) -> None:
    random = np.random.default_rng(seed)
    # Few levels have many ties.
    spread = random.normal(100, 40, size) if seed % 2 else random.integers(0, levels, size)
    values = np.abs(spread).astype(kind)
    expected = np.percentile(values, percents)
    found = percentiles(values, percents)
    assert found.dtype == np.float64 and found.tobytes() == np.asarray(expected, np.float64).tobytes()
    assert percentiles(values[::-1].reshape(1, -1), percents).tobytes() == found.tobytes()


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1, max_size=60), PERCENTS)
def test_percentiles_of_any_floats_are_those_of_numpy(values: list[float], percents: list[float]) -> None:
    for kind in (np.float32, np.float64):
        array = np.array(values, kind)
        before = array.copy()
        found = percentiles(array, percents)
        np.testing.assert_array_equal(found, np.percentile(array, percents), strict=True)
        assert array.tobytes() == before.tobytes()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=80), st.integers(-(2**31), 2**31), PERCENTS)
def test_percentiles_of_counts_are_those_of_the_numbers(given: list[int], first: int, percents: list[float]) -> None:
    numbers = np.array(given)
    found = percentiles_of_counts(np.bincount(numbers), first, percents)
    np.testing.assert_array_equal(found, np.percentile((numbers + first).astype(float), percents), strict=True)


def test_percentiles_of_rows_are_those_of_each() -> None:
    rows = np.random.default_rng(0).normal(size=(7, 300)).astype(np.float32)
    found = percentiles_of_rows(rows, (0.5, 99.5))
    np.testing.assert_array_equal(found, [np.percentile(row, (0.5, 99.5)) for row in rows])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=False, width=64), min_size=1, max_size=40))
def test_medians_are_those_of_numpy(values: list[float]) -> None:
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(median(values), np.median(values))


@given(st.lists(st.integers(-50, 50), max_size=60))
def test_distinct_numbers_are_those_of_numpy(numbers: list[int]) -> None:
    np.testing.assert_array_equal(distinct(np.array(numbers, int)), np.unique(np.array(numbers, int)), strict=True)


@pytest.mark.parametrize("call", ["percentiles(values, (0.5, 99.5))", "median(values)", "distinct(values)"])
def test_none_of_them_imports_masked_arrays(call: str) -> None:
    code = f"import sys, numpy as np; from CMROrientLib.order_statistics import *; values = np.arange(9); {call}"
    # This interpreter, and words from here.
    subprocess.run([sys.executable, "-c", f"{code}; assert 'numpy.ma' not in sys.modules"], check=True)
