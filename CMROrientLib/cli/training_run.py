"""What ``train`` and ``transfer`` share: the options of a run, and the run."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from .extra import extra_packages

if TYPE_CHECKING:
    from ..training.recipe import Recipe


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    parser.add_argument("--data", type=Path, required=True, help="folder of volumes in standard orientation")
    parser.add_argument("--index", type=Path, help="CSV with path, subject, … (default: index.csv in --data)")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="folder of this run; one that is there is continued"
    )
    parser.add_argument("--name", help="of the model (default: that of the recipe, or of the run's folder)")
    parser.add_argument("--seed", type=int, help="in place of the recipe's")
    parser.add_argument("--split", type=Path, help="JSON with 'train' and 'test' subjects, in place of the recipe's")
    parser.add_argument("--epochs", type=int, help="of the last phase, in place of the recipe's")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--cache", type=Path, help="folder to keep slices in (default: cache beside the run's folder)")


def model_name(arguments: argparse.Namespace) -> str:
    """The name that the options give the model."""
    given: str | None = arguments.name
    recipe: Path | None = arguments.recipe
    output: Path = arguments.output
    return given or (recipe.stem if recipe else output.resolve().name)


def train_by(recipe: Recipe, arguments: argparse.Namespace) -> int:
    """Train by a recipe as far as the options do not say otherwise; the exit status."""
    with extra_packages():
        from ..training.recipe import recipe_errors
        from ..training.train import train

    recipe = replace(recipe, name=model_name(arguments))
    if arguments.seed is not None:
        with recipe_errors():
            recipe = replace(recipe, seed=arguments.seed)
    if arguments.split is not None:
        recipe = replace(recipe, data=replace(recipe.data, split=str(arguments.split.resolve())))
    if arguments.epochs is not None:
        if arguments.epochs < 1:
            raise UsageError("--epochs is a number of at least 1")
        last = replace(recipe.stages[-1], epochs=arguments.epochs)
        recipe = replace(recipe, stages=(*recipe.stages[:-1], last))
    if arguments.output.exists() and not arguments.output.is_dir():
        raise UsageError(f"{arguments.output} is a file; give a folder as --output")
    result = train(
        recipe,
        arguments.data,
        arguments.output,
        index=arguments.index,
        device=arguments.device,
        cache=arguments.cache,
    )
    if result.metrics:
        print(json.dumps(result.metrics, indent=1))
    print(f"{result.model.onnx} is a model for --model")
    return 0
