# ruff: noqa: F811 (pytest takes fixtures by their names)
"""Studies of models from their files: measure, assemble, the paper's table, the contact sheet, cards, short runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matched_filter import data, write_model  # noqa: F401
from study import ablation, cards, contact_sheet, decision_fit, leave_source_out, measured, paper_table

from CMROrientLib.cli.main import main
from CMROrientLib.recognition.cards.model_files import find_model
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.training.evaluation.predictions import Predictions


def evaluate(*options: object) -> None:
    assert main(["evaluate", *map(str, options)]) == 0


def test_sources_are_judged_by_rules_of_the_others(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measured, "OTHER_PICTURES", 120)
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
    fit = decision_fit.fit_out_of_distribution
    monkeypatch.setattr(
        decision_fit, "fit_out_of_distribution", lambda r, o, rule: seen.append(len(o.averaged)) or fit(r, o, rule)
    )
    one = measured.load(folders[0])
    shown = np.concatenate([some.families[~some.blank] for some in (one.others, one.views)])
    without = decision_fit.without_each_family([one], DecisionRule())
    assert seen == [int((shown != family).sum()) for family in without]
    assert set(without) == set(one.others.families.tolist()) | set(one.views.families.tolist()) and min(seen) < len(
        shown
    )
    fitted = json.loads(card.read_text(encoding="utf-8"))["decision"]
    # Without metrics only the rule is fitted, from one measurement, too.
    assert leave_source_out.main(["assemble", *map(str, folders), "--card", str(card)]) == 0
    assert json.loads(card.read_text(encoding="utf-8"))["decision"] == fitted
    assert leave_source_out.main(["assemble", str(folders[0])]) == 0
    read = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in metrics.glob("*.json")}
    assert set(read) == {"left_out", "stress", "calibration", "rejection", "kinds"}
    assert set(read["rejection"]["views"]) >= {"phantom in other planes"}
    assert set(read["rejection"]["real_slices"]) == {"all slices", "middle 70 % of slices"}
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
    remarks = tmp_path / "remarks.toml"
    remarks.write_text(
        '[[sections]]\nmodels = ["other"]\nfailures = ["Not this."]\n'
        '[[sections]]\nheading = "Known failures"\nmodels = ["matched"]\nfailures = ["One.", "Two."]\n',
        encoding="utf-8",
    )
    before = find_model(model)
    assert cards.main([str(model / "matched.json"), "--metrics", str(metrics), "--remarks", str(remarks)]) == 0
    after = find_model(model)
    assert after.checksum == before.checksum
    assert after.card.decision == before.card.decision
    assert after.card.known_failures == ("One.", "Two.")
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
