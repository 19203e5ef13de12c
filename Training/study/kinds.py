"""Kinds of image that the data sets do not have, made from what they have: a network on kinds it was not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from CMROrientLib.recognition.decision import DecisionRule, confidence, weigh
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.slices import central_slice
from CMROrientLib.training.augmentation.draws import Draws
from CMROrientLib.training.augmentation.intensity.dark_blood import DarkBlood
from CMROrientLib.training.augmentation.intensity.flow import Flow
from CMROrientLib.training.augmentation.intensity.inversion_recovery import InversionRecovery
from CMROrientLib.training.augmentation.intensity.parametric_map import ParametricMap
from CMROrientLib.training.augmentation.intensity.perfusion import Perfusion
from CMROrientLib.training.augmentation.transform import Transform
from CMROrientLib.training.cases import Case
from CMROrientLib.training.dataset import ShownPictures
from CMROrientLib.training.evaluation.out_of_distribution import out_of_distribution_of
from CMROrientLib.training.evaluation.predictions import slice_log_probabilities
from CMROrientLib.training.evaluation.scoring import counts
from CMROrientLib.training.slices import load_slices

from .other_pictures.rejection import exact_interval

#: The kinds by their keys in a recipe's ``[augmentation]``.
KINDS: Mapping[str, Transform] = {
    "phase_sensitive": InversionRecovery(1.0, signed=True),
    "inversion_recovery": InversionRecovery(1.0, signed=False),
    "parametric_map": ParametricMap(1.0),
    "perfusion": Perfusion(1.0),
    "flow": Flow(1.0),
    "dark_blood": DarkBlood(1.0),
}
#: Three neighbouring slices in the middle of a stack are shown, as one volume.
SHOWN = 3


@dataclass(frozen=True)
class ShownKinds:
    """What a network said about N small stacks of made kinds, stored in the standard orientation.

    Parameters
    ----------
    kinds:
        (N,) which kind each is.
    logits:
        (N, slices, 8 or 16, outputs).
    """

    kinds: NDArray[np.str_]
    logits: NDArray[np.float32]


@dataclass(frozen=True)
class KindFigures:
    """Small stacks of one kind: how many, right ones, acted on, wrong among these; the interval of the right share."""

    stacks: int
    right: int
    acted_on: int
    wrong: int
    interval: tuple[float, ...]

    @classmethod
    def of(cls, stacks: int, right: int, acted_on: int, wrong: int) -> KindFigures:
        """From numbers."""
        return cls(stacks, right, acted_on, wrong, exact_interval(right, stacks) if stacks else ())

    @classmethod
    def together(cls, rows: Sequence[KindFigures]) -> KindFigures:
        """The sum of several."""
        return cls.of(
            sum(row.stacks for row in rows),
            sum(row.right for row in rows),
            sum(row.acted_on for row in rows),
            sum(row.wrong for row in rows),
        )


def show_kinds(inference: Inference, cases: Sequence[Case], seed: int = 5) -> ShownKinds:
    """Show a network the middle of each stack with masks in every made kind."""
    kinds: list[str] = []
    logits: list[NDArray[np.float32]] = []
    for case in (one for one in cases if one.drawn and counts(one)):
        slices = load_slices([case], inference.preprocessing, 192)
        middle = central_slice(len(slices))
        chosen = [n for n in range(middle - 1, middle + 2) if 0 <= n < len(slices)]
        if len(chosen) < SHOWN:
            continue
        batch = ShownPictures(slices).__getitems__(chosen)
        for name, kind in KINDS.items():
            draws = Draws(torch.Generator().manual_seed(seed + len(kinds)))
            images = kind(batch, draws).images.numpy()
            kinds.append(name)
            logits.append(inference(list(images)))
    return ShownKinds(np.array(kinds, str), np.stack(logits) if logits else np.zeros((0, SHOWN, 8, 9), np.float32))


def kind_figures(shown: ShownKinds, kind: str, rule: DecisionRule) -> KindFigures:
    """What a rule makes of one kind."""
    logits = shown.logits[shown.kinds == kind]
    evidence = [weigh(slice_log_probabilities(one, rule.temperature)) for one in logits]
    right = np.array([one.orientation == 0 for one in evidence], bool)
    sure = np.array([confidence(one, rule) >= rule.min_confidence for one in evidence], bool)
    acted = sure & (out_of_distribution_of(logits, rule) <= rule.max_not_short_axis)
    return KindFigures.of(len(right), int(right.sum()), int(acted.sum()), int((acted & ~right).sum()))
