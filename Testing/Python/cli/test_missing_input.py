"""Input that is not there is wrong usage, whatever the command: status 2, one line, and what to do."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from parts import REPOSITORY

from CMROrientLib.cli.main import main

CALLS = [
    "recognize nowhere",
    "correct nowhere -o out",
    "audit nowhere -o audit.html",
    "evaluate --data nowhere",
    "evaluate --data data --index nowhere.csv",
    "evaluate --data data --index index.csv --split nowhere.json",
    "evaluate --data data --model nowhere/my.onnx",
    "evaluate --data data --output data",
    "export nowhere -o out",
    "train --recipe nowhere.toml --data data -o out",
    "train --recipe my.toml --data nowhere -o out",
    "transfer --start nowhere --data data -o out",
    "transfer --start universal --data nowhere -o out",
    "transfer --start universal --recipe nowhere.toml --data data -o out",
    "benchmark --data nowhere --volumes 1",
    "benchmark --data data --volumes 1",
    "benchmark --model nowhere --volumes 1",
]
NEEDS_TORCH = ("export", "train", "transfer")


@pytest.mark.parametrize("call", CALLS)
def test_missing_input_is_2_and_told(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = REPOSITORY / "Training" / "recipes" / "ablation"
    words = [str(recipe) if word == "my.toml" else word for word in call.split()]
    if words[0] in NEEDS_TORCH and importlib.util.find_spec("torch") is None:
        pytest.skip("training needs PyTorch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.nii").write_bytes(b"")
    (tmp_path / "data" / "y.dcm").write_bytes(b"")
    (tmp_path / "index.csv").write_text("path,subject\nx.nii,x\n", encoding="utf-8")
    if words[:3] == ["benchmark", "--data", "data"]:
        (tmp_path / "data" / "x.nii").unlink()
    before = sorted(tmp_path.rglob("*"))
    assert main(words) == 2
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("cmrorient: ")]
    assert len(told) == 1
    assert (
        told[0].endswith(("no such file or folder", "others are given by path"))
        or "give" in told[0]
        or ("check the file" in told[0])
    )
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("base", ["nowhere.toml", "mine.toml", "other.toml"])
def test_a_base_that_cannot_be_is_told_of_the_recipe_that_names_it(
    base: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    mine = tmp_path / "mine.toml"
    mine.write_text(f'base = "{base}"\n', encoding="utf-8")
    (tmp_path / "other.toml").write_text('base = "mine.toml"\n', encoding="utf-8")
    assert main(["train", "--recipe", str(mine), "--data", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert "its base" in told and "mine.toml" in told and told.count("\n") == 1
    assert not (tmp_path / "out").exists()
