"""Leave-source-out: measure networks on the sources they were not trained on, and fit the decision rule to them.

``python -m study.leave_source_out measure`` runs one network over left-out volumes, changed
slices and other pictures, and keeps its outputs. ``… assemble`` puts what was measured for several
left-out sources together: metrics as JSON, and the decision section for a card.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from CMROrientLib.recognition.cards.card import read_card
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.typed_json import write_object
from CMROrientLib.training.evaluation.evaluate import chosen_cases
from CMROrientLib.training.evaluation.scoring import as_text, by_group, source_and_sequence

from .decision_fit import cross_fitted, fitted
from .json_files import write_json
from .left_out import LeftOut, LeftOutSequence, calibration, kinds, rejection_metrics
from .measured import Measured, load, measure
from .slice_orders import each_alone


def assemble(measured: Sequence[Measured], metrics: Path, sequences: Sequence[Measured] = ()) -> DecisionRule:
    """Write what was found to ``metrics``; the final rule.

    Parameters
    ----------
    measured:
        For the left-out sources.
    metrics:
        The folder of ``left_out``, ``stress``, ``calibration``, ``rejection``, ``slice_order``, ``kinds`` and,
        where there are any, ``left_out_sequences`` (JSON).
    sequences:
        For networks that were trained without a sequence. Only their accuracies are kept: the rule has
        learned from the same people.
    """
    rules = cross_fitted(measured)
    rule = fitted(measured)
    if sequences:
        found = {one.name: LeftOutSequence.of(one).to_json() for one in sequences}
        write_json(metrics / "left_out_sequences.json", found)
    sources = {one.name: LeftOut.of(one, rules[one.name]).to_json() for one in measured}
    write_json(metrics / "left_out.json", sources)
    stress = {
        one.name: {curve: [write_object(row) for row in rows] for curve, rows in one.curves.items()} for one in measured
    }
    write_json(metrics / "stress.json", stress)
    write_json(metrics / "calibration.json", write_object(calibration(measured, rules, rule)))
    write_json(metrics / "rejection.json", write_object(rejection_metrics(measured, rules)))
    orders = each_alone(measured, rules)
    if orders:
        write_json(metrics / "slice_order.json", {name: write_object(row) for name, row in orders.items()})
    of_kinds = kinds(measured, rules)
    shown = {kind: {group: write_object(row) for group, row in groups.items()} for kind, groups in of_kinds.items()}
    write_json(metrics / "kinds.json", shown)
    return rule


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.leave_source_out", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("measure", help="run a network over a source that it was not trained on")
    one.add_argument("--name", required=True, help="of the left-out source, as the tables show it")
    one.add_argument("--model", required=True)
    one.add_argument("--data", required=True, type=Path)
    one.add_argument("--index", type=Path)
    one.add_argument("--split", type=Path, help="JSON with lists 'train' and 'test' of people: only those of the test")
    one.add_argument("--dataset", action="append", default=[])
    one.add_argument("--sequence", action="append", default=[])
    one.add_argument("--stress-volumes", type=int, default=60, help="take changed slices from at most so many volumes")
    one.add_argument("--output", required=True, type=Path, help="folder for the network's outputs")
    some = commands.add_parser("assemble", help="fit the decision rule and write the metrics")
    some.add_argument("folders", nargs="+", type=Path, help="what 'measure' wrote")
    some.add_argument("--sequence", type=Path, action="append", default=[], help="the same for a left-out sequence")
    some.add_argument("--metrics", type=Path, help="folder of the stored metrics; without it only the rule is fitted")
    some.add_argument("--card", type=Path, help="a model's card to write the decision section into")
    arguments = parser.parse_args(options)
    if arguments.command == "measure":
        cases = chosen_cases(
            arguments.data, arguments.index, arguments.split, datasets=arguments.dataset, sequences=arguments.sequence
        )
        measure(arguments.name, arguments.model, cases, arguments.output, arguments.stress_volumes, data=arguments.data)
        print(as_text(by_group(load(arguments.output).predictions, source_and_sequence)))
        return 0
    sources, sequences = ([load(folder) for folder in folders] for folders in (arguments.folders, arguments.sequence))
    rule = assemble(sources, arguments.metrics, sequences) if arguments.metrics else fitted(sources)
    print(json.dumps(rule.to_card(), indent=1))
    if arguments.card is not None:
        from CMROrientLib.training.export import write_card

        write_card(arguments.card, replace(read_card(arguments.card), decision=rule))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
