"""Leave-source-out: measure networks on the sources they were not trained on, and fit the decision rule to them.

``python -m CMROrientLib.training.leave_source_out measure`` runs one network over left-out volumes, changed
slices and other pictures, and keeps its outputs. ``… assemble`` puts what was measured for several
left-out sources together: metrics as JSON, and the decision section for a card. No source is judged
by a rule that was fitted on it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..orientation import Orientation
from ..recognition.card import read_card
from ..recognition.decision import DecisionRule
from .calibration import (
    Answers,
    answers,
    choose_min_confidence,
    expected_calibration_error,
    fit_rule,
    reliability,
)
from .cases import Case
from .evaluate import chosen_cases, decisions, opened, training_facts, write_json
from .negatives.reslices import read_stack
from .predictions import Predictions, predict
from .rejection import (
    OutOfDistributionTerms,
    central_slices,
    fit_out_of_distribution,
    other_pictures,
    rejection,
    volumes_out_of_distribution,
)
from .scoring import as_text, by_group, counts, source_and_sequence
from .statistics import clopper_pearson
from .stress import stress

#: Other pictures shown to each network.
OTHER_PICTURES = 1200
#: Stacks that cuts are made from.
STACKS = 40
#: Kinds of stress whose answers the calibration learns from.
HARDER = ("crop", "extra rotation", "noise", "resolution", "inverted")


@dataclass(frozen=True)
class Measured:
    """What a network said about a source that it was not trained on.

    Parameters
    ----------
    name:
        The source, as the tables show it.
    model:
        Name, checksum and what else of the card the tables show.
    predictions:
        For the left-out volumes as they are.
    alone:
        For the same slices, each on its own, as a volume of one slice.
    stressed:
        (curve, level, predictions) for changed slices.
    curves:
        What ``stress`` counted.
    families, blank, others:
        What ``other_pictures`` gave.
    """

    name: str
    model: dict[str, Any]
    predictions: Predictions
    alone: Predictions
    stressed: list[tuple[str, float, Predictions]]
    curves: dict[str, Any]
    families: list[str]
    blank: NDArray[np.bool_]
    others: NDArray[np.float32]

    @property
    def volumes(self) -> range:
        """Indices of the volumes."""
        return range(len(self.predictions.cases))

    @property
    def harder(self) -> list[Predictions]:
        """The changed slices that the calibration learns from."""
        return [found for curve, level, found in self.stressed if curve.startswith(HARDER) and level not in (0, 1)] + [
            found for curve, level, found in self.stressed if curve.startswith("inverted") and level == 1
        ]


def measure(name: str, model: str | Path, cases: Sequence[Case], folder: Path, stress_volumes: int = 60) -> None:
    """Run a network over everything and keep its outputs in ``folder``.

    Parameters
    ----------
    name:
        Of the left-out source.
    model:
        A network that was not trained on the people of ``cases``.
    stress_volumes:
        Changed slices are taken from at most so many volumes, spread evenly over ``cases``.
    """
    files, inference = opened(model, "cpu")
    predict(inference, cases).save(folder / "predictions.npz")
    predict(inference, cases, alone=True).save(folder / "alone.npz")
    chosen = [cases[int(n)] for n in np.linspace(0, len(cases) - 1, min(stress_volumes, len(cases))).round()]
    kept: list[list[Any]] = []

    def keep(curve: str, level: float, found: Predictions) -> None:
        file = f"stress-{len(kept):02}.npz"
        found.save(folder / file)
        kept.append([curve, level, file])

    curves = stress(inference, chosen, keep=keep)
    stacks = [read_stack(case.path, case.mask) for case in chosen[:: max(1, len(chosen) // STACKS)]]
    families, blank, logits = other_pictures(inference, stacks, OTHER_PICTURES)
    np.savez(folder / "others.npz", allow_pickle=False, families=np.array(families), blank=blank, logits=logits)
    write_json(
        {
            "name": name,
            "model": {"name": files.name, "checksum": files.checksum, **training_facts(files.card)},
            "curves": curves,
            "stressed": kept,
        },
        folder / "measured.json",
    )


def load(folder: Path) -> Measured:
    """Read what ``measure`` kept."""
    data = json.loads((folder / "measured.json").read_text(encoding="utf-8"))
    with np.load(folder / "others.npz", allow_pickle=False) as others:
        families, blank, logits = [str(name) for name in others["families"]], others["blank"], others["logits"]
    stressed = [(curve, level, Predictions.load(folder / file)) for curve, level, file in data["stressed"]]
    predictions, alone = (Predictions.load(folder / f"{name}.npz") for name in ("predictions", "alone"))
    return Measured(data["name"], data["model"], predictions, alone, stressed, data["curves"], families, blank, logits)


def fitted(measured: Sequence[Measured]) -> DecisionRule:
    """The decision rule from networks judged on what they were not trained on.

    The weights come from changed and unchanged slices, the limit of the confidence from unchanged
    ones, what is no short axis from real volumes, changed slices and other pictures.
    """
    together = reduce(Predictions.joined, [one.predictions for one in measured])
    alone = reduce(Predictions.joined, [one.alone for one in measured])
    rule = fit_rule(together, [found for one in measured for found in one.harder], alone=alone)
    stacks = answers(together, rule, sizes=(0,))
    plain = stacks + answers(together, rule, sizes=(2, 3, 5)) + answers(alone, rule, sizes=(1,))
    whole = np.arange(len(plain.right)) < len(stacks.right)
    rule = replace(rule, min_confidence=choose_min_confidence(plain.confidences(rule), plain.right, whole))
    if together.logits.shape[-1] == len(Orientation):
        # Without an out-of-distribution output nothing is taken for no short axis.
        return rule
    return fit_out_of_distribution(_real(measured, rule), _others(measured, rule), rule)


def without_each_family(measured: Sequence[Measured], rule: DecisionRule) -> dict[str, DecisionRule]:
    """For each family of other pictures the rule that was fitted without it."""
    families = np.array([family for one in measured for family in np.array(one.families)[~one.blank]])
    real, others = _real(measured, rule), _others(measured, rule)
    names = {family for one in measured for family in one.families}
    return {name: fit_out_of_distribution(real, others.where(families != name), rule) for name in sorted(names)}


def _real(measured: Sequence[Measured], rule: DecisionRule) -> OutOfDistributionTerms:
    """Left-out volumes, their central slices alone, and changed slices.

    A source may be so easy that its unchanged slices teach nothing about the next.
    """
    volumes = [one.predictions.logits[one.predictions.case == n] for one in measured for n in one.volumes]
    volumes += [logits for one in measured for logits in central_slices(one.alone)]
    volumes += [logits[None] for one in measured for found in one.harder for logits in found.logits[::3]]
    return OutOfDistributionTerms.of(volumes, rule)


def _others(measured: Sequence[Measured], rule: DecisionRule) -> OutOfDistributionTerms:
    return OutOfDistributionTerms.of((picture[None] for one in measured for picture in one.others[~one.blank]), rule)


def cross_fitted(measured: Sequence[Measured]) -> dict[str, DecisionRule]:
    """For each source the rule that was fitted on the other sources."""
    return {one.name: fitted([other for other in measured if other is not one]) for one in measured}


def calibration_metrics(measured: Sequence[Measured], rules: dict[str, DecisionRule]) -> dict[str, Any]:
    """Calibration error and reliability of the cross-fitted confidences: whole stacks, parts, one slice."""
    found: dict[str, Any] = {"sources": {}}
    kinds = {"whole stacks": (0,), "parts of 2 to 5 slices": (2, 3, 5), "one slice": (1,)}
    for kind, sizes in kinds.items():
        confidences, right, volumes = [], [], 0
        for one in measured:
            rule = rules[one.name]
            shown = one.alone if sizes == (1,) else one.predictions
            data: Answers = answers(shown, rule, sizes=sizes, seed=7)
            ours = data.confidences(rule)
            confidences.append(ours)
            right.append(data.right)
            volumes += len(data.right)
            found["sources"].setdefault(one.name, {})[kind] = {
                "answers": len(data.right),
                "right": int(data.right.sum()),
                "confidence": round(float(ours.mean()), 5),
                "error": round(expected_calibration_error(ours, data.right), 5),
            }
        every, truth = np.concatenate(confidences), np.concatenate(right)
        found[kind] = {
            "answers": volumes,
            "right": int(truth.sum()),
            "confidence": round(float(every.mean()), 5),
            "error": round(expected_calibration_error(every, truth), 5),
            "bins": [{key: round(value, 5) for key, value in bin_.items()} for bin_ in reliability(every, truth)],
        }
    found["rules"] = {name: rule.to_card() for name, rule in rules.items()}
    return found


def rejection_metrics(measured: Sequence[Measured], rules: dict[str, DecisionRule]) -> dict[str, Any]:
    """Other pictures and real volumes rejected, by rules that saw neither the source nor the family."""
    families: dict[str, dict[str, Any]] = {}
    real, rejected = 0, 0
    for one in measured:
        rule = rules[one.name]
        names = np.array(one.families)
        for family, other in without_each_family([m for m in measured if m is not one], rule).items():
            inside = names == family
            if not inside.any():
                continue
            row = rejection(names[inside].tolist(), one.blank[inside], one.others[inside], other)[family]
            sums = families.setdefault(family, dict.fromkeys(("pictures", "rejected", "uncertain", "acted_on"), 0))
            for key in sums:
                sums[key] += row[key]
        hard = one.predictions.of(counts)
        real += len(hard.cases)
        rejected += int((volumes_out_of_distribution(hard, rule) > rule.max_not_short_axis).sum())
    sums = {
        key: sum(row[key] for row in families.values()) for key in ("pictures", "rejected", "uncertain", "acted_on")
    }
    families = {**dict(sorted(families.items())), "all": sums}
    for row in families.values():
        row["interval"] = [round(end, 5) for end in clopper_pearson(row["rejected"], row["pictures"])]
    return {
        "families": families,
        "real_volumes": {
            "volumes": real,
            "rejected": rejected,
            "interval": [round(end, 5) for end in clopper_pearson(rejected, real)],
        },
    }


def left_out_metrics(measured: Sequence[Measured], rules: dict[str, DecisionRule]) -> dict[str, Any]:
    """Accuracies and decisions for each left-out source."""
    return {
        one.name: {
            "model": one.model,
            "groups": _groups(one),
            "decisions": decisions(one.predictions, rules[one.name]),
        }
        for one in measured
    }


def _groups(one: Measured) -> dict[str, Any]:
    return by_group(one.predictions, source_and_sequence)


def assemble(measured: Sequence[Measured], metrics: Path, sequences: Sequence[Measured] = ()) -> DecisionRule:
    """Write what was found to ``metrics``; the final rule.

    Parameters
    ----------
    measured:
        For the left-out sources.
    metrics:
        The folder of ``left_out``, ``stress``, ``calibration``, ``rejection`` and, where there are
        any, ``left_out_sequences`` (JSON).
    sequences:
        For networks that were trained without a sequence. Only their accuracies are kept: the rule has
        learned from the same people.
    """
    rules = cross_fitted(measured)
    rule = fitted(measured)
    if sequences:
        found = {one.name: {"model": one.model, "groups": _groups(one)} for one in sequences}
        write_json(found, metrics / "left_out_sequences.json")
    write_json(left_out_metrics(measured, rules), metrics / "left_out.json")
    write_json({one.name: one.curves for one in measured}, metrics / "stress.json")
    write_json({**calibration_metrics(measured, rules), "final": rule.to_card()}, metrics / "calibration.json")
    write_json(rejection_metrics(measured, rules), metrics / "rejection.json")
    return rule


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m CMROrientLib.training.leave_source_out", description=__doc__)
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
        measure(arguments.name, arguments.model, cases, arguments.output, arguments.stress_volumes)
        print(as_text(by_group(load(arguments.output).predictions, source_and_sequence)))
        return 0
    sources, sequences = ([load(folder) for folder in folders] for folders in (arguments.folders, arguments.sequence))
    rule = assemble(sources, arguments.metrics, sequences) if arguments.metrics else fitted(sources)
    print(json.dumps(rule.to_card(), indent=1))
    if arguments.card is not None:
        from .export import write_card

        write_card(arguments.card, replace(read_card(arguments.card), decision=rule))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
