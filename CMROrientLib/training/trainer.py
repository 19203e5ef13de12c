"""The training loop: epochs of augmented slices, with a checkpoint after each.

The random numbers of an epoch come from the seed and the epoch's number alone, so that a run that
was killed and resumed ends with the weights of one that was not (on the CPU, bit for bit).
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn, update_bn
from torch.utils.data import DataLoader

from ..errors import CMROrientError
from ..recognition.inference import Forward, turned_logits
from ..recognition.networks import CompactNet, build
from .augmentation.batch import Batch
from .augmentation.draws import Draws
from .augmentation.labels import directions, targets
from .augmentation.pipeline import pipeline
from .checkpoint import FORMAT, Checkpoint, Weights, load_checkpoint, load_weights, save_checkpoint
from .dataset import Negatives, ShownPictures, loader
from .devices import device_of, reduced_precision
from .losses.classification import classification_loss
from .losses.measuring import measuring_loss
from .losses.segmentation import auxiliary_segmentation_loss
from .normalisation import normalised
from .optimization import Optimization, set_training
from .recipe import Recipe
from .run_log import EpochLine, Report, RunLog, tell
from .slices import Slices
from .validation import Validation, validate


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
        negatives: Negatives | None,
        folder: Path,
        *,
        device: str = "auto",
        start: Weights | None = None,
        report: Report | None = None,
    ) -> None:
        self.recipe = recipe
        self.validation = validation
        self.report = report or tell
        self.device = device_of(device)
        self.epoch = 0
        self.seconds = 0.0
        self._pictures = ShownPictures(training, negatives)
        self._augment = pipeline(recipe.augmentation, recipe.preprocessing.size)
        torch.manual_seed(recipe.seed)
        self.network = build(recipe.network.name, **recipe.network.settings)
        if start is not None:
            load_weights(self.network, start)
        self.network = self.network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._average: AveragedModel | None = None
        if recipe.average > 0:
            decay = get_ema_multi_avg_fn(recipe.average)
            self._average = AveragedModel(self.network, multi_avg_fn=decay, use_buffers=True)
        self._optimization: Optimization | None = None
        people = sorted({training.cases[n].subject for n in set(training.case.tolist())})
        made_of = [recipe.to_json(), people, self._pictures.slices, self._pictures.negatives]
        self._identity = json.dumps(made_of, sort_keys=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._checkpoint, self._log = folder / "checkpoint.pt", RunLog(folder / "metrics.jsonl")
        self._resume()

    @property
    def result(self) -> nn.Module:
        """The network that the run ends with, in evaluation mode."""
        network = self.network if self._average is None else self._average.module
        return network.eval()

    def run(self, stop_after: int | None = None) -> nn.Module:
        """Train to the end of the recipe (or for ``stop_after`` more epochs) and return the network."""
        recipe = self.recipe
        last = recipe.epochs if stop_after is None else min(recipe.epochs, self.epoch + stop_after)
        while self.epoch < last:
            began = time.monotonic()
            stage, loss, accuracy, rate = self._one_epoch()
            self.epoch += 1
            if self.epoch == recipe.epochs and recipe.statistics and not recipe.stages[-1].freeze_backbone:
                self._estimate_statistics()
            validation = self._validate()
            self.seconds += time.monotonic() - began
            left = self.seconds / self.epoch * (recipe.epochs - self.epoch)
            line = EpochLine(self.epoch, stage, loss, accuracy, rate, validation, self.seconds, left)
            self._save()
            self._log.append(line)
            self.report(line.sentence(recipe.epochs))
        return self.result

    def logits(self, slices: Slices) -> NDArray[np.float32]:
        """(N, 8, outputs) logits of the eight turned copies of whole slices."""
        found = turned_logits(self._forward(), self.recipe.preprocessing, slices.squares)
        return found[..., : self.recipe.outputs]

    def _forward(self) -> Forward:
        network = self.result

        def forward(inputs: NDArray[np.float32]) -> NDArray[np.float32]:
            with torch.inference_mode(), reduced_precision(self.device):
                parts = torch.from_numpy(inputs).split(64)
                logits = [network(part.to(self.device, memory_format=torch.channels_last)).float() for part in parts]
            output: NDArray[np.float32] = torch.cat(logits).cpu().numpy()
            return output

        return forward

    def _validate(self) -> Validation | None:
        every = self.recipe.validate_every
        wanted = self.epoch == self.recipe.epochs or (every and self.epoch % every == 0)
        if not wanted or self.validation is None or not len(self.validation):
            return None
        return validate(self.logits(self.validation), self.validation)

    def _one_epoch(self) -> tuple[int, float, float, float]:
        """Index of the stage, mean loss and accuracy, and the last rate."""
        index, epoch = self.recipe.stage_of(self.epoch)
        stage = self.recipe.stages[index]
        batches, draws = self._shown()
        if epoch == 0 or self._optimization is None:
            self._optimization = Optimization.of(self.network, stage, stage.epochs * len(batches))
        set_training(self.network, stage)
        total = right = count = rate = 0.0
        for batch in batches:
            rate = self._optimization.rate
            batch = self._augment(batch.to(self.device), draws)
            wanted = self._targets(batch)
            logits, auxiliary = self._learned(
                batch, auxiliary=self.recipe.auxiliary_loss > 0 and not stage.freeze_backbone
            )
            loss = classification_loss(logits, wanted, self.recipe.smoothing)
            if not torch.isfinite(loss):
                raise CMROrientError("the loss is no longer finite; lower the rate in the recipe")
            self._optimization.step(loss + auxiliary)
            if self._average is not None:
                self._average.update_parameters(self.network)
            total += float(loss.detach()) * len(batch)
            right += float((logits.argmax(1) == wanted.argmax(1)).sum())
            count += len(batch)
        return index, total / count, right / count, rate

    def _shown(self) -> tuple[DataLoader[Batch], Draws]:
        """The batches of this epoch, and the random numbers of their augmentation."""
        random = np.random.default_rng([self.recipe.seed, self.epoch])
        draws = Draws(torch.Generator().manual_seed(int(random.integers(2**62))))
        torch.manual_seed(int(random.integers(2**62)))  # dropout draws from the global generator
        order = self._pictures.order(self.recipe.negatives_share, random)
        return loader(self._pictures, order, self.recipe.batch), draws

    def _learned(self, batch: Batch, *, auxiliary: bool) -> tuple[Tensor, Tensor]:
        """Logits (N, outputs) of an augmented batch, and the weighted auxiliary losses; 0 where none is wanted."""
        inputs = self._inputs(batch)
        with reduced_precision(self.device):
            if not auxiliary:
                return self.network(inputs)[:, : self.recipe.outputs], inputs.new_zeros(())
            assert isinstance(self.network, CompactNet)
            found = self.network.everything(inputs)
        assert found.drawing is not None
        loss = self.recipe.auxiliary_loss * auxiliary_segmentation_loss(found.drawing, batch.masks, batch.drawn)
        if found.measures is not None:
            wanted = batch.levels.to(inputs.device), directions(batch)
            loss = loss + self.recipe.measuring_loss * measuring_loss(found.measures.float(), *wanted)
        return found.logits, loss

    def _inputs(self, batch: Batch) -> Tensor:
        return normalised(batch.images, self.recipe.preprocessing).to(memory_format=torch.channels_last)

    def _targets(self, batch: Batch) -> Tensor:
        settings = self.recipe.augmentation
        return targets(batch, self.recipe.outputs, settings.spread, settings.spread_unknown)

    def _estimate_statistics(self) -> None:
        """Batch-norm statistics of the final weights: those that training kept are of many steps before."""
        batches, draws = self._shown()
        inputs = (self._inputs(self._augment(batch.to(self.device), draws)) for batch in batches)
        update_bn(inputs, self.result)

    def _save(self) -> None:
        assert self._optimization is not None
        checkpoint: Checkpoint = {
            "format": FORMAT,
            "recipe": self._identity,
            "epoch": self.epoch,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "optimization": self._optimization.state(),
        }
        save_checkpoint(self._checkpoint, checkpoint)

    def _resume(self) -> None:
        if not self._checkpoint.is_file():
            self._log.clear()
            return
        found = load_checkpoint(self._checkpoint, self.device)
        if found["recipe"] != self._identity:
            raise CMROrientError(
                "the checkpoint belongs to another recipe or other data; use another folder", self._checkpoint
            )
        self.epoch, self.seconds = found["epoch"], found["seconds"]
        self.network.load_state_dict(found["network"])
        if self._average is not None and found["average"] is not None:
            self._average.load_state_dict(found["average"])
        if 0 < self.epoch < self.recipe.epochs:
            stage = self.recipe.stages[self.recipe.stage_of(self.epoch - 1)[0]]
            batches, _ = self._shown()
            self._optimization = Optimization.of(self.network, stage, stage.epochs * len(batches))
            self._optimization.restore(found["optimization"])
        self._log.cut(self.epoch)
