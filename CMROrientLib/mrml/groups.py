"""Which images of a scene are decided on together: those of one study that share a grid, or make one stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import CMROrientError
from ..run.companions.grouping import Member, join
from ..run.parts import GroupKind
from ..volume import Grid, Volume
from .input import SceneImage, images_of_scene
from .node_types import Node
from .nodes import grid_from_node

#: Where scripts note the study of a node that stands in no study of the subject hierarchy.
STUDY = "DICOM.StudyInstanceUID"


@dataclass(frozen=True)
class Group:
    """Images that are decided on together.

    Parameters
    ----------
    kind:
        ``sequences`` on one grid, or the series of one ``stack``.
    images:
        In the order in which they lie, or in the scene's.
    """

    kind: GroupKind
    images: tuple[SceneImage, ...]


def groups_among(images: Sequence[SceneImage]) -> list[Group]:
    """The groups among some images of the scene; what is alone, or in no study, is in none of them."""
    members = []
    for number, image in enumerate(images):
        study = study_of(image)
        if study:
            try:
                members.append(Member(number, study, _grid(image)))
            except CMROrientError:
                continue  # what is wrong with it is said when it is looked at
    return [Group(one.kind, tuple(images[number] for number in one.names)) for one in join(members)]


def group_of(image: SceneImage) -> Group | None:
    """The group that an image of the scene is in; None where it is alone.

    Results of this module are in none: the stored image beside them shows the same heart in other voxels.
    """
    images = images_of_scene(image.scene)
    own = image.main.GetID()
    return next(
        (group for group in groups_among(images) if any(other.main.GetID() == own for other in group.images)), None
    )


def study_of(image: SceneImage) -> tuple[str, ...]:
    """What names the study of an image; empty where it is in none.

    The study is the subject hierarchy's, which Slicer makes of DICOM files and people make by hand; else
    what the node itself says.
    """
    nodes = [node for node in (image.node, image.sequence) if node is not None]
    for node in nodes:
        study = _in_hierarchy(node)
        if study:
            return study
    noted = next((uid for uid in (node.GetAttribute(STUDY) for node in (*nodes, *image.frames)) if uid), None)
    return ("uid", noted) if noted else ()


def _in_hierarchy(node: Node) -> tuple[str, ...]:
    import slicer

    constants = slicer.vtkMRMLSubjectHierarchyConstants
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    item = hierarchy.GetItemByDataNode(node)
    study = hierarchy.GetItemAncestorAtLevel(item, constants.GetDICOMLevelStudy()) if item else 0
    if not study:
        return ()
    uid = str(hierarchy.GetItemUID(study, constants.GetDICOMUIDName()))
    return ("uid", uid) if uid else ("item", str(study))


def _grid(image: SceneImage) -> Grid:
    """The grid with slices along its third axis, without reading voxels."""
    stored = grid_from_node(image.frames[0])
    nothing = np.broadcast_to(np.zeros(1, np.uint8), stored.size[::-1])
    return Volume.from_stored(nothing, stored, None).grid
