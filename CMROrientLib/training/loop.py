"""The training loop: epochs of augmented slices, with a checkpoint after each.

The random numbers of an epoch come from the seed and the epoch's number alone, so that a run that
was killed and resumed ends with the weights of one that was not (on the CPU, bit for bit).
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn

from ..errors import CMROrientError
from ..io.atomic import replacing, write_text
from ..recognition.inference import Forward, turned_logits
from ..recognition.networks import build
from .augment import Augmenter, Batch
from .auxiliary_loss import AuxiliarySegmentationLoss
from .data import Slices
from .recipe import Recipe, Stage
from .validation import validate

Report = Callable[[str], None]

#: Share of steps over which a cosine schedule warms up.
_WARM_UP = 0.05


class Trainer:
    """One run in one folder.

    Parameters
    ----------
    recipe:
        What to do.
    training, validation:
        Slices of people to learn from, and of others to validate on now and then.
    negatives:
        (M, side, side) float16 pictures in 0…1 that are not short-axis slices.
    folder:
        Holds ``checkpoint.pt`` and ``metrics.jsonl``; a checkpoint there is continued.
    start:
        Weights to start from, where there is no checkpoint.
    """

    def __init__(
        self,
        recipe: Recipe,
        training: Slices,
        validation: Slices | None,
        negatives: np.ndarray[Any, np.dtype[np.float16]] | None,
        folder: Path,
        *,
        device: str = "auto",
        start: dict[str, Tensor] | None = None,
        report: Report | None = None,
    ) -> None:
        self.recipe = recipe
        self.training = training
        self.validation = validation
        self.folder = folder
        self.report = report or tell
        self.device = _device(device)
        self.epoch = 0
        self.seconds = 0.0
        side = recipe.squares
        self._negatives = np.zeros((0, side, side), np.float16) if negatives is None else negatives
        if len(self._negatives) and recipe.outputs != 9:
            raise CMROrientError("negatives need a network with nine outputs")
        torch.manual_seed(recipe.seed)
        self.network = build(recipe.network.name, **recipe.network.settings)
        if start is not None:
            _load(self.network, start)
        self.network = self.network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._auxiliary: AuxiliarySegmentationLoss | None = None
        self._average: AveragedModel | None = None
        if recipe.average > 0:
            self._average = AveragedModel(
                self.network, multi_avg_fn=get_ema_multi_avg_fn(recipe.average), use_buffers=True
            )
        if recipe.guide > 0:
            # After the copy for the average, which must not keep drawings.
            self._auxiliary = AuxiliarySegmentationLoss(self.network)
        self._optimizer: torch.optim.Optimizer | None = None
        self._resume()

    @property
    def result(self) -> nn.Module:
        """The network that the run ends with, in evaluation mode."""
        network = self.network if self._average is None else self._average.module
        return network.eval()

    def run(self, stop_after: int | None = None) -> nn.Module:
        """Train to the end of the recipe (or for ``stop_after`` more epochs) and return the network."""
        last = self.recipe.epochs if stop_after is None else min(self.recipe.epochs, self.epoch + stop_after)
        while self.epoch < last:
            began = time.monotonic()
            line = self._one_epoch()
            self.epoch += 1
            finished = self.epoch == self.recipe.epochs
            if finished and self.recipe.statistics and not self.recipe.phases[-1].freeze_backbone:
                self._estimate_statistics()
            looked = finished or (self.recipe.validate_every and self.epoch % self.recipe.validate_every == 0)
            if looked and self.validation is not None and len(self.validation):
                line["validation"] = validate(self.logits(self.validation), self.validation)
            self.seconds += time.monotonic() - began
            left = self.seconds / self.epoch * (self.recipe.epochs - self.epoch)
            line = {"epoch": self.epoch, **line, "seconds": round(self.seconds, 1), "left": round(left, 1)}
            self._save()
            with (self.folder / "metrics.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(line) + "\n")
            self.report(_sentence(line, self.recipe.epochs))
        return self.result

    def logits(self, slices: Slices) -> np.ndarray[Any, np.dtype[np.float32]]:
        """(N, 8, outputs) logits of the eight turned copies of whole slices."""
        found = turned_logits(self._forward(), self.recipe.preprocessing, slices.squares)
        return found[..., : self.recipe.outputs]

    def _forward(self) -> Forward:
        network = self.result

        def forward(inputs: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
            with torch.inference_mode(), self._cheaper():
                parts = torch.from_numpy(inputs).split(64)
                logits = [network(part.to(self.device, memory_format=torch.channels_last)).float() for part in parts]
            output: np.ndarray[Any, np.dtype[np.float32]] = torch.cat(logits).cpu().numpy()
            return output

        return forward

    def _one_epoch(self) -> dict[str, Any]:
        recipe = self.recipe
        index, epoch = recipe.stage_of(self.epoch)
        stage = recipe.phases[index]
        random = np.random.default_rng([recipe.seed, self.epoch])
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        torch.manual_seed(int(random.integers(2**62)))  # dropout draws from the global generator
        if epoch == 0 or self._optimizer is None:
            self._optimizer = self._new_optimizer(stage)
        augment = Augmenter(recipe.augmentation, recipe.preprocessing.size, recipe.outputs, generator)
        order = self._order(random)
        steps = max(len(order) // recipe.batch, 1)
        self._set_training(stage)
        total = right = count = 0.0
        for step, chosen in enumerate(np.array_split(order, steps)):
            rate = _rate(stage, (epoch + step / steps) / stage.epochs)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            batch = self._batch(chosen)
            inputs, targets = self._shown(batch, augment)
            with self._cheaper():
                logits = self.network(inputs)[:, : recipe.outputs]
            loss = nn.functional.cross_entropy(logits.float(), targets, label_smoothing=recipe.smoothing)
            if not torch.isfinite(loss):
                raise CMROrientError("the loss is no longer finite; lower the rate in the recipe")
            total += float(loss.detach()) * len(chosen)
            if self._auxiliary is not None and not stage.freeze_backbone:
                tissues = augment.tissues(batch.masks, self._auxiliary.side)
                loss = loss + recipe.guide * self._auxiliary.loss(tissues, batch.drawn)
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self._optimizer.step()
            if self._average is not None:
                self._average.update_parameters(self.network)
            right += float((logits.argmax(1) == targets.argmax(1)).sum())
            count += len(chosen)
        return {"phase": index, "loss": round(total / count, 5), "accuracy": round(right / count, 5), "rate": rate}

    def _shown(self, batch: Batch, augment: Augmenter) -> tuple[Tensor, Tensor]:
        """Inputs and targets of an augmented batch."""
        squares, targets = augment(batch)
        inputs = torch.from_numpy(self.recipe.preprocessing.normalise(squares.cpu().numpy()))
        return inputs.to(self.device, memory_format=torch.channels_last), targets.to(self.device)

    def _estimate_statistics(self) -> None:
        """Batch-norm statistics of the final weights: those that training kept are of many steps before."""
        random = np.random.default_rng([self.recipe.seed, self.epoch])
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        size, outputs = self.recipe.preprocessing.size, self.recipe.outputs
        augment = Augmenter(self.recipe.augmentation, size, outputs, generator)
        order = self._order(random)
        parts = np.array_split(order, max(len(order) // self.recipe.batch, 1))
        update_bn((self._shown(self._batch(chosen), augment)[0] for chosen in parts), self.result)

    def _order(self, random: np.random.Generator) -> np.ndarray[Any, np.dtype[np.int_]]:
        """Indices of this epoch: every slice once, and some of the negatives (after the slices)."""
        slices = len(self.training)
        count = min(round(self.recipe.negatives_share * slices), len(self._negatives))
        chosen = random.choice(len(self._negatives), count, replace=False) if count else np.zeros(0, int)
        return random.permutation(np.concatenate([np.arange(slices), slices + chosen]))

    def _batch(self, chosen: np.ndarray[Any, np.dtype[np.int_]]) -> Batch:
        slices = len(self.training)
        negative = chosen >= slices
        own = chosen[~negative]
        side = self.training.squares.shape[1]
        squares = np.zeros((len(chosen), side, side), np.float32)
        masks = np.zeros((len(chosen), side, side), np.uint8)
        angles = np.full(len(chosen), np.nan, np.float32)
        hearts = np.full((len(chosen), 3), np.nan, np.float32)
        squares[~negative] = self.training.squares[own]
        masks[~negative] = self.training.masks[own]
        squares[negative] = self._negatives[chosen[negative] - slices]
        cases = [self.training.cases[number] for number in self.training.case[own]]
        angles[~negative] = [np.nan if case.angle is None else case.angle for case in cases]
        hearts[~negative] = self.training.hearts[self.training.case[own]]
        images, labels, known = (torch.from_numpy(array) for array in (squares, masks, hearts))
        images, labels = images.to(self.device), labels.to(self.device)
        drawn = np.zeros(len(chosen), bool)
        drawn[~negative] = [case.drawn for case in cases]
        return Batch(
            images, labels, torch.from_numpy(angles), known, torch.from_numpy(negative), torch.from_numpy(drawn)
        )

    def _set_training(self, stage: Stage) -> None:
        self.network.train()
        backbone, head = self.network.backbone, self.network.head
        assert isinstance(backbone, nn.Module) and isinstance(head, nn.Module)
        self.network.requires_grad_(not stage.freeze_backbone)
        if stage.freeze_backbone:
            # Evaluation mode, too: else the batch-norm statistics would go on moving.
            backbone.eval()
            head.train().requires_grad_(True)

    def _new_optimizer(self, stage: Stage) -> torch.optim.Optimizer:
        self._set_training(stage)
        trained = [p for p in self.network.parameters() if p.requires_grad]
        # Decaying biases and batch-norm scales only harms.
        groups = [
            {"params": [p for p in trained if p.ndim > 1], "weight_decay": stage.weight_decay},
            {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
        ]
        if stage.optimizer == "sgd":
            return torch.optim.SGD(groups, lr=stage.rate, momentum=stage.momentum)
        return torch.optim.AdamW(groups, lr=stage.rate)

    def _cheaper(self) -> AbstractContextManager[Any]:
        """Half precision where the machine computes faster in it."""
        if self.device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return torch.autocast("cpu", torch.bfloat16, enabled=_bfloat16_is_fast())

    def _save(self) -> None:
        assert self._optimizer is not None
        state = {
            "recipe": self._identity(),
            "epoch": self.epoch,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        with replacing([self.folder / "checkpoint.pt"]) as (stream,):
            torch.save(state, stream)

    def _resume(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path, log = self.folder / "checkpoint.pt", self.folder / "metrics.jsonl"
        if not path.is_file():
            log.unlink(missing_ok=True)
            return
        try:
            state = torch.load(path, map_location=self.device, weights_only=True)
        except Exception as error:  # torch raises what the unpickler and the archive raise
            raise CMROrientError(f"the checkpoint cannot be read ({error}); delete it to start again", path) from error
        if state["recipe"] != self._identity():
            raise CMROrientError("the checkpoint belongs to another recipe or other data; use another folder", path)
        self.epoch, self.seconds = state["epoch"], state["seconds"]
        self.network.load_state_dict(state["network"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        if 0 < self.epoch < self.recipe.epochs:
            stage, _ = self.recipe.stage_of(self.epoch - 1)
            self._optimizer = self._new_optimizer(self.recipe.phases[stage])
            self._optimizer.load_state_dict(state["optimizer"])
        # A kill between the checkpoint and the log leaves them one epoch apart.
        lines = log.read_text(encoding="utf-8").splitlines() if log.is_file() else []
        kept = [line for line in lines if json.loads(line)["epoch"] <= self.epoch]
        write_text(log, "".join(f"{line}\n" for line in kept))

    def _identity(self) -> str:
        people = sorted({self.training.cases[n].subject for n in set(self.training.case.tolist())})
        return json.dumps([self.recipe.to_json(), people, len(self.training), len(self._negatives)], sort_keys=True)


def network_of(checkpoint: Path, recipe: Recipe) -> nn.Module:
    """The network that a checkpoint holds, on the CPU, in evaluation mode."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = build(recipe.network.name, **recipe.network.settings)
    weights = state["network"]
    if state["average"] is not None:
        weights = {key[7:]: value for key, value in state["average"].items() if key.startswith("module.")}
    _load(network, weights)
    return network.eval()


def _rate(stage: Stage, progress: float) -> float:
    """The learning rate at a share of the stage that is done."""
    if stage.schedule == "constant":
        return stage.rate
    warm = min((progress + 1e-3) / _WARM_UP, 1.0)
    return stage.rate * warm * 0.5 * (1 + math.cos(math.pi * progress))


def _load(network: nn.Module, weights: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise CMROrientError(f"the weights to start from do not fit the recipe's network ({reason})") from error


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise CMROrientError("CUDA cannot be used here; use the device 'cpu' or 'auto'")
    return torch.device(name)


def _bfloat16_is_fast() -> bool:
    """Whether the processor multiplies matrices of bfloat16 in hardware."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported()) and bool(
        getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)()
    )


def _sentence(line: dict[str, Any], epochs: int) -> str:
    text = f"epoch {line['epoch']}/{epochs}  loss {line['loss']:.4f}  accuracy {line['accuracy']:.4f}"
    if "validation" in line and line["validation"]["slices"]:
        found = line["validation"]
        text += f"  held out: slices {found['single']:.4f}, averaged {found['averaged']:.4f}, "
        text += f"volumes {found['volumes_averaged']:.4f}"
    return text + f"  {_clock(line['seconds'])} gone, {_clock(line['left'])} left"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def tell(text: str) -> None:
    """Print to standard error at once."""
    print(text, file=sys.stderr, flush=True)
