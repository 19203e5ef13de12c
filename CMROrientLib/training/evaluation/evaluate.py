"""How right a model is on volumes that are stored in the standard orientation.

Every slice and volume is looked at in all eight stored orientations, in one pass and averaged over
the turned copies. The figures are those of ``Training/RESULTS.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import UsageError
from ...progress import Progress
from ...recognition.inference import Inference
from ...recognition.typed_json import write_object
from ..cases import Case, read_cases
from ..splits import Split
from .angles import AngleErrors, angle_errors
from .decisions import Decisions, decisions
from .predictions import Predictions, predict
from .scoring import Figures, by_group, source_and_sequence
from .slice_orders import SliceOrders, whole_stacks

if TYPE_CHECKING:
    from ...recognition.cards.card import Card
    from ...recognition.cards.model_files import ModelFiles


@dataclass(frozen=True, kw_only=True)
class TrainingFacts:
    """What the tables say about how a model came about; None where its card does not."""

    parameters: int | None = None
    multiply_adds: int | None = None
    training_seconds: int | None = None
    training_subjects: int | None = None
    seed: int | None = None
    outputs: int | None = None
    epochs: int | None = None
    start: str | None = None

    @classmethod
    def of(cls, card: Card) -> TrainingFacts:
        """Those of a card."""
        start = card.recipe.get("start")
        return cls(
            parameters=card.parameters,
            multiply_adds=card.multiply_adds,
            training_seconds=card.training_seconds,
            training_subjects=card.training_subjects,
            seed=card.seed,
            outputs=card.outputs,
            epochs=card.epochs,
            start=str(start) if start else None,
        )


@dataclass(frozen=True)
class Evaluation:
    """What was measured of a model, as ``Training/metrics`` keeps it.

    Parameters
    ----------
    model, checksum, training:
        Which one it is.
    groups:
        Accuracies of each source and sequence, and of ``all``.
    decisions:
        What its rule makes of the volumes.
    slice_order, angles:
        Of a network that measures: orders of stacks, and errors of the angle; None where nothing is known.
    """

    model: str
    checksum: str
    training: TrainingFacts
    groups: Mapping[str, Figures]
    decisions: Decisions
    slice_order: SliceOrders | None = None
    angles: AngleErrors | None = None

    def to_json(self) -> dict[str, object]:
        """As a JSON file keeps it."""
        return {
            "model": self.model,
            "checksum": self.checksum,
            "training": write_object(self.training),
            "groups": {name: write_object(found) for name, found in self.groups.items()},
            "decisions": self.decisions.to_json(),
            **({} if self.slice_order is None else {"slice_order": write_object(self.slice_order)}),
            **({} if self.angles is None else {"angles": write_object(self.angles)}),
        }

    def measures_as_text(self) -> str:
        """What is known of slice order and angle, a line each; nothing of networks that do not measure."""
        return "\n".join(one.as_text() for one in (self.slice_order, self.angles) if one is not None)


def opened(model: str | Path, device: str = "auto") -> tuple[ModelFiles, Inference]:
    """A model's files, and its network ready to run."""
    from ...recognition.cards.model_files import find_model
    from ...recognition.engines import open_engine

    files = find_model(model)
    return files, Inference.of(files, open_engine(files, device))


def evaluate(
    model: str | Path, cases: Sequence[Case], device: str = "auto", progress: Progress | None = None
) -> tuple[Evaluation, Predictions]:
    """Measure a model on cases: what was measured, and the predictions behind it."""
    files, inference = opened(model, device)
    predictions = predict(inference, cases, progress)
    rule = files.card.decision
    stacks = whole_stacks(predictions)
    found = Evaluation(
        model=files.name,
        checksum=files.checksum,
        training=TrainingFacts.of(files.card),
        groups=by_group(predictions, source_and_sequence),
        decisions=decisions(predictions, rule),
        slice_order=SliceOrders.of(stacks, rule.slice_order, rule.least_slice_order) if stacks.evidence else None,
        angles=angle_errors(predictions),
    )
    return found, predictions


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
