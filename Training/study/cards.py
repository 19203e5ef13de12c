"""Write what was measured into a model's card.

``python -m study.cards CARD --metrics FOLDER`` takes the decision section from ``calibration.json``,
accuracies from ``left_out.json`` and ``NAME.json``, and the known failures from ``remarks.toml``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from CMROrientLib.recognition.cards.card import Card, read_card
from CMROrientLib.recognition.cards.model_files import MODELS, write_index
from CMROrientLib.recognition.typed_json import read_object
from CMROrientLib.training.evaluation.evaluate import Evaluation
from CMROrientLib.training.evaluation.scoring import Figures

from .remarks import REMARKS, Remarks, read_remarks
from .stored import StoredMetrics


def summary(groups: Mapping[str, Figures]) -> dict[str, dict[str, object]]:
    """The groups with the accuracies that a card keeps: value and interval."""
    found = {}
    for name, group in groups.items():
        kept = {
            "slices_single": group.slices_single,
            "slices_averaged": group.slices_averaged,
            "middle_averaged": group.middle_averaged,
            "volumes_averaged": group.volumes_averaged,
        }
        found[name] = {
            "subjects": group.subjects,
            "volumes": group.volumes,
            "slices": group.slices,
            **{key: [one.value, one.low, one.high] for key, one in kept.items() if one is not None},
        }
    return found


def completed(card: Card, metrics: Path, remarks: Remarks) -> Card:
    """The card with decision, metrics and known failures, as far as they have been measured.

    Parameters
    ----------
    card:
        As the export wrote it.
    metrics:
        Folder of the stored metrics.
    """
    measured: dict[str, object] = {}
    own = metrics / f"{card.name}.json"
    if own.is_file():
        evaluation = read_object(Evaluation, json.loads(own.read_text(encoding="utf-8")), own.name)
        measured["held_out_people"] = summary(evaluation.groups)
    if card.name == "universal":
        stored = StoredMetrics.read(metrics)
        if stored.left_out is not None:
            measured["left_out_sources"] = {name: summary(found.groups) for name, found in stored.left_out.items()}
        if stored.calibration is not None:
            early = None if stored.looks is None else stored.looks.final
            card = replace(card, decision=replace(stored.calibration.final, early=early))
    if measured:
        card = replace(card, metrics=measured)
    return replace(card, known_failures=remarks.known_failures(card.name))


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    from CMROrientLib.training.export import write_card

    parser = argparse.ArgumentParser(prog="python -m study.cards", description=__doc__)
    parser.add_argument("card", type=Path, help="NAME.json beside its weights")
    parser.add_argument("--metrics", type=Path, required=True, help="folder of the stored metrics")
    parser.add_argument("--remarks", type=Path, default=REMARKS, help="file of the known failures")
    arguments = parser.parse_args(options)
    card = completed(read_card(arguments.card), arguments.metrics, read_remarks(arguments.remarks))
    write_card(arguments.card, card)
    if arguments.card.resolve().parent == MODELS.resolve():
        write_index()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
