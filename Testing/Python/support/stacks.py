"""A short-axis stack whose values tell where they come from."""

from __future__ import annotations

import numpy as np

from CMROrientLib.training.negatives.reslices import Stack


def stack(mask: bool = True) -> Stack:
    """Ten slices whose value is slice · 100 + column, with a heart in one corner."""
    pixels = np.arange(10)[:, None, None] * 100 + np.arange(80)[None, None, :] + np.zeros((1, 90, 1))
    labels = np.zeros(pixels.shape, np.uint8)
    labels[2:8, 60:80, 50:70] = 1
    return Stack(pixels, (8.0, 1.5, 1.5), labels if mask else None)
