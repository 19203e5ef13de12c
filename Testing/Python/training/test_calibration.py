"""Confidence: what it rests on, that it is calibrated, and the limits chosen from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.decision import (
    TERMS,
    DecisionRule,
    carried_back,
    confidence,
    log_probabilities,
    out_of_distribution,
    out_of_distribution_output,
    out_of_distribution_outputs,
    weigh,
)
from CMROrientLib.training.cases import Case
from CMROrientLib.training.evaluation.calibrate import (
    answers,
    choose_min_confidence,
    expected_calibration_error,
    fit_rule,
    fit_temperature,
    fit_weights,
)
from CMROrientLib.training.evaluation.out_of_distribution import (
    OutOfDistributionTerms,
    fit_out_of_distribution,
    out_of_distribution_of,
)
from CMROrientLib.training.evaluation.predictions import Predictions

WEIGHTS = {"intercept": -2.0, "margin": 1.5, "votes": 1.0, "agreement": 2.0, "slices": 0.7}


def noisy_predictions(seed: int, people: int = 150, slices: int = 8, noise: float = 1.2) -> Predictions:
    """A made-up network: the right logit leads by a person's own lead, with noise for each copy."""
    random = np.random.default_rng(seed)
    lead = np.repeat(random.uniform(0, 5, people), slices)
    logits = random.normal(0, noise, (people * slices, 8, 8))
    logits[:, np.arange(8), np.arange(8)] += lead[:, None]
    # An error that the copies of a slice share, so that averaging does not remove it.
    shared = random.normal(0, noise, (people * slices, 8))
    for g in Orientation:
        logits[:, g, [g.after(k) for k in Orientation]] += shared
    cases = tuple(Case(Path(f"{n}.nii"), subject=f"p{n}") for n in range(people))
    return Predictions(
        logits.astype(np.float32),
        np.repeat(np.arange(people), slices),
        np.tile(np.arange(slices), people),
        cases,
        np.full(people, slices),
    )


def test_classes_of_turned_copies_are_carried_back() -> None:
    """A slice stored in class 3, turned by g, shows class g.after(3): all copies then agree on 3."""
    turned = np.zeros((1, 8, 8))
    for g in Orientation:
        turned[0, g, g.after(Orientation.ROTATE_180)] = 1
    np.testing.assert_array_equal(carried_back(turned).argmax(-1), 3)
    for g in Orientation:
        turned[0, g] = np.eye(8)[g.after(Orientation.ROTATE_90)]
    np.testing.assert_array_equal(carried_back(turned).argmax(-1), 5)


def test_log_probabilities_leave_the_out_of_distribution_output_out() -> None:
    logits = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 100])
    np.testing.assert_allclose(np.exp(log_probabilities(logits)).sum(), 1)
    np.testing.assert_allclose(log_probabilities(logits), log_probabilities(logits[:8]))
    assert out_of_distribution_outputs(logits) == pytest.approx(1)
    assert out_of_distribution_outputs(np.zeros(9)) == pytest.approx(1 / 9)
    assert out_of_distribution_outputs(np.zeros((4, 8))).tolist() == [0, 0, 0, 0]
    sharp, soft = (log_probabilities(logits, t).max() for t in (1.0, 4.0))
    assert sharp > soft


def test_a_stack_is_not_rejected_for_its_ends() -> None:
    logits = np.zeros((5, 8, 9))
    logits[:, :, 8] = -20.0
    logits[[0, 4], :, 8] = 20.0
    assert out_of_distribution_output(logits) < 0.01
    logits[1, :, 8] = 20.0
    assert out_of_distribution_output(logits) > 0.99
    assert out_of_distribution_output(logits[..., :8]) == 0


def test_evidence_of_a_hand_made_volume() -> None:
    copies = np.full((2, 2, 8), -10.0)
    copies[0, :, 4] = -1  # first slice: both copies say 4
    copies[1, 0, 4] = -2  # second: one says 4, the other 6
    copies[1, 1, 6] = -0.5
    found = weigh(copies)
    assert found.orientation is Orientation.TRANSPOSE
    assert (found.slices, found.copies) == (2, 2)
    assert found.agreement == 0.75
    assert found.votes == 0.5  # means of the second slice: 4 → −6, 6 → −5.25
    assert found.margin == pytest.approx((-1 - 6) / 2 - (-10 - 5.25) / 2)


def test_more_slices_that_say_the_same_are_trusted_more() -> None:
    one = log_probabilities(np.where(np.arange(8) == 2, 3.0, 0.0))[None, None].repeat(8, axis=1)
    rule = DecisionRule(averaged=WEIGHTS)
    values = [confidence(weigh(one.repeat(count, axis=0)), rule) for count in (1, 2, 5, 20)]
    assert values == sorted(values)
    assert values[0] < values[-1] < 1


def test_single_passes_have_weights_of_their_own() -> None:
    one = log_probabilities(np.where(np.arange(8) == 2, 3.0, 0.0))[None, None]
    strict = DecisionRule(averaged=WEIGHTS, single={**WEIGHTS, "intercept": -6.0})
    assert confidence(weigh(one), strict) < confidence(weigh(one.repeat(8, axis=1)), strict)


def test_without_weights_it_is_the_softmax() -> None:
    logits = np.array([2.0, 0, 0, 0, 0, 0, 0, 0])
    found = confidence(weigh(log_probabilities(logits)[None, None]), DecisionRule())
    assert found == pytest.approx(np.exp(2) / (np.exp(2) + 7))


def test_a_card_keeps_the_rule() -> None:
    rule = DecisionRule(1.3, 0.8, 0.4, WEIGHTS, {**WEIGHTS, "slices": 0.0})
    assert DecisionRule.from_card(rule.to_card()) == rule
    assert DecisionRule.from_card({"temperature": 2.0, "note": "ignored"}) == DecisionRule(temperature=2.0)
    assert DecisionRule.from_card(None) == DecisionRule()


def test_calibration_error_by_hand() -> None:
    """Bin 0.9–1: |0.95 − 1| with half of the answers; bin 0.8–0.9: |0.85 − 0.5| with the other half."""
    confidences = np.array([0.95, 0.95, 0.85, 0.85])
    right = np.array([True, True, True, False])
    assert expected_calibration_error(confidences, right) == pytest.approx(0.2)
    assert expected_calibration_error(np.ones(5), np.ones(5, bool)) == 0
    assert expected_calibration_error(np.array([1.0]), np.array([False])) == 1


def test_temperature_undoes_logits_that_are_too_large() -> None:
    honest = noisy_predictions(0, noise=1.0)
    first = fit_temperature(honest)
    loud = Predictions(honest.logits * 3, honest.case, honest.slice_, honest.cases, honest.slices)
    assert fit_temperature(loud) == pytest.approx(3 * first, rel=0.01)


def test_fitted_confidence_is_calibrated_on_other_people() -> None:
    rule = fit_rule(noisy_predictions(1, people=300))
    for averaged in (True, False):
        data = answers(noisy_predictions(2, people=300), rule, averaged=averaged)
        assert 0.5 < data.right.mean() < 0.99  # there are errors to be honest about
        assert expected_calibration_error(data.confidences(rule), data.right) < 0.05
    one, whole = (answers(noisy_predictions(2), rule, sizes=(size,)).confidences(rule).mean() for size in (1, 0))
    assert one < whole


def test_more_evidence_never_lowers_the_confidence() -> None:
    weights = fit_weights(answers(noisy_predictions(3), DecisionRule()))
    assert tuple(weights) == TERMS
    assert all(weights[term] >= 0 for term in TERMS[1:])


def test_border_cases_are_not_learned_from() -> None:
    data = noisy_predictions(4, people=6)
    border = tuple(
        Case(case.path, subject=case.subject, margin=5.0 + 10 * (n % 2)) for n, case in enumerate(data.cases)
    )
    kept = answers(Predictions(data.logits, data.case, data.slice_, border, data.slices), DecisionRule(), sizes=(0,))
    assert kept.subjects == ["p1", "p3", "p5"]


def test_least_confidence_lies_above_every_wrong_stack() -> None:
    confidences, right = np.array([0.99, 0.7, 0.914, 0.2]), np.array([True, True, False, False])
    assert choose_min_confidence(confidences, right, least=0.5) == 0.92
    assert choose_min_confidence(confidences[:2], right[:2]) == 0.95
    assert choose_min_confidence(np.array([0.999]), np.array([False])) == 0.99


def test_parts_of_stacks_may_be_wrong_now_and_then() -> None:
    """One wrong part among 400 is tolerated, one among 100 is not, a wrong stack never."""
    right = np.ones(400, bool)
    right[0] = False
    confidences = np.full(400, 0.95)
    confidences[0] = 0.8
    assert choose_min_confidence(confidences, right, np.zeros(400, bool), 0.5) == 0.5
    assert choose_min_confidence(confidences[:100], right[:100], np.zeros(100, bool), 0.5) == 0.81
    assert choose_min_confidence(confidences, right, np.ones(400, bool), 0.5) == 0.81


def outputs(random: np.random.Generator, output: float, agree: bool) -> np.ndarray:
    """(1, 8, 9) logits of one slice whose turned copies agree, or name any class."""
    classes = random.normal(0, 1, (1, 8, 9))
    for g in Orientation:
        classes[0, g, g if agree else random.integers(8)] += 8
    classes[..., 8] = 8 + output + random.normal(0, 1)
    return classes


def test_what_is_no_short_axis_is_told_by_its_output_and_by_disagreement() -> None:
    random = np.random.default_rng(0)
    real = [outputs(random, -2, True) for _ in range(60)]
    others = [outputs(random, 2, False) for _ in range(30)]
    plain = DecisionRule()
    rule = fit_out_of_distribution(
        OutOfDistributionTerms.of(real, plain), OutOfDistributionTerms.of(others, plain), plain
    )
    assert rule.max_not_short_axis == 0.5
    assert DecisionRule.from_card(rule.to_card()) == rule
    assert (out_of_distribution_of(real, rule) < 0.5).mean() > 0.98
    assert (out_of_distribution_of(others, rule) > 0.5).mean() > 0.98
    # The same out-of-distribution output, once with copies that agree and once with copies that do not.
    one, other = out_of_distribution_of([outputs(np.random.default_rng(1), 0, agree) for agree in (True, False)], rule)
    assert one < other
    # A network without that output never says so, and one pass has weights of its own.
    assert out_of_distribution(0.0, weigh(np.zeros((1, 8, 8))), rule) == 0
    single = weigh(log_probabilities(others[0])[:, :1])
    assert out_of_distribution(0.9, single, rule) != pytest.approx(0.9)
    assert out_of_distribution(0.9, single, replace(rule, out_of_distribution_single=None)) == 0.9
