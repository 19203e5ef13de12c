# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""The panel in a Slicer that lacks packages: asked once, declined, offline."""

from __future__ import annotations

from typing import Any

import pytest
from panel_driver import SLICES, answer, opened, panel, phantom_node, press, select
from slicer_host import application, scene, slicer

# isort: split
from pip_stand_in import Pip

pytestmark = [
    pytest.mark.usefixtures("scene"),
    # Qt 5's binding takes an int here, and nothing else.
    pytest.mark.filterwarnings("ignore:.*setTextAlignment:DeprecationWarning"),
]


class Lacking(Pip):
    """A Slicer that lacks packages until pip has run, and a pip that lets events through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from CMROrientPanel import packages

        super().__init__(monkeypatch)
        self.absent = ["onnxruntime>=1.17", "scipy>=1.10"]
        monkeypatch.setattr(packages, "missing", self.missing)
        monkeypatch.setattr(packages, "_DECLINED", set())

    def missing(self, needed: dict[str, str]) -> list[str]:
        got = " ".join(self.asked).split()
        return [one for one in self.absent if one in needed.values() and one not in got]


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Lacking:
    return Lacking(monkeypatch)


@pytest.fixture
def without_packages(pip: Lacking) -> list[str]:
    """What pip was asked for in a Slicer that lacks the packages."""
    return pip.asked


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


def test_without_a_connection_it_says_what_to_do(panel: Any, pip: Lacking) -> None:
    pip.errors["onnxruntime"] = RuntimeError("no route to host")
    select(panel, phantom_node(2))
    answer("Ok")
    press(panel.ui.recognizeButton)
    said = panel.ui.statusLabel.text
    assert "no route to host" in said and "pip download onnxruntime scipy" in said and "--find-links" in said


def test_scripts_are_never_asked(panel: Any, without_packages: list[str]) -> None:
    from CMROrientLib.errors import CMROrientError

    with pytest.raises(CMROrientError, match=r"slicer\.util\.pip_install"):
        panel.logic.recognize(phantom_node(2))


def test_the_panel_is_locked_while_packages_are_installed(panel: Any, pip: Lacking) -> None:
    from PySide6.QtWidgets import QApplication

    seen: dict[str, Any] = {}

    def meanwhile() -> None:
        ui, cursor = panel.ui, QApplication.overrideCursor()
        seen["words"] = ui.progressBar.format
        seen["cursor"] = cursor and cursor.shape().name
        buttons = (ui.recognizeButton, ui.correctButton, ui.applyAllButton, ui.cancelButton, ui.packagesButton)
        seen["enabled"] = [button.name for button in buttons if button.enabled]
        for button in buttons:
            button.click()

    pip.meanwhile = meanwhile
    select(panel, phantom_node(2))
    texts = answer("Ok")
    press(panel.ui.recognizeButton)
    assert seen == {"words": "Installing onnxruntime scipy", "cursor": "WaitCursor", "enabled": []}
    assert len(texts) == 1 and len(pip.asked) == 1, "a second press started a second one"
    assert QApplication.overrideCursor() is None
    assert panel.ui.sliceTable.rowCount == SLICES and panel.ui.recognizeButton.enabled


def test_apply_to_all_installs_inside_its_lock(panel: Any, pip: Lacking) -> None:
    running: list[bool] = []
    pip.meanwhile = lambda: running.append(panel.panel.task.running)
    select(panel, phantom_node(2))
    answer("Ok")
    press(panel.ui.applyAllButton)
    assert running == [True] and "1 image corrected" in panel.ui.resultLabel.text


def test_another_way_to_the_work_cannot_start_it_twice(
    panel: Any, pip: Lacking, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine, looks = panel.logic.examine, []

    def counted(*given: Any, **options: Any) -> Any:
        looks.append(given)
        return examine(*given, **options)

    monkeypatch.setattr(panel.logic, "examine", counted)
    pip.meanwhile = panel.panel.recognize
    select(panel, phantom_node(2))
    texts = answer("Ok")
    press(panel.ui.recognizeButton)
    assert len(texts) == 1 and len(pip.asked) == 1 and len(looks) == 1
    assert panel.ui.sliceTable.rowCount == SLICES and not panel.panel.task.running


def test_leaving_the_module_while_packages_are_installed_loses_nothing(panel: Any, pip: Lacking) -> None:
    def meanwhile() -> None:
        panel.exit()
        panel.enter()

    pip.meanwhile = meanwhile
    select(panel, phantom_node(2))
    answer("Ok")
    press(panel.ui.recognizeButton)
    assert panel.ui.sliceTable.rowCount == SLICES


def test_closing_the_scene_while_packages_are_installed_ends_quietly(panel: Any, pip: Lacking) -> None:
    pip.meanwhile = lambda: slicer.mrmlScene.Clear(0)
    select(panel, phantom_node(2))
    answer("Ok")
    press(panel.ui.recognizeButton)
    assert "the scene was closed" in panel.ui.statusLabel.text and panel.ui.sliceTable.rowCount == 0


def test_an_image_that_is_removed_while_packages_are_installed_is_told(panel: Any, pip: Lacking) -> None:
    node = phantom_node(2)
    pip.meanwhile = lambda: slicer.mrmlScene.RemoveNode(node)
    select(panel, node)
    answer("Ok")
    press(panel.ui.recognizeButton)
    assert "was removed" in panel.ui.statusLabel.text and panel.ui.sliceTable.rowCount == 0
