"""Logits of slices under the eight turns, and how right they are.

Everything that is counted about a network, one pass or averaged, in any stored orientation,
follows from the logits of the eight turned copies of the standard slices.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..orientation import Orientation
from .data import Slices

#: Volumes whose angle lies this close to a class border are not counted: theirs is a matter of taste.
LEAST_MARGIN = 10.0


def averaged(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean log-probabilities (N, 8) of the classes over the eight copies of standard slices."""
    classes = np.asarray(logits[..., : len(Orientation)], float)
    classes = classes - np.logaddexp.reduce(classes, axis=-1, keepdims=True)
    # Class k of the slice is class g∘k of the copy turned by g.
    permuted = np.stack([classes[:, g, [g.after(k) for k in Orientation]] for g in Orientation], axis=1)
    mean: NDArray[np.float64] = permuted.mean(axis=1)
    return mean


def judge(logits: NDArray[np.float32], slices: Slices) -> dict[str, float | int]:
    """How right a network is about standard slices, over the eight orientations.

    Parameters
    ----------
    logits:
        What ``looks.turned_logits`` gave for ``slices``.

    Returns
    -------
    Shares of slices right in one pass (all, and those of the middle 70 % of the stack) and when
    averaged over the turns, of volumes right (averaged, and in one pass over the eight stored
    orientations), and the numbers behind them. Cases near a class border are left out.
    """
    margins = np.array([np.inf if case.margin is None else case.margin for case in slices.cases])
    clear = margins[slices.case] >= LEAST_MARGIN
    logits, owner, position = logits[clear], slices.case[clear], slices.position[clear]
    if len(logits) == 0:
        return {"slices": 0, "volumes": 0}
    classes = logits[..., : len(Orientation)]
    single = classes.argmax(axis=2) == np.arange(len(Orientation))
    mean = averaged(logits)
    every = mean.argmax(axis=1) == 0
    middle = np.abs(position - 0.5) <= 0.35
    log = classes - np.logaddexp.reduce(classes, axis=2, keepdims=True)
    volumes = np.unique(owner)
    of_volumes = np.stack([log[owner == v].mean(axis=0).argmax(axis=1) == np.arange(len(Orientation)) for v in volumes])
    averaged_volumes = np.array([mean[owner == v].mean(axis=0).argmax() == 0 for v in volumes])
    result: dict[str, float | int] = {
        "slices": len(logits),
        "volumes": len(volumes),
        "single": float(single.mean()),
        "single_middle": float(single[middle].mean()) if middle.any() else float("nan"),
        "averaged": float(every.mean()),
        "averaged_middle": float(every[middle].mean()) if middle.any() else float("nan"),
        "volumes_single": float(of_volumes.mean()),
        "volumes_averaged": float(averaged_volumes.mean()),
    }
    if logits.shape[2] > len(Orientation):
        result["rejected"] = float((logits.argmax(axis=2) == len(Orientation)).mean())
    return result
