"""What may go in: a volume or a cine of the scene, and sentences for what may not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import is_
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError
from ..i18n import _
from ..progress import Progress
from ..volume import Volume
from .node_types import BrowserNode, Node, Scene, SequenceNode, VolumeNode, is_sequence, is_volume
from .nodes import volume_from_nodes
from .provenance import MADE_HERE
from .sequences import frames_of, index_values_of, plays, sequences_logic

#: Slices of a stack differ: over 498 short-axis stacks no two ends correlate by more than 0.5.
#: Phases of one slice always look alike: 0.96 and more over 40 phases of two cines.
_PHASES_CORRELATE = 0.8

#: Fewer slices than this may look alike by chance, and no cine is that short.
_FEWEST_PHASES = 5

#: Every slice of a stack or a cine; of a large volume an even spread.
_SLICES_COMPARED = 40


@dataclass(frozen=True)
class SceneImage:
    """One image of the scene: a volume, or the frames of a cine.

    Parameters
    ----------
    frames:
        The volume nodes that hold voxels; those of a cine live in its sequence.
    node:
        The volume node that people see: the volume itself, or the cine's proxy (None without one).
    sequence, browser:
        Of a cine; the browser is None where the sequence has none.
    index_values:
        What the sequence counts each frame of a cine by: its time, as a rule.
    """

    frames: Sequence[VolumeNode]
    node: VolumeNode | None = None
    sequence: SequenceNode | None = None
    browser: BrowserNode | None = None
    index_values: Sequence[str] = ()

    @property
    def main(self) -> Node:
        """The node that stands for the whole image: a cine's sequence, else the volume."""
        if self.sequence is not None:
            return self.sequence
        return self.frames[0] if self.node is None else self.node

    @property
    def scene(self) -> Scene:
        """Where it lies."""
        return self.main.GetScene()

    @property
    def name(self) -> str:
        """The name that people know it by."""
        return self.main.GetName()

    @property
    def is_cine(self) -> bool:
        """Whether its phases are decided on together."""
        return self.sequence is not None


def scene_image(node: Node | None) -> SceneImage:
    """The image that a node stands for: a volume, a sequence, or a sequence's proxy.

    Raises
    ------
    CMROrientError
        With a sentence that says what to do, where the node holds no image to correct.
    """
    why = why_not(node)
    if node is None or why is not None:
        raise CMROrientError(str(why), None if node is None else node.GetName())
    if is_sequence(node):
        browser = sequences_logic().GetFirstBrowserNodeForSequenceNode(node)
        return _cine(node, browser.GetProxyNode(node) if browser else None, browser)
    volume = cast(VolumeNode, node)  # it is one: nothing speaks against it
    browser = sequences_logic().GetFirstBrowserNodeForProxyNode(volume)
    sequence = browser.GetSequenceNode(volume) if browser else None
    if sequence is None:
        return SceneImage([volume], volume)
    return _cine(sequence, volume, browser)


def _cine(sequence: SequenceNode, proxy: VolumeNode | None, browser: BrowserNode | None) -> SceneImage:
    return SceneImage(frames_of(sequence), proxy, sequence, browser, index_values_of(sequence))


def volume_of(image: SceneImage, slice_axis: int | None = None, progress: Progress | None = None) -> Volume:
    """The voxels and the grid of a volume or of all frames of a cine.

    Parameters
    ----------
    progress:
        As for ``volume_from_nodes``.

    Raises
    ------
    CMROrientError
        Where frames differ in size or place, or where the slices are phases of one slice.
    """
    volume = volume_from_nodes(image.frames, slice_axis, progress)
    if not image.is_cine and slices_are_phases(volume):
        said = _("its {count} slices are phases of one slice, not a stack. {what_to_do}")
        raise CMROrientError(said.format(count=volume.grid.size[2], what_to_do=_as_sequence()), image.name)
    return volume


def why_not(node: Node | None) -> str | None:
    """Why a node cannot be an input, as a sentence that says what to do; None where it can."""
    if node is None:
        return _("Select a volume or a cine sequence.")
    if is_sequence(node):
        frames = frames_of(node)
        if not frames:
            return _("This sequence holds no frames yet.")
        reasons = (_why_not_volume(frame) for frame in frames)
        reason = next((reason for reason in reasons if reason), None)
        return _("A frame of this sequence cannot be used. {reason}").format(reason=reason) if reason else None
    return _why_not_volume(node)


def _why_not_volume(node: Node) -> str | None:
    if node.IsA("vtkMRMLMultiVolumeNode"):
        return _("This is a multi-volume. {what_to_do}").format(what_to_do=_as_sequence())
    if node.IsA("vtkMRMLLabelMapVolumeNode"):
        return _(
            "This is a label map, not an image. Select the image; the label map can follow it under Segmentations."
        )
    if not is_volume(node) or node.IsA("vtkMRMLDiffusionTensorVolumeNode"):
        return _("This is not a volume with one grey value a voxel. Select a grey-scale volume or a cine sequence.")
    image = node.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0 or image.GetPointData().GetScalars() is None:
        return _("This volume holds no voxels. Load it again.")
    if image.GetNumberOfScalarComponents() != 1:
        if node.IsA("vtkMRMLVectorVolumeNode") and image.GetNumberOfScalarComponents() in (3, 4):
            return _("This is a colour image. Select a grey-scale volume or a cine sequence.")
        said = _("This volume holds several values a voxel, likely phases of a cine. {what_to_do}")
        return said.format(what_to_do=_as_sequence())
    return None


def _as_sequence() -> str:
    return _(
        "Load it as a sequence instead: in the DICOM module tick Advanced, press Examine and choose the row that says "
        "“Volume Sequence”; for a file, choose “Sequence” as its description in Add Data."
    )


def slices_are_phases(volume: Volume) -> bool:
    """Whether the slices of a single volume all show one slice at different times."""
    if volume.array.ndim != 3 or volume.grid.size[2] < _FEWEST_PHASES:
        return False
    step = -(-volume.grid.size[2] // _SLICES_COMPARED)
    some = volume.array[::step, ::2, ::2]
    flat = np.nan_to_num(some.reshape(len(some), -1).astype(np.float64))
    flat -= flat.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(flat, axis=1, keepdims=True)
    if not np.all(lengths > 0):
        return False
    flat /= lengths
    return bool((flat @ flat.T).min() > _PHASES_CORRELATE)


def images_of_scene(scene: Scene) -> list[SceneImage]:
    """Every image of a scene that could be corrected, cines once; results of this module are left out."""
    found: list[SceneImage] = []
    seen: set[str] = set()
    for class_name in ("vtkMRMLScalarVolumeNode", "vtkMRMLSequenceNode"):
        for index in range(scene.GetNumberOfNodesByClass(class_name)):
            node = scene.GetNthNodeByClass(index, class_name)
            if why_not(node) or node.GetAttribute(MADE_HERE):
                continue
            image = scene_image(node)
            key = image.main.GetID()
            if key in seen or image.main.GetAttribute(MADE_HERE):
                continue
            seen.add(key)
            found.append(image)
    return found


def unchanged(image: SceneImage, volume: Volume, progress: Progress | None = None) -> SceneImage:
    """An image as its scene has it now: another browser and proxy perhaps, but frames and voxels of before.

    Parameters
    ----------
    image, volume:
        As they were looked at. One that was removed since is not told here.
    progress:
        Called with (0, 0) before each frame of a cine is read, and compared; what it raises ends it.

    Raises
    ------
    CMROrientError
        Where voxels or grid are others by now, or the frames of a cine or what they are counted by.
    """
    current = volume_of(of_the_same_frames(image), volume.slice_axis, progress)
    if current.grid != volume.grid or not _same_voxels(current.array, volume.array, progress):
        raise CMROrientError(_changed(), image.name)
    # The progress may have let people do something.
    return of_the_same_frames(image)


def of_the_same_frames(image: SceneImage) -> SceneImage:
    """As ``unchanged``, but for the voxels: nothing is read."""
    now = scene_image(image.main)
    same = len(now.frames) == len(image.frames) and all(map(is_, now.frames, image.frames))
    if not same or now.index_values != image.index_values:
        raise CMROrientError(_changed(), image.name)
    # Of several browsers that play a sequence, people see the one that it was found in.
    return image if plays(image.browser, image.sequence, image.node) else now


def _changed() -> str:
    return _("the image has changed since it was looked at; press Recognize again")


def _same_voxels(now: NDArray[Any], then: NDArray[Any], progress: Progress | None) -> bool:
    """Looked at phase by phase where there are any."""
    if now.shape != then.shape or now.ndim < 4:
        return np.array_equal(now, then, equal_nan=True)
    for one, other in zip(now, then, strict=True):
        if progress is not None:
            progress(0, 0)
        if not np.array_equal(one, other, equal_nan=True):
            return False
    return True
