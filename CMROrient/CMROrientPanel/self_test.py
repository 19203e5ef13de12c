"""The module's self test: the synthetic heart in all eight orientations, through real nodes."""

from __future__ import annotations

import os
import unittest
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import slicer

from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.mrml.requirements import FOR_FILES, states
from CMROrientLib.mrml.samples import SAMPLES, add_stack
from CMROrientLib.orientation import Orientation
from CMROrientLib.phantom.phantom import make_phantom

from . import samples

if TYPE_CHECKING:
    from CMROrientLib.mrml.node_types import VolumeNode

    from .logic import CMROrientLogic

#: Large enough for the network, small enough for a quick test.
SMALL = {"size": (130, 160), "slices": 5}


#: Where it is set, what cannot be tested fails; else it is left out with its reason.
REQUIRE_ALL = "CMRORIENT_TEST_REQUIRE_ALL"


def need_onnx_runtime() -> None:
    """Leave the running test out where there is no ONNX Runtime; machines that build extensions have none."""
    try:
        import onnxruntime  # noqa: F401
    except ImportError as error:
        _leave_out(f"ONNX Runtime cannot be imported, so nothing can be recognized ({error})")


def need_packages_of_files() -> None:
    """Leave the running test out where a package of folders and DICOM is missing or too old, as pydicom in 5.10."""
    lacking = [str(state) for state in states(FOR_FILES) if state.problem]
    if lacking:
        _leave_out(f"no command can work on folders ({', '.join(lacking)})")


def _leave_out(reason: str) -> NoReturn:
    if os.environ.get(REQUIRE_ALL):
        raise AssertionError(f"{reason}, and {REQUIRE_ALL} is set")
    raise unittest.SkipTest(reason)


def phantom_node(orientation: Orientation, header: str = "true", **options: int | tuple[int, int]) -> VolumeNode:
    """A volume node of the synthetic heart, right-handed as Slicer loads files; ``options`` of ``make_phantom``."""
    volume = right_handed(make_phantom(orientation=orientation, header=header, **options)).volume
    return add_stack(volume, f"phantom {orientation.value}")


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


def check_sample_data(case: unittest.TestCase, logic: CMROrientLogic) -> None:
    """Fail the test ``case`` unless each sample of the module Sample Data is recognized as it is stored."""
    import SampleData

    samples.register()
    for sample in SAMPLES:
        source = SampleData.SampleDataLogic().sourceForSampleName(sample.name)
        case.assertIsNotNone(source, f"{sample.name} is not offered")
        (node,) = source.customDownloader(source)
        found = logic.recognize(node)
        case.assertEqual(found.orientation, sample.orientation, sample.name)
        case.assertEqual(found.mirrored, sample.key == "mirrored", sample.name)
