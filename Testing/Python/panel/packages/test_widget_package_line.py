# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""The line that tells what there is of the packages, and the button that repairs them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
from typing import Any

import pytest
from panel_driver import answer, opened, panel, phantom_node, press, select
from slicer_host import application, scene, slicer

# isort: split
from pip_stand_in import Pip

pytestmark = pytest.mark.usefixtures("scene")


class Installed(Pip):
    """Versions of packages that a Slicer has; None for one that it lacks. Pip brings what it is asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from CMROrientPanel import packages

        super().__init__(monkeypatch)
        self.versions: dict[str, str | None] = {"torch": None, "safetensors": None}
        self.version, self.find = importlib.metadata.version, importlib.util.find_spec
        monkeypatch.setattr(importlib.metadata, "version", self.version_of)
        monkeypatch.setattr(importlib.util, "find_spec", self.spec_of)
        monkeypatch.setattr(packages, "_DECLINED", set())

    def version_of(self, name: str) -> str:
        if name not in self.versions:
            return self.version(name)
        if self.versions[name] is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return str(self.versions[name])

    def spec_of(self, name: str, *given: Any) -> Any:
        return None if self.versions.get(name, "") is None else self.find(name, *given)

    def __call__(self, requirements: str) -> None:
        super().__call__(requirements)
        for requirement in requirements.split():
            name, _sign, least = requirement.partition(">=")
            self.versions[name] = least


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Installed:
    return Installed(monkeypatch)


def test_the_line_tells_each_version(panel: Any, installed: Installed) -> None:
    installed.versions.update(onnxruntime="1.22.1", scipy="1.15.3", pydicom="3.0.2")
    panel.enter()
    assert panel.ui.packagesLabel.text.startswith("onnxruntime 1.22.1, scipy 1.15.3<br>No CUDA: ")
    assert "For folders" not in panel.ui.packagesLabel.text
    assert "nibabel" in panel.ui.packagesLabel.toolTip and "PyTorch" in panel.ui.packagesLabel.toolTip
    assert not panel.ui.packagesButton.enabled and "Nothing is missing" in panel.ui.packagesButton.toolTip


def test_the_line_tells_the_versions_that_cuda_has(
    panel: Any, installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    from CMROrientLib.recognition import cuda

    monkeypatch.setattr(cuda, "why_no_cuda_yet", lambda: None)
    monkeypatch.setattr(panel.logic, "_refused", None)
    installed.versions.update(torch="2.9.0+cu126", safetensors="0.6.2")
    panel.enter()
    assert "For CUDA: torch 2.9.0+cu126, safetensors 0.6.2" in panel.ui.packagesLabel.text


def test_what_is_missing_or_too_old_stands_out_and_can_be_repaired(panel: Any, installed: Installed) -> None:
    installed.versions.update(onnxruntime=None, pydicom="2.4.4", nibabel=None)
    panel.enter()
    said = panel.ui.packagesLabel.text
    assert "<b>onnxruntime is missing</b>" in said
    assert (
        "For folders and DICOM: <b>nibabel is missing</b>, <b>pydicom 2.4.4 is too old (3.0 is the least)</b>" in said
    )
    texts = answer("Ok")
    press(panel.ui.packagesButton)
    assert all(name in texts[0] for name in ("onnxruntime>=1.17", "nibabel>=5.2", "pydicom>=3.0"))
    assert installed.asked == ["onnxruntime>=1.17 nibabel>=5.2 pydicom>=3.0"]
    assert "onnxruntime 1.17" in panel.ui.packagesLabel.text and "For folders" not in panel.ui.packagesLabel.text
    assert panel.ui.statusLabel.text.startswith("Installed: onnxruntime nibabel pydicom.")
    assert not panel.ui.packagesButton.enabled


def test_a_package_that_is_in_use_takes_a_restart(
    panel: Any, installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", sys)
    installed.versions.update(pydicom="2.4.4")
    panel.enter()
    answer("Ok")
    press(panel.ui.packagesButton)
    assert "Restart Slicer" in panel.ui.statusLabel.text and "pydicom" in panel.ui.statusLabel.text


def test_repairing_can_be_declined(panel: Any, installed: Installed) -> None:
    installed.versions.update(onnxruntime=None)
    panel.enter()
    answer("Cancel")
    press(panel.ui.packagesButton)
    assert installed.asked == [] and panel.ui.packagesButton.enabled
    assert "Nothing was installed" in panel.ui.statusLabel.text


def test_repairing_locks_the_panel(panel: Any, installed: Installed) -> None:
    seen: list[bool] = []

    def meanwhile() -> None:
        ui = panel.ui
        seen.extend(button.enabled for button in (ui.packagesButton, ui.recognizeButton, ui.cancelButton))
        panel.panel._package_line.repair()

    installed.meanwhile = meanwhile
    installed.versions.update(onnxruntime=None)
    select(panel, phantom_node(2))
    panel.enter()
    texts = answer("Ok")
    press(panel.ui.packagesButton)
    assert seen == [False] * 3 and len(texts) == 1 and len(installed.asked) == 1
    assert panel.ui.recognizeButton.enabled and panel.ui.cancelButton.enabled


def test_safetensors_is_repaired_where_pytorch_is(panel: Any, installed: Installed) -> None:
    installed.versions["pydicom"] = "3.0.2"
    panel.enter()
    assert not panel.ui.packagesButton.enabled
    installed.versions["torch"] = "2.9.0"
    panel.enter()
    answer("Ok")
    press(panel.ui.packagesButton)
    assert installed.asked == ["safetensors>=0.4"]
