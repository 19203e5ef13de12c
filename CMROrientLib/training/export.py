"""From a trained network to the files of a model: ``.onnx``, ``.safetensors`` and its card."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

from .. import __version__
from ..errors import CMROrientError
from ..io.atomic import write_bytes, write_text
from ..recognition.cards.card import Card, TrainingSet
from ..recognition.cards.model_files import ModelFiles, find_model
from ..recognition.networks import multiply_adds, parameters
from ..recognition.typed_json import read_object
from .checkpoint import network_of
from .recipe import Recipe, Table, recipe_from

#: Every operator that the networks need, and every runtime of the last years knows it.
OPSET = 17

LICENSE = (
    "Non-commercial research use only: these weights inherit the terms of the data they were trained on; "
    "see LICENSE.md beside the bundled models."
)

_TERMS = {
    "ACDC": "CC BY-NC-SA 4.0",
    "EMIDEC": "CC BY-NC-SA 4.0 (believed)",
    "M&Ms vendor A": "terms of the M&Ms challenge",
    "M&Ms-2, long-axis views": "terms of the M&Ms-2 challenge",
    "ep-dataset, a pig's long-axis views": "public domain (CC0)",
    "MSCMR": "registration with the challenge; no redistribution of images",
    "MyoPS 2020": "registration with the challenge; no redistribution of images",
}


@dataclass(frozen=True)
class RunFacts:
    """What a run's folder keeps for the card, in ``run.json``.

    Parameters
    ----------
    metrics:
        On the people held out.
    training_sets, training_subjects, seconds:
        What it learned from, and for how long.
    """

    metrics: Mapping[str, object] = field(default_factory=dict)
    training_sets: tuple[str, ...] = ()
    training_subjects: int = 0
    seconds: float = 0.0


def export_model(
    network: nn.Module, recipe: Recipe, folder: Path, facts: RunFacts, name: str | None = None
) -> ModelFiles:
    """Write the three files of a model to ``folder``.

    Parameters
    ----------
    network:
        On the CPU, float32.
    facts:
        For the card.
    name:
        That of the recipe where not given.
    """
    name = recipe.name if name is None else name
    folder.mkdir(parents=True, exist_ok=True)
    network = network.eval()
    size, channels = recipe.preprocessing.size, recipe.preprocessing.channels
    card = Card(
        name=name,
        version=__version__,
        architecture=recipe.network,
        parameters=parameters(network),
        multiply_adds=multiply_adds(network, channels, size),
        preprocessing=recipe.preprocessing,
        crop_diameters=recipe.augmentation.crop_diameters,
        outputs=recipe.outputs,
        training_sets=tuple(TrainingSet(s, _TERMS.get(s, "the terms of its owner")) for s in facts.training_sets),
        training_subjects=facts.training_subjects,
        training_seconds=round(facts.seconds),
        recipe=_without_places(recipe),
        seed=recipe.seed,
        metrics=facts.metrics,
        license=LICENSE,
    )
    onnx, safetensors = folder / f"{name}.onnx", folder / f"{name}.safetensors"
    write_bytes(safetensors, _safetensors(network, card))
    write_bytes(onnx, onnx_of(network, channels, size))
    write_card(folder / f"{name}.json", card)
    return find_model(folder / f"{name}.json")


def export_run(folder: Path, output: Path, name: str | None = None) -> ModelFiles:
    """The model files of a run's last checkpoint, wherever the run stopped.

    Raises
    ------
    CMROrientError
        Where the folder is not that of a run.
    """
    try:
        recipe = recipe_from(json.loads((folder / "recipe.json").read_text(encoding="utf-8")))
        stored = folder / "run.json"
        known = json.loads(stored.read_text(encoding="utf-8")) if stored.is_file() else {}
        facts = read_object(RunFacts, known)
    except (OSError, ValueError) as error:
        raise CMROrientError(f"this is not the folder of a run ({error})", folder) from error
    return export_model(network_of(folder / "checkpoint.pt", recipe), recipe, output, facts, name)


def _without_places(recipe: Recipe) -> Table:
    """A recipe for a card: names of files, not where they lay on the machine that trained."""
    selection = replace(recipe.data, split=Path(recipe.data.split).name)
    return replace(recipe, start=Path(recipe.start).stem, data=selection).to_json()


def write_card(path: Path, card: Card) -> None:
    """Write a card beside its weights, with their checksums in it."""
    parts = {suffix: path.with_suffix(suffix) for suffix in (".onnx", ".safetensors")}
    missing = [part.name for part in parts.values() if not part.is_file()]
    if missing:
        raise CMROrientError(f"the card needs {' and '.join(missing)} beside it", path)
    checksums = {suffix: hashlib.sha256(part.read_bytes()).hexdigest() for suffix, part in parts.items()}
    write_text(path, json.dumps(replace(card, sha256=checksums).to_json(), indent=1) + "\n")


def _safetensors(network: nn.Module, card: Card) -> bytes:
    from safetensors.torch import save

    weights = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    # One key: the order of several is not the same from save to save.
    data: bytes = save(weights, metadata={"card": json.dumps(card.to_json(), sort_keys=True)})
    return data


def onnx_of(network: nn.Module, channels: int, size: int) -> bytes:
    """A network for inputs (N, channels, size, size) in the format of ONNX Runtime."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The exporter that needs no further package announces its own end at every call.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            network.to(memory_format=torch.contiguous_format),  # type: ignore[call-overload]
            (torch.zeros(1, channels, size, size),),
            buffer,  # type: ignore[arg-type]
            input_names=["input"],
            output_names=["logits"],
            dynamic_axes={"input": {0: "batch"}, "logits": {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    return buffer.getvalue()
