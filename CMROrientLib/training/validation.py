"""Validation on people held out, now and then while a network is trained: how right it is on whole slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..recognition.decision import carried_back, log_probabilities
from .data import Slices
from .scoring import averaged_right, counts, single_pass_right


def validate(logits: NDArray[np.float32], slices: Slices) -> dict[str, float | int]:
    """How right a network is about standard slices, over the eight orientations.

    Parameters
    ----------
    logits:
        (N, 8, outputs) what ``inference.turned_logits`` gave for ``slices``.

    Returns
    -------
    Shares of slices right in one pass (all, and middle ones) and when
    averaged over the turns, of volumes right (averaged, and in one pass over the eight stored
    orientations), and the numbers behind them. Cases near a class border are left out.
    """
    clear = np.array([counts(case) for case in slices.cases], bool)[slices.case]
    logits, owner, middle = logits[clear], slices.case[clear], slices.middle[clear]
    if len(logits) == 0:
        return {"slices": 0, "volumes": 0}
    single, averaged = single_pass_right(logits), averaged_right(logits)
    every = log_probabilities(logits)
    mean = carried_back(every).mean(1)
    volumes = np.unique(owner)
    of_volumes = np.stack([every[owner == v].mean(0).argmax(1) == np.arange(8) for v in volumes])
    averaged_volumes = np.array([mean[owner == v].mean(0).argmax() == 0 for v in volumes])
    result: dict[str, float | int] = {
        "slices": len(logits),
        "volumes": len(volumes),
        "single": float(single.mean()),
        "single_middle": float(single[middle].mean()) if middle.any() else float("nan"),
        "averaged": float(averaged.mean()),
        "averaged_middle": float(averaged[middle].mean()) if middle.any() else float("nan"),
        "volumes_single": float(of_volumes.mean()),
        "volumes_averaged": float(averaged_volumes.mean()),
    }
    if logits.shape[2] > 8:
        result["rejected"] = float((logits.argmax(axis=2) == 8).mean())
    return result
