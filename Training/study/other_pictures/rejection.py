"""How well a network with an out-of-distribution output tells short-axis slices from other pictures.

Other pictures are volumes of one slice, from the families that training has never shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from CMROrientLib.recognition.decision import DecisionRule, confidence, weigh
from CMROrientLib.recognition.inference import Inference
from CMROrientLib.recognition.preprocessing import is_blank
from CMROrientLib.training.evaluation.out_of_distribution import out_of_distribution_of
from CMROrientLib.training.evaluation.predictions import slice_log_probabilities
from CMROrientLib.training.evaluation.statistics import clopper_pearson
from CMROrientLib.training.negatives.family import pictures_of
from CMROrientLib.training.negatives.reslices import Stack

from .families import TEST_FAMILIES


@dataclass(frozen=True)
class OtherPictures:
    """What a network said about N pictures of the test families.

    Parameters
    ----------
    families:
        (N,) their names.
    blank:
        (N,) whether a picture is blank: refused before any network sees it.
    logits:
        (N, 8 or 16, outputs).
    """

    families: NDArray[np.str_]
    blank: NDArray[np.bool_]
    logits: NDArray[np.float32]

    def of(self, family: str) -> OtherPictures:
        """Those of one family."""
        return self.where(self.families == family)

    def where(self, inside: NDArray[np.bool_]) -> OtherPictures:
        """Some of them."""
        return OtherPictures(self.families[inside], self.blank[inside], self.logits[inside])


@dataclass(frozen=True)
class Rejection:
    """What becomes of pictures.

    Parameters
    ----------
    pictures:
        How many there are.
    rejected:
        Blank ones, and those taken for no short axis.
    uncertain:
        Those of the rest whose confidence is too low.
    acted_on:
        Those that are left.
    interval:
        Of the share rejected (exact, 95 %).
    """

    pictures: int
    rejected: int
    uncertain: int
    acted_on: int
    interval: tuple[float, ...]

    @classmethod
    def of(cls, pictures: int, rejected: int, uncertain: int) -> Rejection:
        """From numbers."""
        return cls(pictures, rejected, uncertain, pictures - rejected - uncertain, exact_interval(rejected, pictures))


def exact_interval(count: int, whole: int) -> tuple[float, float]:
    """Of a share, to five digits."""
    low, high = clopper_pearson(count, whole)
    return round(low, 5), round(high, 5)


def show_other_pictures(
    inference: Inference, stacks: Sequence[Stack], count: int = 1500, seed: int = 1
) -> OtherPictures:
    """Show a network pictures of the test families.

    Parameters
    ----------
    stacks:
        Stacks of people that it was not trained on, to cut from.
    """
    drawn = list(pictures_of(list(TEST_FAMILIES.values()), count, seed, stacks))
    return OtherPictures(
        np.array([family for family, _ in drawn]),
        np.array([is_blank(picture) for _, picture in drawn]),
        np.concatenate([inference([picture]) for _, picture in drawn]),
    )


def rejection(pictures: OtherPictures, rule: DecisionRule) -> Rejection:
    """What a rule makes of pictures."""
    other = out_of_distribution_of(pictures.logits[:, None], rule)
    rejected = pictures.blank | (other > rule.max_not_short_axis)
    copies = slice_log_probabilities(pictures.logits, rule.temperature)
    unsure = np.array([confidence(weigh(one[None]), rule) < rule.min_confidence for one in copies], bool)
    unsure |= other > rule.most_alone
    return Rejection.of(len(rejected), int(rejected.sum()), int((~rejected & unsure).sum()))


def together(rows: Mapping[str, Rejection] | Sequence[Rejection]) -> Rejection:
    """The sum of several."""
    every = list(rows.values()) if isinstance(rows, Mapping) else rows
    return Rejection.of(
        sum(row.pictures for row in every), sum(row.rejected for row in every), sum(row.uncertain for row in every)
    )
