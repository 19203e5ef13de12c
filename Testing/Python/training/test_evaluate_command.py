# ruff: noqa: F811 (pytest takes fixtures by their names)
"""``cmrorient evaluate`` of a model on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from matched_filter import data, write_model  # noqa: F401

from CMROrientLib.cli.main import main
from CMROrientLib.recognition.cards.model_files import find_model
from CMROrientLib.training.evaluation.evaluate import chosen_cases, evaluate
from CMROrientLib.training.evaluation.predictions import Predictions


def test_evaluate_counts_prints_and_keeps(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, output, kept = write_model(tmp_path / "model"), tmp_path / "out" / "m.json", tmp_path / "p.npz"
    options = ["--model", model, "--data", data, "--output", output, "--predictions", kept, "--device", "cpu"]
    assert main(["evaluate", *map(str, options)]) == 0
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


def test_the_bundled_weights_reproduce_a_row_of_the_results(data_root: Path, repository: Path) -> None:
    """The stored row for T2 of people held out from training, measured again."""
    training = repository / "Training"
    stored = json.loads((training / "metrics" / "universal.json").read_text(encoding="utf-8"))
    assert stored["checksum"] == find_model("universal").checksum, "other weights are bundled than were evaluated"
    split = training / "splits" / "universal.json"
    found, _ = evaluate("universal", chosen_cases(data_root, split=split, sequences=["T2"]), "cpu")
    ours, theirs = found.to_json()["groups"]["MyoPS 2020 T2"], stored["groups"]["MyoPS 2020 T2"]
    for key, row in theirs.items():
        if isinstance(row, dict):
            # Another processor may round one logit to the other side.
            assert ours[key]["right"] == pytest.approx(row["right"], abs=1)
            assert ours[key]["count"] == row["count"]
        else:
            assert ours[key] == row
