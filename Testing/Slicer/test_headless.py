"""Runs as ``Slicer --no-main-window --python-script``: a folder is corrected, the exit status tells.

Left out with its reason where there is no ONNX Runtime; fails there, too, where the environment variable
CMRORIENT_TEST_REQUIRE_ALL is set. Any other error ends with a status other than 0.
"""

import sys
import tempfile
import traceback
import unittest
from pathlib import Path


def check() -> None:
    """Correct a small study of the synthetic heart by the command that scripts use."""
    import slicer

    if slicer.app.layoutManager() is not None:
        raise AssertionError("this test is about Slicer without a main window")
    import numpy as np
    from CMROrientPanel.self_test import need_onnx_runtime, phantom_node

    from CMROrient import CMROrientLogic
    from CMROrientLib import io as files
    from CMROrientLib.orientation import Orientation
    from CMROrientLib.phantom.phantom import make_phantom
    from CMROrientLib.slicer_cli import main

    need_onnx_runtime()
    with tempfile.TemporaryDirectory() as folder:
        study, out = Path(folder) / "in", Path(folder) / "out"
        study.mkdir()
        for orientation in (Orientation.FLIP_VERTICAL, Orientation.ROTATE_90):
            files.write(make_phantom(orientation=orientation), study / f"{orientation.value}.nii.gz")
        status = main(["--", "correct", str(study), "-o", str(out), "--jobs", "2"])
        if status != 0:
            raise AssertionError(f"the command ended with {status}")
        for path in study.iterdir():
            if not np.array_equal(files.read(out / path.name).array, make_phantom().array):
                raise AssertionError(f"{path.name} did not come back")
        if main(["--", "correct", str(study / "missing"), "-o", str(out)]) == 0:
            raise AssertionError("a missing input ended with 0")
    made = CMROrientLogic().correct(phantom_node(Orientation.FLIP_VERTICAL))
    if made.node is None:
        raise AssertionError("the logic wrote no node")


if __name__ == "__main__":
    try:
        check()
    except unittest.SkipTest as reason:
        print(f"skipped: {reason}")
    except BaseException:
        traceback.print_exc()
        sys.exit(1)
    sys.exit(0)
