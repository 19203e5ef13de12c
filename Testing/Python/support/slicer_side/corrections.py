"""Corrections in the scene, as the panel makes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from slicer_host import slicer

from CMROrientLib.correction import plan
from CMROrientLib.mrml import session
from CMROrientLib.mrml.input import scene_image, volume_of
from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.output import Written, write
from CMROrientLib.mrml.provenance import Provenance
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.recognition.recognizer import decided
from CMROrientLib.volume import Volume

SMALL = (36, 40)
MODEL = SimpleNamespace(name="universal", checksum="ab" * 32)


def correct(
    node: Any, orientation: int, geometry: str = "auto", output: Any = None, segmentations: Any = ()
) -> Written:
    image = scene_image(node)
    volume = volume_of(image)
    result = decided(volume, orientation)
    correction = plan(result.orientation, result.header_orientation, geometry)
    placed = right_handed(correction.apply(volume))
    return write(image, volume, placed, Provenance(result, correction, geometry, MODEL), output, segmentations)


def decided_and_corrected(node: Any, orientation: int, **options: Any) -> session.Corrected:
    """As a person does it, so that what fails is undone."""
    examined = session.decide(node, orientation)
    return session.correct(examined, examined.recognition, **options)


def stored(orientation: int = Orientation.FLIP_VERTICAL, header: str = "true", **options: Any) -> Volume:
    return right_handed(make_phantom(size=SMALL, slices=4, orientation=orientation, header=header, **options)).volume


def node_ids() -> set[str]:
    nodes = [slicer.mrmlScene.GetNthNode(index) for index in range(slicer.mrmlScene.GetNumberOfNodes())]
    return {node.GetID() for node in nodes}
