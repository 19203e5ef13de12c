"""Level, slice order, angle and margin from what a network measures."""

from __future__ import annotations

import numpy as np
import pytest

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.measures import (
    angle_of,
    beyond_the_border,
    margin_of,
    slice_order,
    weigh_levels,
    weigh_together,
)

WEIGHTS = {"intercept": -3.0, "rise": 6.0, "correlation": 3.0, "slices": 1.0}


def measured(levels: np.ndarray, degrees: float = -23.0, stored: int = 0) -> np.ndarray:
    """(S, 16, 3) of slices with these levels and a line at these degrees, stored in a class, without error."""
    standard = np.array([np.sin(np.radians(degrees)), np.cos(np.radians(degrees))])
    copies = []
    for number in range(16):
        row, column = Orientation(number % 8).matrix @ Orientation(stored).matrix @ standard
        copies.append([0.0, column, row])
    found = np.tile(np.array(copies), (len(levels), 1, 1))
    found[..., 0] = levels[:, None]
    return found


@pytest.mark.parametrize("base_first", [True, False])
@pytest.mark.parametrize("phases", [1, 5])
def test_the_order_of_a_stack_and_of_all_phases_of_a_cine(base_first: bool, phases: int) -> None:
    random = np.random.default_rng(0)
    levels = np.linspace(0, 1, 9)[:: -1 if base_first else 1]
    numbers = np.tile(np.arange(9), phases)
    noisy = levels[numbers] + random.normal(0, 0.05, 9 * phases)
    found, sure = slice_order(weigh_levels(measured(noisy), numbers), WEIGHTS, 0.98)
    assert found == ("base_first" if base_first else "apex_first")
    assert sure > 0.99


def test_volumes_on_one_grid_tell_the_order_of_a_place_by_the_mean_of_its_levels() -> None:
    first, second = measured(np.array([0.1, 0.9, 0.3])), measured(np.array([0.3, 0.1, 0.7, 0.9]))
    found = weigh_together([(first, np.array([0, 1, 2])), (second, np.array([0, 1, 2, 3]))])
    # Places 0 to 3 are at 0.2, 0.5, 0.5 and 0.9.
    assert found == weigh_levels(measured(np.array([0.2, 0.5, 0.5, 0.9])), np.arange(4))
    assert found is not None and not found.base_first and found.slices == 4
    phases = measured(np.array([0.1, 0.9, 0.3, 0.1, 0.9, 0.3]))
    assert weigh_together([(phases, np.array([0, 1, 2] * 2)), (second, np.arange(4))]) == found
    assert weigh_together([(first[:2], np.arange(2)), (second[:2], np.arange(2))]) is None


def test_no_order_is_named_where_the_slices_do_not_agree() -> None:
    random = np.random.default_rng(1)
    found, sure = slice_order(weigh_levels(measured(random.normal(0.5, 0.05, 9)), np.arange(9)), WEIGHTS, 0.98)
    assert found == "unknown" and sure < 0.98
    level = np.linspace(0, 1, 9)
    assert slice_order(weigh_levels(measured(level), np.arange(9)), None, 0.98) == ("unknown", 0.0)


def test_slices_that_show_one_thing_again_tell_no_order() -> None:
    found = weigh_levels(measured(np.full(9, 0.5)), np.arange(9))
    assert found is not None and (found.rise, found.correlation) == (0, 0)
    half = weigh_levels(measured(np.array([0.2, 0.2, 0.8, 0.8])), np.arange(4))
    assert half is not None and half.correlation == pytest.approx(0.8)


@pytest.mark.parametrize("count", [1, 2])
def test_below_three_slices_there_is_no_order(count: int) -> None:
    for phases in (1, 20):
        numbers = np.tile(np.arange(count), phases)
        evidence = weigh_levels(measured(np.linspace(0, 1, count)[numbers]), numbers)
        assert evidence is None and slice_order(evidence, WEIGHTS, 0.98)[0] == "unknown"


@pytest.mark.parametrize("stored", range(8))
@pytest.mark.parametrize("degrees", [-67.0, -23.0, 0.0, 21.0])
def test_the_angle_is_that_of_the_standard_orientation_however_it_is_stored(stored: int, degrees: float) -> None:
    angle = angle_of(measured(np.array([0.2, 0.8]), degrees, stored), Orientation(stored))
    assert angle == pytest.approx(degrees + 23)
    assert margin_of(angle) == pytest.approx(min(degrees + 68, 22 - degrees))


def test_the_angle_of_single_passes_and_beyond_a_border() -> None:
    one_pass = measured(np.array([0.5]), 10.0, 5)[:, :1]
    assert angle_of(one_pass, Orientation.ROTATE_90) == pytest.approx(33)
    beyond = angle_of(measured(np.array([0.5]), 40.0), Orientation.IDENTITY)
    assert beyond == 45 and margin_of(beyond) == 0


@pytest.mark.parametrize("stored", list(Orientation))
@pytest.mark.parametrize(("degrees", "over"), [(20.0, 4.0), (-66.0, -4.0)])
def test_beyond_a_border_lies_the_class_that_the_volume_is_taken_for_there(
    stored: Orientation, degrees: float, over: float
) -> None:
    """A few degrees further, and the line lies within that class, as near to the border on its other side."""
    angle = angle_of(measured(np.array([0.5]), degrees, stored), stored)
    further = measured(np.array([0.5]), degrees + over, stored)
    beyond = beyond_the_border(stored, angle)
    assert margin_of(angle) == pytest.approx(2) and margin_of(angle_of(further, beyond)) == pytest.approx(2)
    assert np.sign(angle_of(further, beyond)) == -np.sign(angle)
