"""The loss of what a network measures: the level of a slice, and the direction from right to left ventricle."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def measuring_loss(measures: Tensor, levels: Tensor, directions: Tensor) -> Tensor:
    """Mean over the slices of which something is known; 0 without any.

    Parameters
    ----------
    measures:
        (N, 3) level, and direction as (column, row).
    levels:
        (N, 2) wanted level and how much it counts; nan and 0 where unknown.
    directions:
        (N, 2) wanted unit vectors; nan where unknown.
    """
    weight = levels[:, 1]
    level = functional.smooth_l1_loss(measures[:, 0], levels[:, 0].nan_to_num(), reduction="none", beta=0.1)
    known = torch.isfinite(directions).all(dim=1)
    off = ((measures[:, 1:] - directions.nan_to_num()) ** 2).sum(dim=1)
    return (level * weight).sum() / weight.sum().clamp(min=1) + (off * known).sum() / known.sum().clamp(min=1)
