"""Files that the system refuses: one that another program has open costs its image, never the run."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sample_study import correct, phantom, put


def open_elsewhere(path: Path) -> PermissionError:
    """What Windows says of a file that a viewer has open."""
    return PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def test_an_image_that_is_open_in_a_viewer_says_to_close_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    for name in ("a.nii", "b.nii"):
        put(phantom(5), source / name)
    replace = Path.replace

    def refuse(self: Path, target: Path) -> Path:
        if target == out / "a.nii":
            raise open_elsewhere(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", refuse)
    records = correct(source, out, orientation=5)
    assert records["b.nii"].error is None
    advice = "close the program that has it open, or give another folder"
    assert records["a.nii"].error == f"a.nii: cannot be written ({os.strerror(errno.EACCES)}); {advice}"
