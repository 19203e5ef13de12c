"""What comes out: new nodes beside the input, with its display, its place in the scene and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..correction import Correction
from ..errors import CMROrientError
from ..orientation import Orientation
from ..volume import Volume
from .input import MADE_HERE, Source, sequences_logic
from .nodes import FLIP, Placed, motion, put_volume, volume_from_node
from .segmentations import follow_label_map, follow_segmentation

if TYPE_CHECKING:
    from ..recognition.model_files import ModelFiles
    from ..recognition.result import Recognition

#: What a result's sentence ends with where Slicer's right-handed grids made a difference.
REVERSED = (
    "Slice order, slice direction and origin were reversed together, because the result would be left-handed "
    "and Slicer keeps right-handed grids; no voxel moves by it."
)

#: Attributes that tie slices to DICOM files: they no longer hold once voxels are in another order.
_TIES_TO_FILES = ("DICOM.instanceUIDs",)

_FOLLOWERS = ("vtkMRMLSegmentationNode", "vtkMRMLLabelMapVolumeNode")


@dataclass(frozen=True)
class Provenance:
    """Where a result comes from; every node that is written carries it as attributes.

    Parameters
    ----------
    decision:
        What was acted on: what the network said, or what the person decided.
    geometry:
        ``auto``, ``follow`` or ``keep``.
    model:
        The model that looked, None where none did.
    """

    decision: Recognition
    correction: Correction
    geometry: str
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


@dataclass(frozen=True)
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

    node: Any
    sequence: Any
    segmentations: tuple[Any, ...]
    slices_reversed: bool


@contextmanager
def scene_as_it_was(scene: Any) -> Iterator[None]:
    """Whatever is added to the scene inside is taken out again where an error or a cancel ends it."""
    import vtk

    added: list[Any] = []

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def remember(_caller: Any, _event: str, node: Any) -> None:
        added.append(node)

    tag = scene.AddObserver(scene.NodeAddedEvent, remember)
    try:
        yield
    except BaseException:
        scene.RemoveObserver(tag)
        # Browsers first: they make a new proxy for a sequence that has lost its own.
        for node in added:
            if scene.IsNodePresent(node):
                _out_of_browsers(node)
        for node in reversed(added):
            if scene.IsNodePresent(node):
                scene.RemoveNode(node)
        raise
    scene.RemoveObserver(tag)


@contextmanager
def _image_as_it_was(node: Any) -> Iterator[None]:
    """A volume that is written into keeps its voxels and place where an error ends the writing."""
    if node is None:
        yield
        return
    import vtk

    image, matrix = node.GetImageData(), vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    try:
        yield
    except BaseException:
        node.SetAndObserveImageData(image)
        node.SetIJKToRASMatrix(matrix)
        raise


def _out_of_browsers(node: Any) -> None:
    """A browser would go on listing a sequence that has left the scene."""
    if not node.IsA("vtkMRMLSequenceNode"):
        return
    browser = sequences_logic().GetFirstBrowserNodeForSequenceNode(node)
    while browser is not None:
        browser.RemoveSynchronizedSequenceNode(node.GetID())
        browser = sequences_logic().GetFirstBrowserNodeForSequenceNode(node)


def write(
    source: Source,
    volume: Volume,
    placed: Placed,
    provenance: Provenance,
    output: Any = None,
    segmentations: Sequence[Any] = (),
) -> Written:
    """Write a corrected image, and what follows it, into the scene; the input is not touched.

    Parameters
    ----------
    source, volume:
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
        Where the output is an input, or a node cannot follow. The scene is then as it was.
    """
    scene = source.frames[0].GetScene() if source.node is None else source.node.GetScene()
    if source.sequence is not None:
        scene = source.sequence.GetScene()
    _check(source, output, segmentations)
    turned = not provenance.correction.changes_nothing
    attributes = provenance.attributes(placed.slices_reversed)
    # A motion belongs to the image; the place of every voxel of a mask follows from it.
    moved = motion(volume, placed.volume)
    with scene_as_it_was(scene), _image_as_it_was(output):
        sequence = None
        if source.is_cine:
            node, sequence = _write_cine(scene, source, placed.volume)
        else:
            node = output or scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", _name(scene, source.name))
            _fill(node, source.frames[0], placed.volume)
        follow = _Follow(moved, placed.volume, _frame_of(node, sequence))
        followers = [_write_follower(scene, source, mask, follow) for mask in segmentations]
        if source.node is not None and node is not None:
            _dress(node, source.node)
        if sequence is not None and source.browser is not None:
            _into_browser(source.browser, sequence, node)
        for made in (node, sequence):
            if made is not None:
                _note(made, source.sequence or source.node, attributes, turned)
        for mask, follower in zip(segmentations, followers, strict=True):
            _note(follower, mask, attributes, turned)
    return Written(node, sequence, tuple(followers), placed.slices_reversed)


def votes_table(scene: Any, recognition: Recognition, name: str) -> Any:
    """A table node with a row for each slice that was looked at; it saves with the scene.

    Slices and phases count from 1, as on the panel. The last eight columns are the probabilities
    of the classes 0 to 7.
    """
    import vtk

    columns: list[tuple[str, type, list[Any]]] = [
        ("Phase", vtk.vtkIntArray, [int(phase) + 1 for phase, _ in recognition.slice_indices]),
        ("Slice", vtk.vtkIntArray, [int(index) + 1 for _, index in recognition.slice_indices]),
    ]
    winners = [Orientation(int(row.argmax())) for row in recognition.slice_probabilities]
    columns += [
        ("Class", vtk.vtkIntArray, [int(winner) for winner in winners]),
        ("Orientation", vtk.vtkStringArray, [winner.label for winner in winners]),
        ("Probability", vtk.vtkDoubleArray, [float(row.max()) for row in recognition.slice_probabilities]),
        ("Agreement", vtk.vtkDoubleArray, [float(share) for share in recognition.agreement]),
    ]
    columns += [
        (f"P{k.value} {k.label}", vtk.vtkDoubleArray, [float(value) for value in recognition.slice_probabilities[:, k]])
        for k in Orientation
    ]
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(f"{name} votes"))
    table = vtk.vtkTable()
    for title, kind, values in columns:
        column = kind()
        column.SetName(title)
        for value in values:
            column.InsertNextValue(value)
        table.AddColumn(column)
    node.SetAndObserveTable(table)
    node.SetUseColumnTitleAsColumnHeader(True)
    node.SetDescription("A row for each slice that was looked at; slices and phases count from 1.")
    node.SetAttribute("CMROrient.Votes", " ".join(str(int(count)) for count in recognition.votes))
    return node


def show(node: Any) -> bool:
    """Show a volume in the slice views; the first one shows its slices as they are stored.

    Columns grow to the right and rows downwards there, so that a corrected volume looks as it
    should. The other views turn to the volume's other planes. False where there are no views.
    """
    import slicer
    import vtk

    layout = slicer.app.layoutManager()
    if layout is None or not layout.sliceViewNames():
        return False
    # Turned one by one to their closest planes, no view need show the slices of an oblique stack.
    slicer.util.setSliceViewerLayers(background=node, rotateToVolumePlane=True)
    to_world = vtk.vtkMatrix4x4()
    if node.GetParentTransformNode() is not None and node.GetParentTransformNode().IsTransformToWorldLinear():
        node.GetParentTransformNode().GetMatrixTransformToWorld(to_world)
    world = np.array([[to_world.GetElement(row, column) for column in range(4)] for row in range(4)])
    volume = volume_from_node(node)
    columns, rows, _ = (world[:3, :3] @ FLIP[:3, :3] @ volume.grid.directions).T
    centre = (world @ FLIP @ [*volume.grid.centre, 1.0])[:3]
    names = list(layout.sliceViewNames())
    first = "Red" if "Red" in names else names[0]
    view = layout.sliceWidget(first).mrmlSliceNode()
    view.SetSliceToRASByNTP(*np.cross(columns, -rows), *columns, *centre, 0)
    slicer.util.setSliceViewerLayers(fit=True)
    return True


def _check(source: Source, output: Any, segmentations: Sequence[Any]) -> None:
    if output is not None and source.is_cine:
        raise CMROrientError("a cine is written as a new sequence of the same browser; leave the output at “new”")
    if output is not None and (output is source.node or output in segmentations):
        raise CMROrientError("the output is the input; choose another output volume, the input stays as it is")
    if output is not None and output.GetClassName() != "vtkMRMLScalarVolumeNode":
        raise CMROrientError("the output must be a scalar volume", output.GetName())
    for mask in segmentations:
        if mask.GetClassName() not in _FOLLOWERS:
            raise CMROrientError("only segmentations and label maps can follow an image", mask.GetName())
        if mask.IsA("vtkMRMLLabelMapVolumeNode") and mask.GetImageData() is None:
            raise CMROrientError("this label map holds no voxels", mask.GetName())


def _write_cine(scene: Any, source: Source, volume: Volume) -> tuple[Any, Any]:
    """A new sequence with the corrected frames in the same browser, and its proxy."""
    name = _name(scene, source.name)
    sequence = _new_sequence(scene, source.sequence, name)
    for phase, frame in enumerate(source.frames):
        made = frame.CreateNodeInstance()
        made.SetName(frame.GetName() or name)
        _fill(made, frame, volume, phase)
        sequence.SetDataNodeAtValue(made, source.sequence.GetNthIndexValue(phase))
        made.UnRegister(None)
    if source.browser is None:
        return None, sequence
    proxy = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    phase = max(source.browser.GetSelectedItemNumber(), 0)
    _fill(proxy, source.frames[phase], volume, phase)
    return proxy, sequence


def _into_browser(browser: Any, sequence: Any, proxy: Any) -> None:
    browser.AddProxyNode(proxy, sequence, False)
    sequences_logic().UpdateProxyNodesFromSequences(browser)


@dataclass(frozen=True)
class _Follow:
    """How masks move: the image's motion, its corrected volume and a node that has its geometry."""

    motion: NDArray[np.float64]
    volume: Volume
    node: Any

    def __call__(self, mask: Any, target: Any) -> None:
        if mask.IsA("vtkMRMLSegmentationNode"):
            follow_segmentation(mask, target, self.motion, self.node)
        else:
            follow_label_map(mask, target, self.motion, self.volume.stored()[1])


def _write_follower(scene: Any, source: Source, mask: Any, follow: _Follow) -> Any:
    """The node that follows; a mask with frames of its own in the cine's browser keeps all of them."""
    name = _name(scene, mask.GetName())
    follower = scene.AddNewNodeByClass(mask.GetClassName(), name)
    frames = source.browser.GetSequenceNode(mask) if source.browser is not None else None
    follow(mask, follower)
    _dress(follower, mask)
    if frames is not None:
        sequence = _new_sequence(scene, frames, name)
        for index in range(frames.GetNumberOfDataNodes()):
            frame = frames.GetNthDataNode(index)
            # Segmentations need a scene while they are filled; the sequence keeps a copy of its own.
            made = scene.AddNewNodeByClass(mask.GetClassName(), name)
            follow(frame, made)
            sequence.SetDataNodeAtValue(made, frames.GetNthIndexValue(index))
            scene.RemoveNode(made)
        _into_browser(source.browser, sequence, follower)
    return follower


def _new_sequence(scene: Any, like: Any, name: str) -> Any:
    sequence = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    for copied in ("IndexName", "IndexUnit", "IndexType"):
        getattr(sequence, f"Set{copied}")(getattr(like, f"Get{copied}")())
    _place(sequence, like)
    return sequence


def _frame_of(node: Any, sequence: Any) -> Any:
    return node if node is not None else sequence.GetNthDataNode(0)


def _fill(node: Any, like: Any, volume: Volume, phase: int = 0) -> None:
    put_volume(node, volume, like.GetImageData().GetScalarType(), phase)
    node.SetVoxelValueQuantity(like.GetVoxelValueQuantity())
    node.SetVoxelValueUnits(like.GetVoxelValueUnits())


def _dress(node: Any, like: Any) -> None:
    """Window, level and colour, transform and subject-hierarchy parent of another volume."""
    _copy_display(like, node)
    _place(node, like)


def _copy_display(like: Any, node: Any) -> None:
    node.CreateDefaultDisplayNodes()
    if like.GetDisplayNode() and node.GetDisplayNode():
        node.GetDisplayNode().Copy(like.GetDisplayNode())


def _place(node: Any, like: Any) -> None:
    if node.IsA("vtkMRMLTransformableNode"):
        node.SetAndObserveTransformNodeID(like.GetTransformNodeID())
    import slicer

    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(node.GetScene())
    stored = hierarchy.GetItemByDataNode(like)
    if not stored:
        return
    parent = hierarchy.GetItemParent(stored)
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, parent)
    else:
        hierarchy.CreateItem(parent, node)


def _note(node: Any, source: Any, attributes: dict[str, str], turned: bool) -> None:
    """Provenance; what the source said about its DICOM files is kept as far as it is still true."""
    for name in list(source.GetAttributeNames() or ()):
        if not name.startswith(("CMROrient.", "Sequences.")) and not (turned and name in _TIES_TO_FILES):
            node.SetAttribute(name, source.GetAttribute(name))
    for name in _TIES_TO_FILES if turned else ():
        node.RemoveAttribute(name)
    for name, value in attributes.items():
        node.SetAttribute(name, value)
    node.SetNodeReferenceID("CMROrient.source", source.GetID())


def _name(scene: Any, name: str) -> str:
    return str(scene.GenerateUniqueName(f"{name} standard"))


def _class(orientation: Orientation) -> str:
    return f"{int(orientation)} {orientation.name}"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
