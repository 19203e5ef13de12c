"""Which end of a stack comes first, on left-out sources: each stack by itself, and as a run decides on them.

``python -m study.slice_orders LEFT_OUT … --metrics FOLDER`` takes what ``study.leave_source_out measure`` wrote of
networks that a source was kept from, reads the grids of that data, and writes ``slice_order``,
``slice_order_together`` and ``angles``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path

import numpy as np

from CMROrientLib.io import read
from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.measures import SliceOrderEvidence, slice_order, weigh_levels, weigh_together
from CMROrientLib.recognition.typed_json import write_object
from CMROrientLib.training.evaluation.angles import angle_errors
from CMROrientLib.training.evaluation.predictions import Predictions
from CMROrientLib.training.evaluation.slice_orders import WHOLE_STACK, OrderAnswers, SliceOrders, whole_stacks

from .decision_fit import with_slice_order
from .json_files import write_json
from .measured import Measured, load


def each_alone(measured: Sequence[Measured], rules: Mapping[str, DecisionRule]) -> dict[str, SliceOrders]:
    """Orders named and right on each left-out source, by a rule that was fitted on the others, and on ``all``."""
    return _counted(
        {
            one.name: (whole_stacks(one.predictions), rules[one.name].least_slice_order)
            for one in _with_levels(measured)
        },
        rules,
    )


def on_one_grid(measured: Sequence[Measured], rules: Mapping[str, DecisionRule]) -> dict[str, SliceOrders]:
    """The same where frames and sequences of one person and data set that lie on one grid are looked at together."""
    return _counted({one.name: _together(one.predictions, rules[one.name]) for one in _with_levels(measured)}, rules)


def fitted_on_others(measured: Sequence[Measured]) -> dict[str, DecisionRule]:
    """For each source a rule whose slice order was fitted on the other sources."""
    rule = DecisionRule()
    return {one.name: with_slice_order([other for other in measured if other is not one], rule) for one in measured}


def _with_levels(measured: Iterable[Measured]) -> list[Measured]:
    return [one for one in measured if one.predictions.measures is not None]


def _counted(
    found: Mapping[str, tuple[OrderAnswers, float | Sequence[float]]], rules: Mapping[str, DecisionRule]
) -> dict[str, SliceOrders]:
    """Counts of answers with their least probability, and of all."""
    if not found:
        return {}
    rows = {name: SliceOrders.of(data, rules[name].slice_order, least) for name, (data, least) in found.items()}
    return {**rows, "all": SliceOrders.together(list(rows.values()))}


def _together(predictions: Predictions, rule: DecisionRule) -> tuple[OrderAnswers, list[float]]:
    """What ``recognition.together`` finds of each stack, those of its grid beside it, and what it has to reach."""
    assert predictions.measures is not None
    shown = {n: np.flatnonzero(predictions.case == n) for n in range(len(predictions.cases))}
    levels = {n: (predictions.measures[rows], predictions.slice_[rows]) for n, rows in shown.items()}
    evidence: list[SliceOrderEvidence] = []
    right, subjects, least = [], [], []
    for grids in _on_one_grid(predictions):
        alone = {n: weigh_levels(*levels[n]) for n in grids}
        named = {slice_order(one, rule.slice_order, rule.least_slice_order)[0] for one in alone.values()}
        together = weigh_together([levels[n] for n in grids])
        for n in grids:
            case = predictions.cases[n]
            joined = len(grids) > 1 and len(named - {"unknown"}) < 2
            found = together if joined else alone[n]
            if case.base_first is not None and found is not None and found.slices >= WHOLE_STACK:
                evidence.append(found)
                right.append(found.base_first == case.base_first)
                subjects.append(case.subject)
                least.append(rule.least_slice_order_together if joined else rule.least_slice_order)
    return OrderAnswers(evidence, np.array(right, bool), subjects), least


def _on_one_grid(predictions: Predictions) -> list[list[int]]:
    """The numbers of the cases by the grids that they lie on, of one person and data set each."""
    found: list[list[int]] = []

    def whose(number: int) -> tuple[str, str]:
        return predictions.cases[number].dataset, predictions.cases[number].subject

    for _, numbers in groupby(sorted(range(len(predictions.cases)), key=whose), whose):
        grids: list[list[int]] = []
        for number in numbers:
            grid = read(predictions.cases[number].path).grid
            fitting = next((one for one in grids if read(predictions.cases[one[0]].path).grid.matches(grid)), None)
            if fitting is None:
                grids.append([number])
            else:
                fitting.append(number)
        found += grids
    return found


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m study.slice_orders", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="what was measured of networks without a source")
    parser.add_argument("--metrics", type=Path, required=True, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    measured = [load(folder) for folder in arguments.folders]
    rules = fitted_on_others(measured)
    for name, rows in (
        ("slice_order", each_alone(measured, rules)),
        ("slice_order_together", on_one_grid(measured, rules)),
    ):
        write_json(arguments.metrics / f"{name}.json", {source: write_object(row) for source, row in rows.items()})
        print(name, rows["all"].as_text() if rows else "not measured")
    angles = {one.name: off for one in measured if (off := angle_errors(one.predictions)) is not None}
    write_json(arguments.metrics / "angles.json", {name: write_object(row) for name, row in angles.items()})
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
