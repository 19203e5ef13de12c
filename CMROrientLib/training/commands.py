"""The commands ``train``, ``transfer``, ``evaluate`` and ``export`` of the command line."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from ..errors import CMROrientError, UsageError
from ..recognition.model_files import find_model
from .evaluate import add_evaluate_arguments, run_evaluate


def add_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    """Add the options of one command."""
    if command == "evaluate":
        add_evaluate_arguments(parser)
    elif command == "export":
        parser.add_argument("run", type=Path, help="folder of a run of train or transfer")
        parser.add_argument("-o", "--output", type=Path, required=True, help="folder for .onnx, .safetensors and .json")
        parser.add_argument("--name", help="of the model (default: that of the recipe)")
    else:
        _add_training_arguments(parser, command)


def _add_training_arguments(parser: argparse.ArgumentParser, command: str) -> None:
    transfer = command == "transfer"
    parser.add_argument(
        "--start",
        required=transfer,
        help="model to transfer" if transfer else "model whose weights are the start (default: the recipe's, or none)",
    )
    parser.add_argument(
        "--recipe",
        type=Path,
        required=not transfer,
        help="TOML file" + ("; without one it is done as in the paper" if transfer else ", see Training/recipes"),
    )
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


def run(arguments: argparse.Namespace, command: str) -> int:
    """Do what was asked; the exit status."""
    if command == "evaluate":
        return run_evaluate(arguments)
    if command == "export":
        return _export(arguments)
    return _train(arguments, command)


def _train(arguments: argparse.Namespace, command: str) -> int:
    from .recipe import Recipe, read_recipe, recipe_errors
    from .train import train
    from .transfer import paper_transfer, transfer_recipe

    recipe: Recipe | None = read_recipe(arguments.recipe) if arguments.recipe else None
    name = arguments.name or (arguments.recipe.stem if arguments.recipe else arguments.output.resolve().name)
    if command == "transfer":
        start = find_model(arguments.start)
        recipe = paper_transfer(name, start) if recipe is None else transfer_recipe(recipe, start)
    elif recipe is not None and arguments.start:
        recipe = replace(recipe, start=arguments.start)
    assert recipe is not None
    recipe = replace(recipe, name=name)
    if arguments.seed is not None:
        with recipe_errors():
            recipe = replace(recipe, seed=arguments.seed)
    if arguments.split is not None:
        recipe = replace(recipe, data=replace(recipe.data, split=str(arguments.split.resolve())))
    if arguments.epochs is not None:
        if arguments.epochs < 1:
            raise UsageError("--epochs is a number of at least 1")
        recipe = replace(recipe, phases=(*recipe.phases[:-1], replace(recipe.phases[-1], epochs=arguments.epochs)))
    if arguments.output.exists() and not arguments.output.is_dir():
        raise UsageError(f"{arguments.output} is a file; --output is a folder")
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


def _export(arguments: argparse.Namespace) -> int:
    from .export import export_run

    if not (arguments.run / "checkpoint.pt").is_file():
        raise CMROrientError("this is not the folder of a run: it holds no checkpoint.pt", arguments.run)
    model = export_run(arguments.run, arguments.output, arguments.name)
    print(model.onnx)
    return 0
