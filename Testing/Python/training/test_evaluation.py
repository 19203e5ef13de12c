"""Evaluation, judged by a made-up network that knows the answer, and by one that is wrong on purpose."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from numpy.typing import NDArray

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.preprocessing import Preprocessing
from CMROrientLib.training.cases import Case, read_cases
from CMROrientLib.training.evaluate import add_evaluate_arguments, chosen_cases, decisions, metrics
from CMROrientLib.training.negatives.reslices import Stack
from CMROrientLib.training.predictions import Predictions, predict
from CMROrientLib.training.rejection import other_pictures, rejection, volumes_out_of_distribution
from CMROrientLib.training.scoring import as_text, averaged_right, by_group, figures, single_pass_right
from CMROrientLib.training.stress import CURVES, Change, expected_class, middle_slices_of, stress, stressed, unchanged

PREPROCESSING = Preprocessing(size=32, contrast="linear")


def pattern(rows: int = 40, columns: int = 40) -> NDArray[np.float32]:
    """A slice without any symmetry: a ramp with a bright block in the upper left part."""
    y, x = np.mgrid[:rows, :columns] / [[[rows]], [[columns]]]
    image = 20 + 10 * x + 30 * y
    image[rows // 8 : rows // 3, columns // 8 : columns // 2] += 100
    return image.astype(np.float32)


def oracle(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Logits by correlation with the eight turned patterns; the ninth output is high where nothing fits."""
    template = PREPROCESSING(pattern())[0]
    turned = np.stack([k.apply(template).ravel() for k in Orientation])
    flat = inputs[:, 0].reshape(len(inputs), -1)
    fit = flat @ turned.T / flat.shape[1]
    return np.concatenate([20 * fit, 20 * (0.9 - fit.max(1, keepdims=True))], axis=1).astype(np.float32)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three people, one of them near a border, one with two sequences, and an index."""
    rows = ["path,dataset,subject,modality,rv_to_lv_angle_deg,margin_deg"]
    for name, subject, sequence, angle, margin in [
        ("a.nii", "one", "bSSFP", -23.0, 45.0),
        ("b.nii", "two", "bSSFP", 20.0, 2.0),
        ("c.nii", "three", "LGE", -40.0, 28.0),
        ("d.nii", "three", "bSSFP", -40.0, 28.0),
    ]:
        stack = np.stack([pattern() + n for n in range(6)])
        stack[0] = 7  # a blank slice is not counted
        nibabel.Nifti1Image(stack.T, np.diag([1.0, 1.0, 8.0, 1.0])).to_filename(tmp_path / name)
        rows.append(f"{name},Set,{subject},{sequence},{angle},{margin}")
    (tmp_path / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return tmp_path


def test_all_right_is_all_right(data: Path) -> None:
    predictions = predict(Inference(oracle, PREPROCESSING), read_cases(data))
    assert predictions.logits.shape == (20, 8, 9)
    assert single_pass_right(predictions.logits).all()
    assert averaged_right(predictions.logits).all()
    assert sorted(set(predictions.slice_)) == [1, 2, 3, 4, 5]
    tables = by_group(predictions, lambda case: case.sequence)
    assert list(tables) == ["LGE", "bSSFP", "all"]
    assert (tables["all"]["volumes"], tables["all"]["subjects"], tables["all"]["left_out"]) == (3, 2, 1)
    assert tables["all"]["slices_single"]["count"] == 15 * 8
    assert tables["all"]["middle_single"]["count"] == 12 * 8  # of slices 1 to 5 of six, 5 lies outside the middle
    assert {row[key]["value"] for row in tables.values() for key in row if key.endswith(("_single", "_averaged"))} == {
        1.0
    }
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
    assert found["slices_single"]["value"] == pytest.approx(7 / 8)
    assert found["volumes_single"]["value"] == pytest.approx(7 / 8)
    assert found["slices_averaged"]["value"] == 1


def test_a_network_with_a_taste_for_one_class_is_told(data: Path) -> None:
    """Always answering class 2: one in eight right in one pass; the averaged answer names no winner."""

    def stubborn(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.tile(np.eye(9, dtype=np.float32)[2], (len(inputs), 1))

    predictions = predict(Inference(stubborn, PREPROCESSING), read_cases(data))
    assert figures(predictions)["slices_single"]["value"] == pytest.approx(1 / 8)
    rule = DecisionRule(max_not_short_axis=0.9)
    found = decisions(predictions, rule)
    assert (found["acted_on"], found["uncertain"]) == (0, 3)
    assert "wrong_interval" not in found


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
    assert (found["volumes"], found["acted_on"], found["wrong"], found["not_short_axis"]) == (3, 3, 1, 0)
    assert found["wrong_interval"][0] < 1 / 3 < found["wrong_interval"][1]
    assert metrics(good, DecisionRule())["decisions"]["wrong"] == 0


def test_rejection_counts_other_pictures_by_family() -> None:
    stacks = [Stack(np.random.default_rng(0).random((8, 40, 40)), (8.0, 1.0, 1.0))]
    families, blank, logits = other_pictures(Inference(oracle, PREPROCESSING), stacks, count=120)
    table = rejection(families, blank, logits, DecisionRule(max_not_short_axis=0.5))
    assert table["all"]["pictures"] == 120 == sum(row["pictures"] for name, row in table.items() if name != "all")
    assert table["blank"]["rejected"] == table["blank"]["pictures"] == blank.sum() > 0
    for row in table.values():
        assert row["rejected"] + row["uncertain"] + row["acted_on"] == row["pictures"]
        assert row["interval"][0] <= row["rejected"] / row["pictures"] <= row["interval"][1]
    nothing = rejection(families, np.zeros(120, bool), logits, DecisionRule(max_not_short_axis=1.0))
    assert nothing["all"]["rejected"] == 0


def test_real_volumes_are_not_rejected_by_the_oracle(data: Path) -> None:
    assert (
        volumes_out_of_distribution(predict(Inference(oracle, PREPROCESSING), read_cases(data)), DecisionRule()).max()
        < 0.3
    )


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
    from CMROrientLib.training.stress import rotated

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
        start = next(row for row in rows if row["level"] in (0.0, 1.0) or curve.startswith("resolution"))
        assert start["averaged"]["value"] == 1.0, curve


def arguments(*options: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_evaluate_arguments(parser)
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


def test_the_bundled_weights_reproduce_a_row_of_the_results(data_root: Path) -> None:
    """The stored row for T2 of people held out from training, measured again."""
    from CMROrientLib.recognition.model_files import find_model
    from CMROrientLib.training.evaluate import evaluate
    from CMROrientLib.training.results import TRAINING

    if not TRAINING.is_dir():
        pytest.skip("an installed package has no Training folder")
    stored = json.loads((TRAINING / "metrics" / "universal.json").read_text(encoding="utf-8"))
    assert stored["checksum"] == find_model("universal").checksum, "other weights are bundled than were evaluated"
    split = TRAINING / "splits" / "universal.json"
    found, _ = evaluate("universal", chosen_cases(data_root, split=split, sequences=["T2"]), "cpu")
    ours, theirs = found["groups"]["MyoPS 2020 T2"], stored["groups"]["MyoPS 2020 T2"]
    for key, row in theirs.items():
        if isinstance(row, dict):
            # Another processor may round one logit to the other side.
            assert ours[key]["right"] == pytest.approx(row["right"], abs=1)
            assert ours[key]["count"] == row["count"]
        else:
            assert ours[key] == row
