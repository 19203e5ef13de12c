"""``checkpoint.pt`` of a run: all that is needed to go on, or to export what there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor, nn

from ..errors import CMROrientError
from ..io.atomic import replacing
from ..recognition.networks import build
from .recipe import Recipe

Weights = dict[str, Tensor]

#: Heads that a network may have or not.
_HEADS = ("measure.", "doubt.")
#: Of the file; version 1.0 wrote none, and drew other random numbers.
FORMAT = 2


class Checkpoint(TypedDict):
    """A run after an epoch.

    Parameters
    ----------
    format:
        ``FORMAT``.
    recipe:
        What the run is made of, as text: recipe, people, numbers of slices and negatives.
    epoch, seconds:
        Epochs done, and the time that they took.
    network, average:
        Weights, and the running average's state where the recipe keeps one.
    optimization:
        State of optimizer and schedule.
    """

    format: int
    recipe: str
    epoch: int
    seconds: float
    network: Weights
    average: Weights | None
    optimization: dict[str, dict[str, object]]


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write it, whole or not at all."""
    with replacing([path]) as (stream,):
        torch.save(checkpoint, stream)


def load_checkpoint(path: Path, device: torch.device) -> Checkpoint:
    """What ``save_checkpoint`` wrote. Raises CMROrientError where it is damaged or of another version."""
    found = _read(path, device)
    version = found.get("format")
    if version != FORMAT:
        writer = "CMROrient 1.0" if version is None else "another version of CMROrient"
        raise CMROrientError(
            f"the checkpoint is of {writer} and its run cannot be continued: export what there is, "
            "and use another folder or delete the checkpoint to start again",
            path,
        )
    return found


def network_of(path: Path, recipe: Recipe) -> nn.Module:
    """The network that a checkpoint holds, of version 1.0 too: on the CPU, in evaluation mode.

    Raises
    ------
    CMROrientError
        Where it cannot be read, or belongs to another recipe.
    """
    found = _read(path, torch.device("cpu"))
    network = build(recipe.network.name, **recipe.network.settings)
    weights, average = found["network"], found["average"]
    if average is not None:
        weights = {key.removeprefix("module."): value for key, value in average.items() if key.startswith("module.")}
    load_weights(network, weights)
    return network.eval()


def load_weights(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Put weights into a network. Raises CMROrientError where they are of another one.

    A network that measures or doubts may start from one that does not: those heads start afresh.
    """
    own = {key: value for key, value in network.state_dict().items() if key.startswith(_HEADS)}
    others = {key: value for key, value in weights.items() if not key.startswith(_HEADS)}
    same = own.keys() == weights.keys() - others.keys()
    same = same and all(value.shape == weights[key].shape for key, value in own.items())
    try:
        network.load_state_dict(weights if same else {**own, **others})
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise CMROrientError(f"the weights to start from do not fit the recipe's network ({reason})") from error


def _read(path: Path, device: torch.device) -> Checkpoint:
    try:
        found: Checkpoint = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises what the unpickler and the archive raise
        raise CMROrientError(f"the checkpoint cannot be read ({error}); delete it to start again", path) from error
    return found
