"""What each part of the universal recipe is worth: short runs that differ in one thing, on one fold.

``python -m CMROrientLib.training.ablation --runs FOLDER --data DATA --metrics Training/metrics`` judges
the finished runs ``FOLDER/NAME`` of the recipes ``Training/recipes/ablation/NAME.toml`` on the volumes that
those recipes leave out. The first line of a recipe says what is different.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .cases import read_cases
from .evaluate import opened, training_facts, write_json
from .predictions import predict
from .recipe import read_recipe
from .scoring import figures

#: Where a source tree keeps the recipes.
RECIPES = Path(__file__).parents[2] / "Training" / "recipes" / "ablation"

_FIGURES = ("slices_single", "slices_averaged", "middle_averaged", "volumes_averaged")


def row(recipe: Path, run: Path, data: Path, index: Path | None = None) -> dict[str, Any]:
    """A row of the table: the variant in words, what it cost, and how right it is on what it left out."""
    variant = recipe.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()
    taken = read_recipe(recipe).data
    cases = [case for case in read_cases(data, index) if not taken.takes(case)]
    files, inference = opened(run / "model", "cpu")
    facts = training_facts(files.card)
    found = figures(predict(inference, cases))
    return {
        "variant": variant,
        "fold": " and ".join(sorted({case.dataset for case in cases})),
        "epochs": facts["epochs"],
        "multiply_adds": facts["multiply_adds"],
        "parameters": facts["parameters"],
        "seconds": facts["training_seconds"],
        **{key: found[key]["value"] for key in _FIGURES},
    }


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m CMROrientLib.training.ablation", description=__doc__)
    parser.add_argument("--recipes", type=Path, default=RECIPES)
    parser.add_argument("--runs", required=True, type=Path, help="folder with a finished run for each recipe")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--metrics", required=True, type=Path, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    rows = []
    for recipe in sorted(arguments.recipes.glob("*.toml")):
        run = arguments.runs / recipe.stem
        if not (run / "model").is_dir():
            print(f"{recipe.stem}: no finished run, left out")
            continue
        rows.append(row(recipe, run, arguments.data, arguments.index))
        print(f"{recipe.stem}: " + ", ".join(f"{key} {rows[-1][key]:.4f}" for key in _FIGURES), flush=True)
    write_json(rows, arguments.metrics / "ablation.json")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
