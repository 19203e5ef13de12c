"""RESULTS.md holds what the stored metrics say and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from study.remarks import read_remarks
from study.results.page import TRAINING, build, main
from study.results.text import minutes, paragraph, percent, share
from study.stored import StoredMetrics

from CMROrientLib.errors import CMROrientError
from CMROrientLib.training.evaluation.statistics import Accuracy

PNG = b"\x89PNG\r\n\x1a\n"


def accuracy(value: float, low: float, high: float) -> dict[str, Any]:
    return Accuracy(value, low, high, 9, 10, 3, "bootstrap over subjects").to_json()


GROUP = {
    "subjects": 3,
    "volumes": 4,
    "slices": 40,
    "left_out": 1,
    **{
        key: accuracy(0.9876, 0.975, 0.996)
        for key in ("slices_single", "slices_averaged", "middle_single", "middle_averaged", "volumes_averaged")
    },
}

DECISIONS = {
    "volumes": 4,
    "subjects": 3,
    "acted_on": 3,
    "wrong": 0,
    "wrong_interval": [0.0, 0.708],
    "uncertain": 1,
    "not_short_axis": 0,
    "calibration_error": 0.01,
    "acted_on_accuracy": None,
}

BINS = [
    {"count": 5, "confidence": 0.6, "accuracy": 0.5},
    {"count": 5, "confidence": 0.99, "accuracy": 1.0},
]

CALIBRATED = {"answers": 10, "right": 8, "confidence": 0.81, "error": 0.0123}

SINGLE = accuracy(0.9, 0.8, 1)

MODEL = {"name": "without A", "checksum": "fedcba9876543210", "epochs": 30}

METRICS: dict[str, Any] = {
    "paper_table": {
        "OrientNet": {
            "parameters": 1078056,
            "multiply_adds": 284000000,
            "sequences": {
                "bSSFP": {
                    "single": accuracy(0.9961, 0.99, 1),
                    "averaged": accuracy(0.9999, 0.99, 1),
                    "seeds": {"0": 0.9951, "1": 0.9971},
                    "epochs": 40,
                    "seconds": [300, 360],
                }
            },
        }
    },
    "left_out": {"Source A": {"model": MODEL, "groups": {"A bSSFP": GROUP, "all": GROUP}, "decisions": DECISIONS}},
    "stress": {
        "Source A": {
            "crop, share of the field of view": [
                {"level": 1.0, "single": SINGLE, "averaged": accuracy(0.99, 0.98, 1)},
                {"level": 0.5, "single": SINGLE, "averaged": accuracy(0.8123, 0.7, 0.9)},
            ],
            "inverted contrast": [
                {"level": 0.0, "single": SINGLE, "averaged": accuracy(0.99, 0.98, 1)},
                {"level": 1.0, "single": SINGLE, "averaged": accuracy(0.9, 0.8, 1)},
            ],
        }
    },
    "calibration": {
        "sources": {"Source A": {"whole stacks": CALIBRATED}},
        "whole stacks": {**CALIBRATED, "bins": BINS},
        "parts of 2 to 5 slices": {**CALIBRATED, "bins": BINS},
        "one slice": {**CALIBRATED, "bins": BINS},
        "rules": {},
        "final": {"temperature": 1.25, "min_confidence": 0.91, "max_not_short_axis": 0.4},
    },
    "rejection": {
        "families": {
            "cells": {"pictures": 50, "rejected": 49, "uncertain": 1, "acted_on": 0, "interval": [0.894, 0.999]},
            "all": {"pictures": 50, "rejected": 49, "uncertain": 1, "acted_on": 0, "interval": [0.894, 0.999]},
        },
        "real_volumes": {"volumes": 200, "rejected": 1, "interval": [0.0001, 0.0275]},
    },
    "ablation": [
        {
            "variant": "no rotation",
            "fold": "M&Ms",
            "epochs": 10,
            "multiply_adds": None,
            "parameters": None,
            "seconds": 125,
            "slices_single": 0.9,
            "slices_averaged": None,
            "middle_averaged": None,
            "volumes_averaged": None,
        }
    ],
    "universal": {
        "model": "universal",
        "checksum": "0123456789abcdef",
        "training": {"epochs": 40},
        "groups": {"A bSSFP": GROUP, "all": GROUP},
        "decisions": {**DECISIONS, "wrong": 2},
    },
}


@pytest.fixture
def training(tmp_path: Path) -> Path:
    (tmp_path / "metrics").mkdir()
    for name, content in METRICS.items():
        (tmp_path / "metrics" / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
    text = '[[sections]]\nheading = "Remaining errors"\ntext = "All of them basal."\n'
    (tmp_path / "remarks.toml").write_text(text, encoding="utf-8")
    return tmp_path


def rebuilt(training: Path) -> int:
    return main(["--training", str(training), "--remarks", str(training / "remarks.toml")])


def built(training: Path) -> tuple[str, dict[str, Any]]:
    return build(StoredMetrics.read(training / "metrics"), read_remarks(training / "remarks.toml"))


def test_committed_results_are_what_the_metrics_give() -> None:
    text, pictures = build(StoredMetrics.read(TRAINING / "metrics"), read_remarks())
    assert (TRAINING / "RESULTS.md").read_text(encoding="utf-8") == text, "run `make results` and commit what it writes"
    for name in pictures:
        assert (TRAINING / "pictures" / name).read_bytes().startswith(PNG)


def test_each_figure_arrives(training: Path) -> None:
    assert rebuilt(training) == 0
    text = (training / "RESULTS.md").read_text(encoding="utf-8")
    for expected in (
        "| OrientNet, ours | 0.9961 (0.990–1.000) | – | – | 1,078,056 | 2 | 40 | 5–6 min |",
        "| OrientNet, the paper | 0.9982 | 0.9914 | 0.9861 | 1.08 M |",
        "| OrientNet bSSFP | 3 | 0 | 0.9951 0.9971 | 0.9999",
        "| Source A: A bSSFP | 3 | 4 | 40 | 0.9876 (0.975–0.996) |",
        "| Source A | 4 | 3 | 0 (0–70.8 %) | 1 | 0 |",
        "Of 4 volumes 3 are acted on, 2 of these wrongly",
        "0.8123 (0.700–0.900) at 0.5",
        "| whole stacks | 10 | 8 | 0.8100 | 0.0123 |",
        "temperature 1.25, acted on from confidence 0.91",
        "| cells | 50 | 98.0 % (89.4–99.9) | 1 | 0 | 100.0 % |",
        "Real short-axis volumes rejected: 1 of 200, 0.5 % (0.0–2.8).",
        "| no rotation | M&Ms | 10 |",
        "| Source A, left out: all slices, at least 0.99 | 0.9876 | **no** |",
        "| Source A, left out: none wrong among those acted on | 0 of 3 | yes |",
        "at least 0.97 | lowest 0.8123; missed: crop, inverted contrast | **no** |",
        "| calibration error on left-out sources, one slice, under 0.02 | 0.0123 | yes |",
        "at least 98 % | 98.0 %; with the uncertain ones 100.0 % left alone | yes |",
        "| real short-axis volumes taken for none, at most 2 % | 0.5 % | yes |",
        "All of them basal.",
    ):
        assert expected in " ".join(text.split("\n")), expected
    for picture in ("stress.png", "reliability.png"):
        assert (training / "pictures" / picture).read_bytes().startswith(PNG)
        assert f"pictures/{picture}" in text


def test_another_figure_gives_another_text(training: Path) -> None:
    before, _ = built(training)
    path = training / "metrics" / "left_out.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.9876", "0.9875"), encoding="utf-8")
    after, _ = built(training)
    assert before != after
    assert "0.9875" in after


def test_what_was_not_measured_has_no_section(training: Path) -> None:
    for name in METRICS:
        if name != "rejection":
            (training / "metrics" / f"{name}.json").unlink()
    text, pictures = built(training)
    assert pictures == {}
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Aims and what was reached",
        "## Pictures that are no short-axis slices",
        "## Remaining errors",
    ]


def test_pictures_are_the_same_twice(training: Path) -> None:
    rebuilt(training)
    first = {path.name: path.read_bytes() for path in (training / "pictures").iterdir()}
    rebuilt(training)
    assert first == {path.name: path.read_bytes() for path in (training / "pictures").iterdir()}


def test_no_metrics_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CMROrientError, match="no stored metrics"):
        main(["--training", str(tmp_path)])


def test_formats() -> None:
    assert share(None) == "–"
    assert share(Accuracy(1.0, 0.921, 1.0, 9, 10, 3, "exact over subjects")) == "1.0000 (0.921–1.000)"
    assert percent(1, 3, (0.1, 0.9)) == "33.3 % (10.0–90.0)"
    assert minutes([119, 121]) == "2 min"
    assert minutes([600, 1200]) == "10–20 min"
    assert max(len(line) for line in paragraph("word " * 100).splitlines()) <= 120
