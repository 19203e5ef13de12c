"""Train a network by a recipe: data, split, trainer, export."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from ..errors import CMROrientError
from ..io.atomic import write_text
from ..progress import Progress
from ..recognition.cards.model_files import ModelFiles, find_model
from .cases import Case, read_cases
from .checkpoint import Weights
from .curves import draw_curves
from .dataset import Negatives
from .export import RunFacts, export_model
from .made_slices import made_short_axes
from .negatives.pool import draw_pool, stored_pool
from .negatives.real_views import files_of_views
from .recipe import Recipe
from .run_log import Report, tell
from .slices import Slices, load_slices
from .splits import Split, split_of
from .trainer import Trainer
from .validation import validate

#: Data sets that are known by the folders of their views.
OTHER_VIEWS = {"long_axis": "M&Ms-2, long-axis views", "dicom/pig/long_axis": "ep-dataset, a pig's long-axis views"}


@dataclass(frozen=True)
class Trained:
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
        On the held-out people, as the card keeps them; empty where nobody was held out.
    """

    model: ModelFiles
    network: nn.Module
    split: Split
    validation: Slices | None
    metrics: dict[str, object]


def train(
    recipe: Recipe,
    data: Path,
    folder: Path,
    *,
    index: Path | None = None,
    device: str = "auto",
    cache: Path | None = None,
    report: Report | None = None,
) -> Trained:
    """Train by a recipe and export the result to ``folder / "model"``.

    Parameters
    ----------
    data, index:
        See ``cases.read_cases``.
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
    split = split_of(cases, Path(recipe.data.split) if recipe.data.split else None, recipe.data.test_share, recipe.seed)
    split.save(folder / "split.json")
    trained_on = [case for case in cases if split.training(case)]
    say(f"{len(cases)} volumes of {len({case.subject for case in cases})} people")
    if recipe.auxiliary_loss and not any(case.drawn for case in trained_on):
        say("no masks to learn from where the heart is: this network will look once")
        recipe = _without_masks(recipe)
    _write_json(folder / "recipe.json", recipe.to_json())
    cache = folder.parent / "cache" if cache is None else cache
    slices = load_slices(cases, recipe.preprocessing, recipe.squares, cache, _milestones(say))
    training, validation = slices.of(split.training), slices.of(split.testing)
    if not len(training):
        raise CMROrientError("nobody is left to train on", data)
    negatives = _negatives(recipe, data, trained_on, folder, say)
    if recipe.made_short_axes:
        say("making short axes")
        training = training.joined(made_short_axes(trained_on, recipe.made_short_axes, recipe.squares, recipe.seed))
    start = _weights(recipe.start) if recipe.start else None
    trainer = Trainer(recipe, training, validation, negatives, folder, device=device, start=start, report=say)
    network = trainer.run()
    metrics: dict[str, object] = {}
    if len(validation):
        metrics = {"held_out_subjects": len(split.test), **_held_out(trainer.logits(validation), validation)}
    sets = {case.dataset for case in trained_on}
    if recipe.start:
        # What the weights to start from had learned from is in the result as well.
        sets |= {known.name for known in find_model(recipe.start).card.training_sets}
    sets |= {OTHER_VIEWS.get(name, name) for name in recipe.other_views if name not in recipe.without_views}
    facts = RunFacts(metrics, tuple(sorted(sets)), len(split.train), trainer.seconds)
    _write_json(folder / "run.json", asdict(facts))
    draw_curves(folder / "metrics.jsonl", folder / "curves.png")
    model = export_model(network.cpu().float(), recipe, folder / "model", facts)
    return Trained(model, network, split, validation if len(validation) else None, metrics)


def _without_masks(recipe: Recipe) -> Recipe:
    return replace(
        recipe,
        auxiliary_loss=0.0,
        network=replace(recipe.network, measures=None),
        made_short_axes=0,
        augmentation=replace(recipe.augmentation, crop_diameters=0.0, crop_share=0.0),
    )


def _held_out(logits: NDArray[np.float32], validation: Slices) -> dict[str, object]:
    """The validation of a finished network, of all people held out and of each source."""

    def source_of(case: Case) -> str:
        return f"{case.dataset} {case.sequence}"

    by_source: dict[str, object] = {}
    for source in sorted({source_of(case) for case in validation.cases}):
        keep = np.array([source_of(case) == source for case in validation.cases])[validation.case]
        part = validation.of(lambda case, source=source: source_of(case) == source)  # type: ignore[misc]
        by_source[source] = validate(logits[keep], part).to_json()
    return {**validate(logits, validation).to_json(), "by_source": by_source}


def _negatives(recipe: Recipe, data: Path, cases: Sequence[Case], folder: Path, say: Report) -> Negatives | None:
    if not recipe.negatives:
        return None
    path = folder / "negatives.npz"
    stored = stored_pool(path, recipe.negatives, recipe.squares)
    if stored is not None:
        return stored
    say("drawing pictures that are not short-axis slices")
    kept_out = set(files_of_views(data, recipe.without_views))
    views = [path for path in files_of_views(data, recipe.other_views) if path not in kept_out]
    without = recipe.without_negatives
    return draw_pool(path, recipe.negatives, recipe.squares, recipe.seed, cases, without=without, views=views)


def _weights(model: str) -> Weights:
    from safetensors.torch import load

    path = find_model(model).safetensors
    if not path.is_file():
        raise CMROrientError("this part of the model is missing; training starts from its .safetensors file", path)
    return dict(load(path.read_bytes()))


def _write_json(path: Path, data: dict[str, object]) -> None:
    write_text(path, json.dumps(data, indent=1) + "\n")


def _milestones(say: Report) -> Progress:
    """Says how far the reading is, not at every volume."""

    def progress(done: int, count: int) -> None:
        if done == count or done % 100 == 0:
            say(f"read {done} of {count} volumes")

    return progress
