"""What the person chose; it saves with the scene."""

from __future__ import annotations

import enum
from typing import Union

from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSequenceNode
from slicer.i18n import tr as _
from slicer.parameterNodeWrapper import parameterNodeWrapper


class DeviceChoice(enum.Enum):
    """Where the network runs."""

    AUTO = "auto"
    CPU = "cpu"

    def label(self) -> str:
        """The text in the selector."""
        return {"auto": _("Automatic"), "cpu": _("CPU only")}[self.value]


class GeometryChoice(enum.Enum):
    """What happens to the header's directions."""

    AUTO = "auto"
    FOLLOW = "follow"
    KEEP = "keep"

    def label(self) -> str:
        """The text in the selector."""
        return {
            "auto": _("Automatic"),
            "follow": _("Voxels stay in place (follow)"),
            "keep": _("Directions stay (keep)"),
        }[self.value]


@parameterNodeWrapper
class CMROrientParameterNode:
    """The parameter node with types.

    inputVolume: the volume, or the cine's sequence or proxy.
    modelName: a bundled model, or "" for modelFile.
    userClass: the class that the person decided on, -1 to take the network's.
    outputVolume: None for a new one.
    """

    inputVolume: Union[vtkMRMLScalarVolumeNode, vtkMRMLSequenceNode, None]  # noqa: UP007  Slicer's wrapper asks for it
    modelName: str = "universal"
    modelFile: str = ""
    device: DeviceChoice = DeviceChoice.AUTO
    geometry: GeometryChoice = GeometryChoice.AUTO
    outputVolume: vtkMRMLScalarVolumeNode
    userClass: int = -1
