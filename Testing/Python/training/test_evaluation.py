# ruff: noqa: F811 (pytest takes fixtures by their names)
"""Evaluation, judged by a made-up network that knows the answer, and by one that is wrong on purpose."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from oracle import PREPROCESSING, data, oracle, pattern  # noqa: F401

from CMROrientLib.cli.evaluate import add_arguments
from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.training.cases import read_cases
from CMROrientLib.training.evaluation.decisions import decisions
from CMROrientLib.training.evaluation.evaluate import chosen_cases
from CMROrientLib.training.evaluation.out_of_distribution import volumes_out_of_distribution
from CMROrientLib.training.evaluation.predictions import Predictions, predict
from CMROrientLib.training.evaluation.scoring import as_text, averaged_right, by_group, figures, single_pass_right
from CMROrientLib.training.evaluation.statistics import Accuracy


def test_all_right_is_all_right(data: Path) -> None:
    predictions = predict(Inference(oracle, PREPROCESSING), read_cases(data))
    assert predictions.logits.shape == (20, 8, 9)
    assert single_pass_right(predictions.logits).all()
    assert averaged_right(predictions.logits).all()
    assert sorted(set(predictions.slice_)) == [1, 2, 3, 4, 5]
    tables = by_group(predictions, lambda case: case.sequence)
    assert list(tables) == ["LGE", "bSSFP", "all"]
    assert (tables["all"].volumes, tables["all"].subjects, tables["all"].left_out) == (3, 2, 1)
    assert tables["all"].slices_single.count == 15 * 8
    assert tables["all"].middle_single.count == 12 * 8  # of slices 1 to 5 of six, 5 lies outside the middle
    accuracies = [one for row in tables.values() for one in vars(row).values() if isinstance(one, Accuracy)]
    assert len(accuracies) == 3 * 6 and {one.value for one in accuracies} == {1.0}
    assert "1.0000" in as_text(tables)


def test_one_wrong_stored_orientation_is_an_eighth_wrong(data: Path) -> None:
    """A network that takes class 5 for class 4, in one pass; the average over eight copies mends it."""

    def confused(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        logits = oracle(inputs)
        logits[:, 4] = np.where(logits[:, :8].argmax(1) == 5, logits[:, 5] + 1, logits[:, 4])
        return logits

    predictions = predict(Inference(confused, PREPROCESSING), read_cases(data))
    right = single_pass_right(predictions.logits)
    assert right.sum(0).tolist() == [20, 20, 20, 20, 20, 0, 20, 20]
    found = figures(predictions)
    assert found.slices_single.value == pytest.approx(7 / 8)
    assert found.volumes_single.value == pytest.approx(7 / 8)
    assert found.slices_averaged.value == 1


def test_a_network_with_a_taste_for_one_class_is_told(data: Path) -> None:
    """Always answering class 2: one in eight right in one pass; the averaged answer names no winner."""

    def stubborn(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.tile(np.eye(9, dtype=np.float32)[2], (len(inputs), 1))

    predictions = predict(Inference(stubborn, PREPROCESSING), read_cases(data))
    assert figures(predictions).slices_single.value == pytest.approx(1 / 8)
    rule = DecisionRule(max_not_short_axis=0.9)
    found = decisions(predictions, rule)
    assert (found.acted_on, found.uncertain) == (0, 3)
    assert found.wrong_interval is None and found.to_json()["acted_on_accuracy"] is None


def test_turning_the_stored_slice_gives_the_logits_that_are_kept(data: Path) -> None:
    """Entry [s, k] is what the network says about the file stored in class k, spacing turned along."""
    case = read_cases(data)[0]
    predictions = predict(Inference(oracle, PREPROCESSING), [case])
    image = pattern(40, 28)
    kept = predict_one(image, (1.0, 1.5))
    for k in Orientation:
        spacing = (1.5, 1.0) if k.exchanges_axes else (1.0, 1.5)
        logits = oracle(PREPROCESSING(k.apply(image), spacing)[None])
        np.testing.assert_allclose(logits[0], kept[k], atol=1e-3)
    assert predictions.logits.shape[0] == 5


def predict_one(image: NDArray[np.float32], spacing: tuple[float, float]) -> NDArray[np.float32]:
    return Inference(oracle, PREPROCESSING)([image], spacing)[0]


def test_predictions_survive_storage(data: Path, tmp_path: Path) -> None:
    predictions = predict(Inference(oracle, PREPROCESSING), read_cases(data))
    predictions.save(tmp_path / "kept" / "p.npz")
    loaded = Predictions.load(tmp_path / "kept" / "p.npz")
    assert loaded.cases == predictions.cases
    np.testing.assert_array_equal(loaded.logits, predictions.logits)
    assert figures(loaded) == figures(predictions)
    (tmp_path / "other.npz").write_bytes(b"no archive")
    with pytest.raises(CMROrientError, match="no stored predictions"):
        Predictions.load(tmp_path / "other.npz")


def test_choosing_and_joining_keep_slices_with_their_case(data: Path) -> None:
    predictions = predict(Inference(oracle, PREPROCESSING), read_cases(data))
    lge = predictions.of(lambda case: case.sequence == "LGE")
    rest = predictions.of(lambda case: case.sequence != "LGE")
    assert [case.path.name for case in lge.cases] == ["c.nii"]
    assert set(lge.case) == {0}
    both = rest.joined(lge)
    assert sorted(case.path.name for case in both.cases) == ["a.nii", "b.nii", "c.nii", "d.nii"]
    assert both.subjects.count("Set/three") == 10
    np.testing.assert_array_equal(both.logits[both.case == 3], lge.logits)


def test_volumes_acted_on_are_counted_with_the_wrong_ones(data: Path) -> None:
    """A network that takes every slice of person one for turned by 90°."""
    cases = read_cases(data)
    good = predict(Inference(oracle, PREPROCESSING), cases)
    logits = good.logits.copy()
    wrong = np.array([case.subject == "Set/one" for case in cases])[good.case]
    for g in Orientation:
        logits[wrong, g, :8] = np.eye(8)[g.after(Orientation.ROTATE_90)] * 20
    bad = Predictions(logits, good.case, good.slice_, good.cases, good.slices)
    found = decisions(bad, DecisionRule(max_not_short_axis=0.9))
    assert (found.volumes, found.acted_on, found.wrong, found.not_short_axis) == (3, 3, 1, 0)
    assert found.wrong_interval[0] < 1 / 3 < found.wrong_interval[1]
    assert decisions(good, DecisionRule()).wrong == 0


def test_real_volumes_are_not_rejected_by_the_oracle(data: Path) -> None:
    assert (
        volumes_out_of_distribution(predict(Inference(oracle, PREPROCESSING), read_cases(data)), DecisionRule()).max()
        < 0.3
    )


def arguments(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(options)


def test_options_choose_the_cases(data: Path, tmp_path: Path) -> None:
    split = tmp_path / "split.json"
    split.write_text(json.dumps({"train": ["Set/one", "Set/two"], "test": ["Set/three"]}), encoding="utf-8")
    assert [case.subject for case in chosen_cases(data, split=split)] == ["Set/three"] * 2
    assert len(chosen_cases(data, split=split, people="train")) == 2
    assert len(chosen_cases(data, split=split, people="all")) == 4
    assert len(chosen_cases(data, sequences=["LGE"])) == 1
    assert arguments("--data", str(data)).model == "universal"
    with pytest.raises(UsageError, match="needs --split"):
        chosen_cases(data, people="test")
    with pytest.raises(UsageError, match="none of the volumes"):
        chosen_cases(data, datasets=["Other"])
