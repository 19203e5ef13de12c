"""What a developer's reload leaves behind."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from slicer_host import application, host, scene  # noqa: F401

pytestmark = pytest.mark.usefixtures("scene")


def test_reading_the_module_again_adds_nothing_to_the_path() -> None:
    host.load_module()
    before = list(sys.path)
    for _again in range(2):
        spec = importlib.util.spec_from_file_location("CMROrientReadAgain", host.MODULE)
        assert spec is not None and spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    assert sys.path == before
