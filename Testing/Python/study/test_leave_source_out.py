"""Judging a model from its files: evaluate, measure, assemble, the paper's table, the contact sheet.

The model is a matched filter, written as ONNX: eight turned copies of one pattern as the weights of
a linear layer. It is right about that pattern and lost about anything else.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import nibabel
import numpy as np
import pytest

from CMROrientLib.orientation import Orientation
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.model_files import find_model
from CMROrientLib.recognition.preprocessing import Preprocessing
from CMROrientLib.training import ablation, cards, contact_sheet, leave_source_out, paper_table
from CMROrientLib.training.evaluate import add_evaluate_arguments, run_evaluate
from CMROrientLib.training.predictions import Predictions

onnx = pytest.importorskip("onnx")

PREPROCESSING = Preprocessing(size=24, contrast="linear")


def pattern(seed: int = 0, size: int = 40) -> np.ndarray:
    """A slice without symmetry, with a little noise."""
    y, x = np.mgrid[:size, :size] / size
    image = 20 + 10 * x + 30 * y
    image[size // 8 : size // 3, size // 8 : size // 2] += 100
    return (image + np.random.default_rng(seed).normal(0, 3, image.shape)).astype(np.float32)


def write_model(folder: Path, seed: int = 0) -> Path:
    """The three files of a matched filter."""
    template = PREPROCESSING(pattern())[0]
    weights = [k.apply(template).ravel() * 10 / template.size for k in Orientation]
    weights.append(np.zeros(template.size))
    helper = onnx.helper
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["input"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
        ],
        "matched",
        [helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, ["n", 1, 24, 24])],
        [helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, ["n", 9])],
        [
            onnx.numpy_helper.from_array(np.stack(weights, axis=1).astype(np.float32), "weights"),
            # The out-of-distribution output wins where no copy of the pattern fits.
            onnx.numpy_helper.from_array(np.array([0.0] * 8 + [5.0], np.float32), "bias"),
        ],
    )
    folder.mkdir(parents=True, exist_ok=True)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "matched.onnx"))
    (folder / "matched.safetensors").write_bytes(b"")
    card = {
        "name": "matched",
        "architecture": {"name": "none"},
        "preprocessing": PREPROCESSING.to_card(),
        "outputs": 9,
        "seed": seed,
        "parameters": 5184,
        "multiply_adds": 5184,
        "training_seconds": 60 + seed,
        "recipe": {"phases": [{"epochs": 3}, {"epochs": 4}]},
        "decision": DecisionRule(max_not_short_axis=0.5, min_confidence=0.5).to_card(),
    }
    (folder / "matched.json").write_text(json.dumps(card), encoding="utf-8")
    assert find_model(folder).name == "matched"
    return folder


def write_data(folder: Path, name: str, people: int, wrong: int = 0, sequence: str = "bSSFP") -> list[str]:
    """People with the pattern in every slice; the first ``wrong`` of them stored upside down."""
    rows = []
    for number in range(people):
        stack = np.stack([pattern(100 * number + n) for n in range(8)])
        if number < wrong:
            stack = stack[:, ::-1]
        path = f"{name}-{number}.nii"
        nibabel.Nifti1Image(np.ascontiguousarray(stack.T), np.diag([1.5, 1.5, 8, 1])).to_filename(folder / path)
        rows.append(f"{path},{name},{number},{sequence},-23.0,45.0")
    return rows


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    rows = ["path,dataset,subject,modality,rv_to_lv_angle_deg,margin_deg"]
    for name in ("A", "B", "C"):
        rows += write_data(folder, name, 6, wrong=1)
    (folder / "index.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def evaluate(*options: object) -> int:
    parser = argparse.ArgumentParser()
    add_evaluate_arguments(parser)
    return run_evaluate(parser.parse_args([str(option) for option in options]))


def test_evaluate_counts_prints_and_keeps(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, output, kept = write_model(tmp_path / "model"), tmp_path / "out" / "m.json", tmp_path / "p.npz"
    assert evaluate("--model", model, "--data", data, "--output", output, "--predictions", kept, "--device", "cpu") == 0
    found = json.loads(output.read_text(encoding="utf-8"))
    assert found["model"] == "matched"
    assert found["checksum"] == find_model(model).checksum
    assert list(found["groups"]) == ["A bSSFP", "B bSSFP", "C bSSFP", "all"]
    row = found["groups"]["all"]
    assert (row["subjects"], row["volumes"], row["slices"]) == (18, 18, 144)
    for key in ("slices_single", "slices_averaged", "volumes_single", "volumes_averaged"):
        assert row[key]["value"] == pytest.approx(15 / 18)
    assert (found["decisions"]["acted_on"], found["decisions"]["wrong"]) == (18, 3)
    printed = capsys.readouterr().out
    assert "0.8333" in printed
    assert "18 are acted on, 3 of these wrongly" in printed
    assert len(Predictions.load(kept).cases) == 18


def test_sources_are_judged_by_rules_of_the_others(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leave_source_out, "OTHER_PICTURES", 120)
    model = write_model(tmp_path / "model")
    folders = []
    for name in ("A", "B", "C"):
        folders.append(tmp_path / name)
        options = ["measure", "--name", f"Source {name}", "--model", model, "--data", data, "--dataset", name]
        assert leave_source_out.main([str(option) for option in [*options, "--output", folders[-1]]]) == 0
    card = model / "matched.json"
    metrics = tmp_path / "metrics"
    assert leave_source_out.main(["assemble", *map(str, folders), "--metrics", str(metrics), "--card", str(card)]) == 0
    # No family is judged by a rule that was fitted on it.
    seen: list[int] = []
    fit = leave_source_out.fit_out_of_distribution
    monkeypatch.setattr(
        leave_source_out, "fit_out_of_distribution", lambda r, o, rule: seen.append(len(o.averaged)) or fit(r, o, rule)
    )
    one = leave_source_out.load(folders[0])
    shown = np.array(one.families)[~one.blank]
    without = leave_source_out.without_each_family([one], DecisionRule())
    assert seen == [int((shown != family).sum()) for family in without]
    assert set(without) == set(one.families) and min(seen) < len(shown)
    fitted = json.loads(card.read_text(encoding="utf-8"))["decision"]
    # Without metrics only the rule is fitted, from one measurement, too.
    assert leave_source_out.main(["assemble", *map(str, folders), "--card", str(card)]) == 0
    assert json.loads(card.read_text(encoding="utf-8"))["decision"] == fitted
    assert leave_source_out.main(["assemble", str(folders[0])]) == 0
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in metrics.glob("*.json")}
    assert set(read) == {"left_out", "stress", "calibration", "rejection"}
    assert list(read["left_out"]) == ["Source A", "Source B", "Source C"]
    assert read["left_out"]["Source A"]["groups"]["all"]["volumes_averaged"]["value"] == pytest.approx(5 / 6)
    assert set(read["calibration"]["rules"]) == {"Source A", "Source B", "Source C"}
    whole = read["calibration"]["whole stacks"]
    assert (whole["answers"], whole["right"]) == (18, 15)
    assert read["stress"]["Source B"]["inverted contrast"][1]["averaged"]["value"] < 0.9
    families = read["rejection"]["families"]
    assert families["all"]["pictures"] == 3 * 120
    assert families["all"]["rejected"] > 0.8 * families["all"]["pictures"]
    assert read["rejection"]["real_volumes"]["rejected"] == 0
    # The rule that goes into the card is the one fitted on all; the weights' checksums stay true.
    rule = find_model(model).card.decision
    assert rule.to_card() == read["calibration"]["final"]
    assert rule.averaged is not None


def test_rows_of_the_paper_s_table_join_seeds_on_their_own_test_people(data: Path, tmp_path: Path) -> None:
    runs = []
    for seed, test in enumerate((["A/0", "A/1"], ["A/2", "A/3", "A/4"])):
        run = tmp_path / f"run-{seed}"
        write_model(run / "model", seed)
        train = [f"A/{n}" for n in range(6) if f"A/{n}" not in test]
        (run / "split.json").write_text(json.dumps({"train": train, "test": test}), encoding="utf-8")
        recipe = {"data": {"datasets": ["A"], "sequences": ["bSSFP"]}}
        (run / "recipe.json").write_text(json.dumps(recipe), encoding="utf-8")
        runs.append(run)
    options = ["--network", "Filter", "--data", data, "--metrics", tmp_path / "metrics"]
    options += [option for run in runs for option in ("--run", run)]
    assert paper_table.main([str(option) for option in options]) == 0
    row = json.loads((tmp_path / "metrics" / "paper_table.json").read_text(encoding="utf-8"))["Filter"]
    found = row["sequences"]["bSSFP"]
    assert found["seeds"] == {"0": 0.5, "1": 1.0}
    assert found["single"]["value"] == pytest.approx(4 / 5)
    assert found["single"]["subjects"] == 5
    assert (found["epochs"], found["seconds"], row["parameters"]) == (7, [60, 61], 5184)


def test_contact_sheet_shows_the_wrong_ones(data: Path, tmp_path: Path) -> None:
    model, kept = write_model(tmp_path / "model"), tmp_path / "p.npz"
    evaluate("--model", model, "--data", data, "--dataset", "A", "--predictions", kept, "--device", "cpu")
    assert contact_sheet.main([str(kept), "-o", str(tmp_path / "sheet")]) == 0
    (sheet,) = (tmp_path / "sheet").iterdir()
    assert sheet.stat().st_size > 10_000
    right = Predictions.load(kept).of(lambda case: case.subject != "A/0")
    assert contact_sheet.draw(right, tmp_path / "none") == []


def test_cards_take_over_what_was_measured(data: Path, tmp_path: Path) -> None:
    model, metrics = write_model(tmp_path / "model"), tmp_path / "metrics"
    evaluate("--model", model, "--data", data, "--output", metrics / "matched.json", "--device", "cpu")
    (tmp_path / "remarks.md").write_text(
        "## Remaining errors\n\n- not this\n\n## Known failures\n\nText.\n\n- One of\n  two lines.\n- Two.\n\n"
        "## Next\n\n- no\n",
        encoding="utf-8",
    )
    before = find_model(model)
    assert cards.main([str(model / "matched.json"), "--metrics", str(metrics)]) == 0
    after = find_model(model)
    assert after.checksum == before.checksum
    assert after.card.decision == before.card.decision
    assert after.card.known_failures == ("One of two lines.", "Two.")
    row = after.card.to_json()["metrics"]["held_out_people"]["all"]
    assert row["subjects"] == 18
    assert row["slices_single"][0] == pytest.approx(15 / 18, abs=1e-5)
    assert row["slices_single"][1] < row["slices_single"][0] < row["slices_single"][2]


def test_ablation_judges_runs_on_what_their_recipes_leave_out(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    body = '[network]\nname = "compact"\n[data]\nwithout_datasets = ["B", "C"]\n'
    for name, words in (("1-first", "as it is"), ("2-second", "never trained")):
        (recipes / f"{name}.toml").write_text(f"# {words}\n{body}", encoding="utf-8")
    write_model(tmp_path / "runs" / "1-first" / "model")
    options = ["--recipes", recipes, "--runs", tmp_path / "runs", "--data", data, "--metrics", tmp_path / "metrics"]
    assert ablation.main([str(option) for option in options]) == 0
    assert "2-second: no finished run" in capsys.readouterr().out
    (row,) = json.loads((tmp_path / "metrics" / "ablation.json").read_text(encoding="utf-8"))
    assert (row["variant"], row["fold"], row["epochs"]) == ("as it is", "B and C", 7)
    assert row["slices_averaged"] == pytest.approx(10 / 12)
