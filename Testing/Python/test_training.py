"""Training learns, resumes to the same weights, transfers without touching what is frozen, and exports.

The images are synthetic: shapes that tell the eight orientations apart, as blurred and noisy as
needed for a network to have something to learn.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

import SimpleITK as sitk  # noqa: E402

from CMROrientLib.cli import main  # noqa: E402
from CMROrientLib.engines import open_engine  # noqa: E402
from CMROrientLib.errors import CMROrientError  # noqa: E402
from CMROrientLib.model_files import ModelFiles, find_model  # noqa: E402
from CMROrientLib.networks import build  # noqa: E402
from CMROrientLib.orientation import Orientation  # noqa: E402
from CMROrientLib.preprocessing import Preprocessing  # noqa: E402
from CMROrientLib.training.augment import Augmentation, Augmenter, Batch  # noqa: E402
from CMROrientLib.training.data import Case, load_slices, read_cases  # noqa: E402
from CMROrientLib.training.guide import Guide  # noqa: E402
from CMROrientLib.training.loop import Trainer  # noqa: E402
from CMROrientLib.training.predict import averaged  # noqa: E402
from CMROrientLib.training.recipes import Phase, Recipe, Selection, read_recipe  # noqa: E402
from CMROrientLib.training.splits import Split, split_by_subject  # noqa: E402
from CMROrientLib.training.train import train  # noqa: E402
from CMROrientLib.training.transfer import PAPER_PHASES, transfer_recipe  # noqa: E402

RECIPES = Path(__file__).parents[2] / "Training" / "recipes"
TINY = {"name": "compact", "channels": [8, 16, 24], "blocks": [0, 1, 1], "features": 32, "outputs": 8, "in_channels": 1}
GENTLE = replace(Augmentation.paper(), zoom=(0.9, 1.0))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Small inputs: threads that wait for each other on a busy machine cost more than they save."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def synthetic_slice(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A bright disc in a ring with a crescent to its left, over something bright below: (48, 56), and its mask."""
    rows, columns = np.mgrid[:48, :56]
    y, x = rows - 23 + random.normal(0, 1.5), columns - 31 + random.normal(0, 1.5)
    image = 60.0 * (np.hypot(x, y) < 15) + 120 * (np.hypot(x, y) < 7)
    crescent = (np.hypot(x + 9, y - 2) < 13) & (np.hypot(x, y) > 13)
    image += 150 * crescent
    image += 90 * ((rows > 38) & (columns < 40))
    mask = np.where(crescent, 1, np.where(np.hypot(x, y) < 7, 3, np.where(np.hypot(x, y) < 13, 2, 0)))
    return image * random.uniform(0.7, 1.3) + random.normal(0, 12, image.shape), mask


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve volumes of ten people, eight of the volumes with masks, and an index."""
    root = tmp_path_factory.mktemp("data")
    random = np.random.default_rng(3)
    lines = ["path,subject,dataset,modality,mask,mask_values"]
    for number in range(12):
        slices = [synthetic_slice(random) for _ in range(6)]
        stack, mask = (np.stack(part).astype(np.int16) for part in zip(*slices, strict=True))
        sitk.WriteImage(sitk.GetImageFromArray(stack), str(root / f"v{number:02}.nii.gz"))
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(root / f"m{number:02}.nii.gz"))
        drawn = f"m{number:02}.nii.gz,1 2 3" if number < 8 else ","
        lines.append(f"v{number:02}.nii.gz,s{number % 10},Shapes,{'bSSFP' if number % 2 else 'LGE'},{drawn}")
    (root / "index.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return root


def recipe(name: str = "tiny", **changes: object) -> Recipe:
    plain = Recipe(
        name,
        TINY,
        seed=5,
        batch=16,
        squares=64,
        validate_every=2,
        augmentation=GENTLE,
        preprocessing=Preprocessing(size=48),
        phases=(Phase(epochs=12, rate=5e-3),),
    )
    return replace(plain, **changes)


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ModelFiles, dict, Path]:
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    result = train(recipe(), data, folder, report=lambda text: None)
    return result.model, result.metrics, folder


def same(left: dict, right: dict) -> bool:
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


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
        phases=(Phase(epochs=8, rate=4e-3),),
        data=Selection(datasets=("MyoPS 2020", "MSCMR"), split=str(tmp_path / "split.json")),
    )
    result = train(chosen, data_root, tmp_path / "real", report=lambda text: None)
    assert result.metrics["single"] > 0.5


def slices_of(data: Path):
    return load_slices(read_cases(data), Preprocessing(size=48), 64)


def test_resuming_gives_the_same_weights(data: Path, tmp_path: Path) -> None:
    slices = slices_of(data)
    phases = (Phase(epochs=2, rate=5e-3), Phase(epochs=2, optimizer="sgd", rate=1e-2, freeze_backbone=True))
    chosen = recipe(phases=phases, average=0.9, guide=0.5, network={**TINY, "draws": True})
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
        Trainer(recipe(seed=6), slices, None, None, tmp_path)
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    with pytest.raises(CMROrientError, match="cannot be read"):
        Trainer(recipe(), slices, None, None, tmp_path)


def test_a_transfer_leaves_the_frozen_part_bit_for_bit(
    trained: tuple[ModelFiles, dict, Path], data: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load

    start = trained[0]
    weights = load(start.safetensors.read_bytes())
    phases = (replace(PAPER_PHASES[0], epochs=2, rate=1e-2), replace(PAPER_PHASES[1], epochs=1, rate=1e-2))
    chosen = transfer_recipe(recipe("moved", phases=phases), start)
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
    assert card["training_sets"] == [{"name": "Shapes", "terms": "the terms of its owner"}]
    assert card["training_subjects"] == 8 and card["seed"] == 5
    assert card["metrics"]["held_out_subjects"] == 2
    assert str(trained[2].parent) not in json.dumps(card)
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
    (tmp_path / "tiny.safetensors").unlink()
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
    assert find_model(tmp_path / "d" / "model").card["recipe"]["start"] == "r"
    assert main(["export", str(tmp_path / "b"), "-o", str(tmp_path / "out"), "--name", "c"]) == 0
    ours, again = find_model(tmp_path / "b" / "model"), find_model(tmp_path / "out")
    assert again.name == "c" and again.onnx.read_bytes() == ours.onnx.read_bytes()
    assert main(["export", str(tmp_path), "-o", str(tmp_path / "out")]) == 1
    assert "checkpoint" in capsys.readouterr().err


@pytest.mark.parametrize("k", list(Orientation))
def test_augmentation_turns_as_the_library_does(k: Orientation) -> None:
    squares = torch.rand(64, 32, 32)
    still = replace(Augmentation.paper(), rotation=0, rotation_unknown=0, zoom=(1.0, 1.0), aspect=1.0)
    batch = batch_of(squares, float("nan"))
    images, targets = Augmenter(still, 32, 8, torch.Generator().manual_seed(int(k)))(batch)
    expected = squares / squares.amax((1, 2), keepdim=True)
    stored = targets.argmax(1) == k
    assert stored.any()
    np.testing.assert_allclose(images[stored], k.apply(expected[stored].numpy()), atol=1e-4)


def batch_of(squares, angle: float, negative: bool = False) -> Batch:
    count = len(squares)
    return Batch(
        squares,
        torch.zeros(squares.shape, dtype=torch.uint8),
        torch.full((count,), angle),
        torch.full((count, 3), float("nan")),
        torch.full((count,), negative),
        torch.zeros(count, dtype=torch.bool),
    )


def with_masks(squares) -> Batch:
    """The bright half of each square is the left ventricle."""
    batch = batch_of(squares, -23.0)
    return replace(batch, masks=3 * (squares > 0.5).byte(), drawn=torch.ones(len(squares), dtype=torch.bool))


def test_masks_come_to_lie_where_the_slices_do() -> None:
    squares = torch.zeros(16, 64, 64)
    squares[:, 10:40, 22:60] = 1
    settings = replace(Augmentation(), bias_share=0, noise_share=0, remap=0, invert=0, wrap=0, tissue=0, window=0)
    settings = replace(settings, bright_fill=0, gamma=0, blur=0, low_resolution=0)
    augmenter = Augmenter(settings, 64, 8, torch.Generator().manual_seed(1))
    batch = with_masks(squares)
    images, _ = augmenter(batch)
    tissues = augmenter.tissues(batch.masks, 16)
    assert tissues.shape == (16, 4, 16, 16)
    assert torch.allclose(tissues.sum(1), torch.ones(16, 16, 16))
    expected = torch.nn.functional.avg_pool2d(images, 4)
    assert float((tissues[:, 3] - expected).abs().mean()) < 0.02


def test_values_over_an_end_of_8_bit_come_out_at_the_other() -> None:
    dark = torch.full((400, 24, 24), 0.01)
    augmenter = Augmenter(replace(Augmentation(), wrap=1.0, varied=False), 24, 8, torch.Generator().manual_seed(2))
    augmenter._strength = torch.ones(400)
    wrapped = augmenter._wrap(dark)
    assert float(wrapped.min()) >= 0 and float(wrapped.max()) <= 1
    speckled = (wrapped > 0.9).flatten(1).any(1)
    assert 0.3 < float(speckled.float().mean()) < 0.8


def test_the_second_lesson_is_learned() -> None:
    """The drawing gets better, tells the heart's place, and slices without masks do not count."""
    torch.manual_seed(0)
    drawing = {**TINY, "draws": True}
    network = build(**drawing).train()
    guide = Guide(network)
    squares = torch.zeros(8, 48, 48)
    squares[:, 8:30, 20:40] = 1
    batch = with_masks(squares)
    shares = torch.nn.functional.one_hot(batch.masks.long(), 4).permute(0, 3, 1, 2).float()
    network(squares[:, None])
    tissues = torch.nn.functional.interpolate(shares, size=guide.side, mode="area")
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(25):
        network(squares[:, None])
        loss = guide.loss(tissues, batch.drawn)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]
    network(squares[:, None])
    assert float(guide.loss(tissues, torch.zeros(8, dtype=torch.bool))) == 0
    column, row, diameter = network.eval()(squares[:1, None])[0, -3:].tolist()
    assert column == pytest.approx(30 / 48, abs=0.06) and row == pytest.approx(19 / 48, abs=0.06)
    assert diameter == pytest.approx(2 * (22 * 20 / np.pi) ** 0.5 / 48, abs=0.1)
    with pytest.raises(CMROrientError, match="draws = true"):
        Guide(build("orientnet"))


def test_a_network_that_looks_twice_is_trained_and_exported(data: Path, tmp_path: Path) -> None:
    """Masks or not, its model gives the place of the heart behind the logits, in both engines."""
    second = replace(GENTLE, closer=2.0, closer_share=0.5)
    chosen = recipe(network={**TINY, "draws": True}, guide=1.0, augmentation=second, phases=(Phase(epochs=1),))
    result = train(chosen, data, tmp_path / "twice", report=lambda text: None)
    assert result.model.card["closer"] == 2.0
    inputs = np.random.default_rng(0).normal(size=(3, 1, 48, 48)).astype(np.float32)
    for device in ("cpu", "torch-cpu"):
        places = open_engine(result.model, device).run(inputs)[:, 8:]
        assert places.shape == (3, 3)
        assert (places > 0).all() and (places[:, :2] < 1).all()
    assert find_model(result.model.onnx).card["outputs"] == 8


@pytest.mark.parametrize(("angle", "rotation", "expected"), [(-23, 30, 0), (10, 35, 5), (-60, -35, 6), (0, 10, 0)])
def test_labels_are_what_the_anatomy_then_says(angle: float, rotation: float, expected: int) -> None:
    """A bar along the line between the ventricles tells the angle after augmentation."""
    settings = replace(
        Augmentation.paper(), rotation=rotation, zoom=(1.0, 1.0), aspect=1.0, spread=3.0, turns=False, shift=0.0
    )
    rows, columns = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
    radians = np.deg2rad(angle)
    along = columns * np.cos(radians) + rows * np.sin(radians)
    across = -columns * np.sin(radians) + rows * np.cos(radians)
    bar = ((along > 0) & (along < 26) & (across.abs() < 3)).float()
    augmenter = Augmenter(settings, 64, 8, torch.Generator().manual_seed(0))
    augmenter._uniform = lambda count, low, high: torch.full((count,), float(high))  # the largest rotation, clockwise
    images, targets = augmenter(batch_of(bar[None], angle))
    weight = images[0] / images[0].sum()
    found = np.rad2deg(np.arctan2(float((weight * rows).sum()), float((weight * columns).sum())))
    assert abs(found - (angle + rotation)) < 2
    assert int(targets[0].argmax()) == expected
    assert float(targets.sum()) == pytest.approx(1)


def test_negatives_are_no_orientation() -> None:
    _, targets = Augmenter(Augmentation(), 32, 9, torch.Generator().manual_seed(0))(
        batch_of(torch.rand(8, 48, 48), float("nan"), negative=True)
    )
    assert (targets[:, 8] == 1).all() and (targets[:, :8] == 0).all()


def test_full_augmentation_gives_finite_pictures() -> None:
    settings = replace(
        Augmentation(), varied=False, **dict.fromkeys(("tissue", "wrap", "remap", "invert", "blur"), 1.0)
    )
    images, targets = Augmenter(settings, 48, 9, torch.Generator().manual_seed(0))(
        batch_of(torch.rand(32, 64, 64), -60)
    )
    assert torch.isfinite(images).all() and images.shape == (32, 48, 48)
    torch.testing.assert_close(targets.sum(1), torch.ones(32))


def test_averaging_carries_classes_back() -> None:
    """A network that is always right about the copies is right about the slice, whatever its other scores."""
    logits = np.random.default_rng(0).normal(size=(3, 8, 9)).astype(np.float32)
    logits[:, np.arange(8), np.arange(8)] += 20
    assert (averaged(logits).argmax(1) == 0).all()


def test_splits_keep_people_together(tmp_path: Path) -> None:
    cases = [Case(Path(f"{n}.nii"), subject=f"{source}/{n // 3}") for source in "ab" for n in range(30)]
    split = split_by_subject(cases, 0.2, seed=1)
    assert split == split_by_subject(cases[::-1], 0.2, seed=1) != split_by_subject(cases, 0.2, seed=2)
    assert len(split.test) == 4 and {name[0] for name in split.test} == {"a", "b"}
    split.save(tmp_path / "s.json")
    assert Split.load(tmp_path / "s.json") == split
    with pytest.raises(CMROrientError, match="both parts"):
        Split(("x",), ("x",))


def test_every_recipe_is_right() -> None:
    names = sorted(path.stem for path in RECIPES.glob("*.toml"))
    assert {"universal", "cine", "lge", "t2", "resnet18", "densenet121"} <= set(names)
    for path in RECIPES.glob("*.toml"):
        found = read_recipe(path)
        assert found.epochs > 0
        assert not found.data.split or Path(found.data.split).is_file()
    cine = read_recipe(RECIPES / "cine.toml")
    assert cine.preprocessing == Preprocessing.paper() and cine.augmentation == Augmentation.paper()
    assert cine.epochs == 40 and cine.batch == 32 and cine.phases[0].rate == 1e-2


@pytest.mark.parametrize(
    "text", ["seed = ", "[network]\nname='compact'\n[colour]\n", "[augmentation]\nmagic = 1\n", "a = 1"]
)
def test_a_recipe_that_is_not_right_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CMROrientError, match=r"bad\.toml"):
        read_recipe(tmp_path / "bad.toml")


def test_a_folder_without_index_is_data_too(data: Path, tmp_path: Path) -> None:
    for name in ("v00.nii.gz", "v01.nii.gz"):
        (tmp_path / name).write_bytes((data / name).read_bytes())
    (tmp_path / "v00_seg.nii.gz").write_bytes((data / "v00.nii.gz").read_bytes())
    cases = read_cases(tmp_path)
    assert [case.path.name for case in cases] == ["v00.nii.gz", "v01.nii.gz"]
    assert len({case.subject for case in cases}) == 2
    with pytest.raises(CMROrientError, match="no volumes"):
        read_cases(tmp_path / "nothing")


def test_slices_come_back_from_the_cache(data: Path, tmp_path: Path) -> None:
    cases = read_cases(data)
    first = load_slices(cases, Preprocessing(size=48), 64, tmp_path)
    assert len(list(tmp_path.glob("slices-*.npz"))) == 1
    again = load_slices(cases, Preprocessing(size=48), 64, tmp_path)
    np.testing.assert_array_equal(first.squares, again.squares)
    assert len(first) == 72


@pytest.mark.parametrize("name", ["train", "transfer", "evaluate", "export"])
def test_scripts_take_their_arguments_after_the_separator(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Slicer passes them: ``--python-script Training/train.py -- --help``."""
    script = RECIPES.parent / f"{name}.py"
    monkeypatch.setattr("sys.argv", [str(script), "--", "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(script), run_name="__main__")
    assert end.value.code == 0
    assert f"cmrorient {name}" in capsys.readouterr().out


def test_statistics_are_estimated_once_more_after_the_last_epoch(data: Path, tmp_path: Path) -> None:
    """Only batch-norm statistics change, and they are those of the final weights."""
    slices = slices_of(data)
    once, twice = (recipe(statistics=again, phases=(Phase(epochs=1, rate=5e-3),)) for again in (False, True))
    plain = Trainer(once, slices, None, None, tmp_path / "once", report=lambda text: None).run().state_dict()
    again = Trainer(twice, slices, None, None, tmp_path / "twice", report=lambda text: None).run().state_dict()
    changed = {key for key in plain if not torch.equal(plain[key], again[key])}
    assert changed and all("running" in key or "num_batches" in key for key in changed)
    stored = torch.load(tmp_path / "twice" / "checkpoint.pt", weights_only=True)["network"]
    assert same(stored, again)


def test_an_index_names_the_values_of_masks(data: Path, tmp_path: Path) -> None:
    """Masks of any data set teach where the heart is, if the index says what their values mean."""
    stack = np.zeros((3, 40, 40), np.int16)
    stack[:, 10:20, 5:15], stack[:, 10:20, 15:25] = 7, 9
    noise = np.random.default_rng(0).integers(0, 99, stack.shape).astype(np.int16)
    sitk.WriteImage(sitk.GetImageFromArray(noise), str(tmp_path / "a.nii"))
    sitk.WriteImage(sitk.GetImageFromArray(stack), str(tmp_path / "m.nii"))
    index = tmp_path / "index.csv"
    index.write_text("path,mask,mask_values\na.nii,m.nii,7 8 9\n", encoding="utf-8")
    (case,) = read_cases(tmp_path)
    assert case.drawn and case.mask_values == (7, 8, 9)
    slices = load_slices([case], Preprocessing(size=40), 40)
    assert sorted(set(slices.masks.ravel())) == [0, 1, 3]
    np.testing.assert_allclose(slices.hearts[0, :2], [15 / 40, 15 / 40], atol=0.01)
    index.write_text("path,mask\na.nii,m.nii\n", encoding="utf-8")
    assert not read_cases(tmp_path)[0].drawn
    index.write_text("path,mask,mask_values\na.nii,m.nii,7 8\n", encoding="utf-8")
    with pytest.raises(CMROrientError, match="three numbers"):
        read_cases(tmp_path)


def test_the_trainer_teaches_to_draw(data: Path, tmp_path: Path) -> None:
    """After a few epochs the network finds the heart of people that it was not trained on."""
    chosen = recipe(network={**TINY, "draws": True}, guide=4.0, phases=(Phase(epochs=10, rate=5e-3),))
    result = train(chosen, data, tmp_path / "drawn", report=lambda text: None)
    assert result.validation is not None
    shown = result.validation.of(lambda case: case.drawn)
    assert len(shown)
    inputs = Preprocessing(size=48).normalise(
        np.stack([Preprocessing(size=48).square(square.astype(np.float32)) for square in shown.squares])
    )
    places = open_engine(result.model, "cpu").run(inputs)[:, 8:10]
    assert np.abs(places - shown.hearts[shown.case, :2]).max() < 0.12


def test_without_masks_the_network_looks_once(data: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in sorted(data.glob("v*.nii.gz"))[:4]:
        (plain / path.name).write_bytes(path.read_bytes())
    said: list[str] = []
    second = replace(GENTLE, closer=2.0, closer_share=0.5)
    chosen = recipe(network={**TINY, "draws": True}, guide=1.0, augmentation=second, phases=(Phase(epochs=1),))
    result = train(chosen, plain, tmp_path / "once", report=said.append)
    assert result.model.card["closer"] == 0
    assert any("look once" in line for line in said)


def test_a_transfer_keeps_what_the_model_can_do(data: Path, tmp_path: Path) -> None:
    """A model that looks twice and knows other pictures goes on to do both, and to draw as it did while frozen."""
    second = replace(GENTLE, closer=2.0, closer_share=0.5)
    network = {**TINY, "draws": True, "outputs": 9}
    chosen = recipe(network=network, guide=1.0, augmentation=second, phases=(Phase(epochs=1),), negatives=20)
    start = train(chosen, data, tmp_path / "start", report=lambda text: None).model
    phases = (Phase(epochs=1, rate=1e-3, freeze_backbone=True), Phase(epochs=1, rate=1e-4))
    transferred = transfer_recipe(recipe(phases=phases), start)
    assert transferred.augmentation.closer == 2.0 and transferred.guide > 0 and transferred.negatives > 0
    trainer = Trainer(replace(transferred, negatives=0), slices_of(data), None, None, tmp_path / "t", start=None)
    before = {key: value.clone() for key, value in trainer.network.state_dict().items() if key.startswith("draw")}
    frozen = trainer.run(stop_after=1).state_dict()
    assert before and all(torch.equal(frozen[key], value) for key, value in before.items())
    trainer.run()
    assert any(not torch.equal(frozen_value, trainer.network.state_dict()[key]) for key, frozen_value in before.items())


def test_masks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    def write(name: str, array: np.ndarray) -> None:
        sitk.WriteImage(sitk.GetImageFromArray(array.astype(np.int16)), str(tmp_path / name))

    def load(mask: str) -> None:
        (tmp_path / "index.csv").write_text(f"path,mask,mask_values\na.nii,{mask},1 2 3\n", encoding="utf-8")
        load_slices(read_cases(tmp_path), Preprocessing(size=32), 32, tmp_path / "cache")

    write("a.nii", np.random.default_rng(0).integers(0, 99, (3, 20, 24)))
    write("small.nii", np.ones((3, 16, 16)))
    write("other.nii", np.full((3, 20, 24), 200))
    with pytest.raises(CMROrientError, match="names this mask"):
        load("missing.nii")
    with pytest.raises(CMROrientError, match="the mask's size"):
        load("small.nii")
    with pytest.raises(CMROrientError, match="none of the values"):
        load("other.nii")


def test_masks_are_trimmed_as_their_slices_are(tmp_path: Path) -> None:
    """Also where little is left, and where the border is not a number."""
    for name, rows, border in (("narrow", 12, 0.0), ("nan", 60, np.nan)):
        image = np.full((1, 80, 80), border, np.float32)
        top = (80 - rows) // 2
        image[:, top : top + rows, 20:60] = np.random.default_rng(0).normal(5, 1, (1, rows, 40))
        mask = np.zeros((1, 80, 80), np.int16)
        mask[:, 36:44, 24:40] = 3
        sitk.WriteImage(sitk.GetImageFromArray(image), str(tmp_path / "i.mha"))
        sitk.WriteImage(sitk.GetImageFromArray(mask), str(tmp_path / "m.mha"))
        case = Case(tmp_path / "i.mha", tmp_path / "m.mha", mask_values=(1, 2, 3))
        slices = load_slices([case], Preprocessing(size=40), 40)
        marked = Preprocessing(size=40).square(np.where(mask[0] > 0, 100, image[0]))
        rows_, columns = np.nonzero(marked > 50)
        expected = (columns.mean() + 0.5) / 40, (rows_.mean() + 0.5) / 40
        np.testing.assert_allclose(slices.hearts[0, :2], expected, atol=0.03, err_msg=name)
