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


def heart_stack() -> Stack:
    """Eight slices, apex first, of a left ventricle with its wall and a right one beside it, on a body."""
    y, x = np.mgrid[:96, :96] - np.array([48, 52])[:, None, None]
    mask = np.zeros((8, 96, 96), np.uint8)
    pixels = np.zeros(mask.shape, np.float32)
    pixels[:, 8:88, 8:88] = 100
    for number in range(1, 7):
        size = 5 + 1.5 * number
        left = np.hypot(y, x)
        mask[number][np.hypot(y, x + 1.5 * size) < size] = 1
        mask[number][left < size] = 2
        mask[number][left < size - 4] = 3
        pixels[number][mask[number] > 0] = np.array([0, 300, 60, 320])[mask[number][mask[number] > 0]]
    return Stack(pixels, (9.0, 1.5, 1.5), mask, (1, 2, 3), base_first=False)
