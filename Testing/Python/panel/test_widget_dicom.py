"""Save as DICOM, from the console and on the panel: what it asks, what it writes, what it says."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import Any

import pytest
from dicom_scene import imported, judge, load_cine, load_stack, opened_database, phantom_files  # noqa: F401
from slicer_host import add_volume, application, host, scene, slicer  # noqa: F401

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
