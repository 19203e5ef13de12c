"""What a Slicer segmentation file (``.seg.nrrd``) says of index ranges, turned with its voxels.

Slicer keeps for every segment the box of indices that it fills, and cuts the segment to that box
when it reads the file.

Source: https://slicer.readthedocs.io/en/latest/developer_guide/modules/segmentations.html
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from ..io.nrrd.metadata import NrrdMetadata
from ..volume import Volume
from .grid import WayBack

_EXTENT = re.compile(r"(Segment\d+_Extent):=\s*(.*)")

#: Speaks of the reference image's grid in its own way; Slicer makes it anew where it is missing.
_CONVERSION = "Segmentation_ConversionParameters:="


def with_turned_segments(segmentation: Volume, restored: Volume, way: WayBack) -> Volume:
    """The restored volume with its segments' boxes turned in the header that it is written with.

    Parameters
    ----------
    segmentation:
        As it was read.
    restored:
        What ``way`` made of it; returned as it is where it keeps no NRRD header.
    """
    metadata = restored.metadata
    if not isinstance(metadata, NrrdMetadata):
        return restored
    axes = _axes(segmentation, way)
    lines = []
    for line in metadata.header.lines:
        match = _EXTENT.fullmatch(line)
        if match:
            lines.append(f"{match[1]}:={_turned(match[2], axes)}")
        elif not line.startswith(_CONVERSION):
            lines.append(line)
    return replace(restored, metadata=replace(metadata, header=replace(metadata.header, lines=tuple(lines))))


def _axes(segmentation: Volume, way: WayBack) -> list[tuple[int, int | None]]:
    """For each file axis of the segmentation: its axis in the result, and its last index where reversed."""
    _, grid = segmentation.stored()
    found: dict[int, tuple[int, int | None]] = {}
    for axis, size in enumerate(grid.size):
        if size == 1:
            continue
        shape = [1, 1, 1]
        shape[2 - axis] = size
        # Each voxel holds its own index along the axis; no memory is taken for the other two.
        indices = np.broadcast_to(np.arange(size).reshape(shape), grid.size[::-1])
        probe = Volume.from_stored(indices, grid, segmentation.slice_axis, has_geometry=segmentation.has_geometry)
        turned = way.restore(probe, layered=True).stored()[0]
        steps = [int(turned[tuple(-1 if n == place else 0 for n in range(3))] - turned[0, 0, 0]) for place in range(3)]
        place = int(np.argmax(np.abs(steps)))
        found[axis] = (2 - place, size - 1 if steps[place] < 0 else None)
    # Axes of one voxel take the places that are left.
    left = [place for place in range(3) if place not in {taken for taken, _ in found.values()}]
    return [found[axis] if axis in found else (left.pop(0), None) for axis in range(3)]


def _turned(extent: str, axes: list[tuple[int, int | None]]) -> str:
    numbers = [int(word) for word in extent.split()]
    if len(numbers) != 6:
        return extent
    result = list(numbers)
    for axis, (place, last) in enumerate(axes):
        low, high = numbers[2 * axis : 2 * axis + 2]
        # An empty segment has its upper end before its lower one and stays so.
        if last is not None and low <= high:
            low, high = last - high, last - low
        result[2 * place : 2 * place + 2] = low, high
    return " ".join(map(str, result))
