"""Turn overlay planes (DICOM PS3.3 C.9.2) along with the pixels that they lie on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydicom.dataset import Dataset

from .turn import Turn

_ROWS, _COLUMNS, _FRAMES = 0x0010, 0x0011, 0x0015
_ORIGIN, _DATA = 0x0050, 0x3000


def turn_overlays(dataset: Dataset, turn: Turn) -> list[str]:
    """Turn all overlay planes in place: their bits, size and origin.

    Overlays in unused bits of the pixels turn with these; only their size and origin change here.

    Returns
    -------
    Names of overlays that had to be dropped because their bits are not all there.
    """
    dropped = []
    for group in _groups(dataset):
        rows, columns, frames = (_whole(dataset, group, element) for element in (_ROWS, _COLUMNS, _FRAMES))
        data = dataset.get((group, _DATA))
        if rows < 1 or columns < 1 or (data is not None and 8 * len(data.value or b"") < rows * columns * frames):
            for element in [element for element in dataset if element.tag.group == group]:
                del dataset[element.tag]
            dropped.append(f"damaged overlay {group:04X}")
            continue
        if data is not None:
            bits = np.unpackbits(np.frombuffer(data.value, np.uint8), bitorder="little", count=rows * columns * frames)
            planes = turn.pixels.apply(bits.reshape(frames, rows, columns))
            packed = np.packbits(planes.ravel(), bitorder="little").tobytes()
            data.value = packed + b"\0" * (len(packed) % 2)
        origin = dataset.get((group, _ORIGIN))
        if origin is not None:
            origin.value = _new_origin(origin.value, (rows, columns), turn)
        if turn.pixels.exchanges_axes:
            dataset[group, _ROWS].value, dataset[group, _COLUMNS].value = columns, rows
    return dropped


def _groups(dataset: Dataset) -> Iterator[int]:
    for group in range(0x6000, 0x6020, 2):
        if (group, _ROWS) in dataset and (group, _COLUMNS) in dataset:
            yield group


def _whole(dataset: Dataset, group: int, element: int) -> int:
    value = dataset.get((group, element))
    return 1 if value is None or value.value is None else int(value.value)


def _new_origin(value: object, size: tuple[int, int], turn: Turn) -> list[int]:
    """Row and column, counted from 1, of the first overlay pixel; it may lie outside the image."""
    old = np.array(value, int).ravel()
    if old.size != 2:
        old = np.ones(2, int)
    image = (turn.rows, turn.columns)
    return [int(image[axis] + 2 - old[axis] - size[axis] if reverse else old[axis]) for axis, reverse in turn.axes()]
