"""``cmrorient evaluate``: how right a model is on volumes that are stored in the standard orientation.

Every slice and volume is looked at in all eight stored orientations, in one pass and averaged over
the turned copies. The figures are those of ``Training/RESULTS.md``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CMROrientError, UsageError
from ..io.atomic import write_text
from ..progress import Progress
from ..recognition.decision import DecisionRule
from ..recognition.inference import Inference
from .calibration import answers, expected_calibration_error
from .cases import Case, read_cases
from .predictions import Predictions, predict
from .rejection import volumes_out_of_distribution
from .scoring import as_text, by_group, counts, source_and_sequence
from .splits import Split
from .statistics import accuracy, clopper_pearson

if TYPE_CHECKING:
    from ..recognition.card import Card
    from ..recognition.model_files import ModelFiles


def opened(model: str | Path, device: str = "auto") -> tuple[ModelFiles, Inference]:
    """A model's files, and its network ready to run."""
    from ..recognition.engines import open_engine
    from ..recognition.model_files import find_model

    files = find_model(model)
    return files, Inference.of(files, open_engine(files, device))


def training_facts(card: Card) -> dict[str, Any]:
    """What the tables say about how a model came about."""
    kept = ("parameters", "multiply_adds", "training_seconds", "training_subjects", "seed", "outputs")
    said = card.to_json()
    facts = {key: said[key] for key in kept if key in said}
    if card.epochs is not None:
        facts["epochs"] = card.epochs
    if card.recipe.get("start"):
        facts["start"] = card.recipe["start"]
    return facts


def metrics(predictions: Predictions, rule: DecisionRule) -> dict[str, Any]:
    """The figures of a model on cases: groups, calibration and decisions, as JSON keeps them."""
    return {
        "groups": by_group(predictions, source_and_sequence),
        "decisions": decisions(predictions, rule),
    }


def decisions(predictions: Predictions, rule: DecisionRule) -> dict[str, Any]:
    """What the rule makes of whole volumes, border cases left out.

    Returns
    -------
    Numbers of ``volumes``, of those acted on (``acted_on``) and of wrong ones among these
    (``wrong``), ``wrong_interval`` (exact, 95 %), ``uncertain``, ``not_short_axis``, and the
    expected calibration error.
    """
    whole = answers(predictions, rule, sizes=(0,))
    sure = whole.confidences(rule) >= rule.min_confidence
    rejected = volumes_out_of_distribution(predictions.of(counts), rule) > rule.max_not_short_axis
    acted = sure & ~rejected
    wrong = int((acted & ~whole.right).sum())
    result: dict[str, Any] = {
        "volumes": len(acted),
        "subjects": len(set(whole.subjects)),
        "acted_on": int(acted.sum()),
        "wrong": wrong,
        "uncertain": int((~sure & ~rejected).sum()),
        "not_short_axis": int(rejected.sum()),
        "calibration_error": round(expected_calibration_error(whole.confidences(rule), whole.right), 5),
        "acted_on_accuracy": accuracy(
            whole.right[acted], [who for who, kept in zip(whole.subjects, acted, strict=True) if kept]
        ).to_json()
        if acted.any()
        else None,
    }
    if acted.any():
        result["wrong_interval"] = [round(end, 5) for end in clopper_pearson(wrong, int(acted.sum()))]
    return result


def evaluate(
    model: str | Path, cases: Sequence[Case], device: str = "auto", progress: Progress | None = None
) -> tuple[dict[str, Any], Predictions]:
    """Judge a model on cases.

    Returns
    -------
    What goes into ``Training/metrics``: ``model``, ``checksum``, ``training`` and ``metrics``' keys;
    and the predictions behind them.
    """
    files, inference = opened(model, device)
    predictions = predict(inference, cases, progress)
    rule = files.card.decision
    facts = {"model": files.name, "checksum": files.checksum, "training": training_facts(files.card)}
    return {**facts, **metrics(predictions, rule)}, predictions


def write_json(data: dict[str, Any] | list[dict[str, Any]], path: Path) -> None:
    """Write readable JSON, whole or not at all."""
    write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def add_evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``cmrorient evaluate``."""
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


def chosen_cases(
    data: Path,
    index: Path | None = None,
    split: Path | None = None,
    people: str | None = None,
    datasets: Sequence[str] = (),
    sequences: Sequence[str] = (),
) -> list[Case]:
    """The cases that the options of ``cmrorient evaluate`` name. Raises UsageError where there is none."""
    if people in ("train", "test") and split is None:
        raise UsageError(f"--people {people} needs --split")
    keep: Callable[[Case], bool] = lambda case: True  # noqa: E731
    if split is not None and people != "all":
        parts = Split.load(split)
        keep = parts.training if people == "train" else parts.testing
    cases = [
        case
        for case in read_cases(data, index)
        if keep(case) and (not datasets or case.dataset in datasets) and (not sequences or case.sequence in sequences)
    ]
    if not cases:
        raise UsageError("none of the volumes fits --split, --people, --dataset and --sequence")
    return cases


def run_evaluate(arguments: argparse.Namespace) -> int:
    """Do what ``cmrorient evaluate`` was asked; the exit status."""
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
            raise CMROrientError("this is a folder; give the name of a file to write", path)
    with tqdm(total=len(cases), unit="volume", file=sys.stderr, disable=None) as bar:
        result, predictions = evaluate(
            arguments.model, cases, arguments.device, lambda done, total: bar.update(done - bar.n) and None
        )
    print(as_text(result["groups"]))
    print(decisions_as_text(result["decisions"]))
    if arguments.output is not None:
        write_json(result, arguments.output)
    if arguments.predictions is not None:
        predictions.save(arguments.predictions)
    return 0


def decisions_as_text(found: dict[str, Any]) -> str:
    """The decisions in two lines for a terminal."""
    lines = (
        f"Of {found['volumes']} volumes {found['acted_on']} are acted on, {found['wrong']} of these wrongly; "
        f"{found['uncertain']} uncertain, {found['not_short_axis']} taken for no short axis."
    )
    if "wrong_interval" in found:
        lines += f"\n95 % interval of the wrong ones' share: {found['wrong_interval'][0]:.4f} to "
        lines += f"{found['wrong_interval'][1]:.4f}; expected calibration error {found['calibration_error']:.4f}."
    return lines
