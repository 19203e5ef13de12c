# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Cancel at each moment at which it can be pressed: scene, files, cursor and buttons are as before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dicom_scene import imported, load_stack, opened_database
from panel_driver import heart, opened, panel, phantom_node, select
from phantom_dicom import phantom_files
from scene_snapshot import differences, snapshot
from slicer_host import add_volume, application, host, scene, slicer

pytestmark = [
    pytest.mark.usefixtures("scene"),
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


def cancelled_at_each(panel: Any, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """At how many moments the work was cancelled; raises where one of them left anything behind."""
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    left = [0]

    def process() -> None:
        left[0] -= 1
        if left[0] == 0:
            panel.ui.cancelButton.click()

    monkeypatch.setattr(slicer.app, "processEvents", process)
    before = snapshot(panel)
    for moment in range(1, 200):
        left[0] = moment
        work()
        if "Cancelled" not in panel.ui.statusLabel.text:
            return moment - 1
        assert differences(before, snapshot(panel)) == [], moment
    raise AssertionError("it never came to its end")


def test_recognize(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    select(panel, add_volume(heart(2, slices=3), "SAX"))
    assert cancelled_at_each(panel, panel.panel.recognize, monkeypatch) >= 3


def test_apply_to_all(panel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    add_volume(heart(2, slices=3), "one")
    add_volume(heart(3, slices=3), "two")
    panel.enter()
    assert cancelled_at_each(panel, panel.panel.apply_all, monkeypatch) >= 4


def test_save_as_dicom(panel: Any, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = phantom_files(tmp_path / "in", slices=3)
    imported(database, tmp_path / "in")
    select(panel, load_stack(sources))
    panel.ui.classComboBox.currentIndex = 1 + 2

    def save() -> None:
        panel.panel._save_dicom.save()
        cancelled = "Cancelled" in panel.ui.statusLabel.text
        listed = database._rows("select distinct Series from Images")
        kept = [path for path in (tmp_path / "database").rglob("*") if path.is_file() and path.suffix != ".sql"]
        assert (len(listed), len(kept)) == ((1, 0) if cancelled else (2, len(sources)))

    assert cancelled_at_each(panel, save, monkeypatch) >= 6
