"""Where a result comes from, as attributes of every node that is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..correction import GEOMETRY_MODES, Correction, GeometryMode
from ..orientation import Orientation
from .node_types import Node

if TYPE_CHECKING:
    from ..recognition.cards.model_files import ModelFiles
    from ..recognition.result import Recognition

#: The attribute that every node written by this module carries: the class that was undone.
MADE_HERE = "CMROrient.Orientation"

#: The identifiers of the DICOM files that slices came from, with blanks between them, as Slicer notes them.
INSTANCES = "DICOM.instanceUIDs"

#: Attributes that tie slices to DICOM files: they no longer hold once voxels are in another order.
_TIES_TO_FILES = (INSTANCES,)

#: The node reference to what a result was made of.
_SOURCE = "CMROrient.source"


@dataclass(frozen=True)
class Provenance:
    """What was decided, by whom, and what was done.

    Parameters
    ----------
    decision:
        What was acted on: what the network said, or what the person decided.
    geometry:
        ``auto``, ``follow`` or ``keep``.
    model:
        The network's files, None where none was asked.
    """

    decision: Recognition
    correction: Correction
    geometry: GeometryMode
    model: ModelFiles | None = None

    def attributes(self, slices_reversed: bool) -> dict[str, str]:
        """Names and values of the node attributes."""
        from .. import __version__

        header = self.decision.header_orientation
        values = {
            MADE_HERE: _class(self.correction.orientation),
            "CMROrient.Decision": self.decision.decision,
            "CMROrient.DecidedBy": self.decision.decided_by,
            "CMROrient.Confidence": f"{self.decision.confidence:.4f}",
            "CMROrient.HeaderOrientation": "" if header is None else _class(header),
            "CMROrient.HeaderState": self.decision.header_state,
            "CMROrient.Conflict": _yes(self.decision.conflict),
            "CMROrient.Mirrored": _yes(self.decision.mirrored),
            **self._only_where_known(),
            "CMROrient.Geometry": self.geometry,
            "CMROrient.GeometryClass": _class(self.correction.geometry_class),
            "CMROrient.Target": _class(self.correction.target),
            "CMROrient.SlicesReversed": _yes(slices_reversed),
            "CMROrient.Model": self.model.name if self.model else "",
            "CMROrient.ModelChecksum": self.model.checksum if self.model else "",
            "CMROrient.Version": __version__,
        }
        return {name: value for name, value in values.items() if value}

    def _only_where_known(self) -> dict[str, str]:
        """What not every model can tell, and what not every image has; the slices are the stored image's."""
        found = self.decision
        ordered = found.slice_order != "unknown"
        return {
            "CMROrient.SliceOrder": found.slice_order if ordered else "",
            "CMROrient.SliceOrderConfidence": f"{found.slice_order_confidence:.4f}" if ordered else "",
            "CMROrient.HeaderSliceOrder": found.header_slice_order or "",
            "CMROrient.Angle": "" if found.angle is None else f"{found.angle:.1f}",
            "CMROrient.Margin": "" if found.margin is None else f"{found.margin:.1f}",
            "CMROrient.DecidedTogether": str(found.together) if found.together > 1 else "",
        }


@dataclass(frozen=True)
class Made:
    """What a node that was written here says of itself.

    Parameters
    ----------
    source:
        What it was made of; None where that has left the scene.
    orientation, geometry, target:
        The class that was undone, the geometry mode, and the class that it is stored in.
    """

    source: Node | None
    orientation: Orientation
    geometry: GeometryMode
    target: Orientation


def made_here(node: Node) -> bool:
    """Whether a node is a result of this module."""
    return bool(node.GetAttribute(MADE_HERE))


def made_of(node: Node) -> Made | None:
    """Where a node comes from, as ``note`` put it down; None where it was not written here."""
    stored = node.GetAttribute(MADE_HERE)
    if not stored:
        return None
    noted = node.GetAttribute("CMROrient.Geometry")
    mode: GeometryMode = next((mode for mode in GEOMETRY_MODES if mode == noted), "auto")
    target = node.GetAttribute("CMROrient.Target") or "0"
    return Made(node.GetNodeReference(_SOURCE), _of(stored), mode, _of(target))


def note(node: Node, source: Node, attributes: dict[str, str], turned: bool) -> None:
    """Put a result's provenance on one of its nodes.

    Parameters
    ----------
    source:
        What the node was made of; what it says about its DICOM files is kept as far as it is still true.
    turned:
        Whether voxels are in another order than the source's.
    """
    note_frame(node, source, attributes, turned)
    node.SetNodeReferenceID(_SOURCE, source.GetID())


def note_frame(node: Node, source: Node, attributes: dict[str, str], turned: bool) -> None:
    """Put a result's provenance on a frame before it enters its sequence; parameters as for ``note``.

    A proxy takes its attributes from the frame that it shows. A frame lives in its sequence's own scene, where the
    source's identifier would stand for another node: it gets no reference, and the proxy keeps its own.
    """
    for name in list(source.GetAttributeNames() or ()):
        if not name.startswith(("CMROrient.", "Sequences.")) and not (turned and name in _TIES_TO_FILES):
            node.SetAttribute(name, source.GetAttribute(name))
    for name in _TIES_TO_FILES if turned else ():
        node.RemoveAttribute(name)
    for name, value in attributes.items():
        node.SetAttribute(name, value)


def _class(orientation: Orientation) -> str:
    return f"{int(orientation)} {orientation.name}"


def _of(stored: str) -> Orientation:
    return Orientation(int(stored.split()[0]))


def _yes(value: bool) -> str:
    return "yes" if value else "no"
