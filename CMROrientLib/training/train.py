"""Train a network by a recipe: data, split, loop, export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..errors import CMROrientError
from ..io.atomic import write_text
from ..recognition.model_files import ModelFiles, find_model
from .data import Case, Slices, load_slices, read_cases, scaled
from .export import export_model
from .loop import Report, Trainer, network_of, tell
from .negatives import training_negatives
from .plots import draw_curves
from .recipe import Recipe, recipe_from
from .reslices import read_stack
from .splits import Split, split_by_subject
from .validation import validate


@dataclass(frozen=True)
class Run:
    """What a run was made of and what came out.

    Parameters
    ----------
    model:
        The exported files.
    network:
        In evaluation mode.
    split:
        Who was trained on.
    validation:
        Slices of the held-out people, None where nobody was held out.
    metrics:
        On the held-out people, see ``validation.validate``; empty where nobody was held out.
    """

    model: ModelFiles
    network: nn.Module
    split: Split
    validation: Slices | None
    metrics: dict[str, Any]


def train(
    recipe: Recipe,
    data: Path,
    folder: Path,
    *,
    index: Path | None = None,
    device: str = "auto",
    cache: Path | None = None,
    report: Report | None = None,
) -> Run:
    """Train by a recipe and export the result to ``folder / "model"``.

    Parameters
    ----------
    data, index:
        See ``data.read_cases``.
    folder:
        Of this run: recipe, split, checkpoint, metrics, plot and model. A run that was stopped
        is continued.
    device:
        ``auto``, ``cpu`` or ``cuda``.
    cache:
        Where slices are kept for the next run; ``folder.parent / "cache"`` where not given.

    Raises
    ------
    CMROrientError
        Where data, recipe or checkpoint do not fit together.
    """
    say = report or tell
    cases = [case for case in read_cases(data, index) if recipe.data.takes(case)]
    if not cases:
        raise CMROrientError("the recipe takes none of the volumes here", data)
    split = _split(recipe, cases, folder)
    _write_json(folder / "recipe.json", recipe.to_json())
    cache = folder.parent / "cache" if cache is None else cache
    say(f"{len(cases)} volumes of {len({case.subject for case in cases})} people")
    slices = load_slices(cases, recipe.preprocessing, recipe.squares, cache, _Milestones(say))
    if recipe.guide and not any(case.drawn for case in cases if split.training(case)):
        say("no masks to learn from where the heart is: this network will look once")
        recipe = replace(recipe, guide=0.0, augmentation=replace(recipe.augmentation, closer=0.0, closer_share=0.0))
        _write_json(folder / "recipe.json", recipe.to_json())
    training, validation = slices.of(split.training), slices.of(split.testing)
    if not len(training):
        raise CMROrientError("nobody is left to train on", data)
    negatives = _negatives(recipe, [case for case in cases if split.training(case)], folder, say)
    start = _weights(recipe.start) if recipe.start else None
    trainer = Trainer(recipe, training, validation, negatives, folder, device=device, start=start, report=say)
    network = trainer.run()
    metrics: dict[str, Any] = {}
    if len(validation):
        logits = trainer.logits(validation)
        metrics = {"held_out_subjects": len(split.test), **validate(logits, validation), "by_source": {}}
        for source in sorted({_source(case) for case in validation.cases}):
            keep = np.array([_source(case) == source for case in validation.cases])[validation.case]
            part = validation.of(lambda case, source=source: _source(case) == source)  # type: ignore[misc]
            metrics["by_source"][source] = validate(logits[keep], part)
    sets = {case.dataset for case in cases if split.training(case)}
    if recipe.start:
        # What the weights to start from had learned from is in the result as well.
        sets |= {known.name for known in find_model(recipe.start).card.training_sets}
    facts: dict[str, Any] = {
        "metrics": metrics,
        "training_sets": sorted(sets),
        "training_subjects": len(split.train),
        "seconds": trainer.seconds,
    }
    _write_json(folder / "run.json", facts)
    draw_curves(folder / "metrics.jsonl", folder / "curves.png")
    model = export_model(network.cpu().float(), recipe, folder / "model", **facts)
    return Run(model, network, split, validation if len(validation) else None, metrics)


def export_run(folder: Path, output: Path, name: str | None = None) -> ModelFiles:
    """The model files of a run's last checkpoint, wherever the run stopped.

    Raises
    ------
    CMROrientError
        Where the folder is not that of a run.
    """
    try:
        recipe = recipe_from(json.loads((folder / "recipe.json").read_text(encoding="utf-8")))
        facts = folder / "run.json"
        known = json.loads(facts.read_text(encoding="utf-8")) if facts.is_file() else {}
        network = network_of(folder / "checkpoint.pt", recipe)
    except (OSError, ValueError, KeyError) as error:
        raise CMROrientError(f"this is not the folder of a run ({error})", folder) from error
    return export_model(network, recipe, output, name=name, **known)


def _write_json(path: Path, data: dict[str, Any]) -> None:
    write_text(path, json.dumps(data, indent=1) + "\n")


def _source(case: Case) -> str:
    return f"{case.dataset} {case.sequence}"


def _split(recipe: Recipe, cases: Sequence[Case], folder: Path) -> Split:
    folder.mkdir(parents=True, exist_ok=True)
    if recipe.data.split:
        known = Split.load(Path(recipe.data.split))
        subjects = {case.subject for case in cases}
        missing = subjects - set(known.train) - set(known.test)
        if missing:
            raise CMROrientError(
                f"{len(missing)} subjects are in neither part, {min(missing)} for one", recipe.data.split
            )
        split = Split(tuple(s for s in known.train if s in subjects), tuple(s for s in known.test if s in subjects))
    else:
        split = split_by_subject(cases, recipe.data.test_share, recipe.seed)
    split.save(folder / "split.json")
    return split


def _negatives(recipe: Recipe, cases: Sequence[Case], folder: Path, say: Report) -> NDArray[np.float16] | None:
    if not recipe.negatives:
        return None
    stored = folder / "negatives.npz"
    if stored.is_file():
        with np.load(stored) as data:
            if len(data["pictures"]) == recipe.negatives and data["pictures"].shape[1] == recipe.squares:
                return np.asarray(data["pictures"])
    say("drawing pictures that are not short-axis slices")
    stacks = [read_stack(case.path, case.mask) for case in cases]
    drawn = training_negatives(recipe.negatives, recipe.seed, stacks, recipe.squares)
    pictures = np.stack([scaled(picture) for picture in drawn])
    np.savez(stored, pictures=pictures)
    return pictures


def _weights(model: str) -> dict[str, Any]:
    from safetensors.torch import load

    return dict(load(find_model(model).safetensors.read_bytes()))


class _Milestones:
    """Says how far the reading is, not at every volume."""

    def __init__(self, say: Report) -> None:
        self.say = say

    def __call__(self, done: int, count: int) -> None:
        if done == count or done % 100 == 0:
            self.say(f"read {done} of {count} volumes")
