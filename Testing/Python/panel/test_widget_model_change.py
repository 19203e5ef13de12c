# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""A verdict is that of the model that looked: where another one is chosen afterwards, it says so."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from panel_driver import opened, panel, phantom_node, press, select
from slicer_host import application, scene, slicer

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]

STALE = "Not of the chosen model"


def test_changing_the_model_marks_the_verdict_as_stale(panel: Any) -> None:
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    assert STALE not in panel.ui.verdictLabel.text
    panel.ui.modelComboBox.currentIndex = panel.panel.models.index("cine")
    assert STALE in panel.ui.verdictLabel.text and "“universal”" in panel.ui.verdictLabel.text
    assert "upside down" in panel.ui.verdictLabel.text and panel.ui.correctButton.enabled
    panel.ui.modelComboBox.currentIndex = panel.panel.models.index("universal")
    assert STALE not in panel.ui.verdictLabel.text
    panel.ui.modelComboBox.currentIndex = panel.panel.models.index("cine")
    press(panel.ui.recognizeButton)
    assert STALE not in panel.ui.verdictLabel.text and "upside down" in panel.ui.verdictLabel.text


def test_another_file_of_a_model_marks_it_too(panel: Any, tmp_path: Path) -> None:
    from CMROrientLib.recognition.cards.model_files import MODELS, PARTS

    for suffix in PARTS:
        shutil.copy((MODELS / "cine").with_suffix(suffix), tmp_path)
    select(panel, phantom_node(2))
    panel.ui.modelComboBox.currentIndex = len(panel.panel.models)
    panel.ui.modelPathEdit.currentPath = str(tmp_path / "cine.onnx")
    press(panel.ui.recognizeButton)
    assert STALE not in panel.ui.verdictLabel.text
    panel.ui.modelPathEdit.currentPath = str(MODELS / "lge.onnx")
    assert STALE in panel.ui.verdictLabel.text and "“cine”" in panel.ui.verdictLabel.text


def test_a_decision_of_a_person_is_never_stale(panel: Any) -> None:
    select(panel, phantom_node(2))
    panel.ui.classComboBox.currentIndex = 3
    panel.ui.modelComboBox.currentIndex = panel.panel.models.index("cine")
    assert STALE not in panel.ui.verdictLabel.text
