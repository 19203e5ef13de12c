# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""Save as DICOM, from the console and on the panel: what it asks, what it writes, what it says."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest
from dicom_scene import imported, judge, load_cine, load_stack, opened_database
from panel_driver import answer, opened, panel, press, select
from phantom_dicom import phantom_files
from pydicom import dcmread
from slicer_host import add_volume, application, host, scene, slicer

from CMROrientLib.errors import CMROrientError
from CMROrientLib.phantom.phantom import make_phantom

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture(scope="module")
def logic() -> Any:
    return host.load_module().CMROrientLogic()


class TestConsole:
    """``CMROrientLogic``, with and without a window."""

    def test_an_image_is_recognized_and_saved(self, logic: Any, database: Any, tmp_path: Path) -> None:
        sources = phantom_files(tmp_path / "in", orientation=7)
        imported(database, tmp_path / "in")
        slicer.app.hasViews = False
        saved = logic.saveAsDicom(load_stack(sources))
        judge(database, saved, sources, 7)
        assert saved.description == "SAX (reoriented)"

    def test_a_result_of_correct_and_a_decided_class(self, logic: Any, database: Any, tmp_path: Path) -> None:
        sources = phantom_files(tmp_path / "in", orientation=3, slices=1, phases=3)
        imported(database, tmp_path / "in")
        proxy, _sequence, _browser = load_cine(sources)
        made = logic.correct(proxy, orientation=3, geometry="follow")
        judge(database, logic.saveAsDicom(made.node), sources, 3)
        assert logic.saveAsDicom(proxy, "follow", orientation=3).known
        assert not logic.saveAsDicom(proxy, "keep", orientation=3).known

    def test_what_cannot_be_saved_is_an_error_that_says_what_to_do(self, logic: Any) -> None:
        node = add_volume(make_phantom(size=(60, 60), slices=3), "from a file")
        with pytest.raises(CMROrientError, match=r"from a file: .*import its DICOM files in the DICOM module"):
            logic.saveAsDicom(node)
        with pytest.raises(CMROrientError, match="Select a volume"):
            logic.saveAsDicom(None)

    def test_a_database_that_fails_to_take_files_is_told(
        self,
        logic: Any,
        database: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        sources = phantom_files(tmp_path / "in")
        imported(database, tmp_path / "in")

        def full(*_: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr(database, "insert", full)
        with pytest.raises(CMROrientError, match="did not take"):
            logic.saveAsDicom(load_stack(sources), orientation=2)

    def test_an_old_pydicom_is_told(
        self,
        logic: Any,
        database: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        sources = phantom_files(tmp_path / "in")
        imported(database, tmp_path / "in")
        real = importlib.metadata.version
        monkeypatch.setattr("importlib.metadata.version", lambda name: "2.4.4" if name == "pydicom" else real(name))
        with pytest.raises(CMROrientError, match=r"pydicom 2\.4\.4 is too old"):
            logic.saveAsDicom(load_stack(sources), orientation=2)


class TestPanel:
    """The button."""

    def test_the_button_says_why_not_until_something_is_decided(
        self, panel: Any, database: Any, tmp_path: Path
    ) -> None:
        button = panel.ui.saveDicomButton
        assert not button.enabled and "Select a volume" in button.toolTip
        select(panel, add_volume(make_phantom(size=(60, 60), slices=3), "from a file"))
        assert not button.enabled and "not loaded from Slicer's DICOM database" in button.toolTip
        sources = phantom_files(tmp_path / "in")
        imported(database, tmp_path / "in")
        select(panel, load_stack(sources))
        assert not button.enabled and "Press Recognize first" in button.toolTip
        panel.ui.classComboBox.currentIndex = 1 + 2
        assert button.enabled and "derived series" in button.toolTip

    def test_recognized_and_saved(self, panel: Any, database: Any, tmp_path: Path) -> None:
        sources = phantom_files(tmp_path / "in", orientation=5)
        imported(database, tmp_path / "in")
        select(panel, load_stack(sources))
        press(panel.ui.recognizeButton)
        press(panel.ui.saveDicomButton)
        said = panel.ui.resultLabel.text
        assert "“SAX (reoriented)”, 5 files" in said and not panel.ui.resultLabel.isHidden()
        derived = series_beside(database, sources)
        assert len(derived) == 1
        press(panel.ui.saveDicomButton)
        assert "holds this correction already" in panel.ui.resultLabel.text
        assert series_beside(database, sources) == derived

    def test_what_correct_wrote_is_saved_without_another_look(self, panel: Any, database: Any, tmp_path: Path) -> None:
        sources = phantom_files(tmp_path / "in", orientation=2)
        imported(database, tmp_path / "in")
        select(panel, load_stack(sources))
        panel.ui.classComboBox.currentIndex = 1 + 2
        press(panel.ui.correctButton)
        select(panel, slicer.util.getNode("SAX standard"))
        press(panel.ui.saveDicomButton)
        assert "5 files" in panel.ui.resultLabel.text

    def test_a_mirror_is_asked_for(self, panel: Any, database: Any, tmp_path: Path) -> None:
        sources = phantom_files(tmp_path / "in", orientation=1, header="false")
        imported(database, tmp_path / "in")
        select(panel, load_stack(sources))
        panel.ui.classComboBox.currentIndex = 1 + 1
        texts = answer("No")
        press(panel.ui.saveDicomButton)
        assert "differ by a mirror" in texts[-1] and "declined" in panel.ui.statusLabel.text
        assert not series_beside(database, sources)
        answer("Yes")
        press(panel.ui.saveDicomButton)
        assert len(series_beside(database, sources)) == 1

    @pytest.mark.parametrize("events", [2, 7])
    def test_cancel_leaves_nothing(
        self, panel: Any, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: int
    ) -> None:
        sources = phantom_files(tmp_path / "in")
        imported(database, tmp_path / "in")
        select(panel, load_stack(sources))
        panel.ui.classComboBox.currentIndex = 1 + 2
        left, locked = [events], []

        def process() -> None:
            left[0] -= 1
            locked.append(panel.ui.recognizeButton.enabled or panel.ui.saveDicomButton.enabled)
            if left[0] == 0:
                panel.ui.cancelButton.click()

        monkeypatch.setattr(slicer.app, "processEvents", process)
        press(panel.ui.saveDicomButton)
        assert "Cancelled" in panel.ui.statusLabel.text and left[0] == 0 and not any(locked)
        assert not series_beside(database, sources) and panel.ui.saveDicomButton.enabled

    def test_errors_are_told_on_the_panel(
        self, panel: Any, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sources = phantom_files(tmp_path / "in")
        imported(database, tmp_path / "in")
        select(panel, load_stack(sources))
        panel.ui.classComboBox.currentIndex = 1 + 2
        sources[2].write_bytes(b"no DICOM any more")
        press(panel.ui.saveDicomButton)
        assert "im02_00.dcm" in panel.ui.statusLabel.text

    def test_an_old_pydicom_is_replaced_after_a_question(
        self, panel: Any, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sources = phantom_files(tmp_path / "in")
        imported(database, tmp_path / "in")
        select(panel, load_stack(sources))
        panel.ui.classComboBox.currentIndex = 1 + 2
        real = importlib.metadata.version
        monkeypatch.setattr("importlib.metadata.version", lambda name: "2.4.4" if name == "pydicom" else real(name))
        texts = answer("Cancel")
        press(panel.ui.saveDicomButton)
        assert "pydicom>=3.0" in texts[-1] and panel.ui.statusLabel.text == "Nothing was installed."


def series_beside(database: Any, sources: list[Path]) -> set[str]:
    """The series of the database that are not those of the sources."""
    own = str(dcmread(sources[0]).SeriesInstanceUID)
    return {series for (series,) in database._rows("select distinct Series from Images")} - {own}
