"""Whether the voxels of a node are still those of the DICOM files that it was loaded from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..progress import Progress
from ..volume import Volume
from .dicom_database import listed
from .input import SceneImage

#: Pictures whose values are the same but for a slope and an intercept correlate by 1; rounding takes less than this.
_THE_SAME = 0.9999


def show_the_same(image: SceneImage, shown: Volume, files: Volume, progress: Progress | None = None) -> bool:
    """Whether every slice of an image is a slice of its DICOM files as it is stored there, whatever its slope.

    Parameters
    ----------
    image, shown:
        The nodes, and their voxels.
    files:
        What ``read_dicom`` made of the files.
    progress:
        Called with (0, 0) before each slice is compared; what it raises ends the work.
    """

    def alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
        if progress is not None:
            progress(0, 0)
        return _alike(one, other)

    stored, seen = _phases(files.array), _phases(shown.array)
    pairs = _pairs(image, seen, stored, files)
    if pairs is not None:
        return all(alike(*pair) for pair in pairs)
    if stored.shape != seen.shape:
        return False
    # Slicer reverses the slices of a left-handed series.
    return any(
        all(alike(*pair) for phases in zip(seen, order, strict=True) for pair in zip(*phases, strict=True))
        for order in (stored, stored[:, ::-1])
    )


def _pairs(
    image: SceneImage, seen: NDArray[Any], stored: NDArray[Any], files: Volume
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]] | None:
    """The slices of the node, each with that of its file; None where not every slice has a file of its own."""
    from ..io.dicom.metadata import DicomMetadata

    metadata = files.metadata
    if not isinstance(metadata, DicomMetadata):
        return None
    places = {uid: of[0] for uid, of in zip(metadata.identities, metadata.places, strict=True) if len(of) == 1}
    uids = [listed(frame) for frame in image.frames]
    if any(len(of) != seen.shape[1] or not places.keys() >= set(of) for of in uids):
        return None
    return ((seen[n, k], stored[places[uid]]) for n, of in enumerate(uids) for k, uid in enumerate(of))


def _phases(array: NDArray[Any]) -> NDArray[Any]:
    return array if array.ndim == 4 else array[np.newaxis]


def _alike(first: NDArray[Any], second: NDArray[Any]) -> bool:
    if first.shape != second.shape:
        return False
    one, other = (part.astype(np.float64).ravel() - part.mean(dtype=np.float64) for part in (first, second))
    lengths = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    if 0 in lengths:
        return lengths == (0, 0)
    return bool(abs(one @ other) / (lengths[0] * lengths[1]) > _THE_SAME)
