"""The panel in a window, and what a person does with it."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from slicer_host import add_volume, host, scene, slicer  # noqa: F401

from CMROrientLib.mrml.nodes import right_handed
from CMROrientLib.phantom.phantom import make_phantom
from CMROrientLib.volume import Volume

#: Small enough for speed, large enough for the network.
SIZE, SLICES = (130, 160), 5


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    """The module's panel, opened once as in a session of Slicer."""
    panel, window = host.open_panel()
    yield panel
    host.close_panel(panel, window)


@pytest.fixture
def panel(scene: Any, opened: Any) -> Iterator[Any]:  # noqa: F811
    """The panel in an empty scene; no question may be left unanswered or unasked."""
    from mrml_widgets import ANSWERS

    ANSWERS.prepared.clear()
    ANSWERS.texts.clear()
    opened.enter()
    yield opened
    assert not ANSWERS.prepared, "a question was expected and not asked"


def answer(*buttons: str) -> list[str]:
    """Prepare what the person presses in the boxes to come; returns the texts that will be shown."""
    from mrml_widgets import ANSWERS
    from PySide6.QtWidgets import QMessageBox

    ANSWERS.prepared += [getattr(QMessageBox.StandardButton, button) for button in buttons]
    return ANSWERS.texts


@functools.cache
def heart(orientation: int = 0, header: str = "true", phases: int = 1, slices: int = SLICES) -> Volume:
    """A small synthetic stack, right-handed as Slicer loads files."""
    return right_handed(
        make_phantom(size=SIZE, slices=slices, phases=phases, orientation=orientation, header=header)
    ).volume


def phantom_node(orientation: int, header: str = "true", name: str = "SAX") -> Any:
    return add_volume(heart(orientation, header), name)


def select(panel: Any, node: Any) -> None:
    panel.ui.inputSelector.setCurrentNode(node)
    assert panel._parameterNode.inputVolume is node


def press(button: Any) -> None:
    assert button.enabled, button.toolTip
    button.click()


@contextlib.contextmanager
def at_step(panel: Any, sentence: str, number: int, action: Callable[[], object]) -> Iterator[None]:
    """Let something happen when the work shows a sentence for the ``number``-th time; it has to come to that."""
    task, counted = panel.panel.task, []
    showing = task._show

    def show(running: bool, said: str, done: int, total: int) -> None:
        showing(running, said, done, total)
        if said == sentence:
            counted.append(said)
            if len(counted) == number:
                action()

    task._show = show
    try:
        yield
    finally:
        task._show = showing
    assert len(counted) >= number, f"“{sentence}” was shown {len(counted)} times"


def came_back(array: np.ndarray, original: np.ndarray) -> bool:
    """Voxel for voxel, up to the order of slices."""
    return np.array_equal(array, original) or np.array_equal(array[::-1], original)


def names() -> set[str]:
    found = [slicer.mrmlScene.GetNthNode(index) for index in range(slicer.mrmlScene.GetNumberOfNodes())]
    return {node.GetName() for node in found if node.GetName()}


def column(table: Any, index: int) -> list[str]:
    return [table.item(row, index).text() for row in range(table.rowCount)]
