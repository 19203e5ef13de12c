"""The metrics of left-out sources: what each file keeps, and how it comes about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from CMROrientLib.recognition.decision import DecisionRule
from CMROrientLib.recognition.typed_json import in_json, write_object
from CMROrientLib.training.evaluation.calibrate import Answers, answers, expected_calibration_error
from CMROrientLib.training.evaluation.decisions import Decisions, decisions
from CMROrientLib.training.evaluation.out_of_distribution import volumes_out_of_distribution
from CMROrientLib.training.evaluation.scoring import Figures, by_group, counts, source_and_sequence

from .decision_fit import without_each_family
from .kinds import KINDS as KINDS_OF_IMAGE
from .kinds import KindFigures, kind_figures
from .measured import Measured, MeasuredModel
from .other_pictures.other_views import KEPT_BACK
from .other_pictures.rejection import OtherPictures, Rejection, exact_interval, rejection, together


@dataclass(frozen=True)
class LeftOutSequence:
    """A network that was trained without a sequence, on it. Only accuracies: the rule learned from the same people."""

    model: MeasuredModel
    groups: Mapping[str, Figures]

    @classmethod
    def of(cls, one: Measured) -> LeftOutSequence:
        """Count."""
        return cls(one.model, by_group(one.predictions, source_and_sequence))

    def to_json(self) -> dict[str, object]:
        """An entry of ``left_out_sequences.json``."""
        return {
            "model": self.model.to_json(),
            "groups": {name: write_object(found) for name, found in self.groups.items()},
        }


@dataclass(frozen=True)
class LeftOut:
    """A network that was trained without a source, on it, by a rule that was fitted on the others."""

    model: MeasuredModel
    groups: Mapping[str, Figures]
    decisions: Decisions

    @classmethod
    def of(cls, one: Measured, rule: DecisionRule) -> LeftOut:
        """Count."""
        return cls(one.model, by_group(one.predictions, source_and_sequence), decisions(one.predictions, rule))

    def to_json(self) -> dict[str, object]:
        """An entry of ``left_out.json``."""
        accuracies = LeftOutSequence(self.model, self.groups).to_json()
        return {**accuracies, "decisions": self.decisions.to_json()}


@dataclass(frozen=True)
class Calibrated:
    """How honest confidences are.

    Parameters
    ----------
    answers, right:
        How many, and right ones.
    confidence:
        Their mean.
    error:
        The expected calibration error.
    """

    answers: int
    right: int
    confidence: float
    error: float

    @classmethod
    def of(cls, confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> Calibrated:
        """Count."""
        error = round(expected_calibration_error(confidences, right), 5)
        return cls(len(right), int(right.sum()), round(float(confidences.mean()), 5), error)


@dataclass(frozen=True)
class Bin:
    """Answers of nearly one confidence: how many, their mean confidence and accuracy."""

    count: int
    confidence: float
    accuracy: float


def reliability(confidences: NDArray[np.floating], right: NDArray[np.bool_], bins: int = 10) -> list[Bin]:
    """Bins that hold equally many answers each."""
    order = np.argsort(confidences, kind="stable")
    return [
        Bin(len(part), float(np.mean(confidences[part])), float(np.mean(right[part])))
        for part in np.array_split(order, bins)
        if len(part)
    ]


@dataclass(frozen=True)
class Reliability(Calibrated):
    """The same with bins of equally many answers."""

    bins: tuple[Bin, ...]

    @classmethod
    def of(cls, confidences: NDArray[np.float64], right: NDArray[np.bool_]) -> Reliability:
        """Count."""
        bins = tuple(
            Bin(one.count, round(one.confidence, 5), round(one.accuracy, 5)) for one in reliability(confidences, right)
        )
        return cls(**vars(Calibrated.of(confidences, right)), bins=bins)


#: Kinds of answers, and the sizes of the parts of stacks that they rest on.
KINDS = {"whole stacks": (0,), "parts of 2 to 5 slices": (2, 3, 5), "one slice": (1,)}


@dataclass(frozen=True)
class Calibration:
    """``calibration.json``: cross-fitted confidences, and the rules.

    Parameters
    ----------
    sources:
        Each source and kind of answers.
    whole, parts, one:
        Each kind, over all sources.
    rules:
        For each source the one that was fitted on the others.
    final:
        The one that was fitted on all.
    """

    sources: Mapping[str, Mapping[str, Calibrated]]
    whole: Reliability = field(metadata=in_json("whole stacks"))
    parts: Reliability = field(metadata=in_json("parts of 2 to 5 slices"))
    one: Reliability = field(metadata=in_json("one slice"))
    rules: Mapping[str, DecisionRule]
    final: DecisionRule

    @property
    def kinds(self) -> dict[str, Reliability]:
        """The kinds by name."""
        return dict(zip(KINDS, (self.whole, self.parts, self.one), strict=True))


def calibration(measured: Sequence[Measured], rules: Mapping[str, DecisionRule], final: DecisionRule) -> Calibration:
    """Calibration error and reliability of the cross-fitted confidences."""
    sources: dict[str, dict[str, Calibrated]] = {one.name: {} for one in measured}
    kinds: dict[str, Reliability] = {}
    for kind, sizes in KINDS.items():
        confidences, right = [], []
        for one in measured:
            shown = one.alone if sizes == (1,) else one.predictions
            data: Answers = answers(shown, rules[one.name], sizes=sizes, seed=7)
            confidences.append(data.confidences(rules[one.name]))
            right.append(data.right)
            sources[one.name][kind] = Calibrated.of(confidences[-1], data.right)
        kinds[kind] = Reliability.of(np.concatenate(confidences), np.concatenate(right))
    whole, parts, one_slice = (kinds[kind] for kind in KINDS)
    return Calibration(sources, whole, parts, one_slice, rules, final)


@dataclass(frozen=True)
class RealVolumes:
    """Short-axis volumes that were taken for something else; the interval of their share (exact, 95 %).

    Parameters
    ----------
    uncertain:
        How many more are left alone; None where that is told elsewhere.
    """

    volumes: int
    rejected: int
    interval: tuple[float, ...]
    uncertain: int | None = None

    @classmethod
    def of(cls, volumes: int, rejected: int, uncertain: int | None = None) -> RealVolumes:
        """From numbers."""
        return cls(volumes, rejected, exact_interval(rejected, volumes), uncertain)


@dataclass(frozen=True)
class RejectionMetrics:
    """``rejection.json``: what becomes of what is no short axis, and of what is one.

    Parameters
    ----------
    families:
        Pictures of each family, and ``all``.
    real_volumes:
        Short-axis volumes of left-out sources.
    views:
        Other views of the heart, each an image of its own; what was kept back from training says so.
    real_slices:
        Short-axis slices of left-out sources, each an image of its own: all, and middle ones.
    """

    families: Mapping[str, Rejection]
    real_volumes: RealVolumes
    views: Mapping[str, Rejection] | None = None
    real_slices: Mapping[str, RealVolumes] | None = None

    @staticmethod
    def views_of(networks: Sequence[Mapping[str, Rejection]]) -> dict[str, Rejection]:
        """The sums over networks, and over all that was kept back from them."""
        names = sorted({name for rows in networks for name in rows})
        found = {name: together([rows[name] for rows in networks if name in rows]) for name in names}
        kept = [row for name, row in found.items() if name.startswith(KEPT_BACK)]
        return {**found, "all that was kept back": together(kept)} if kept else found


def views_rejected(one: Measured, rule: DecisionRule) -> dict[str, Rejection]:
    """What a rule makes of the views that a network was shown."""
    return {family: rejection(one.views.of(family), rule) for family in sorted(set(map(str, one.views.families)))}


def rejection_metrics(measured: Sequence[Measured], rules: Mapping[str, DecisionRule]) -> RejectionMetrics:
    """Other pictures and real volumes rejected, by rules that saw neither the source nor the family."""
    found: dict[str, list[Rejection]] = {}
    views: list[dict[str, Rejection]] = []
    single: dict[str, list[Rejection]] = {"all slices": [], "middle 70 % of slices": []}
    real, rejected = 0, 0
    for one in measured:
        rule = rules[one.name]
        for family, other in without_each_family([m for m in measured if m is not one], rule).items():
            shown = one.others.of(family)
            if len(shown.families):
                found.setdefault(family, []).append(rejection(shown, other))
        views.append(views_rejected(one, rule))
        alone = one.alone.of(counts)
        shown = OtherPictures(np.full(len(alone.logits), "", str), np.zeros(len(alone.logits), bool), alone.logits)
        single["all slices"].append(rejection(shown, rule))
        single["middle 70 % of slices"].append(rejection(shown.where(alone.middle), rule))
        hard = one.predictions.of(counts)
        real += len(hard.cases)
        rejected += int((volumes_out_of_distribution(hard, rule) > rule.max_not_short_axis).sum())
    families = {name: together(rows) for name, rows in sorted(found.items())}
    of_single = {name: together(rows) for name, rows in single.items()}
    return RejectionMetrics(
        {**families, "all": together(families)},
        RealVolumes.of(real, rejected),
        RejectionMetrics.views_of(views),
        {name: RealVolumes.of(row.pictures, row.rejected, row.uncertain) for name, row in of_single.items()},
    )


def kinds(measured: Sequence[Measured], rules: Mapping[str, DecisionRule]) -> dict[str, dict[str, KindFigures]]:
    """Made kinds of image, of the networks that were not shown them and of the others, over all left-out sources."""
    rows: dict[str, dict[str, list[KindFigures]]] = {}
    for one in measured:
        for kind in KINDS_OF_IMAGE:
            group = "kept back" if kind in one.kept.kinds else "seen"
            rows.setdefault(kind, {}).setdefault(group, []).append(kind_figures(one.kinds, kind, rules[one.name]))
    return {
        kind: {group: KindFigures.together(found) for group, found in groups.items()} for kind, groups in rows.items()
    }
