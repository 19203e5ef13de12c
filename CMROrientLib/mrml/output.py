"""What comes out: new nodes beside the input, for the image and for everything that follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from ..i18n import _
from ..volume import Volume
from .display import dress, place
from .followers import FOLLOWERS
from .input import SceneImage
from .node_types import Node, Scene, SequenceNode, ShownNode, VolumeNode, is_segmentation, is_volume
from .nodes import Placed, motion, put_volume
from .provenance import Provenance, note, note_frame
from .segmentations import follow_label_map, follow_segmentation
from .sequences import copy_index, into_browser, shown_phase

#: Notes on a frame where it comes from: called with the frame and what its sequence was made of.
_NoteFrame = Callable[[Node, Node], None]


@dataclass(frozen=True, eq=False)
class Written:
    """The nodes of one result.

    Parameters
    ----------
    node:
        The volume node that people see; the proxy of a cine (None for a sequence without browser).
    sequence:
        The new sequence of a cine, else None.
    segmentations:
        What followed, in the order given.
    slices_reversed:
        Whether the slices had to be reversed to stay right-handed.
    """

    node: VolumeNode | None
    sequence: SequenceNode | None
    segmentations: tuple[ShownNode, ...]
    slices_reversed: bool

    @property
    def main(self) -> Node:
        """The node that stands for the whole result: a cine's sequence, else the volume."""
        return cast(Node, self.node if self.sequence is None else self.sequence)


def write(
    image: SceneImage,
    volume: Volume,
    placed: Placed,
    provenance: Provenance,
    output: VolumeNode | None = None,
    segmentations: Sequence[ShownNode] = (),
) -> Written:
    """Write a corrected image, and what follows it, into the scene; the input is not touched.

    Parameters
    ----------
    image, volume:
        The image as stored.
    placed:
        The corrected image as ``mrml.right_handed`` gave it.
    output:
        A scalar volume node to write into, None for a new one. A cine always gets a new sequence.
    segmentations:
        Segmentation and label map nodes that are to follow.

    Raises
    ------
    CMROrientError
        Where the output is an input, or a node cannot follow; nothing is written then. Of any other error half is
        left: the caller undoes (``rollback``).
    """
    _check(image, output, segmentations)
    scene = image.scene
    turned = not provenance.correction.changes_nothing
    attributes = provenance.attributes(placed.slices_reversed)
    # A motion belongs to the image; the place of every voxel of a mask follows from it.
    moved = motion(volume, placed.volume)

    def note_one(made: Node, source: Node) -> None:
        note_frame(made, source, attributes, turned)

    node, sequence, frame = _write_image(scene, image, placed.volume, output, note_one)
    follow = _Follow(moved, placed.volume, frame, note_one)
    followers = [_write_follower(scene, image, mask, follow) for mask in segmentations]
    if image.node is not None and node is not None:
        dress(node, image.node)
    if sequence is not None and node is not None and image.browser is not None:
        into_browser(image.browser, sequence, node)
    for made in (node, sequence):
        if made is not None:
            note(made, image.main, attributes, turned)
    for mask, follower in zip(segmentations, followers, strict=True):
        note(follower, mask, attributes, turned)
    return Written(node, sequence, tuple(followers), placed.slices_reversed)


def slices_were_reversed() -> str:
    """What a result's words end with where Slicer's right-handed grids made a difference."""
    return _(
        "Slice order, slice direction and origin were reversed together, because the result would be left-handed "
        "and Slicer keeps right-handed grids; no voxel moves by it."
    )


def _check(image: SceneImage, output: VolumeNode | None, segmentations: Sequence[ShownNode]) -> None:
    if output is not None and image.is_cine:
        raise CMROrientError(_("a cine is written as a new sequence of the same browser; leave the output at “new”"))
    if output is not None and (output is image.node or output in segmentations):
        raise CMROrientError(_("the output is the input; choose another output volume, the input stays as it is"))
    if output is not None and output.GetClassName() != "vtkMRMLScalarVolumeNode":
        raise CMROrientError(_("the output must be a scalar volume"), output.GetName())
    for mask in segmentations:
        if mask.GetClassName() not in FOLLOWERS:
            raise CMROrientError(_("only segmentations and label maps can follow an image"), mask.GetName())
        if is_volume(mask) and mask.GetImageData() is None:
            raise CMROrientError(_("this label map holds no voxels"), mask.GetName())


def _write_image(
    scene: Scene, image: SceneImage, volume: Volume, output: VolumeNode | None, note_one: _NoteFrame
) -> tuple[VolumeNode | None, SequenceNode | None, VolumeNode]:
    """The node that people see, the sequence of a cine, and a node that has the result's geometry."""
    if image.sequence is not None:
        proxy, sequence = _write_cine(scene, image, image.sequence, volume, note_one)
        return proxy, sequence, sequence.GetNthDataNode(0) if proxy is None else proxy
    node = output
    if node is None:
        node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", _name(scene, image.name))
    _fill(node, image.frames[0], volume)
    return node, None, node


def _write_cine(
    scene: Scene, image: SceneImage, stored: SequenceNode, volume: Volume, note_one: _NoteFrame
) -> tuple[VolumeNode | None, SequenceNode]:
    """A new sequence with the corrected frames in the same browser, and its proxy."""
    name = _name(scene, image.name)
    sequence = _new_sequence(scene, stored, name)
    for phase, frame in enumerate(image.frames):
        made = frame.CreateNodeInstance()
        made.SetName(frame.GetName() or name)
        _fill(made, frame, volume, phase)
        note_one(made, stored)
        sequence.SetDataNodeAtValue(made, image.index_values[phase])
        made.UnRegister(None)
    if image.browser is None:
        return None, sequence
    proxy = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    phase = shown_phase(image.browser, stored)
    _fill(proxy, image.frames[phase], volume, phase)
    return proxy, sequence


@dataclass(frozen=True)
class _Follow:
    """How masks move: the image's motion, its corrected volume and a node that has its geometry; what frames note."""

    motion: NDArray[np.float64]
    volume: Volume
    node: VolumeNode
    note_one: _NoteFrame

    def __call__(self, mask: ShownNode, target: ShownNode) -> None:
        if is_segmentation(mask) and is_segmentation(target):
            follow_segmentation(mask, target, self.motion, self.node)
        elif is_volume(mask) and is_volume(target):
            follow_label_map(mask, target, self.motion, self.volume.stored()[1])


def _write_follower(scene: Scene, image: SceneImage, mask: ShownNode, follow: _Follow) -> ShownNode:
    """The node that follows; a mask with frames of its own in the cine's browser keeps all of them."""
    name = _name(scene, mask.GetName())
    follower = _new_like(scene, mask, name)
    frames = image.browser.GetSequenceNode(mask) if image.browser is not None else None
    follow(mask, follower)
    dress(follower, mask)
    if frames is not None and image.browser is not None:
        sequence = _new_sequence(scene, frames, name)
        for index in range(frames.GetNumberOfDataNodes()):
            frame = frames.GetNthDataNode(index)
            # Segmentations need a scene while they are filled; the sequence keeps a copy of its own.
            made = _new_like(scene, mask, name)
            follow(frame, made)
            follow.note_one(made, mask)
            sequence.SetDataNodeAtValue(made, frames.GetNthIndexValue(index))
            scene.RemoveNode(made)
        into_browser(image.browser, sequence, follower)
    return follower


def _new_like(scene: Scene, mask: ShownNode, name: str) -> ShownNode:
    return cast(ShownNode, scene.AddNewNodeByClass(mask.GetClassName(), name))


def _new_sequence(scene: Scene, like: SequenceNode, name: str) -> SequenceNode:
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    copy_index(sequence, like)
    place(sequence, like)
    return sequence


def _fill(node: VolumeNode, like: VolumeNode, volume: Volume, phase: int = 0) -> None:
    put_volume(node, volume, like.GetImageData().GetScalarType(), phase)
    node.SetVoxelValueQuantity(like.GetVoxelValueQuantity())
    node.SetVoxelValueUnits(like.GetVoxelValueUnits())


def _name(scene: Scene, name: str) -> str:
    return str(scene.GenerateUniqueName(f"{name} standard"))
