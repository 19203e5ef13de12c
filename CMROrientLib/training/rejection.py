"""How well a network with a ninth output tells short-axis slices from other pictures.

Other pictures are volumes of one slice, from the families that training has never shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..confidence import DecisionRule, confidence, not_short_axis_probabilities, volume_not_short_axis, weigh
from ..looks import Looks
from ..preprocessing import is_blank
from .negatives import TEST_FAMILIES, Stack, negatives_of
from .predictions import Predictions, slice_log_probabilities
from .statistics import clopper_pearson


def volumes_not_short_axis(predictions: Predictions) -> NDArray[np.float64]:
    """(cases,) how surely each volume is no short-axis stack."""
    rows = [predictions.case == index for index in range(len(predictions.cases))]
    return np.array([volume_not_short_axis(predictions.logits[chosen]) for chosen in rows])


def middle_slices_not_short_axis(predictions: Predictions) -> NDArray[np.float64]:
    """(cases,) the same for the middle slice of each volume alone."""
    rows = [np.flatnonzero(predictions.case == index) for index in range(len(predictions.cases))]
    return np.array([volume_not_short_axis(predictions.logits[chosen[[len(chosen) // 2]]]) for chosen in rows])


def rejected_volumes(predictions: Predictions, limit: float) -> NDArray[np.bool_]:
    """(cases,) whether a volume is taken for no short axis."""
    return np.asarray(volumes_not_short_axis(predictions) > limit)


def other_pictures(
    looks: Looks, stacks: Sequence[Stack], count: int = 1500, seed: int = 1
) -> tuple[list[str], NDArray[np.bool_], NDArray[np.float32]]:
    """Show a network pictures of the test families.

    Parameters
    ----------
    stacks:
        Stacks of people that it was not trained on, to cut from.

    Returns
    -------
    (N,) family names, (N,) whether a picture is blank (refused before any network sees it), and
    (N, 8 or 16, outputs) logits.
    """
    drawn = list(negatives_of(list(TEST_FAMILIES.values()), count, seed, stacks))
    return (
        [family for family, _ in drawn],
        np.array([is_blank(picture) for _, picture in drawn]),
        np.concatenate([looks([picture]) for _, picture in drawn]),
    )


def rejection(
    families: Sequence[str], blank: NDArray[np.bool_], logits: NDArray[np.floating], rule: DecisionRule
) -> dict[str, dict[str, Any]]:
    """For each family and ``all``: pictures, how many are rejected, uncertain, and acted on.

    ``rejected`` counts blank pictures and those whose ninth output passes the limit;
    ``uncertain`` those of the rest whose confidence is too low; ``interval`` is that of the share
    rejected (exact, 95 %).
    """
    not_short = blank | (not_short_axis_probabilities(logits).mean(1) > rule.max_not_short_axis)
    copies = slice_log_probabilities(logits, rule.temperature)
    unsure = np.array([confidence(weigh(one[None]), rule) < rule.min_confidence for one in copies])
    names = np.array(families)
    result = {}
    for name in [*sorted(set(families)), "all"]:
        inside = names == name if name != "all" else np.ones(len(names), bool)
        count, rejected = int(inside.sum()), int((inside & not_short).sum())
        uncertain = int((inside & ~not_short & unsure).sum())
        result[name] = {
            "pictures": count,
            "rejected": rejected,
            "uncertain": uncertain,
            "acted_on": count - rejected - uncertain,
            "interval": [round(end, 5) for end in clopper_pearson(rejected, count)],
        }
    return result
