"""Where a result comes from, as attributes of every node that is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..correction import Correction, GeometryMode
from ..orientation import Orientation
from .node_types import Node

if TYPE_CHECKING:
    from ..recognition.model_files import ModelFiles
    from ..recognition.result import Recognition

#: The attribute that every node written by this module carries: the class that was undone.
MADE_HERE = "CMROrient.Orientation"

#: Attributes that tie slices to DICOM files: they no longer hold once voxels are in another order.
_TIES_TO_FILES = ("DICOM.instanceUIDs",)


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
            "CMROrient.Geometry": self.geometry,
            "CMROrient.GeometryClass": _class(self.correction.geometry_class),
            "CMROrient.Target": _class(self.correction.target),
            "CMROrient.SlicesReversed": _yes(slices_reversed),
            "CMROrient.Model": self.model.name if self.model else "",
            "CMROrient.ModelChecksum": self.model.checksum if self.model else "",
            "CMROrient.Version": __version__,
        }
        return {name: value for name, value in values.items() if value}


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
    node.SetNodeReferenceID("CMROrient.source", source.GetID())


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


def _yes(value: bool) -> str:
    return "yes" if value else "no"
