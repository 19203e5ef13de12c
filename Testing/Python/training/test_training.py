# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Training learns, resumes to the same weights, transfers without touching what is frozen, and exports."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

pytestmark = pytest.mark.usefixtures("one_thread")


from shapes import TINY, data, recipe, same, slices_of  # noqa: E402

from CMROrientLib.cli.main import main  # noqa: E402
from CMROrientLib.errors import CMROrientError  # noqa: E402
from CMROrientLib.recognition.cards.card import TrainingSet  # noqa: E402
from CMROrientLib.recognition.cards.model_files import ModelFiles, find_model  # noqa: E402
from CMROrientLib.recognition.engines import open_engine  # noqa: E402
from CMROrientLib.recognition.preprocessing import Preprocessing  # noqa: E402
from CMROrientLib.training.cases import read_cases  # noqa: E402
from CMROrientLib.training.evaluation.scoring import averaged_right  # noqa: E402
from CMROrientLib.training.export import export_run  # noqa: E402
from CMROrientLib.training.recipe import Selection, Stage  # noqa: E402
from CMROrientLib.training.splits import Split  # noqa: E402
from CMROrientLib.training.train import train  # noqa: E402
from CMROrientLib.training.trainer import Trainer  # noqa: E402
from CMROrientLib.training.transfer import PAPER_STAGES, transfer_recipe  # noqa: E402


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelFiles, dict, Path]:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    result = train(recipe(), data, folder, report=lambda text: None)
    return result.model, result.metrics, folder


def test_a_short_run_learns(trained: tuple[ModelFiles, dict, Path]) -> None:
    _, metrics, folder = trained
    # Chance is one in eight.
    assert metrics["single"] > 0.6
    assert metrics["averaged"] >= metrics["single"] - 0.05
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["epoch"] for line in lines] == list(range(1, 13))
    assert lines[-1]["loss"] < 0.75 * lines[0]["loss"]
    assert lines[0]["left"] > 0 and lines[-1]["left"] == 0
    assert (folder / "curves.png").read_bytes()[:4] == b"\x89PNG"
    split = Split.load(folder / "split.json")
    assert len(split.test) == 2 and not set(split.train) & set(split.test)


@pytest.mark.slow
def test_real_slices_are_learned(data_root: Path, tmp_path: Path) -> None:
    """Well over chance in a minute, on people left out of training."""
    cases = read_cases(data_root)
    subjects = sorted({case.subject for case in cases if case.dataset == "MSCMR" or "MyoPS" in case.dataset})
    split = Split(tuple(subjects[:36]), tuple(subjects[36:]))
    split.save(tmp_path / "split.json")
    chosen = recipe(
        "real",
        batch=32,
        stages=(Stage(epochs=8, rate=4e-3),),
        data=Selection(datasets=("MyoPS 2020", "MSCMR"), split=str(tmp_path / "split.json")),
    )
    result = train(chosen, data_root, tmp_path / "real", report=lambda text: None)
    assert result.metrics["single"] > 0.5


def test_resuming_gives_the_same_weights(data: Path, tmp_path: Path) -> None:
    slices = slices_of(data)
    stages = (Stage(epochs=2, rate=5e-3), Stage(epochs=2, optimizer="sgd", rate=1e-2, freeze_backbone=True))
    chosen = recipe(stages=stages, average=0.9, auxiliary_loss=0.5, network={**TINY, "draws": True})
    whole = Trainer(chosen, slices, None, None, tmp_path / "whole", report=lambda text: None).run()
    for _ in range(4):
        # Each time as after a kill: from what is on disk.
        Trainer(chosen, slices, None, None, tmp_path / "parts", report=lambda text: None).run(stop_after=1)
    last = Trainer(chosen, slices, None, None, tmp_path / "parts", report=lambda text: None)
    assert last.epoch == 4
    assert same(whole.state_dict(), last.result.state_dict())
    lines = (tmp_path / "parts" / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2, 3, 4]


def test_another_seed_gives_other_weights(data: Path, tmp_path: Path) -> None:
    slices = slices_of(data)
    runs = [
        Trainer(recipe(seed=seed), slices, None, None, tmp_path / str(seed), report=lambda text: None)
        for seed in (1, 2)
    ]
    first, second = (run.run(stop_after=1).state_dict() for run in runs)
    assert not same(first, second)


def test_a_checkpoint_of_another_recipe_is_refused(data: Path, tmp_path: Path) -> None:
    slices = slices_of(data)
    Trainer(recipe(), slices, None, None, tmp_path, report=lambda text: None).run(stop_after=1)
    with pytest.raises(CMROrientError, match="another recipe"):
        Trainer(recipe(seed=9), slices, None, None, tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(CMROrientError, match="cannot be read"):
        Trainer(recipe(), slices, None, None, tmp_path)


def test_a_checkpoint_of_version_1_0_is_exported_but_not_continued(data: Path, tmp_path: Path) -> None:
    """It has neither a format nor a schedule; its weights are as good as ever."""
    slices, run = slices_of(data), tmp_path / "run"
    chosen = recipe(average=0.9)
    trainer = Trainer(chosen, slices, None, None, run, report=lambda text: None)
    trainer.run(stop_after=1)
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    old = {key: state[key] for key in ("recipe", "epoch", "seconds", "network", "average")}
    torch.save({**old, "optimizer": state["optimization"]["optimizer"]}, run / "checkpoint.pt")
    with pytest.raises(CMROrientError, match=r"of CMROrient 1\.0 and its run cannot be continued"):
        Trainer(chosen, slices, None, None, run)
    (run / "recipe.json").write_text(json.dumps(chosen.to_json()), encoding="utf-8")
    model = export_run(run, tmp_path / "model")
    inputs = np.random.default_rng(0).normal(size=(2, 1, 48, 48)).astype(np.float32)
    ours = trainer.result(torch.from_numpy(inputs)).detach().numpy()
    np.testing.assert_allclose(open_engine(model, "cpu").run(inputs), ours, atol=1e-4)


def test_a_step_stays_on_its_device(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture, logit or target goes through numpy; recognition's own preprocessing is not called."""
    trainer = Trainer(recipe(), slices_of(data), None, None, tmp_path, report=lambda text: None)

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("through numpy")

    monkeypatch.setattr(torch.Tensor, "numpy", refuse)
    monkeypatch.setattr(torch.Tensor, "__array__", refuse)
    monkeypatch.setattr(Preprocessing, "normalise", refuse)
    trainer.run(stop_after=1)


def test_a_transfer_leaves_the_frozen_part_bit_for_bit(
    trained: tuple[ModelFiles, dict, Path], data: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load

    start = trained[0]
    weights = load(start.safetensors.read_bytes())
    stages = (replace(PAPER_STAGES[0], epochs=2, rate=1e-2), replace(PAPER_STAGES[1], epochs=1, rate=1e-2))
    chosen = transfer_recipe(recipe("moved", stages=stages), start)
    trainer = Trainer(chosen, slices_of(data), None, None, tmp_path, start=weights, report=lambda text: None)
    frozen = trainer.run(stop_after=2).state_dict()
    backbone = [key for key in weights if key.startswith("backbone.")]
    assert any("running_mean" in key for key in backbone)
    assert all(torch.equal(frozen[key], weights[key]) for key in backbone)
    assert not torch.equal(frozen["head.1.weight"], weights["head.1.weight"])
    free = trainer.run().state_dict()
    assert not torch.equal(free[backbone[0]], weights[backbone[0]])


def test_a_transfer_without_frozen_phase_is_refused(trained: tuple[ModelFiles, dict, Path]) -> None:
    with pytest.raises(CMROrientError, match="freeze_backbone"):
        transfer_recipe(recipe(), trained[0])


def test_both_exports_say_the_same(trained: tuple[ModelFiles, dict, Path]) -> None:
    model = trained[0]
    inputs = np.random.default_rng(0).normal(size=(5, 1, 48, 48)).astype(np.float32)
    onnx, torch_ = (open_engine(model, device).run(inputs) for device in ("cpu", "torch-cpu"))
    assert onnx.shape == (5, 8)
    np.testing.assert_allclose(onnx, torch_, atol=1e-4)


def test_the_card_says_what_the_model_is(trained: tuple[ModelFiles, dict, Path]) -> None:
    from safetensors import safe_open

    card = trained[0].card
    assert card.training_sets == (TrainingSet("Shapes", "the terms of its owner"),)
    assert card.training_subjects == 8 and card.seed == 8
    assert card.metrics["held_out_subjects"] == 2
    assert str(trained[2].parent) not in json.dumps(card.to_json())
    with safe_open(trained[0].safetensors, framework="pt") as file:
        assert set(file.metadata()) == {"card"}
        assert json.loads(file.metadata()["card"])["name"] == "tiny"


def test_damaged_weights_are_refused(trained: tuple[ModelFiles, dict, Path], tmp_path: Path) -> None:
    for path in (trained[0].onnx, trained[0].safetensors, trained[0].onnx.with_suffix(".json")):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    find_model(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(trained[0].onnx.read_bytes() + b" ")
    with pytest.raises(CMROrientError, match="checksum"):
        find_model(tmp_path / "tiny.json")
    (tmp_path / "tiny.json").unlink()
    with pytest.raises(CMROrientError, match="missing"):
        find_model(tmp_path)


def test_the_command_line_trains_transfers_and_exports(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = """
    batch = 16
    squares = 64
    [network]
    name = "compact"
    channels = [8, 16]
    blocks = [0, 0]
    [preprocessing]
    size = 32
    [data]
    test_share = 0.3
    [[phases]]
    epochs = 1
    freeze_backbone = true
    [[phases]]
    epochs = 1
    """
    (tmp_path / "r.toml").write_text(text, encoding="utf-8")
    common = ["--recipe", str(tmp_path / "r.toml"), "--data", str(data), "--cache", str(tmp_path / "cache")]
    assert main(["train", *common, "-o", str(tmp_path / "a")]) == 0
    start = str(tmp_path / "a" / "model" / "r.onnx")
    assert main(["transfer", *common, "--start", start, "-o", str(tmp_path / "b"), "--name", "b"]) == 0
    assert main(["train", *common, "--start", start, "--epochs", "1", "-o", str(tmp_path / "d")]) == 0
    assert find_model(tmp_path / "d" / "model").card.recipe["start"] == "r"
    assert main(["export", str(tmp_path / "b"), "-o", str(tmp_path / "out"), "--name", "c"]) == 0
    ours, again = find_model(tmp_path / "b" / "model"), find_model(tmp_path / "out")
    assert again.name == "c" and again.onnx.read_bytes() == ours.onnx.read_bytes()
    assert main(["export", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "checkpoint" in capsys.readouterr().err


def test_options_that_no_recipe_takes_are_told(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe_file = tmp_path / "r.toml"
    recipe_file.write_text('[network]\nname = "compact"\n', encoding="utf-8")
    options = ["train", "--recipe", str(recipe_file), "--data", str(data), "-o", str(tmp_path / "a")]
    assert main([*options, "--seed", "-1"]) == 1
    assert "seed is -1" in capsys.readouterr().err
    assert main([*options, "--epochs", "0"]) == 2
    recipe_file.write_text('[network]\nname = "compact"\nmagic = 1\n', encoding="utf-8")
    assert main(options) == 1
    assert "network.magic" in capsys.readouterr().err
    assert not (tmp_path / "a").exists()


WITHOUT_PACKAGES = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pydantic", "torch"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
from CMROrientLib.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "options",
    [
        ["train", "--recipe", "r.toml", "--data", ".", "-o", "o"],
        ["transfer", "--start", "universal", "--data", ".", "-o", "o"],
        ["export", "run", "-o", "o"],
    ],
    ids=lambda options: options[0],
)
def test_a_missing_package_is_wrong_usage(options: list[str], tmp_path: Path, repository: Path) -> None:
    """And help needs none."""
    for given, status in (([options[0], "--help"], 0), (options, 2)):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT_PACKAGES, *given],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(repository)},
            capture_output=True,
            encoding="utf-8",
        )
        assert done.returncode == status, done.stderr
    assert "pip install cmrorient[train]" in done.stderr


def test_averaging_carries_classes_back() -> None:
    """A network that is always right about the copies is right about the slice, whatever its other scores."""
    logits = np.random.default_rng(0).normal(size=(3, 8, 9)).astype(np.float32)
    logits[:, np.arange(8), np.arange(8)] += 20
    assert averaged_right(logits).all()


@pytest.mark.parametrize("name", ["train", "transfer", "evaluate", "export"])
def test_scripts_take_their_arguments_after_the_separator(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Slicer passes them: ``--python-script Training/train.py -- --help``."""
    script = Path(__file__).parents[3] / "Training" / f"{name}.py"
    monkeypatch.setattr("sys.argv", [str(script), "--", "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code == 0
    assert f"cmrorient {name}" in capsys.readouterr().out


def test_statistics_are_estimated_once_more_after_the_last_epoch(data: Path, tmp_path: Path) -> None:
    """Only batch-norm statistics change, and they are those of the final weights."""
    slices = slices_of(data)
    once, twice = (recipe(statistics=again, stages=(Stage(epochs=1, rate=5e-3),)) for again in (False, True))
    plain = Trainer(once, slices, None, None, tmp_path / "once", report=lambda text: None).run().state_dict()
    again = Trainer(twice, slices, None, None, tmp_path / "twice", report=lambda text: None).run().state_dict()
    changed = {key for key in plain if not torch.equal(plain[key], again[key])}
    assert changed and all("running" in key or "num_batches" in key for key in changed)
    stored = torch.load(tmp_path / "twice" / "checkpoint.pt", weights_only=True)["network"]
    assert same(stored, again)
