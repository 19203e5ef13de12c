"""How far the measured direction between the ventricles is from that of the masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...orientation import Orientation
from ...recognition.measures import CENTRE, HALF_WIDTH, angle_of
from .predictions import Predictions


@dataclass(frozen=True)
class AngleErrors:
    """Of volumes whose angle is known: how many, and the median and the 95th percentile of the error in degrees."""

    volumes: int
    median: float
    most: float

    def as_text(self) -> str:
        """In a line for a terminal."""
        return (
            f"Angle of {self.volumes} volumes: off by {self.median:.1f} degrees (median), "
            f"95 % by at most {self.most:.1f}."
        )


def angle_errors(predictions: Predictions) -> AngleErrors | None:
    """Of standard volumes; None for networks that do not measure, and where no angle is known."""
    if predictions.measures is None:
        return None
    found = []
    for index, case in enumerate(predictions.cases):
        rows = predictions.case == index
        if case.angle is not None and rows.any():
            wanted = np.clip(case.angle - CENTRE, -HALF_WIDTH, HALF_WIDTH)
            found.append(abs(angle_of(predictions.measures[rows], Orientation.IDENTITY) - wanted))
    if not found:
        return None
    return AngleErrors(len(found), round(float(np.median(found)), 2), round(float(np.percentile(found, 95)), 2))
