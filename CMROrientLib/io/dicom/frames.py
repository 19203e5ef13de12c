"""Sort the frames of DICOM files into stacks: slices along the normal, phases at each slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...volume import Grid
from .header import PARALLEL, Frame, InstanceHeader

#: Frames closer together along the normal than this are phases of one slice, in mm.
_SAME_SLICE = 0.05

#: Frames at one height that are shifted in plane by more than this are two slices, in mm.
_SAME_PLACE = 1.0


@dataclass(frozen=True)
class FrameLayout:
    """Where each frame of some files belongs in ``array[phase, slice, row, column]``.

    Parameters
    ----------
    places:
        For each file the (phase, slice) of each of its frames.
    phases:
        The largest number of phases that any slice has.
    complete:
        Whether every slice has as many.
    grid:
        Of the slices sorted along their normal, LPS, mm; made up where ``has_geometry`` is False.
    has_geometry:
        Whether the files say how their rows and columns lie in the patient.
    even:
        Whether the slices are equally far apart, as the grid says they are.
    """

    places: tuple[tuple[tuple[int, int], ...], ...]
    phases: int
    complete: bool
    grid: Grid
    has_geometry: bool
    even: bool


def split(headers: Sequence[InstanceHeader]) -> list[list[InstanceHeader]]:
    """Part the files of one series into those that make one volume: same matrix, type and plane.

    The order of the files is kept within each part; parts come in the order of their first file.
    """
    parts: list[list[InstanceHeader]] = []
    for header in headers:
        fitting = next((part for part in parts if _alike(part[0], header)), None)
        if fitting is None:
            parts.append([header])
        else:
            fitting.append(header)
    return [piece for part in parts for piece in _split_shifted(part)]


def arrange(headers: Sequence[InstanceHeader]) -> FrameLayout:
    """Sort the frames of files that make one volume, see ``split``, into slices and phases."""
    frames = [(n, i, frame) for n, header in enumerate(headers) for i, frame in enumerate(header.frames)]
    heights = _heights(headers, frames)
    order = sorted(range(len(frames)), key=lambda n: (heights[n], frames[n][2].number))
    slices: list[list[int]] = []
    for n in order:
        if slices and heights[n] - heights[slices[-1][0]] < _SAME_SLICE:
            slices[-1].append(n)
        else:
            slices.append([n])
    timed = all(frame.trigger is not None for _, _, frame in frames)
    counts = [len(members) for members in slices]
    places = [[(0, 0)] * len(header.frames) for header in headers]
    for k, members in enumerate(slices):
        members.sort(key=lambda n: (frames[n][2].trigger if timed else 0, frames[n][2].number, frames[n][:2]))
        for i, n in enumerate(members):
            file, index, _ = frames[n]
            # Fewer phases than the others have are spread over the same heart beat.
            places[file][index] = (-(-i * max(counts) // len(members)), k)
    first, last = (frames[members[0]][2] for members in (slices[0], slices[-1]))
    steps = np.diff([heights[members[0]] for members in slices])
    grid = _grid(headers[0], len(slices), first, last)
    return FrameLayout(
        places=tuple(tuple(line) for line in places),
        phases=max(counts),
        complete=min(counts) == max(counts),
        grid=grid,
        has_geometry=headers[0].directions is not None,
        even=bool(len(steps) < 2 or np.ptp(steps) < 0.02 * abs(steps.mean()) + 0.01),
    )


def _alike(first: InstanceHeader, other: InstanceHeader) -> bool:
    def shape(header: InstanceHeader) -> tuple[object, ...]:
        placed = header.frames[0].position is not None
        return header.rows, header.columns, header.bits_allocated, header.signed, header.samples, placed

    if shape(first) != shape(other) or not np.allclose(first.spacing, other.spacing, rtol=1e-3):
        return False
    if first.directions is None or other.directions is None:
        return first.directions is other.directions
    return bool(np.abs(np.subtract(first.directions, other.directions)).max() < PARALLEL)


def _split_shifted(part: list[InstanceHeader]) -> list[list[InstanceHeader]]:
    """Part stacks that lie side by side in one plane, each keeping its own slices."""
    normal = part[0].normal
    if normal is None or any(frame.position is None for header in part for frame in header.frames):
        return [part]
    positions = np.array([header.frames[0].position for header in part], float)
    heights = positions @ normal
    in_plane = positions - np.outer(heights, normal)
    order = np.argsort(heights, kind="stable")
    beside = np.diff(heights[order]) < _SAME_SLICE
    apart = np.linalg.norm(np.diff(in_plane[order], axis=0), axis=-1) > _SAME_PLACE
    if not (beside & apart).any():
        return [part]
    pieces: list[tuple[NDArray[np.float64], list[InstanceHeader]]] = []
    for place, header in zip(in_plane, part, strict=True):
        fitting = next((piece for start, piece in pieces if np.linalg.norm(start - place) <= _SAME_PLACE), None)
        if fitting is None:
            pieces.append((place, [header]))
        else:
            fitting.append(header)
    return [piece for _, piece in pieces]


def _heights(headers: Sequence[InstanceHeader], frames: Sequence[tuple[int, int, Frame]]) -> NDArray[np.float64]:
    """(frames,) the place of each frame along the stack, in mm where the files say so."""
    positions = [frame.position for _, _, frame in frames]
    if all(position is not None for position in positions):
        points = np.array(positions, float)
        normal = headers[0].normal
        if normal is None:
            along = points - points[0]
            farthest = along[np.linalg.norm(along, axis=1).argmax()]
            normal = farthest / (np.linalg.norm(farthest) or 1.0)
        return points @ normal
    locations = [frame.location for _, _, frame in frames]
    if all(location is not None for location in locations) and len(set(locations)) > 1:
        return np.array(locations, float)
    # Nothing tells where they are: each is a slice of its own, but a film is phases of one.
    step = headers[0].distance
    order = sorted(range(len(frames)), key=lambda n: (frames[n][2].number[0], *frames[n][:2]))
    heights = np.zeros(len(frames))
    height = -step
    previous = None
    for n in order:
        file = frames[n][0]
        if not (headers[file].in_time and file == previous):
            height += step
        heights[n] = height
        previous = file
    return heights


def _grid(header: InstanceHeader, slices: int, first: Frame, last: Frame) -> Grid:
    row_spacing, column_spacing = header.spacing
    directions = np.eye(3)
    if header.directions is not None:
        row, column = np.array(header.directions).reshape(2, 3)
        directions[:, 0] = row / np.linalg.norm(row)
        directions[:, 1] = column / np.linalg.norm(column)
        directions[:, 2] = np.cross(directions[:, 0], directions[:, 1])
    distance = header.distance
    if first.position is not None and last.position is not None and slices > 1:
        along = np.subtract(last.position, first.position)
        distance = float(np.linalg.norm(along)) / (slices - 1)
        # Without directions the axes are made up, and so is the one that the slices lie along.
        if header.directions is not None:
            directions[:, 2] = along / np.linalg.norm(along)
    elif first.location is not None and last.location is not None and slices > 1 and first.location != last.location:
        distance = abs(last.location - first.location) / (slices - 1)
    return Grid(
        (header.columns, header.rows, slices),
        (column_spacing, row_spacing, distance),
        first.position or (0.0, 0.0, 0.0),
        tuple(float(value) for value in directions.ravel()),
    )
