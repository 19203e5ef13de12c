"""The paper's Table 2, measured here: several seeds of one network on the test people of their splits.

``python -m study.paper_table --network NAME --run FOLDER…`` measures finished runs
(``model/``, ``split.json``, ``recipe.json``) and puts a row into ``paper_table.json``.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from CMROrientLib.recognition.cards.card import Card
from CMROrientLib.recognition.typed_json import write_object
from CMROrientLib.training.evaluation.evaluate import chosen_cases, opened
from CMROrientLib.training.evaluation.predictions import Predictions, predict
from CMROrientLib.training.evaluation.scoring import averaged_right, counts, single_pass_right
from CMROrientLib.training.evaluation.statistics import Accuracy, accuracy

from .json_files import write_json

#: The order of the columns.
SEQUENCES = ("bSSFP", "LGE", "T2")


@dataclass(frozen=True)
class PaperSequence:
    """What the seeds of a network reach on a sequence.

    Parameters
    ----------
    single, averaged:
        In one pass and averaged over the turned copies, over slices, seeds and stored orientations.
    seeds:
        Seed → accuracy in one pass.
    epochs, seconds:
        Of a run, and what each run took.
    """

    single: Accuracy
    averaged: Accuracy
    seeds: Mapping[str, float]
    epochs: int | None
    seconds: tuple[int, ...]


@dataclass(frozen=True)
class PaperRow:
    """A row of ``paper_table.json``."""

    parameters: int | None
    multiply_adds: int | None
    sequences: Mapping[str, PaperSequence]


def tested(run: Path, data: Path, index: Path | None) -> tuple[str, Card, Predictions]:
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


def row(runs: Sequence[Path], data: Path, index: Path | None = None) -> PaperRow:
    """A row of the table.

    Parameters
    ----------
    runs:
        One folder for each seed and sequence.
    """
    found: dict[str, list[tuple[Card, Predictions]]] = defaultdict(list)
    for run in runs:
        sequence, card, predictions = tested(run, data, index)
        found[sequence].append((card, predictions))
    sequences = {}
    for sequence in sorted(found, key=SEQUENCES.index):
        parts = sorted(found[sequence], key=lambda part: part[0].seed or 0)
        people = [person for _, predictions in parts for person in predictions.subjects]
        one_pass = [single_pass_right(predictions.logits) for _, predictions in parts]
        mean = [averaged_right(predictions.logits) for _, predictions in parts]
        seeds = {
            str(card.seed or 0): round(float(right.mean()), 6) for (card, _), right in zip(parts, one_pass, strict=True)
        }
        sequences[sequence] = PaperSequence(
            single=accuracy(np.concatenate(one_pass), people),
            averaged=accuracy(np.concatenate(mean), people),
            seeds=seeds,
            epochs=parts[0][0].epochs,
            seconds=tuple(card.training_seconds or 0 for card, _ in parts),
        )
    first = next(card for parts in found.values() for card, _ in parts)
    return PaperRow(first.parameters, first.multiply_adds, sequences)


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.paper_table", description=__doc__)
    parser.add_argument("--network", required=True, help="name of the row")
    parser.add_argument("--run", required=True, type=Path, action="append", help="folder of a finished run; repeat")
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--index", type=Path)
    parser.add_argument("--metrics", required=True, type=Path, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    path = arguments.metrics / "paper_table.json"
    table = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    table[arguments.network] = write_object(row(arguments.run, arguments.data, arguments.index))
    write_json(path, table)
    print(json.dumps(table[arguments.network], indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
