"""Write what was measured into a model's card.

``python -m CMROrientLib.training.cards CARD --metrics FOLDER`` takes the decision section from
``calibration.json``, accuracies from ``left_out.json`` and ``NAME.json``, and the known failures from
the lists in ``remarks.md`` beside the folder.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..recognition.card import Card, read_card
from ..recognition.decision import DecisionRule
from ..recognition.model_files import MODELS, write_index
from .results_paper import PAPER_MODELS

#: The accuracies that a card keeps, with their intervals.
KEPT = ("slices_single", "slices_averaged", "middle_averaged", "volumes_averaged")

#: The headings in the remarks that the known failures stand under: of universal, and of the paper's models.
FAILURES, PAPER_FAILURES = "## Known failures", "## Known failures of cine, lge and t2"


def summary(groups: dict[str, Any]) -> dict[str, Any]:
    """The groups with the accuracies that a card keeps: value and interval."""
    return {
        name: {
            **{key: group[key] for key in ("subjects", "volumes", "slices")},
            **{key: [group[key][part] for part in ("value", "low", "high")] for key in KEPT if key in group},
        }
        for name, group in groups.items()
    }


def known_failures(remarks: str, heading: str = FAILURES) -> list[str]:
    """The bullets under a heading, one string each."""
    _, _, section = remarks.partition(heading + "\n")
    section = section.split("\n## ")[0]
    return [" ".join(item.split()) for item in ("\n" + section).split("\n- ")[1:]]


def completed(card: Card, metrics: Path) -> Card:
    """The card with decision, metrics and known failures, as far as they have been measured.

    Parameters
    ----------
    card:
        As the export wrote it.
    metrics:
        Folder of the stored metrics; ``remarks.md`` lies beside it.
    """

    def read(name: str) -> dict[str, Any] | None:
        path = metrics / f"{name}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    measured: dict[str, Any] = {}
    own, left_out, calibration = read(card.name), read("left_out"), read("calibration")
    if own is not None:
        measured["held_out_people"] = summary(own["groups"])
    if card.name == "universal":
        if left_out is not None:
            measured["left_out_sources"] = {name: summary(found["groups"]) for name, found in left_out.items()}
        if calibration is not None:
            card = replace(card, decision=DecisionRule.from_card(calibration["final"]))
    if measured:
        card = replace(card, metrics=measured)
    remarks = metrics.parent / "remarks.md"
    if remarks.is_file():
        heading = PAPER_FAILURES if card.name in PAPER_MODELS else FAILURES
        failures = known_failures(remarks.read_text(encoding="utf-8"), heading)
        card = replace(card, known_failures=tuple(failures))
    return card


def main(options: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    from .export import write_card

    parser = argparse.ArgumentParser(prog="python -m CMROrientLib.training.cards", description=__doc__)
    parser.add_argument("card", type=Path, help="NAME.json beside its weights")
    parser.add_argument("--metrics", type=Path, required=True, help="folder of the stored metrics")
    arguments = parser.parse_args(options)
    write_card(arguments.card, completed(read_card(arguments.card), arguments.metrics))
    if arguments.card.resolve().parent == MODELS.resolve():
        write_index()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
