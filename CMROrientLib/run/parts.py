"""What a record is made of: what was read of an image, found in it, done to it, and which files that took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from ..correction import WANTED_ORDERS, GeometryMode, WantedOrder
from ..orientation import HeaderState, Orientation
from ..recognition.result import DecidedBy, Decision, View
from ..slice_order import SLICE_ORDERS, FoundOrder, SliceOrder
from ..volume import Grid, Volume
from .row import Row

#: (path, series): what tells an image from the others of a run.
_Key = tuple[str, str | None]

#: Why images are decided on together: ``channels`` of a case, ``sequences`` on one grid, the series of one ``stack``.
GroupKind = Literal["channels", "sequences", "stack"]

#: The words of each kind, looked up once: a run reads many records.
_DECISIONS: tuple[Decision, ...] = get_args(Decision)
_HEADER_STATES: tuple[HeaderState, ...] = get_args(HeaderState)
_DECIDED_BY: tuple[DecidedBy, ...] = get_args(DecidedBy)
_FOUND_ORDERS: tuple[FoundOrder, ...] = get_args(FoundOrder)
_VIEWS: tuple[View, ...] = get_args(View)
_MODES: tuple[GeometryMode, ...] = get_args(GeometryMode)
_GROUP_KINDS: tuple[GroupKind, ...] = get_args(GroupKind)

#: Decisions that are acted on.
ACTED_ON: tuple[Decision, ...] = ("standard", "reoriented")


@dataclass(frozen=True)
class ImageFacts:
    """What was read of an image.

    Parameters
    ----------
    grid:
        As stored, axes in the file's order; LPS, mm.
    slice_axis:
        The stored axis 0, 1 or 2 that slices lie along.
    phases:
        1 for a stack, more for a cine.
    has_geometry:
        False where the file says nothing of its place.
    scanner:
        Manufacturer and model where the file tells them.
    identifiers:
        What the file tells of the person and the examination; None where the run was not told to keep it.
    """

    grid: Grid
    slice_axis: int
    phases: int = 1
    has_geometry: bool = True
    scanner: str | None = None
    identifiers: dict[str, str] | None = None

    @classmethod
    def from_volume(cls, volume: Volume, include_identifiers: bool) -> ImageFacts:
        """From what was read."""
        return cls(
            grid=volume.stored()[1],
            slice_axis=volume.slice_axis,
            phases=volume.array.shape[0] if volume.array.ndim == 4 else 1,
            has_geometry=volume.has_geometry,
            scanner=volume.metadata.scanner or None,
            identifiers=volume.metadata.told_identifiers() if include_identifiers else None,
        )

    @classmethod
    def of(cls, row: Row) -> ImageFacts | None:
        """From the flat form; None where the image was not read."""
        grid = row.grid("grid_in")
        if grid is None:
            return None
        phases, known = row.get("phases", int), row.get("has_geometry", bool)
        return cls(
            grid,
            row.get("slice_axis", int) or 0,
            1 if phases is None else phases,
            True if known is None else known,
            row.get("scanner", str),
            row.texts("identifiers"),
        )


@dataclass(frozen=True)
class Finding:
    """What pixels and header say, and what was decided.

    Parameters
    ----------
    decision:
        ``standard`` and ``reoriented`` are acted on.
    orientation:
        Class of the stored pixels; None where there is none (left alone without a look).
    header_orientation, header_state:
        The class that the header claims (None unless the state is ``known``); no state where the
        image was not read.
    conflict, mirrored:
        Whether pixels and header tell different stories, and whether they differ by a mirror.
    confidence:
        0 to 1.
    decided_by:
        ``network`` or ``user``; None where neither was asked.
    votes:
        For how many slices each of the eight classes was the most probable.
    slices:
        Number of slices looked at.
    inputs:
        How many inputs the network was shown; None where a user decided, and in records that do not tell.
    agreement:
        Mean share of the turned copies that agree with their slice.
    slice_votes:
        The most probable class of each slice looked at.
    words:
        The result in a sentence or two.
    network:
        What the network said, ``class decision``: rows of an edited CSV that differ from it are
        the user's decisions.
    slice_order, slice_order_confidence, header_slice_order, angle, margin, view:
        See ``Recognition``.
    run_otherwise:
        Where the slices run against the rest of an audited set: how many stacks run the other way, and of
        how many the order is known. It is no part of the flat form.
    """

    decision: Decision
    orientation: Orientation | None = None
    header_orientation: Orientation | None = None
    header_state: HeaderState | None = None
    conflict: bool = False
    mirrored: bool = False
    confidence: float | None = None
    decided_by: DecidedBy | None = None
    votes: tuple[int, ...] = (0,) * len(Orientation)
    slices: int = 0
    inputs: int | None = None
    agreement: float | None = None
    slice_votes: tuple[Orientation, ...] = ()
    words: str | None = None
    network: str | None = None
    slice_order: FoundOrder = "unknown"
    slice_order_confidence: float | None = None
    header_slice_order: SliceOrder | None = None
    angle: float | None = None
    margin: float | None = None
    view: View = "unknown"
    run_otherwise: tuple[int, int] | None = None

    @property
    def acted_on(self) -> bool:
        """Whether a run corrects such an image."""
        return self.decision in ACTED_ON

    @classmethod
    def of(cls, row: Row) -> Finding | None:
        """From the flat form; None after an error."""
        decision: Decision | None = row.choice("decision", _DECISIONS)
        if decision is None:
            return None
        state: HeaderState | None = row.choice("header_state", _HEADER_STATES)
        decided_by: DecidedBy | None = row.choice("decided_by", _DECIDED_BY)
        order: FoundOrder | None = row.choice("slice_order", _FOUND_ORDERS)
        claimed: SliceOrder | None = row.choice("header_slice_order", SLICE_ORDERS)
        view: View | None = row.choice("view", _VIEWS)
        votes = row.several("votes", int) or (0,) * len(Orientation)
        if len(votes) != len(Orientation):
            raise ValueError("its votes are not eight numbers")
        return cls(
            decision=decision,
            orientation=row.orientation("orientation"),
            header_orientation=row.orientation("header_orientation"),
            header_state=state,
            conflict=row.get("conflict", bool) or False,
            mirrored=row.get("mirrored", bool) or False,
            confidence=row.get("confidence", float),
            decided_by=decided_by,
            votes=votes,
            slices=row.get("slices", int) or 0,
            inputs=row.get("inputs", int),
            agreement=row.get("agreement", float),
            slice_votes=tuple(Orientation(k) for k in row.several("slice_votes", int)),
            words=row.get("words", str),
            network=row.get("network", str),
            slice_order=order or "unknown",
            slice_order_confidence=row.get("slice_order_confidence", float),
            header_slice_order=claimed,
            angle=row.get("angle", float),
            margin=row.get("margin", float),
            view=view or "unknown",
        )


@dataclass(frozen=True)
class Action:
    """What a correction does with an image.

    Parameters
    ----------
    geometry, target:
        The mode and the class of the result, as the run was told.
    geometry_class:
        The class g whose inverse re-indexes the directions; None where nothing is corrected.
    grid:
        The grid of the result, axes in the file's order; None where nothing is corrected.
    slice_order:
        The order that the run was told to bring slices to.
    slices_reversed, slice_direction_reversed, renumbered:
        See ``Correction``.
    """

    geometry: GeometryMode
    target: Orientation = Orientation.IDENTITY
    geometry_class: Orientation | None = None
    grid: Grid | None = None
    slice_order: WantedOrder = "keep"
    slices_reversed: bool = False
    slice_direction_reversed: bool = False
    renumbered: bool = False

    @classmethod
    def of(cls, row: Row) -> Action | None:
        """From the flat form; None where a run only recognized."""
        geometry: GeometryMode | None = row.choice("geometry", _MODES)
        wanted: WantedOrder | None = row.choice("wanted_slice_order", WANTED_ORDERS)
        if geometry is None:
            return None
        return cls(
            geometry,
            row.orientation("target") or Orientation.IDENTITY,
            row.orientation("geometry_class"),
            row.grid("grid_out"),
            wanted or "keep",
            row.get("slices_reversed", bool) or False,
            row.get("slice_direction_reversed", bool) or False,
            row.get("renumbered", bool) or False,
        )


@dataclass(frozen=True)
class MaskFiles:
    """One mask that follows the image; paths as in ``RecordFiles``."""

    path: str
    sha256_in: str
    output: str | None = None
    sha256_out: str | None = None
    written: tuple[str, ...] = ()

    @classmethod
    def of(cls, row: Row) -> MaskFiles:
        """From the flat form. Raises ValueError where it is no mask."""
        path, checksum = row.get("path", str), row.get("sha256_in", str)
        if path is None or checksum is None:
            raise ValueError("a mask of it has no path or no checksum")
        return cls(path, checksum, row.get("output", str), row.get("sha256_out", str), row.several("files", str))


@dataclass(frozen=True)
class RecordFiles:
    """Which files were read and written.

    Parameters
    ----------
    kind:
        ``nifti``, ``nrrd``, ``metaimage``, ``dicom`` or ``unknown``.
    sha256_in, sha256_out:
        Checksums of the files' bytes; for several files, of their checksums in the order of the names.
    output:
        What was written, relative to the output folder; None where nothing was.
    written:
        Every file written for the image itself, relative to the output folder.
    masks:
        The masks that follow it.
    """

    kind: str | None = None
    sha256_in: str | None = None
    output: str | None = None
    sha256_out: str | None = None
    written: tuple[str, ...] = ()
    masks: tuple[MaskFiles, ...] = ()

    @property
    def outputs(self) -> list[tuple[tuple[str, ...], str | None]]:
        """The names and the checksum of what was written for the image and for each of its masks."""
        return [(self.written, self.sha256_out), *((mask.written, mask.sha256_out) for mask in self.masks)]


@dataclass(frozen=True)
class Group:
    """What a record says of the group that its image is decided on with.

    Parameters
    ----------
    name:
        The same for all of its images, and for no other group of the run.
    kind:
        ``channels``, ``sequences`` or ``stack``.
    companions:
        The other images.
    """

    name: str
    kind: GroupKind
    companions: tuple[_Key, ...] = ()

    @property
    def words(self) -> str:
        """What it is, for people."""
        count = len(self.companions) + 1
        return {
            "channels": f"{count} channels of one case",
            "sequences": f"{count} images on one grid",
            "stack": f"{count} series of one stack",
        }[self.kind]

    @classmethod
    def of(cls, row: Row) -> Group | None:
        """From the flat form of a record. Raises ValueError where it does not fit."""
        name = row.get("group", str)
        kind: GroupKind | None = row.choice("group_kind", _GROUP_KINDS)
        if name is None or kind is None:
            return None
        return cls(name, kind, tuple(_companion(entry) for entry in row.rows("companions")))

    def flat_companions(self) -> list[Mapping[str, str | None]]:
        """The other images as JSON holds them."""
        return [{"path": path, "series": series} for path, series in self.companions]


def _companion(entry: Mapping[str, object]) -> _Key:
    row = Row(entry)
    path = row.get("path", str)
    if path is None:
        raise ValueError("a companion of it has no path")
    return path, row.get("series", str)
