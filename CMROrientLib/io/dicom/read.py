"""Read DICOM files of one series as a volume."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import FileDataset

from ...errors import CMROrientError
from ...progress import Progress
from ...volume import Volume
from .attributes import number
from .classify import unreadable
from .dataset import naming, read_dataset
from .frames import FrameLayout, arrange, split
from .header import InstanceHeader, header_of
from .metadata import DicomMetadata
from .pixels import decode
from .renumber import numbers_fall


def read_dicom(
    files: Sequence[str | os.PathLike[str]], slice_axis: int | None = None, progress: Progress | None = None
) -> Volume:
    """Read the files of one DICOM series, or one file, as a volume of raw stored values.

    Slices are sorted along their normal (row direction × column direction), phases by trigger time
    or instance number. Values are as stored: neither RescaleSlope nor the sense of MONOCHROME1 is
    applied. Where slices have unequal numbers of phases, the array repeats what there is.

    Parameters
    ----------
    files:
        The files of one ``ImageFiles``, in any order.
    slice_axis:
        2 or None: DICOM files are slices already.
    progress:
        Called with (files read, files to read); what it raises ends the reading.

    Returns
    -------
    Volume
        ``[slice, row, column]``, or ``[phase, slice, row, column]`` for a cine; grid in LPS, mm.
        ``has_geometry`` is False where the files do not say how rows and columns lie (no
        ImageOrientationPatient): the grid's directions are then made up.

    Raises
    ------
    CMROrientError
        Where a file is damaged, no image, or does not belong to the others.
    """
    paths = [Path(file) for file in files]
    if not paths:
        raise CMROrientError("there are no DICOM files to read; give at least one")
    if slice_axis not in (None, 2):
        raise CMROrientError(
            "a DICOM image is a slice already; its slice axis cannot be chosen; leave it out", paths[0]
        )
    headers, checksums, frames, scalings = [], [], [], set()
    for number_read, path in enumerate(paths):
        if progress is not None:
            progress(number_read, len(paths))
        dataset, checksum = read_dataset(path)
        header = header_of(dataset, path)
        reason = unreadable(header)
        if reason is not None:
            raise CMROrientError(f"is not an image to correct: {reason}; give a series of images", path)
        containers, bits = decode(dataset, path)
        headers.append(header)
        checksums.append(checksum)
        frames.append(bits.values(containers))
        with naming(path, "read"):
            scalings.add(_scaling(dataset))
    parts = split(headers)
    if len(parts) > 1:
        raise CMROrientError(
            "does not belong to one image with the other files given; give the files of one series", parts[1][0].path
        )
    layout = arrange(headers)
    falls = min(slope for slope, _ in scalings) < 0
    # Slices with slopes of their own have no common one; their sense is kept nevertheless.
    scaling = scalings.pop() if len(scalings) == 1 else (1.0, 0.0)
    metadata = DicomMetadata(
        scaling=scaling,
        shown_inverted=(headers[0].photometric == "MONOCHROME1") != (falls != (scaling[0] < 0)),
        time_step=_time_step(headers, layout),
        description=headers[0].description,
        files=tuple(paths),
        checksums=tuple(checksums),
        identities=_identities(headers, checksums),
        series=headers[0].series or " ".join(sorted(checksums)),
        places=layout.places,
        numbers=tuple(header.frames[0].number[0] for header in headers),
        numbers_fall=numbers_fall(headers, layout),
        complete=layout.complete,
        notes=_notes(layout),
        scanner=headers[0].scanner,
        identifiers=headers[0].identifiers,
    )
    return Volume(_fill(layout, frames), layout.grid, 2, layout.has_geometry, metadata)


def _identities(headers: Sequence[InstanceHeader], checksums: Sequence[str]) -> tuple[str, ...]:
    used = Counter(header.instance for header in headers)
    return tuple(
        header.instance if header.instance and used[header.instance] == 1 else f"{header.instance} {checksum}"
        for header, checksum in zip(headers, checksums, strict=True)
    )


def _fill(layout: FrameLayout, frames: Sequence[NDArray[Any]]) -> NDArray[Any]:
    columns, rows, slices = layout.grid.size
    array = np.zeros((layout.phases, slices, rows, columns), frames[0].dtype)
    for places, pictures in zip(layout.places, frames, strict=True):
        for (phase, k), picture in zip(places, pictures, strict=True):
            array[phase, k] = picture
    if not layout.complete:
        taken = {place for places in layout.places for place in places}
        for phase in range(1, layout.phases):
            for k in range(slices):
                if (phase, k) not in taken:
                    array[phase, k] = array[phase - 1, k]
    return array if layout.phases > 1 else array[0]


def _scaling(dataset: FileDataset) -> tuple[float, float]:
    slope, intercept = number(dataset, "RescaleSlope"), number(dataset, "RescaleIntercept")
    # A slope of 0 would leave no image: as in the other formats it stands for none.
    return (slope or 1.0), (intercept or 0.0)


def _time_step(headers: Sequence[InstanceHeader], layout: FrameLayout) -> float | None:
    """Seconds between the phases of the first slice, where its trigger times say so."""
    times = [
        frame.trigger
        for header, places in zip(headers, layout.places, strict=True)
        for frame, (_, k) in zip(header.frames, places, strict=True)
        if k == 0
    ]
    known = sorted(time for time in times if time is not None)
    if len(known) < 2 or len(known) < len(times):
        return None
    return (known[-1] - known[0]) / (len(known) - 1) / 1000 or None


def _notes(layout: FrameLayout) -> tuple[str, ...]:
    notes = []
    if not layout.complete:
        notes.append("The slices have unequal numbers of phases; missing ones repeat the one before.")
    if not layout.even:
        notes.append("The slices are not equally far apart.")
    return tuple(notes)
