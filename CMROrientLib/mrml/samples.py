"""The synthetic heart as nodes of a scene: sample data that nobody has to download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import CMROrientError
from ..i18n import _
from ..orientation import Orientation
from ..volume import Volume
from .node_types import BrowserNode, SequenceNode, VolumeNode
from .nodes import put_array, put_grid, right_handed
from .requirements import FOR_NETWORK, install_by_hand
from .sequences import into_browser

if TYPE_CHECKING:
    from ..phantom.phantom import HeaderKind

#: Milliseconds between two phases of the cine: a heart that beats 75 times a minute.
_BEAT = 800


@dataclass(frozen=True)
class Sample:
    """One image of the synthetic heart.

    Parameters
    ----------
    key:
        Names its picture.
    orientation, header:
        How it is stored, and what its header says of it.
    phases:
        One for a volume, more for a cine.
    """

    key: str
    orientation: Orientation
    header: HeaderKind = "true"
    phases: int = 1

    @property
    def name(self) -> str:
        """What people choose it by."""
        return {
            "stack": _("CMROrient phantom (stack)"),
            "cine": _("CMROrient phantom (cine)"),
            "mirrored": _("CMROrient phantom (mirrored)"),
        }[self.key]

    def make(self) -> Volume:
        """The image, right-handed as Slicer holds volumes; a few seconds of work.

        Raises CMROrientError where Slicer lacks SciPy, which draws it.
        """
        try:
            from ..phantom.phantom import make_phantom
        except ImportError as error:
            by_hand = install_by_hand([FOR_NETWORK["scipy"]])
            raise CMROrientError(by_hand) from error
        size, slices = ((160, 192), 8) if self.phases == 1 else ((144, 176), 6)
        made = make_phantom(
            size=size, slices=slices, phases=self.phases, orientation=self.orientation, header=self.header
        )
        return right_handed(made).volume


#: A stack that is stored upside down, a cine that is turned, and a stack whose header knows nothing of its mirror.
SAMPLES = (
    Sample("stack", Orientation.FLIP_VERTICAL),
    Sample("cine", Orientation.ROTATE_90, phases=12),
    Sample("mirrored", Orientation.FLIP_HORIZONTAL, header="false"),
)


def add_sample(sample: Sample) -> VolumeNode:
    """Put a sample into the scene; the volume that people see, for the cine the one that plays it."""
    import slicer

    volume, name = sample.make(), str(slicer.mrmlScene.GenerateUniqueName(sample.name))
    return add_cine(volume, name)[0] if sample.phases > 1 else add_stack(volume, name)


def add_stack(volume: Volume, name: str) -> VolumeNode:
    """A volume node of a stack, as loading its file makes one."""
    import slicer
    from vtk.util.numpy_support import get_vtk_array_type

    array, grid = volume.stored()
    node: VolumeNode = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    put_array(node, array, get_vtk_array_type(array.dtype))
    put_grid(node, grid)
    node.CreateDefaultDisplayNodes()
    return node


def add_cine(volume: Volume, name: str) -> tuple[VolumeNode, SequenceNode, BrowserNode]:
    """A cine (``[phase, slice, row, column]``): the volume that plays it, its sequence and its browser."""
    import slicer

    scene = slicer.mrmlScene
    sequence: SequenceNode = scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    sequence.SetIndexName("trigger time")
    sequence.SetIndexUnit("ms")
    frames = [Volume(array, volume.grid, volume.slice_axis) for array in volume.array]
    for phase, frame in enumerate(frames):
        node = add_stack(frame, name)
        sequence.SetDataNodeAtValue(node, f"{phase * _BEAT / len(frames):g}")
        scene.RemoveNode(node)
    browser: BrowserNode = scene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", name)
    proxy = add_stack(frames[0], name)
    into_browser(browser, sequence, proxy)
    return proxy, sequence, browser
