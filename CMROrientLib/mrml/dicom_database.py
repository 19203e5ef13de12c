"""Slicer's DICOM database: which of its files an image of the scene was loaded from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ..errors import CMROrientError
from ..i18n import _
from .input import SceneImage
from .node_types import Node
from .provenance import INSTANCES


class DicomDatabase(Protocol):
    """``ctkDICOMDatabase``, as far as it is asked here."""

    @property
    def isOpen(self) -> bool: ...
    def fileForInstance(self, instance: str, /) -> str: ...
    def filesForSeries(self, series: str, /) -> Sequence[str]: ...
    def removeSeries(self, series: str, /) -> bool: ...


def instances_of(image: SceneImage) -> list[str]:
    """The instances that an image was loaded from, in the order of its frames and slices, each once.

    Slicer notes them on the volume, or on each frame of a cine; some of its readers of sequences note
    them in the subject hierarchy only.
    """
    found = [uid for frame in image.frames for uid in listed(frame)]
    for node in (image.node, image.sequence):
        if not found and node is not None:
            found = listed(node) or _in_hierarchy(node)
    return list(dict.fromkeys(found))


def listed(node: Node) -> list[str]:
    """The instances that a node says it holds, one a slice or one for all."""
    return (node.GetAttribute(INSTANCES) or "").split()


def _in_hierarchy(node: Node) -> list[str]:
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    name = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMInstanceUIDName()
    return str(hierarchy.GetItemUID(item, name)).split() if item else []


def why_not_from(image: SceneImage, database: DicomDatabase | None, every: bool = False) -> str | None:
    """Why an image has no files in the database, as a sentence that says what to do; None where it has.

    Parameters
    ----------
    every:
        Whether each file is asked for; the first one stands for all where it has to be quick.
    """
    instances = instances_of(image)
    if not instances:
        return _(
            "This image was not loaded from Slicer's DICOM database. Save the corrected volume as a file instead "
            "(File, Save Data), or import its DICOM files in the DICOM module and load it from there."
        )
    if database is None or not database.isOpen:
        return not_open()
    if not every and _file(database, instances[0]):
        return None
    lost = [instance for instance in instances if not _file(database, instance)]
    if lost:
        said = _(
            "{count} of the {total} DICOM files that this image was loaded from are no longer in Slicer's DICOM "
            "database, or have been moved. Import them again in the DICOM module."
        )
        return said.format(count=len(lost), total=len(instances))
    return None


def files_of(image: SceneImage, database: DicomDatabase | None) -> list[Path]:
    """The files that an image was loaded from. Raises CMROrientError with the sentence of ``why_not_from``."""
    why = why_not_from(image, database, every=True)
    if why is not None or database is None:
        raise CMROrientError(str(why), image.name)
    return [Path(database.fileForInstance(instance)) for instance in instances_of(image)]


def not_open() -> str:
    """What to do where there is no open database."""
    return _("Slicer's DICOM database is not open. Open the DICOM module once, then try again.")


def _file(database: DicomDatabase, instance: str) -> str:
    path = str(database.fileForInstance(instance))
    return path if path and Path(path).is_file() else ""
