"""A volume: pixels with their place in the patient, and how to re-index both.

Inside the library the slice axis comes first, ``array[(phase,) slice, row, column]``; files keep
their own axis order, which ``slice_axis`` remembers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .i18n import _
from .metadata import NO_METADATA, Metadata
from .orientation import HeaderState, Orientation, header_orientation, header_state, short_axis_cosine
from .pictures import Preview, figure
from .slice_order import SliceOrder, header_slice_order

Vector = tuple[float, float, float]

#: Grids of one place differ by rounding only: positions in mm, directions as shares.
SAME_PLACE = 1e-2
SAME_DIRECTION = 1e-4


@dataclass(frozen=True)
class Grid:
    """Where voxels lie in the patient. All in the order (column, row, slice), millimetres, LPS.

    Parameters
    ----------
    size:
        Number of columns, rows and slices.
    spacing:
        Distance of voxel centres along columns, rows and slices, in mm, positive.
    origin:
        Position of the centre of the first voxel, in mm.
    direction:
        Nine numbers, row-major as SimpleITK's ``GetDirection``: the *columns* of the 3 × 3 matrix
        are the unit directions of growing column, row and slice index. They may be left-handed or,
        for a sheared stack, not orthogonal.
    """

    size: tuple[int, int, int]
    spacing: Vector = (1.0, 1.0, 1.0)
    origin: Vector = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

    @classmethod
    def from_affine(cls, size: tuple[int, int, int], affine: NDArray[np.float64]) -> Grid:
        """A grid from a (4, 4) index-to-LPS matrix (mm). Raises ValueError where it is singular."""
        matrix = np.asarray(affine, float)
        spacing = np.linalg.norm(matrix[:3, :3], axis=0)
        if not np.all(np.isfinite(matrix)) or abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
            raise ValueError(_("the index-to-patient matrix is singular or not finite"))
        direction = matrix[:3, :3] / spacing
        return cls(size, _vector(spacing), _vector(matrix[:3, 3]), tuple(float(v) for v in direction.ravel()))

    @property
    def affine(self) -> NDArray[np.float64]:
        """(4, 4) matrix from the index (column, row, slice, 1) to LPS, in mm."""
        affine = np.eye(4)
        affine[:3, :3] = self.directions * np.array(self.spacing)
        affine[:3, 3] = self.origin
        return affine

    @property
    def directions(self) -> NDArray[np.float64]:
        """(3, 3): columns are the directions of growing column, row and slice index (LPS)."""
        return np.array(self.direction, float).reshape(3, 3)

    @property
    def centre(self) -> NDArray[np.float64]:
        """(3,) position of the index (N − 1)/2 of each axis, LPS, in mm."""
        return np.asarray((self.affine @ [*((np.array(self.size) - 1) / 2), 1.0])[:3])

    def matches(self, other: Grid) -> bool:
        """Whether two grids have one size and lie in one place but for rounding."""
        return (
            self.size == other.size
            and np.allclose(self.spacing, other.spacing, rtol=1e-3)
            and np.allclose(self.direction, other.direction, atol=SAME_DIRECTION)
            and np.allclose(self.origin, other.origin, atol=SAME_PLACE)
        )

    def permuted(self, axes: tuple[int, int, int]) -> Grid:
        """The same voxels with axis ``axes[n]`` of this grid as axis ``n``."""
        directions = self.directions[:, axes]
        return Grid(
            (self.size[axes[0]], self.size[axes[1]], self.size[axes[2]]),
            (self.spacing[axes[0]], self.spacing[axes[1]], self.spacing[axes[2]]),
            self.origin,
            tuple(float(v) for v in directions.ravel()),
        )

    def reindexed(self, pixels: Orientation, directions: Orientation, slice_direction: bool = False) -> Grid:
        """The grid of a volume that is turned in plane and whose slices may be counted from the other end.

        Size and spacing follow ``pixels``, the direction cosines ``directions``, and the slices' own
        is reversed where ``slice_direction`` is true; the centre stays. Where pixels and directions
        get the same, every voxel keeps its place in the patient.
        """
        columns, rows, slices = self.size
        across, down, between = self.spacing
        if pixels.exchanges_axes:
            columns, rows, across, down = rows, columns, down, across
        stored = self.directions
        matrix = stored.copy()
        matrix[:, 1], matrix[:, 0] = directions.apply_to_directions(stored[:, 1], stored[:, 0])
        if slice_direction:
            # Adding 0 keeps "-0.0" out of headers and records.
            matrix[:, 2] = 0.0 - stored[:, 2]
        half = (np.array([columns, rows, slices]) - 1) / 2 * np.array([across, down, between])
        origin = self.centre - matrix @ half
        return Grid(
            (columns, rows, slices), (across, down, between), _vector(origin), tuple(float(v) for v in matrix.ravel())
        )

    def to_json(self) -> dict[str, list[float] | list[int]]:
        """The grid as the record keeps it."""
        return {
            "size": list(self.size),
            "spacing": list(self.spacing),
            "origin": list(self.origin),
            "direction": list(self.direction),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Sequence[float]]) -> Grid:
        """A grid from what ``to_json`` gave."""
        columns, rows, slices = map(int, data["size"])
        return cls(
            (columns, rows, slices),
            _vector(data["spacing"]),
            _vector(data["origin"]),
            tuple(map(float, data["direction"])),
        )


@dataclass(frozen=True, repr=False)
class Volume:
    """An image as stored: raw voxel values and their grid.

    Parameters
    ----------
    array:
        ``[slice, row, column]`` or, for a cine, ``[phase, slice, row, column]``; the type of the file.
    grid:
        Where the voxels lie (LPS, mm).
    slice_axis:
        Which of the stored axes (0 fastest: i, j, k) the slices lie along.
    has_geometry:
        False where the file says nothing of its place (no affine, no IOP): the grid is then made up.
    metadata:
        What the file says beside voxels and grid, and what the writer of the same format needs.
    pixels_turned, directions_turned:
        What has been done in plane to pixels and to direction cosines since reading.
    slices_reversed, slice_direction_reversed:
        Whether the slices, and the direction that they are counted along, have been reversed since.
    renumbered:
        Whether a format that numbers its slices (DICOM's InstanceNumber) has to count them anew.
    """

    array: NDArray[Any]
    grid: Grid
    slice_axis: int = 2
    has_geometry: bool = True
    metadata: Metadata = field(default=NO_METADATA, repr=False, compare=False)
    pixels_turned: Orientation = Orientation.IDENTITY
    directions_turned: Orientation = Orientation.IDENTITY
    slices_reversed: bool = False
    slice_direction_reversed: bool = False
    renumbered: bool = False

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.array.shape))
        steps = " × ".join(f"{step:.4g}" for step in self.grid.spacing[::-1])
        h = self.header_orientation()
        header = self.header_state if h is None else h.name
        return f"Volume({size}, {self.array.dtype}, {steps} mm, header: {header})"

    def _repr_html_(self) -> str:
        """For notebooks: the middle slice and the words."""
        return figure(self.preview(), [self.words])

    def __post_init__(self) -> None:
        if self.array.ndim not in (3, 4):
            raise ValueError(f"a volume has 3 or 4 axes, this array has {self.array.ndim}")
        if self.array.shape[-3:] != self.grid.size[::-1]:
            raise ValueError(f"array {self.array.shape} does not fit the grid's size {self.grid.size}")

    @classmethod
    def from_stored(
        cls,
        array: NDArray[Any],
        grid: Grid,
        slice_axis: int | None = None,
        *,
        has_geometry: bool = True,
        metadata: Metadata = NO_METADATA,
    ) -> Volume:
        """A volume from a file's own axes: ``array[(phase,) k, j, i]`` and its grid in (i, j, k).

        Parameters
        ----------
        slice_axis:
            0, 1 or 2 for slices along i, j or k; found from spacing and size where not given.
        """
        axis = find_slice_axis(grid) if slice_axis is None else slice_axis
        if axis not in (0, 1, 2):
            raise ValueError(f"the slice axis is 0, 1 or 2, not {axis}")
        return cls(np.moveaxis(array, -1 - axis, -3), grid.permuted(_axes_for(axis)), axis, has_geometry, metadata)

    def stored(self) -> tuple[NDArray[Any], Grid]:
        """Array ``[(phase,) k, j, i]`` and grid in the axis order of the file."""
        axes = _axes_for(self.slice_axis)
        back = (axes.index(0), axes.index(1), axes.index(2))
        return np.moveaxis(self.array, -3, -1 - self.slice_axis), self.grid.permuted(back)

    @property
    def words(self) -> str:
        """The volume in a sentence or two: what it holds, and what its header says of the orientation."""
        slices, rows, columns = self.array.shape[-3:]
        across, down, between = self.grid.spacing
        phases = self.array.shape[0] if self.array.ndim == 4 else 1
        if phases > 1:
            sentence = _("{phases} phases of {slices} slices of {columns} × {rows} pixels")
        elif slices == 1:
            sentence = _("One slice of {columns} × {rows} pixels")
        else:
            sentence = _("{slices} slices of {columns} × {rows} pixels")
        told = [sentence.format(phases=phases, slices=slices, columns=columns, rows=rows)]
        told.append(_("{across:.3g} × {down:.3g} mm").format(across=across, down=down))
        if slices > 1:
            told.append(_("{between:.3g} mm apart").format(between=between))
        h = self.header_orientation()
        if h is not None:
            said = _("The header says stored {how}.").format(how=_("in standard orientation") if not h else h.label)
        elif self.header_state == "other_plane":
            said = _("The header names another plane than the short axis.")
        else:
            said = _("The header says nothing about the orientation.")
        return f"{', '.join(told)}. {said}"

    def to_dict(self) -> dict[str, object]:
        """What can be written as JSON: everything but the voxels."""
        _array, grid = self.stored()
        h = self.header_orientation()
        return {
            "phases": self.array.shape[0] if self.array.ndim == 4 else 1,
            "dtype": str(self.array.dtype),
            "grid": grid.to_json(),
            "slice_axis": self.slice_axis,
            "has_geometry": self.has_geometry,
            "header_orientation": None if h is None else int(h),
            "header_state": self.header_state,
            "header_slice_order": self.header_slice_order,
            "description": self.metadata.caption,
            "scanner": self.metadata.scanner,
        }

    def preview(self, index: int | None = None) -> Preview:
        """A slice of the first phase, the middle one where none is named, to be shown."""
        stack = self.array if self.array.ndim == 3 else self.array[0]
        across, down, _between = self.grid.spacing
        chosen = len(stack) // 2 if index is None else index
        return Preview(stack[chosen], (down, across), self.metadata.small_values_bright)

    @property
    def in_plane_axes(self) -> tuple[int, int]:
        """The two stored axes that columns and rows are counted along."""
        first, second = _axes_for(self.slice_axis)[:2]
        return first, second

    @cached_property
    def header_state(self) -> HeaderState:
        """What the directions are worth: ``none``, ``other_plane`` or ``known``."""
        if not self.has_geometry:
            return "none"
        column, row, along = self.grid.directions.T
        return header_state(row, column, along)

    @cached_property
    def short_axis_cosine(self) -> float | None:
        """Cosine between the header's plane and the mean short axis, 0 to 1; None for ``header_state`` ``none``."""
        if self.header_state == "none":
            return None
        column, row = self.grid.directions.T[:2]
        return short_axis_cosine(row, column)

    def header_orientation(self, pixels: Orientation | None = None) -> Orientation | None:
        """The class that the header claims, None unless ``header_state`` is ``known``."""
        if self.header_state != "known":
            return None
        column, row = self.grid.directions.T[:2]
        return header_orientation(row, column, pixels)

    @property
    def header_slice_order(self) -> SliceOrder | None:
        """The order of the slices that the header claims, None unless ``header_state`` is ``known``."""
        return header_slice_order(self.grid.directions[:, 2]) if self.header_state == "known" else None

    def reindexed(
        self,
        pixels: Orientation,
        directions: Orientation,
        *,
        slices: bool = False,
        slice_direction: bool = False,
        renumber: bool = False,
    ) -> Volume:
        """Turn the pixels by one operation and the direction cosines by another, in plane.

        The array is a view; see ``Grid.reindexed`` for what happens to the geometry.

        Parameters
        ----------
        slices:
            Whether the slices are reversed, too.
        slice_direction:
            Whether the direction that they are counted along is.
        renumber:
            Whether a format that numbers its slices counts them anew.
        """
        array = np.flip(self.array, -3) if slices else self.array
        return replace(
            self,
            array=pixels.apply(array),
            grid=self.grid.reindexed(pixels, directions, slice_direction),
            pixels_turned=pixels.after(self.pixels_turned),
            directions_turned=directions.after(self.directions_turned),
            slices_reversed=slices != self.slices_reversed,
            slice_direction_reversed=slice_direction != self.slice_direction_reversed,
            renumbered=renumber != self.renumbered,
        )


def find_slice_axis(grid: Grid) -> int:
    """The stored axis that slices lie along: few samples, far apart. The last one where in doubt."""
    thickness = np.array(grid.spacing) / np.array(grid.size)
    best = int(thickness.argmax())
    # Nearly isotropic volumes give no hint: only a clear lead moves the choice from the last axis.
    return best if thickness[best] > 1.5 * thickness[2] else 2


def _axes_for(slice_axis: int) -> tuple[int, int, int]:
    first, second = (axis for axis in range(3) if axis != slice_axis)
    return first, second, slice_axis


def _vector(values: Iterable[float]) -> Vector:
    x, y, z = map(float, values)
    return x, y, z
