"""A stand-in for pip that lets events through while it runs, as Slicer's does: on 5.10 with each line of pip's
output, on 5.12 round its own window. Nothing is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable

import pytest
import slicer


class Pip:
    """What is asked of pip, and what happens meanwhile.

    Parameters
    ----------
    monkeypatch:
        Puts it in place of Slicer's own means: ``slicer.packaging`` where it is, else ``slicer.util``.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        #: The requirements of each call.
        self.asked: list[str] = []
        #: Done by the person, or by the scene, in the middle of each call.
        self.meanwhile: Callable[[], None] = lambda: None
        #: Raised in the end of a call that asks for what it names.
        self.errors: dict[str, Exception] = {}
        if importlib.util.find_spec("slicer.packaging") is not None:
            packaging = importlib.import_module("slicer.packaging")
            monkeypatch.setattr(packaging, "pip_ensure", lambda requirements, **_options: self(" ".join(requirements)))
        monkeypatch.setattr(slicer.util, "pip_install", self)

    def __call__(self, requirements: str) -> None:
        """Run: three lines of output, and between them whatever happens meanwhile."""
        import qt

        self.asked.append(requirements)
        qt.QTimer.singleShot(0, self.meanwhile)
        for _line in range(3):
            slicer.app.processEvents()
        for name, error in self.errors.items():
            if name in requirements:
                raise error
