"""Looking harder only where it is needed: early looks say what all copies say, and only the sure and plain end them."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sample_study import MODEL, phantom
from test_inference import PREPROCESSING, bright_spot, spot

from CMROrientLib.errors import UsageError
from CMROrientLib.io import read
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.cards.model_files import MODELS, find_model
from CMROrientLib.recognition.decision import DecisionRule, EarlyLook, carried_back, confidence, weigh
from CMROrientLib.recognition.inference import Answers, Inference, place_of
from CMROrientLib.recognition.measures import angle_of
from CMROrientLib.recognition.recognizer import Recognizer
from CMROrientLib.run.options import RunOptions
from CMROrientLib.volume import Volume

#: Sure of whatever phantoms show: when looking ends is what is tested here, not how well.
EASY = EarlyLook(
    {"intercept": 9.0, "margin": 0.0, "votes": 0.0, "agreement": 0.0, "slices": 0.0},
    min_confidence=0.9,
    max_not_short_axis=1.0,
)
#: Never sure.
HARD = replace(EASY, confidence={**EASY.confidence, "intercept": -9.0})


def recognizer_by(*early: EarlyLook, **options: Any) -> Recognizer:
    """The bundled network with a rule of its own, which names an order of slices for nothing."""
    made = Recognizer(MODEL, device="cpu", threads=1, min_confidence=0.3, **options)
    order = {"intercept": 9.0, "rise": 0.0, "correlation": 0.0, "slices": 0.0}
    made._rule = replace(made._rule, early=early or None, slice_order=order, max_not_short_axis=1.0)
    return made


def looks_of(slices: int = 9) -> tuple[list[Answers], Answers]:
    """Early looks at a made-up network's stack, and all that there is."""
    inference = Inference(bright_spot, PREPROCESSING, crop_diameters=3.0)
    images = [spot(0.3 + 0.02 * n, 0.6) for n in range(slices)]
    *early, full = inference.looks(images)
    np.testing.assert_array_equal(full.logits, inference.answers(images).logits)
    return early, full


def test_early_looks_are_parts_of_what_all_copies_say() -> None:
    (first, second), full = looks_of()
    assert [answers.look for answers in (first, second, full)] == [1, 2, 0]
    assert first.copies is not None and second.copies is not None
    np.testing.assert_array_equal(first.copies[:, 0], [0, 1, 2, 3, 4, 5, 6, 7, 0])
    np.testing.assert_array_equal(second.copies[:, :1], first.copies)
    assert (second.copies[:, 1] >= 8).all()
    for answers in (first, second):
        assert answers.copies is not None
        expected = np.take_along_axis(full.logits, answers.copies[..., np.newaxis], axis=1)
        np.testing.assert_allclose(answers.logits, expected, atol=1e-5)
        np.testing.assert_array_equal(answers.turns, answers.copies % 8)


def test_inputs_are_counted() -> None:
    (first, second), full = looks_of(slices=5)
    assert (first.inputs, second.inputs, full.inputs) == (5, 10, 10 + 80)
    inference = Inference(bright_spot, PREPROCESSING, crop_diameters=3.0)
    assert inference.answers([spot(0.3, 0.6)] * 5).inputs == 80
    assert inference.answers([spot(0.3, 0.6)] * 5, averaging=False).inputs == 5


def test_a_network_that_sees_whole_slices_only_has_one_early_look() -> None:
    *early, full = Inference(bright_spot, PREPROCESSING).looks([spot(0.3, 0.6)] * 4)
    assert [answers.look for answers in early] == [1]
    assert (full.logits.shape, full.inputs) == ((4, 8, 9), 4 + 32)


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 7), min_size=2, max_size=2), min_size=1, max_size=6), st.integers(0, 99))
def test_copies_in_any_order_are_carried_back_as_those_in_order(turns: list[list[int]], seed: int) -> None:
    chosen = np.array(turns)
    ordered = np.random.default_rng(seed).normal(size=(len(turns), 8, 8))
    picked = np.take_along_axis(ordered, chosen[..., np.newaxis], axis=1)
    expected = np.take_along_axis(carried_back(ordered), chosen[..., np.newaxis], axis=1)
    np.testing.assert_array_equal(carried_back(picked, chosen), expected)


@pytest.mark.parametrize("stored", [0, 3, 6])
def test_angle_and_place_do_not_depend_on_the_order_of_copies(stored: int) -> None:
    random = np.random.default_rng(stored)
    measures = random.normal(size=(5, 8, 3))
    order = np.array([random.permutation(8) for _ in range(5)])
    mixed = np.take_along_axis(measures, order[..., np.newaxis], axis=1)
    k = Orientation(stored)
    assert angle_of(mixed, k, order) == pytest.approx(angle_of(measures, k))
    places = random.uniform(0.1, 0.9, size=(5, 8, 3))
    mixed = np.take_along_axis(places, order[..., np.newaxis], axis=1)
    np.testing.assert_allclose(place_of(mixed, order), place_of(places), atol=1e-9)


def test_a_sure_answer_ends_the_looking() -> None:
    stack = phantom(3, slices=5)
    full = recognizer_by(EASY, EASY, looks="full").recognize(stack)
    assert full.inputs == 80
    once, twice, never = (
        recognizer_by(*early).recognize(stack) for early in ((EASY, EASY), (HARD, EASY), (HARD, HARD))
    )
    assert (once.inputs, twice.inputs, never.inputs) == (5, 10, 90)
    for found in (once, twice, never):
        assert (found.orientation, found.decision, found.conflict) == (3, "reoriented", False)
        assert len(found.slice_probabilities) == len(found.agreement) == found.votes.sum() == 5
    assert never.confidence == full.confidence
    np.testing.assert_array_equal(never.slice_probabilities, full.slice_probabilities)


@pytest.mark.parametrize(
    "stack",
    [
        phantom(1, slices=5, header="false"),
        phantom(3, slices=5, header="false"),
        phantom(2, slices=2),
        phantom(0, slices=1),
    ],
    ids=["a mirror", "a turn", "two slices", "one slice"],
)
def test_what_the_header_contradicts_and_what_is_thin_is_looked_at_in_full(stack: Volume) -> None:
    full = recognizer_by(EASY, EASY, looks="full").recognize(stack)
    found = recognizer_by(EASY, EASY).recognize(stack)
    assert found.inputs >= full.inputs
    assert {**found.to_dict(), "inputs": 0} == {**full.to_dict(), "inputs": 0}


def test_nothing_is_decided_early_that_is_not_acted_on() -> None:
    stack = phantom(0, slices=5)
    strict = recognizer_by(EASY, EASY)
    strict.min_confidence = 0.99999
    assert strict.recognize(stack).inputs == 90
    doubtful = recognizer_by(*[replace(EASY, max_not_short_axis=0.0)] * 2)
    assert doubtful.recognize(stack).inputs == 90
    unordered = recognizer_by(*[replace(EASY, min_slice_order=0.99999)] * 2)
    assert unordered.recognize(stack).inputs == 90
    unordered._rule = replace(unordered._rule, slice_order=None)
    assert unordered.recognize(stack).inputs == 5


def test_a_stack_with_too_few_slices_to_see_is_looked_at_in_full_at_once() -> None:
    seen = np.arange(5)[:, np.newaxis, np.newaxis] < 2
    stack = replace(phantom(1, slices=5), array=phantom(1, slices=5).array * seen)
    full = recognizer_by(EASY, EASY, looks="full").recognize(stack)
    found = recognizer_by(EASY, EASY).recognize(stack)
    assert found.inputs == full.inputs == 2 * 16
    assert found.to_dict() == full.to_dict()


def test_networks_without_a_rule_and_groups_are_looked_at_in_full() -> None:
    stack = phantom(0, slices=4)
    assert recognizer_by().recognize(stack).inputs == 64
    assert [found.inputs for found in recognizer_by(EASY, EASY).recognize_together([stack, stack])] == [64, 64]
    for name in ("cine", "lge", "t2"):
        assert not find_model(name).card.decision.early


def test_there_are_two_ways_of_looking() -> None:
    with pytest.raises(UsageError, match="auto, full, not 'quick'"):
        Recognizer(MODEL, device="cpu", looks="quick")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="auto, full"):
        RunOptions(inputs="in", looks="quick")  # type: ignore[arg-type]


def test_what_is_told_early_has_a_confidence_of_its_own() -> None:
    rule = DecisionRule(averaged=HARD.confidence, early=(EASY,))
    copies = np.log(np.full((4, 1, 8), 1 / 8))
    assert confidence(weigh(copies, look=1), rule) > 0.99
    assert confidence(weigh(np.repeat(copies, 8, axis=1)), rule) < 0.01
    with pytest.raises(ValueError, match="no rule for look 2"):
        confidence(weigh(copies, look=2), rule)


def test_a_run_is_gone_on_with_where_it_looked_as_it_does_now(tmp_path: Path) -> None:
    """A rule of early looks changes what is done by it, and nothing for who asks for everything."""
    for suffix in (".onnx", ".json"):
        shutil.copy(MODELS / f"cine{suffix}", tmp_path / f"cine{suffix}")
    plain = find_model(tmp_path)
    card = json.loads((tmp_path / "cine.json").read_text(encoding="utf-8"))
    card["decision"]["early"] = [
        {"confidence": dict(EASY.confidence), "min_confidence": 0.9, "max_not_short_axis": 0.1}
    ]
    (tmp_path / "cine.json").write_text(json.dumps(card), encoding="utf-8")
    ruled = find_model(tmp_path)
    assert ruled.card.decision.early == (replace(EASY, max_not_short_axis=0.1),)
    auto, full = RunOptions(inputs="in"), RunOptions(inputs="in", looks="full")
    before = auto.digest(plain, None)
    assert full.digest(plain, None) == full.digest(ruled, None) == before
    assert auto.digest(ruled, None) != before


def test_progress_ends_with_all_slices() -> None:
    seen: list[tuple[int, int]] = []
    recognizer_by(EASY, EASY).recognize(phantom(0, slices=4), lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 4) and seen[-1] == (4, 4)


def test_what_is_not_finite_is_told_at_the_first_look(monkeypatch: pytest.MonkeyPatch) -> None:
    made = recognizer_by(EASY, EASY)

    def nothing(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.full((len(inputs), 15), np.nan, np.float32)

    made._inference = replace(made._inference, forward=nothing)
    with pytest.raises(Exception, match="no finite numbers"):
        made.recognize(phantom(0, slices=4))


def test_on_real_volumes_what_is_told_early_is_what_all_copies_tell(data_root: Path) -> None:
    """Volumes of all sources, each stored in another class."""
    with (data_root / "index.csv").open(encoding="utf-8", newline="") as stream:
        paths = [data_root / row["path"] for row in csv.DictReader(stream)][::24]
    full, auto = (Recognizer(device="cpu", looks=looks) for looks in ("full", "auto"))
    early = 0
    for number, path in enumerate(paths):
        k = Orientation(number % len(Orientation))
        stored = read(path).reindexed(k, k)
        of_all, found = full.recognize(stored), auto.recognize(stored)
        told = (of_all.orientation, of_all.decision, of_all.conflict)
        assert (found.orientation, found.decision, found.conflict) == told, path.name
        assert len(found.slice_probabilities) == len(of_all.slice_probabilities)
        early += found.inputs < of_all.inputs
        if found.inputs > of_all.inputs:
            assert found.confidence == of_all.confidence
    assert early > 0.7 * len(paths)
