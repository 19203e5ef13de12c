# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""The panel in a Slicer that lacks packages: asked once, declined, offline."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import pytest
from panel_driver import SLICES, answer, opened, panel, phantom_node, press, select
from slicer_host import application, scene, slicer

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


def replace_pip(monkeypatch: pytest.MonkeyPatch, install: Callable[[str], None]) -> None:
    """Put a function in place of Slicer's own means: ``slicer.packaging`` where it is, else ``slicer.util``."""
    if importlib.util.find_spec("slicer.packaging") is not None:
        packaging = importlib.import_module("slicer.packaging")
        monkeypatch.setattr(packaging, "pip_ensure", lambda requirements, **_: install(" ".join(requirements)))
    monkeypatch.setattr(slicer.util, "pip_install", install)


@pytest.fixture
def without_packages(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A Slicer that lacks the packages until pip has run; returns what pip was asked for."""
    from CMROrientPanel import packages

    asked: list[str] = []
    absent = ["onnxruntime>=1.17", "scipy>=1.10"]
    monkeypatch.setattr(packages, "missing", lambda _needed: [] if asked else absent)
    replace_pip(monkeypatch, asked.append)
    return asked


def test_the_first_press_asks_once_and_installs(panel: Any, without_packages: list[str]) -> None:
    select(panel, phantom_node(2))
    texts = answer("Ok")
    press(panel.ui.recognizeButton)
    assert "onnxruntime" in texts[0] and without_packages == ["onnxruntime>=1.17 scipy>=1.10"]
    assert panel.ui.sliceTable.rowCount == SLICES
    press(panel.ui.recognizeButton)
    assert len(texts) == 1 and len(without_packages) == 1


def test_the_question_can_be_declined(panel: Any, without_packages: list[str]) -> None:
    select(panel, phantom_node(2))
    answer("Cancel")
    press(panel.ui.recognizeButton)
    assert "Nothing was installed" in panel.ui.statusLabel.text and not without_packages
    assert panel.ui.recognizeButton.enabled


def test_without_a_connection_it_says_what_to_do(
    panel: Any, without_packages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_requirements: str) -> None:
        raise RuntimeError("no route to host")

    replace_pip(monkeypatch, fail)
    select(panel, phantom_node(2))
    answer("Ok")
    press(panel.ui.recognizeButton)
    said = panel.ui.statusLabel.text
    assert "no route to host" in said and "pip download onnxruntime scipy" in said and "--find-links" in said


def test_scripts_are_never_asked(panel: Any, without_packages: list[str]) -> None:
    from CMROrientLib.errors import CMROrientError

    with pytest.raises(CMROrientError, match=r"slicer\.util\.pip_install"):
        panel.logic.recognize(phantom_node(2))
