"""Bring one segmentation of a corrected image back onto the grid of the original.

Two steps: onto the grid of the corrected image, where a tool has permuted or reversed the axes
(Slicer reverses the slices of left-handed grids, others store everything in RAS), and from there
back by the record of the correction. Voxels are only re-indexed; the grid is the recorded one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..correction import Correction
from ..errors import CMROrientError
from ..orientation import Orientation
from ..run.record import Record
from ..volume import Grid, Volume

#: Two grids are the same where no corner is further off than this share of the smallest spacing:
#: tools write positions with as few as six digits.
TOLERANCE = 0.02


@dataclass(frozen=True)
class WayBack:
    """What the record says of one corrected image.

    Parameters
    ----------
    correction:
        What was done to it.
    corrected, original:
        The grids of the corrected image and of the original, axes in the files' order.
    slice_axis:
        The stored axis 0, 1 or 2 that slices lie along, in both.
    phases:
        Number of phases, 1 for a stack.
    has_geometry:
        False where the original's header says nothing of its place.
    """

    correction: Correction
    corrected: Grid
    original: Grid
    slice_axis: int
    phases: int = 1
    has_geometry: bool = True

    @classmethod
    def of(cls, record: Record) -> WayBack:
        """From a run's record.

        Raises
        ------
        CMROrientError
            Where nothing was written, the record is incomplete, or its parts do not fit together.
        """
        if record.output is None:
            reason = record.error or record.note or (record.decision or "").replace("_", " ")
            raise CMROrientError(
                f"the run wrote no corrected image for it{f' ({reason})' if reason else ''}; correct it first"
            )
        image, action, correction = record.image, record.action, record.correction
        grid = None if action is None else action.grid
        if image is None or grid is None or correction is None:
            class_ = None if action is None else action.geometry_class
            wanted = {"orientation": record.orientation, "geometry_class": class_, "grid_in": image, "grid_out": grid}
            missing = ", ".join(name for name, value in wanted.items() if value is None)
            raise CMROrientError(
                f"the run's record does not say how it was corrected ({missing} missing); correct the image again"
            )
        original, corrected, axis, known = image.grid, grid, image.slice_axis, image.has_geometry
        try:
            undone = correction.undo(_empty(corrected, axis)).stored()[1]
        except ValueError as error:
            raise CMROrientError(f"the run's record is damaged ({error}); correct the image again") from error
        if undone.size != original.size or not np.allclose(undone.spacing, original.spacing, rtol=TOLERANCE):
            raise CMROrientError(
                "the run's record contradicts itself: its two grids have different sizes or spacings; correct the "
                "image again"
            )
        # Grids that readers have made up need not lie in one place.
        if known and distance(undone, original) > _tolerance(original):
            raise CMROrientError(
                "the run's record contradicts itself: its two grids do not belong together; correct the image again"
            )
        return cls(correction, corrected, original, axis, image.phases, known)

    def restore(self, segmentation: Volume, *, layered: bool = False) -> Volume:
        """The segmentation on the original grid.

        Parameters
        ----------
        segmentation:
            One frame or, for a cine, all of them; its slice axis does not matter.
        layered:
            Its fourth axis holds overlapping segments, not phases.

        Raises
        ------
        CMROrientError
            Where it was not made on the corrected image: sizes, place or phases differ.
        """
        if segmentation.array.ndim == 4 and not layered and segmentation.array.shape[0] != self.phases:
            raise CMROrientError(
                f"it has {segmentation.array.shape[0]} phases, the image {self.phases}; give one frame or all of them"
            )
        undone = self.correction.undo(self._onto_corrected(segmentation))
        # A header that says where it lies must not be kept for an image that does not, nor one that
        # does not for an image that does.
        metadata = undone.metadata if segmentation.has_geometry == self.has_geometry else segmentation.metadata.common()
        # Positions come from the record, exactly; what the tool rounded is left behind.
        exact = Volume.from_stored(
            undone.stored()[0], self.original, self.slice_axis, has_geometry=self.has_geometry, metadata=metadata
        )
        return replace(
            exact,
            pixels_turned=undone.pixels_turned,
            directions_turned=undone.directions_turned,
            slices_reversed=undone.slices_reversed,
            slice_direction_reversed=undone.slice_direction_reversed,
        )

    def _onto_corrected(self, segmentation: Volume) -> Volume:
        sizes = sorted(segmentation.stored()[1].size)
        if sizes != sorted(self.corrected.size):
            raise CMROrientError(
                f"it has {_times(segmentation.stored()[1].size)} voxels, the corrected image "
                f"{_times(self.corrected.size)}: it was not made on that image's grid; give one that was"
            )
        if not segmentation.has_geometry:
            return self._as_stored(
                segmentation,
                "the order of its axes is not the corrected image's; save it with the corrected image's header",
            )
        # Of an image whose header says nothing of its place every reader makes up its own.
        grids = [self.corrected] if self.has_geometry else _made_up(self.corrected)
        nearest = np.inf
        for grid in grids:
            target = _empty(grid, self.slice_axis).grid
            # Where one sorting fits, every other is at least a voxel off, but for axes of one voxel.
            for volume in _sortings(segmentation, self.slice_axis):
                if volume.grid.size == target.size:
                    apart = distance(volume.grid, target)
                    if apart <= _tolerance(target):
                        return volume
                    nearest = min(nearest, apart)
        reason = (
            f"it lies up to {nearest:.3g} mm beside the corrected image: it was made on another image, resampled, "
            "or saved with another geometry; give one on that image's grid"
        )
        # A tool that keeps no spacing writes unit directions.
        directions = segmentation.stored()[1].directions
        if not self.has_geometry and any(np.allclose(directions, grid.directions) for grid in grids):
            return self._as_stored(segmentation, reason)
        raise CMROrientError(reason)

    def _as_stored(self, segmentation: Volume, reason: str) -> Volume:
        """The voxels in the order of the file, where nothing else tells where they belong."""
        array, grid = segmentation.stored()
        if grid.size != self.corrected.size:
            raise CMROrientError(reason)
        return Volume.from_stored(array, self.corrected, self.slice_axis, metadata=segmentation.metadata)


def _made_up(grid: Grid) -> list[Grid]:
    """Where readers place an image of this size and spacing that does not say where it lies.

    ITK starts at zero along L, P and S; NIfTI's own rule along R, A and S; nibabel puts the middle
    there, along L, A and S.
    """
    half = (np.array(grid.size) - 1) / 2 * grid.spacing
    made = []
    for signs, centred in (((1, 1, 1), False), ((-1, -1, 1), False), ((1, -1, 1), True)):
        affine = np.diag([*np.multiply(signs, grid.spacing), 1.0])
        if centred:
            affine[:3, 3] = -np.multiply(signs, half)
        made.append(Grid.from_affine(grid.size, affine))
    return made


def distance(first: Grid, second: Grid) -> float:
    """Largest distance between like corners of two grids of one size, in mm."""
    corners = np.array([[*corner, 1] for corner in product(*((0, n - 1) for n in first.size))], float).T
    apart = np.linalg.norm(((first.affine - second.affine) @ corners)[:3], axis=0).max()
    return float(apart)


def _tolerance(grid: Grid) -> float:
    return TOLERANCE * min(grid.spacing)


def _sortings(volume: Volume, slice_axis: int) -> Iterator[Volume]:
    """The volume under all 48 permutations and reversals of its axes, as they are first."""
    array, grid = volume.stored()
    for axis in sorted(range(3), key=lambda axis: axis != slice_axis):
        # A header whose slice axis stays where it was can go with the voxels; others are left behind.
        metadata = volume.metadata if axis == slice_axis else volume.metadata.common()
        turnable = Volume.from_stored(array, grid, axis, metadata=metadata)
        for turn, reverse in product(Orientation, (False, True)):
            turned = turnable.reindexed(turn, turn, slices=reverse, slice_direction=reverse)
            yield replace(turned, slice_axis=slice_axis)


def _empty(grid: Grid, slice_axis: int) -> Volume:
    """A volume without memory of its own, to reckon with a grid."""
    array: NDArray[np.uint8] = np.broadcast_to(np.zeros(1, np.uint8), grid.size[::-1])
    return Volume.from_stored(array, grid, slice_axis)


def _times(sizes: tuple[int, ...]) -> str:
    return " × ".join(map(str, sizes))
