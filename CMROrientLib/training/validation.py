"""Validation on people held out, now and then while a network is trained: how right it is on whole slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..recognition.decision import carried_back, log_probabilities
from .evaluation.scoring import averaged_right, counts, single_pass_right
from .slices import Slices


@dataclass(frozen=True)
class Validation:
    """Shares of right answers over the eight stored orientations; nan where there is nothing to count.

    Parameters
    ----------
    slices, volumes:
        How many there are; cases near a class border are left out.
    single, single_middle:
        Of slices in one pass: of all, and of middle ones.
    averaged, averaged_middle:
        The same averaged over the turned copies.
    volumes_single, volumes_averaged:
        Of volumes.
    rejected:
        Share of passes whose largest output is "out of distribution"; None for networks without it.
    """

    slices: int
    volumes: int
    single: float = float("nan")
    single_middle: float = float("nan")
    averaged: float = float("nan")
    averaged_middle: float = float("nan")
    volumes_single: float = float("nan")
    volumes_averaged: float = float("nan")
    rejected: float | None = None

    def to_json(self) -> dict[str, float | int]:
        """As logs and cards keep it."""
        if not self.slices:
            return {"slices": 0, "volumes": 0}
        found: dict[str, float | int] = {
            "slices": self.slices,
            "volumes": self.volumes,
            "single": self.single,
            "single_middle": self.single_middle,
            "averaged": self.averaged,
            "averaged_middle": self.averaged_middle,
            "volumes_single": self.volumes_single,
            "volumes_averaged": self.volumes_averaged,
        }
        return found if self.rejected is None else {**found, "rejected": self.rejected}


def validate(logits: NDArray[np.float32], slices: Slices) -> Validation:
    """How right a network is about standard slices.

    Parameters
    ----------
    logits:
        (N, 8, outputs) what ``inference.turned_logits`` gave for ``slices``.
    """
    clear = np.array([counts(case) for case in slices.cases], bool)[slices.case]
    logits, owner, middle = logits[clear], slices.case[clear], slices.middle[clear]
    if len(logits) == 0:
        return Validation(0, 0)
    single, averaged = single_pass_right(logits), averaged_right(logits)
    every = log_probabilities(logits)
    mean = carried_back(every).mean(1)
    volumes = np.unique(owner)
    of_volumes = np.stack([every[owner == v].mean(0).argmax(1) == np.arange(8) for v in volumes])
    averaged_volumes = np.array([mean[owner == v].mean(0).argmax() == 0 for v in volumes])
    return Validation(
        slices=len(logits),
        volumes=len(volumes),
        single=float(single.mean()),
        single_middle=float(single[middle].mean()) if middle.any() else float("nan"),
        averaged=float(averaged.mean()),
        averaged_middle=float(averaged[middle].mean()) if middle.any() else float("nan"),
        volumes_single=float(of_volumes.mean()),
        volumes_averaged=float(averaged_volumes.mean()),
        rejected=float((logits.argmax(axis=2) == 8).mean()) if logits.shape[2] > 8 else None,
    )
