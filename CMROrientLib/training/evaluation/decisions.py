"""What a model's rule makes of whole volumes: acted on, uncertain, taken for no short axis; and what of it is wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ...recognition.decision import DecisionRule
from .calibrate import answers, expected_calibration_error
from .out_of_distribution import volumes_out_of_distribution
from .predictions import Predictions
from .scoring import counts
from .statistics import Accuracy, accuracy, clopper_pearson


@dataclass(frozen=True)
class Decisions:
    """Volumes by what is done with them, border cases left out.

    Parameters
    ----------
    volumes, subjects:
        How many there are.
    acted_on, wrong:
        Those acted on, and wrong ones among these.
    uncertain, not_short_axis:
        Those left alone.
    calibration_error:
        The expected calibration error of the confidence.
    acted_on_accuracy, wrong_interval:
        Of those acted on (the interval of the wrong ones' share is exact, 95 %); None where there are none.
    """

    volumes: int
    subjects: int
    acted_on: int
    wrong: int
    uncertain: int
    not_short_axis: int
    calibration_error: float
    acted_on_accuracy: Accuracy | None
    wrong_interval: tuple[float, float] | None = None

    def to_json(self) -> dict[str, object]:
        """As metrics keep them."""
        interval = {} if self.wrong_interval is None else {"wrong_interval": list(self.wrong_interval)}
        return {
            "volumes": self.volumes,
            "subjects": self.subjects,
            "acted_on": self.acted_on,
            "wrong": self.wrong,
            "uncertain": self.uncertain,
            "not_short_axis": self.not_short_axis,
            "calibration_error": self.calibration_error,
            "acted_on_accuracy": None if self.acted_on_accuracy is None else self.acted_on_accuracy.to_json(),
            **interval,
        }

    def as_text(self) -> str:
        """In two lines for a terminal."""
        lines = (
            f"Of {self.volumes} volumes {self.acted_on} are acted on, {self.wrong} of these wrongly; "
            f"{self.uncertain} uncertain, {self.not_short_axis} taken for no short axis."
        )
        if self.wrong_interval is not None:
            low, high = self.wrong_interval
            lines += f"\n95 % interval of the wrong ones' share: {low:.4f} to {high:.4f}; "
            lines += f"expected calibration error {self.calibration_error:.4f}."
        return lines


def decisions(predictions: Predictions, rule: DecisionRule) -> Decisions:
    """What the rule makes of whole volumes."""
    whole = answers(predictions, rule, sizes=(0,))
    confidences = whole.confidences(rule)
    sure = confidences >= rule.min_confidence
    rejected = volumes_out_of_distribution(predictions.of(counts), rule) > rule.max_not_short_axis
    acted = sure & ~rejected
    count, wrong = int(acted.sum()), int((acted & ~whole.right).sum())
    people = [who for who, kept in zip(whole.subjects, acted, strict=True) if kept]
    found = Decisions(
        volumes=len(acted),
        subjects=len(set(whole.subjects)),
        acted_on=count,
        wrong=wrong,
        uncertain=int((~sure & ~rejected).sum()),
        not_short_axis=int(rejected.sum()),
        calibration_error=round(expected_calibration_error(confidences, whole.right), 5),
        acted_on_accuracy=accuracy(whole.right[acted], people) if count else None,
    )
    if not count:
        return found
    low, high = clopper_pearson(wrong, count)
    return replace(found, wrong_interval=(round(low, 5), round(high, 5)))
