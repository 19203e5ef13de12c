"""What an augmented slice shows: its class as the anatomy then says, and where the tissues lie.

A rotation moves the line between the ventricles. Where it takes it over a class border, the label
follows: the class is defined by anatomy (between −68° and 22°), not by how the slice was stored.
Near a border the target is shared between the two neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from ...orientation import Orientation
from ...recognition.networks import TISSUES
from .batch import Batch
from .spatial.stored_orientation import AFTER, MATRICES

#: Centre of class 0 and distance of its borders, in degrees (design of the standard orientation).
MEAN_ANGLE, BORDER = -23.0, 45.0

#: Index of the output for "not a short-axis slice".
NOT_SHORT_AXIS = 8


def targets(batch: Batch, outputs: int, spread: float = 0.0, spread_unknown: float = 0.0) -> Tensor:
    """(N, outputs) shares of the classes that sum to one, where the images are.

    Parameters
    ----------
    outputs:
        8 or 9.
    spread, spread_unknown:
        Degrees by which the angle is uncertain, where it is known and where it is not. 0 keeps the
        label whatever the rotation.
    """
    known, applied, rows = batch.known, batch.applied, torch.arange(len(batch))
    turned = torch.where(known, batch.angles - MEAN_ANGLE, 0.0) + applied.rotation
    deviation = torch.where(known, spread, spread_unknown)
    uncertain, wide = deviation > 0, deviation.clamp(min=1e-6)
    beyond = torch.special.ndtr((turned - BORDER) / wide) * uncertain
    before = torch.special.ndtr((-turned - BORDER) / wide) * uncertain
    found = torch.zeros(len(batch), outputs)
    for base, share in (
        (Orientation.IDENTITY, 1 - beyond - before),
        (Orientation.ROTATE_90, beyond),
        (Orientation.ROTATE_270, before),
    ):
        found[rows, AFTER[applied.orientation, base]] += share
    if batch.negative.any():
        found[batch.negative] = functional.one_hot(torch.tensor(NOT_SHORT_AXIS), outputs).float()
    return found.to(batch.images.device)


def directions(batch: Batch) -> Tensor:
    """(N, 2) unit vectors (column, row) from right to left ventricle as the pictures show them; nan where unknown."""
    radians = torch.deg2rad(torch.where(batch.known, batch.angles, torch.nan) + batch.applied.rotation)
    row_and_column = torch.stack([torch.sin(radians), torch.cos(radians)], dim=1)
    turned = torch.einsum("nij,nj->ni", MATRICES[batch.applied.orientation], row_and_column)
    return turned.flip(1).to(batch.images.device)


def tissue_shares(masks: Tensor, side: int) -> Tensor:
    """(N, tissues, side, side) shares of background, ventricles and muscle in cells of the pictures."""
    every = functional.one_hot(masks.long(), TISSUES).permute(0, 3, 1, 2).float()
    return functional.adaptive_avg_pool2d(every, side)
