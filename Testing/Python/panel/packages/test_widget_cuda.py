# ruff: noqa: F401, F811 (pytest takes fixtures by their names)
"""CUDA on the panel: what it lacks is offered, never insisted on, and where it is refused the panel says why."""

from __future__ import annotations

from collections.abc import Callable
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


class Machine(Pip):
    """A Slicer with all that recognition needs, and of what CUDA needs only what ``has`` names."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from CMROrientPanel import packages

        from CMROrientLib.recognition import cuda

        super().__init__(monkeypatch)
        self.has = {"driver", "torch", "build", "safetensors"}
        monkeypatch.setattr(cuda, "has_driver", lambda: "driver" in self.has)
        monkeypatch.setattr(cuda, "has_torch", lambda: "torch" in self.has)
        monkeypatch.setattr(cuda, "has_safetensors", self.has_safetensors)
        monkeypatch.setattr(cuda, "_built_without_cuda", lambda: "build" not in self.has)
        monkeypatch.setattr(cuda, "why_torch_cannot", lambda: "PyTorch finds no device that it can use")
        monkeypatch.setattr(packages, "missing", self.missing)
        monkeypatch.setattr(packages, "_DECLINED", set())

    def has_safetensors(self) -> bool:
        return "safetensors" in self.has or "safetensors>=0.4" in self.asked

    def missing(self, needed: dict[str, str]) -> list[str]:
        return [one for name, one in needed.items() if name == "safetensors" and not self.has_safetensors()]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(monkeypatch)


def recognized(panel: Any) -> bool:
    return panel.ui.sliceTable.rowCount == SLICES and panel.ui.correctButton.enabled


def test_what_cuda_lacks_is_offered_and_installed(panel: Any, machine: Machine) -> None:
    machine.has.remove("safetensors")
    select(panel, phantom_node(2))
    panel.enter()
    assert "safetensors is not installed" in panel.ui.packagesLabel.text
    texts = answer("Ok")
    press(panel.ui.recognizeButton)
    assert "safetensors is not installed" not in panel.ui.packagesLabel.text
    assert "safetensors" in texts[0] and "CUDA" in texts[0] and "the CPU is used" in texts[0]
    assert machine.asked == ["safetensors>=0.4"] and recognized(panel)


def test_declining_it_does_not_stop_recognize_and_is_not_asked_again(panel: Any, machine: Machine) -> None:
    machine.has.remove("safetensors")
    select(panel, phantom_node(2))
    texts = answer("Cancel")
    press(panel.ui.recognizeButton)
    assert recognized(panel) and machine.asked == [] and panel.ui.deviceLabel.text == "CPU"
    press(panel.ui.recognizeButton)
    assert len(texts) == 1
    assert "safetensors is not installed" in panel.ui.packagesLabel.text


def test_without_a_connection_it_goes_on_on_the_cpu_and_says_so(panel: Any, machine: Machine) -> None:
    machine.has.remove("safetensors")
    machine.errors["safetensors"] = RuntimeError("no route to host")
    monkey = machine.asked
    select(panel, phantom_node(2))
    answer("Ok")
    press(panel.ui.recognizeButton)
    assert recognized(panel) and monkey == ["safetensors>=0.4"]
    assert "on the CPU" in panel.ui.statusLabel.text and "no route to host" in panel.ui.statusLabel.text


@pytest.mark.parametrize("lacks", ["driver", "torch", "build"])
def test_it_is_not_offered_where_something_else_stands_in_the_way(panel: Any, machine: Machine, lacks: str) -> None:
    machine.has -= {lacks, "safetensors"}
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    assert recognized(panel) and machine.asked == []


def test_it_is_not_offered_where_the_person_chose_the_cpu(panel: Any, machine: Machine) -> None:
    machine.has.remove("safetensors")
    select(panel, phantom_node(2))
    panel.ui.deviceComboBox.currentIndex = 1
    press(panel.ui.recognizeButton)
    assert recognized(panel) and machine.asked == []


@pytest.mark.parametrize(
    ("lacks", "reason"),
    [
        ("driver", "no NVIDIA driver was found"),
        ("torch", "PyTorch is not installed"),
        ("build", "this PyTorch was built without CUDA"),
        ("safetensors", "the package safetensors is not installed"),
    ],
)
def test_the_panel_says_why_cuda_is_refused(panel: Any, machine: Machine, lacks: str, reason: str) -> None:
    machine.has.remove(lacks)
    panel.enter()
    assert f"No CUDA: {reason}" in panel.ui.packagesLabel.text


def test_what_only_pytorch_can_tell_is_told_after_recognize(
    panel: Any, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel.logic, "_refused", None)
    panel.enter()
    assert "No CUDA" not in panel.ui.packagesLabel.text and "torch" in panel.ui.packagesLabel.text
    select(panel, phantom_node(2))
    press(panel.ui.recognizeButton)
    assert "No CUDA: PyTorch finds no device that it can use" in panel.ui.packagesLabel.text
    assert panel.ui.deviceLabel.text == "CPU"


def test_a_model_that_lacks_its_weights_for_cuda_is_told(panel: Any, machine: Machine, tmp_path: Any) -> None:
    import shutil

    from CMROrientLib.recognition.cards.model_files import MODELS

    for suffix in (".onnx", ".json"):
        shutil.copy((MODELS / "universal").with_suffix(suffix), tmp_path)
    select(panel, phantom_node(2))
    panel._parameterNode.modelFile = str(tmp_path / "universal.onnx")
    panel._parameterNode.modelName = ""
    press(panel.ui.recognizeButton)
    assert recognized(panel)
    assert "No CUDA: the model lacks its file universal.safetensors" in panel.ui.packagesLabel.text
