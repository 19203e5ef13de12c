"""The paper's Table 2, measured here: several seeds of one network on the test people of their splits.

``python -m CMROrientLib.training.paper_table --network NAME --run FOLDER…`` judges finished runs
(``model/``, ``split.json``, ``recipe.json``) and puts a row into ``paper_table.json``.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..recognition.card import Card
from .evaluate import chosen_cases, opened, write_json
from .predictions import Predictions, predict
from .scoring import averaged_right, counts, single_pass_right
from .statistics import accuracy

#: The order of the columns.
SEQUENCES = ("bSSFP", "LGE", "T2")


def judged(run: Path, data: Path, index: Path | None) -> tuple[str, Card, Predictions]:
    """One run on its own test people: sequence, card and predictions, border cases left out."""
    files, inference = opened(run / "model", "cpu")
    selection = json.loads((run / "recipe.json").read_text(encoding="utf-8"))["data"]
    cases = chosen_cases(
        data,
        index,
        run / "split.json",
        "test",
        datasets=selection.get("datasets", ()),
        sequences=selection.get("sequences", ()),
    )
    predictions = predict(inference, [case for case in cases if counts(case)])
    (sequence,) = {case.sequence for case in cases}
    return sequence, files.card, predictions


def row(runs: Sequence[Path], data: Path, index: Path | None = None) -> dict[str, Any]:
    """A row of the table: for each sequence the accuracy over slices, seeds and stored orientations.

    Parameters
    ----------
    runs:
        One folder for each seed and sequence.
    """
    found: dict[str, list[tuple[int, Card, Predictions]]] = defaultdict(list)
    for run in runs:
        sequence, card, predictions = judged(run, data, index)
        found[sequence].append((card.seed or 0, card, predictions))
    sequences = {}
    for sequence in sorted(found, key=SEQUENCES.index):
        parts = sorted(found[sequence], key=lambda part: part[0])
        people = [person for _, _, predictions in parts for person in predictions.subjects]
        one_pass = [single_pass_right(predictions.logits) for _, _, predictions in parts]
        mean = [averaged_right(predictions.logits) for _, _, predictions in parts]
        card = parts[0][1]
        sequences[sequence] = {
            "single": accuracy(np.concatenate(one_pass), people).to_json(),
            "averaged": accuracy(np.concatenate(mean), people).to_json(),
            "seeds": {
                str(seed): round(float(right.mean()), 6) for (seed, _, _), right in zip(parts, one_pass, strict=True)
            },
            "epochs": card.epochs,
            "seconds": [part[1].training_seconds for part in parts],
        }
    every = [card for parts in found.values() for _, card, _ in parts]
    return {"parameters": every[0].parameters, "multiply_adds": every[0].multiply_adds, "sequences": sequences}


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m CMROrientLib.training.paper_table", description=__doc__)
    parser.add_argument("--network", required=True, help="name of the row")
    parser.add_argument("--run", required=True, type=Path, action="append", help="folder of a finished run; repeat")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--metrics", required=True, type=Path, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    path = arguments.metrics / "paper_table.json"
    table = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    table[arguments.network] = row(arguments.run, arguments.data, arguments.index)
    write_json(table, path)
    print(json.dumps(table[arguments.network], indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
