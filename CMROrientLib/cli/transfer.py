"""``cmrorient transfer``: a trained network on to other images, its head first."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..recognition.cards.model_files import find_model
from .extra import extra_packages
from .training_run import add_run_arguments, model_name, train_by


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--start", required=True, help="model to transfer")
    parser.add_argument("--recipe", type=Path, help="TOML file; without one it is done as in the paper")
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; the exit status."""
    with extra_packages():
        from ..training.recipe import read_recipe
        from ..training.transfer import paper_transfer, transfer_recipe

    recipe = read_recipe(arguments.recipe) if arguments.recipe else None
    start = find_model(arguments.start)
    name = model_name(arguments)
    return train_by(paper_transfer(name, start) if recipe is None else transfer_recipe(recipe, start), arguments)
