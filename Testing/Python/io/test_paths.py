"""Names of files as records, people and Windows write them."""

from __future__ import annotations

import os
from pathlib import Path

from CMROrientLib.io.paths import long_path, short_path


def test_long_windows_paths() -> None:
    path = Path("folder") / ("x" * 250)
    if os.name == "nt":
        assert str(long_path(path)).startswith("\\\\?\\")
        assert short_path(str(long_path(path))) == str(path.absolute())
    else:
        assert long_path(path) == path
    assert short_path(r"\\?\C:\a.nii: broken") == r"C:\a.nii: broken"
    assert short_path(r"\\?\UNC\host\a.nii") == r"\\host\a.nii"
