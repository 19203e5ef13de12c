"""``cmrorient evaluate``: how right a model is on labelled stacks."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..errors import UsageError
from ..io.atomic import write_text
from ..training.evaluation.evaluate import chosen_cases, evaluate
from ..training.evaluation.scoring import as_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--model", default="universal", help="a bundled model's name, or a path to one")
    parser.add_argument("--data", required=True, type=Path, help="folder of volumes in standard orientation")
    parser.add_argument("--index", type=Path, help="CSV that says whose they are (default: index.csv in --data)")
    parser.add_argument("--split", type=Path, help="JSON with lists 'train' and 'test' of people")
    parser.add_argument(
        "--people",
        choices=("all", "train", "test"),
        help="whose volumes of the split count (default: test where there is a split, else all)",
    )
    parser.add_argument("--dataset", action="append", default=[], help="only this data set; may be repeated")
    parser.add_argument("--sequence", action="append", default=[], help="only this sequence; may be repeated")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--output", type=Path, help="write the metrics to this JSON file")
    parser.add_argument("--predictions", type=Path, help="keep the network's outputs in this .npz file")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; the exit status."""
    from tqdm import tqdm

    cases = chosen_cases(
        arguments.data,
        arguments.index,
        arguments.split,
        arguments.people,
        arguments.dataset,
        arguments.sequence,
    )
    for path in (arguments.output, arguments.predictions):
        if path is not None and path.is_dir():
            raise UsageError("this is a folder; give the name of a file to write", path)
    with tqdm(total=len(cases), unit="volume", file=sys.stderr, disable=None) as bar:
        result, predictions = evaluate(
            arguments.model, cases, arguments.device, lambda done, total: bar.update(done - bar.n) and None
        )
    print(as_text(result.groups))
    print(result.decisions.as_text())
    if result.measures_as_text():
        print(result.measures_as_text())
    if arguments.output is not None:
        write_text(arguments.output, json.dumps(result.to_json(), indent=1, ensure_ascii=False) + "\n")
    if arguments.predictions is not None:
        predictions.save(arguments.predictions)
    return 0
