"""The module's self test: the synthetic heart in all eight orientations, through real nodes."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING

import numpy as np
import slicer
from vtk.util.numpy_support import get_vtk_array_type

from CMROrientLib.mrml.nodes import put_array, put_grid, right_handed
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom

if TYPE_CHECKING:
    from CMROrientLib.mrml.node_types import VolumeNode

    from .logic import CMROrientLogic

#: Large enough for the network, small enough for a quick test.
SMALL = {"size": (130, 160), "slices": 5}


def phantom_node(orientation: Orientation, header: str = "true", **options: int | tuple[int, int]) -> VolumeNode:
    """A volume node of the synthetic heart, right-handed as Slicer loads files; ``options`` of ``make_phantom``."""
    array, grid = right_handed(make_phantom(orientation=orientation, header=header, **options)).volume.stored()
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", f"phantom {orientation.value}")
    put_array(node, array, get_vtk_array_type(array.dtype))
    put_grid(node, grid)
    node.CreateDefaultDisplayNodes()
    return node


def check_all_orientations(case: unittest.TestCase, logic: CMROrientLogic) -> None:
    """Fail the test ``case`` unless every class is recognized and comes back voxel for voxel."""
    original = make_phantom(**SMALL).array
    for orientation in Orientation:
        made = logic.correct(phantom_node(orientation, **SMALL))
        case.assertEqual(made.recognition.orientation, orientation)
        array = slicer.util.arrayFromVolume(made.node)
        case.assertTrue(
            np.array_equal(array, original) or np.array_equal(array[::-1], original), f"class {orientation.value}"
        )
        case.assertEqual(made.node.GetAttribute("CMROrient.Orientation"), f"{orientation.value} {orientation.name}")
