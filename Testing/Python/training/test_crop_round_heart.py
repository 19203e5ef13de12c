# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Networks that draw the ventricles and crop round the heart: trained, exported and transferred."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("safetensors", reason="safetensors is not installed")
pytest.importorskip("onnx", reason="onnx is not installed")

pytestmark = pytest.mark.usefixtures("one_thread")


from shapes import GENTLE, TINY, data, recipe, slices_of  # noqa: E402

from CMROrientLib.recognition.cards.model_files import find_model  # noqa: E402
from CMROrientLib.recognition.engines import open_engine  # noqa: E402
from CMROrientLib.recognition.networks import CompactNet, build  # noqa: E402
from CMROrientLib.recognition.preprocessing import Preprocessing  # noqa: E402
from CMROrientLib.training.losses.segmentation import auxiliary_segmentation_loss  # noqa: E402
from CMROrientLib.training.recipe import Stage  # noqa: E402
from CMROrientLib.training.train import train  # noqa: E402
from CMROrientLib.training.trainer import Trainer  # noqa: E402
from CMROrientLib.training.transfer import transfer_recipe  # noqa: E402


def test_the_auxiliary_loss_teaches_to_draw() -> None:
    """The drawing gets better, tells the heart's place, and slices without masks do not count."""
    torch.manual_seed(0)
    drawing = {**TINY, "draws": True}
    network = build(**drawing).train()
    assert isinstance(network, CompactNet)
    squares = torch.zeros(8, 48, 48)
    squares[:, 8:30, 20:40] = 1
    masks, everything = 3 * squares.byte(), torch.ones(8, dtype=torch.bool)

    def loss_of(drawn: torch.Tensor) -> torch.Tensor:
        drawing = network.everything(squares[:, None]).drawing
        assert drawing is not None
        assert drawing is not None
        return auxiliary_segmentation_loss(drawing, masks, drawn)

    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    losses = []
    for _ in range(25):
        loss = loss_of(everything)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]
    assert float(loss_of(~everything).detach()) == 0
    column, row, diameter = network.eval()(squares[:1, None])[0, -3:].tolist()
    assert column == pytest.approx(30 / 48, abs=0.06) and row == pytest.approx(19 / 48, abs=0.06)
    assert diameter == pytest.approx(2 * (22 * 20 / np.pi) ** 0.5 / 48, abs=0.1)
    with pytest.raises(ValueError, match="draws = true"):
        recipe(auxiliary_loss=1.0, network={"name": "orientnet"})


def test_a_network_that_crops_round_the_heart_is_trained_and_exported(data: Path, tmp_path: Path) -> None:
    """Masks or not, its model gives the place of the heart behind the logits, in both engines."""
    second = replace(GENTLE, crop_diameters=2.0, crop_share=0.5)
    chosen = recipe(network={**TINY, "draws": True}, auxiliary_loss=1.0, augmentation=second, stages=(Stage(epochs=1),))
    result = train(chosen, data, tmp_path / "twice", report=lambda text: None)
    assert result.model.card.crop_diameters == 2.0
    inputs = np.random.default_rng(0).normal(size=(3, 1, 48, 48)).astype(np.float32)
    for device in ("cpu", "torch-cpu"):
        places = open_engine(result.model, device).run(inputs)[:, 8:]
        assert places.shape == (3, 3)
        assert (places > 0).all() and (places[:, :2] < 1).all()
    assert find_model(result.model.onnx).card.outputs == 8


def test_the_trainer_teaches_to_draw(data: Path, tmp_path: Path) -> None:
    """After a few epochs the network finds the heart of people that it was not trained on."""
    chosen = recipe(network={**TINY, "draws": True}, auxiliary_loss=4.0, stages=(Stage(epochs=10, rate=5e-3),))
    result = train(chosen, data, tmp_path / "drawn", report=lambda text: None)
    assert result.validation is not None
    shown = result.validation.of(lambda case: case.drawn)
    assert len(shown)
    inputs = Preprocessing(size=48).normalise(
        np.stack([Preprocessing(size=48).square(square.astype(np.float32)) for square in shown.squares])
    )
    places = open_engine(result.model, "cpu").run(inputs)[:, 8:10]
    assert np.abs(places - shown.hearts[shown.case, :2]).max() < 0.12


def test_without_masks_the_network_does_not_crop(data: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    for path in sorted(data.glob("v*.nii.gz"))[:4]:
        (plain / path.name).write_bytes(path.read_bytes())
    said: list[str] = []
    second = replace(GENTLE, crop_diameters=2.0, crop_share=0.5)
    chosen = recipe(network={**TINY, "draws": True}, auxiliary_loss=1.0, augmentation=second, stages=(Stage(epochs=1),))
    result = train(chosen, plain, tmp_path / "once", report=said.append)
    assert result.model.card.crop_diameters == 0
    assert any("look once" in line for line in said)


def test_a_transfer_keeps_what_the_model_can_do(data: Path, tmp_path: Path) -> None:
    """A model that crops and knows other pictures goes on to do both, and to draw as it did while frozen."""
    second = replace(GENTLE, crop_diameters=2.0, crop_share=0.5)
    network = {**TINY, "draws": True, "outputs": 9}
    chosen = recipe(network=network, auxiliary_loss=1.0, augmentation=second, stages=(Stage(epochs=1),), negatives=20)
    start = train(chosen, data, tmp_path / "start", report=lambda text: None).model
    stages = (Stage(epochs=1, rate=1e-3, freeze_backbone=True), Stage(epochs=1, rate=1e-4))
    transferred = transfer_recipe(recipe(stages=stages), start)
    assert (
        transferred.augmentation.crop_diameters == 2.0 and transferred.auxiliary_loss > 0 and transferred.negatives > 0
    )
    trainer = Trainer(replace(transferred, negatives=0), slices_of(data), None, None, tmp_path / "t", start=None)
    before = {key: value.clone() for key, value in trainer.network.state_dict().items() if key.startswith("draw")}
    frozen = trainer.run(stop_after=1).state_dict()
    assert before and all(torch.equal(frozen[key], value) for key, value in before.items())
    trainer.run()
    assert any(not torch.equal(frozen_value, trainer.network.state_dict()[key]) for key, frozen_value in before.items())
