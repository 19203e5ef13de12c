"""How much has to be looked at, measured and fitted.

``python -m study.looks show`` shows a network volumes that it was not trained on, as early looks and in all
copies, and keeps what it said; ``… fit`` judges early looks by that, and fits the rule that ends them, which
``python -m study.cards`` puts into the card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from CMROrientLib.recognition.cards.card import read_card
from CMROrientLib.recognition.cards.model_files import find_model
from CMROrientLib.recognition.engines import open_engine
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.typed_json import write_object
from CMROrientLib.training.evaluation.evaluate import chosen_cases

from ..json_files import write_json
from .figures import assemble
from .seen import load, save
from .stacks import show


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this package."""
    parser = argparse.ArgumentParser(prog="python -m study.looks", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("show", help="show a network volumes that it was not trained on, and keep what it said")
    one.add_argument("--model", required=True)
    one.add_argument("--data", required=True, type=Path)
    one.add_argument("--index", type=Path)
    one.add_argument("--split", type=Path, help="JSON with lists 'train' and 'test' of people: only those of the test")
    one.add_argument("--dataset", action="append", default=[])
    one.add_argument("--threads", type=int, help="CPU threads (all cores)")
    one.add_argument("--output", required=True, type=Path, help="the file (.npz)")
    some = commands.add_parser("fit", help="fit the rule that ends early looks, and write the metrics")
    some.add_argument(
        "sources", nargs="+", type=_named, metavar="NAME=FILE", help="what 'show' wrote, as tables show it"
    )
    some.add_argument(
        "--card", required=True, type=Path, help="of the model whose decision section the rule belongs to"
    )
    some.add_argument("--metrics", required=True, type=Path, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    if arguments.command == "fit":
        found = assemble({name: load(path) for name, path in arguments.sources}, read_card(arguments.card).decision)
        write_json(arguments.metrics / "looks.json", write_object(found))
        print(json.dumps(write_object(found), indent=1))
        return 0
    cases = chosen_cases(arguments.data, arguments.index, arguments.split, datasets=arguments.dataset)
    model = find_model(arguments.model)
    inference = Inference.of(model, open_engine(model, "cpu", arguments.threads))
    save(arguments.output, show(inference, cases, arguments.data))
    return 0


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.rpartition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=FILE")
    return name, Path(path)


if __name__ == "__main__":
    raise SystemExit(main())
