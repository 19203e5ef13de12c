"""``cmrorient train``: a network from a recipe and labelled stacks."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from .extra import extra_packages
from .training_run import add_run_arguments, train_by


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--start", help="model whose weights are the start (default: the recipe's, or none)")
    parser.add_argument("--recipe", type=Path, required=True, help="TOML file, see Training/recipes")
    add_run_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; the exit status."""
    with extra_packages():
        from ..training.recipe import read_recipe

    recipe = read_recipe(arguments.recipe)
    if arguments.start:
        recipe = replace(recipe, start=arguments.start)
    return train_by(recipe, arguments)
