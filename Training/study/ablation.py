"""What each part of the universal recipe is worth: short runs that differ in one thing, on one fold.

``python -m study.ablation --runs FOLDER --data DATA --metrics Training/metrics`` measures
the finished runs ``FOLDER/NAME`` of the recipes ``Training/recipes/ablation/NAME.toml`` on the volumes that
those recipes leave out. The first line of a recipe says what is different.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from CMROrientLib.recognition.typed_json import write_object
from CMROrientLib.training.cases import read_cases
from CMROrientLib.training.evaluation.evaluate import opened
from CMROrientLib.training.evaluation.predictions import predict
from CMROrientLib.training.evaluation.scoring import figures
from CMROrientLib.training.evaluation.statistics import Accuracy
from CMROrientLib.training.recipe import read_recipe

from .json_files import write_json

#: The recipes of the short runs.
RECIPES = Path(__file__).parents[1] / "recipes" / "ablation"

_FIGURES = ("slices_single", "slices_averaged", "middle_averaged", "volumes_averaged")


@dataclass(frozen=True)
class Variant:
    """A row of ``ablation.json``: what was tried, what it cost, and how right it is on what it left out."""

    variant: str
    fold: str
    epochs: int | None
    multiply_adds: int | None
    parameters: int | None
    seconds: int | None
    slices_single: float | None
    slices_averaged: float | None
    middle_averaged: float | None
    volumes_averaged: float | None

    def as_text(self) -> str:
        """The accuracies for a terminal."""
        every = {name: getattr(self, name) for name in _FIGURES}
        return ", ".join(f"{name} {value:.4f}" for name, value in every.items() if value is not None)


def measured(recipe: Path, run: Path, data: Path, index: Path | None = None) -> Variant:
    """A row for a finished run; the first line of its recipe says what is different."""
    words = recipe.read_text(encoding="utf-8").splitlines()[0].removeprefix("#").strip()
    taken = read_recipe(recipe).data
    cases = [case for case in read_cases(data, index) if not taken.takes(case)]
    files, inference = opened(run / "model", "cpu")
    found = figures(predict(inference, cases))

    def value(one: Accuracy | None) -> float | None:
        return None if one is None else one.value

    return Variant(
        variant=words,
        fold=" and ".join(sorted({case.dataset for case in cases})),
        epochs=files.card.epochs,
        multiply_adds=files.card.multiply_adds,
        parameters=files.card.parameters,
        seconds=files.card.training_seconds,
        slices_single=value(found.slices_single),
        slices_averaged=value(found.slices_averaged),
        middle_averaged=value(found.middle_averaged),
        volumes_averaged=value(found.volumes_averaged),
    )


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.ablation", description=__doc__)
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
        rows.append(measured(recipe, run, arguments.data, arguments.index))
        print(f"{recipe.stem}: {rows[-1].as_text()}", flush=True)
    write_json(arguments.metrics / "ablation.json", [write_object(row) for row in rows])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
