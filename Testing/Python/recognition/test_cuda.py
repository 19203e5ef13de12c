"""CUDA that is refused says why, and as far as it can be told without torch it is told without torch."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from parts import need_module
from sample_study import MODEL, environment

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.recognition import cuda, engines
from CMROrientLib.recognition.cards.model_files import MODELS, ModelFiles, find_model
from CMROrientLib.recognition.engines import choose_device, open_engine

#: Files ``version.py`` of PyTorch's builds, and whether each was built without CUDA.
BUILDS = {
    "from typing import Optional\ncuda: Optional[str] = None\nhip: Optional[str] = None\n": True,
    "cuda = None\nhip = None\n": True,
    "from typing import Optional\ncuda: Optional[str] = '12.6'\nhip: Optional[str] = None\n": False,
    "cuda = None\nhip = '6.2'\n": False,
    "nothing = 1\n": False,
    "cuda = (": False,
}


class Machine:
    """A machine that has some of what CUDA needs."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.patch = monkeypatch
        self.has: set[str] = set()
        real = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, *_: self.spec(name) if name in WANTED else real(name, *_)
        )
        monkeypatch.setattr(cuda, "has_driver", lambda: "driver" in self.has)
        monkeypatch.setattr(engines, "_has_cuda_driver", lambda: "driver" in self.has)

    def spec(self, name: str) -> ModuleSpec | None:
        return ModuleSpec(name, None, origin=str(self.folder / "__init__.py")) if name in self.has else None

    def build(self, version: str) -> None:
        (self.folder / "version.py").write_text(version, encoding="utf-8")


WANTED = ("torch", "safetensors")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        ("", "no NVIDIA driver"),
        ("torch safetensors", "no NVIDIA driver"),
        ("driver", "PyTorch is not installed"),
        ("driver safetensors", "PyTorch is not installed"),
        ("driver torch", "the package safetensors is not installed"),
    ],
)
def test_what_has_to_be_mended_first_is_told(machine: Machine, there: str, reason: str) -> None:
    machine.has |= set(there.split())
    assert reason in str(cuda.why_no_cuda_yet())
    assert cuda.only_safetensors_is_missing() == (there == "driver torch")


def test_nothing_speaks_against_a_machine_that_has_all(machine: Machine) -> None:
    machine.has |= {"driver", "torch", "safetensors"}
    assert cuda.why_no_cuda_yet() is None and not cuda.only_safetensors_is_missing()


@pytest.mark.parametrize("version", BUILDS)
def test_a_pytorch_without_cuda_is_told_by_its_version_file(machine: Machine, version: str) -> None:
    machine.has |= {"driver", "torch", "safetensors"}
    machine.build(version)
    assert ("built without CUDA" in str(cuda.why_no_cuda_yet())) == BUILDS[version]
    machine.has.remove("safetensors")
    assert cuda.only_safetensors_is_missing() != BUILDS[version]


def test_a_pytorch_without_a_device_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = need_module("torch")
    need_module("safetensors")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    reason = "built without CUDA" if torch.version.cuda is None and not torch.version.hip else "finds no device"
    assert reason in str(cuda.why_torch_cannot())
    monkeypatch.setattr(cuda, "_built_without_cuda", lambda: False)
    with pytest.raises(UsageError, match="finds no device that it can use"):
        choose_device("cuda")


@pytest.mark.parametrize("there", ["", "safetensors"])
def test_a_device_that_is_asked_for_by_name_says_what_is_missing(machine: Machine, there: str) -> None:
    machine.has |= {there}
    with pytest.raises(UsageError, match="PyTorch is not installed"):
        choose_device("cuda")
    machine.has |= {"torch"}
    machine.has -= {"safetensors"}
    with pytest.raises(UsageError, match="safetensors is not installed"):
        choose_device("cuda")


@pytest.fixture
def without_weights(tmp_path: Path) -> ModelFiles:
    """A model that lacks its weights for PyTorch."""
    for suffix in (".onnx", ".json"):
        shutil.copy((MODELS / MODEL).with_suffix(suffix), tmp_path)
    return find_model(tmp_path)


def test_a_model_without_weights_for_pytorch_runs_on_the_cpu(
    without_weights: ModelFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (cuda, engines):
        for name in ("has_driver", "_has_cuda_driver", "has_torch", "has_safetensors"):
            if name in vars(module):
                monkeypatch.setattr(module, name, lambda: True)
        monkeypatch.setattr(module, "why_torch_cannot", lambda: None)
    monkeypatch.setattr(cuda, "_built_without_cuda", lambda: False)
    assert open_engine(without_weights, "auto").description == "CPU"
    assert "lacks its file" in str(cuda.why_not_auto(without_weights))
    assert f"{MODEL}.safetensors" in str(cuda.why_not_auto(without_weights))
    assert cuda.why_not_auto(find_model(MODEL)) is None


def test_pytorch_needs_the_weights_and_says_so(without_weights: ModelFiles) -> None:
    need_module("torch")
    need_module("safetensors")
    with pytest.raises(CMROrientError, match="the weights cannot be read"):
        open_engine(without_weights, "torch-cpu")


def test_training_cannot_start_from_it_and_says_so(without_weights: ModelFiles) -> None:
    need_module("torch")
    need_module("safetensors")
    from CMROrientLib.training import train

    with pytest.raises(CMROrientError, match="training starts from its"):
        train._weights(str(without_weights.onnx))


def test_nothing_of_pytorch_is_loaded_to_tell() -> None:
    code = (
        "import sys; from CMROrientLib.recognition import cuda\n"
        "cuda.has_driver = lambda: True\n"
        "cuda.why_no_cuda_yet(), cuda.only_safetensors_is_missing()\n"
        "print([name for name in ('torch', 'safetensors', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert "torch" not in done.stdout and "safetensors" not in done.stdout
