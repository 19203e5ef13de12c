"""The engines give the same answers, and the CPU's needs no torch."""

from __future__ import annotations

import builtins
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from parts import need_module
from sample_study import MODEL, environment, phantom

from CMROrientLib.errors import CMROrientError, UsageError
from CMROrientLib.io import write
from CMROrientLib.recognition import engines
from CMROrientLib.recognition.cards.architecture import Architecture
from CMROrientLib.recognition.cards.model_files import ModelFiles, find_model
from CMROrientLib.recognition.engines import CPU_BATCH, Engine, choose_device, open_engine
from CMROrientLib.recognition.inference import MEASURES, PLACE


@pytest.fixture(scope="module")
def model() -> ModelFiles:
    return find_model(MODEL)


@pytest.fixture(scope="module")
def inputs(model: ModelFiles) -> np.ndarray:
    preprocessing = model.card.preprocessing
    shape = (2 * CPU_BATCH + 5, preprocessing.channels, preprocessing.size, preprocessing.size)
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def log_probabilities(engine: Engine, inputs: np.ndarray, outputs: int) -> np.ndarray:
    logits = engine.run(inputs)[:, :outputs].astype(float)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def test_batches_change_nothing(model: ModelFiles, inputs: np.ndarray) -> None:
    engine = open_engine(model, "cpu")
    together = engine.run(inputs)
    places = PLACE if model.card.crop_diameters else 0
    places += MEASURES if model.card.architecture.measures else 0
    assert together.shape == (len(inputs), model.card.outputs + places)
    assert together.dtype == np.float32
    one_by_one = np.concatenate([engine.run(inputs[n : n + 1]) for n in range(len(inputs))])
    np.testing.assert_allclose(together, one_by_one, atol=1e-4)


def test_both_engines_give_the_same_on_the_cpu(model: ModelFiles, inputs: np.ndarray) -> None:
    need_module("torch")
    need_module("safetensors")
    torch_engine = open_engine(model, "torch-cpu", threads=1)
    assert torch_engine.description == "CPU (PyTorch)"
    outputs = model.card.outputs
    onnx = log_probabilities(open_engine(model, "cpu"), inputs, outputs)
    assert onnx.std() > 0.01
    np.testing.assert_allclose(log_probabilities(torch_engine, inputs, outputs), onnx, atol=1e-4)
    places = [engine.run(inputs)[:, outputs:] for engine in (torch_engine, open_engine(model, "cpu"))]
    np.testing.assert_allclose(*places, atol=1e-4)


def test_cuda_gives_the_same(model: ModelFiles, inputs: np.ndarray) -> None:
    if choose_device("auto") != "cuda":
        pytest.skip("needs a CUDA device")
    engine = open_engine(model, "auto")
    assert engine.description.startswith("CUDA: ")
    outputs = model.card.outputs
    onnx = log_probabilities(open_engine(model, "cpu"), inputs, outputs)
    np.testing.assert_allclose(log_probabilities(engine, inputs, outputs), onnx, atol=1e-4)


def test_a_network_is_loaded_once(model: ModelFiles) -> None:
    assert open_engine(model, "cpu") is open_engine(find_model(MODEL), "cpu")
    assert open_engine(model, "cpu", threads=1) is not open_engine(model, "cpu")


@pytest.mark.parametrize("device", ["gpu", "", "cuda:x", "CPU"])
def test_unknown_devices_are_refused(model: ModelFiles, device: str) -> None:
    with pytest.raises(UsageError, match="there is no device"):
        open_engine(model, device)


def test_cuda_is_refused_where_there_is_none(model: ModelFiles) -> None:
    if choose_device("auto") == "cuda":
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(UsageError, match="CUDA cannot be used"):
        open_engine(model, "cuda")


def test_auto_leaves_torch_alone_without_a_driver() -> None:
    code = (
        "import sys; from CMROrientLib.recognition import engines\n"
        "from CMROrientLib.recognition.cards.model_files import find_model\n"
        "engines._has_cuda_driver = lambda: False\n"
        f"print(engines.open_engine(find_model({MODEL!r}), 'auto').description, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["CPU", "False"]


def test_recognition_needs_no_package_of_training(tmp_path: Path) -> None:
    write(phantom(5), tmp_path / "turned.nii")
    code = (
        "import sys\n"
        "sys.modules.update(dict.fromkeys(['skimage', 'sklearn', 'monai', 'torch', 'safetensors', 'matplotlib']))\n"
        "import CMROrientLib as cmr\n"
        f"volume = cmr.read({str(tmp_path / 'turned.nii')!r})\n"
        f"print(int(cmr.Recognizer({MODEL!r}).recognize(volume).orientation))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["5"]


def test_damaged_models_are_told(model: ModelFiles, tmp_path: Path) -> None:
    broken = tmp_path / "model.onnx"
    broken.write_bytes(model.onnx.read_bytes()[:1000])
    with pytest.raises(CMROrientError, match="ONNX Runtime cannot load this model"):
        open_engine(replace(model, onnx=broken, checksum="broken"), "cpu")
    with pytest.raises(CMROrientError, match="the model cannot be read"):
        open_engine(replace(model, onnx=tmp_path / "missing.onnx", checksum="missing"), "cpu")


def test_weights_that_do_not_fit_are_told(model: ModelFiles, tmp_path: Path) -> None:
    need_module("torch")
    need_module("safetensors")
    other = replace(model.card, architecture=Architecture("orientnet"))
    with pytest.raises(CMROrientError, match="do not fit the network"):
        open_engine(replace(model, card=other, checksum="other"), "torch-cpu")
    weights = tmp_path / "weights.safetensors"
    shutil.copy(model.onnx, weights)
    with pytest.raises(CMROrientError, match="weights"):
        open_engine(replace(model, safetensors=weights, checksum="weights"), "torch-cpu")


@pytest.fixture
def broken_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    """An ONNX Runtime whose libraries cannot be loaded, as on Windows with an old Visual C++ runtime."""
    real = builtins.__import__

    def load(name: str, *given: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "onnxruntime":
            raise ImportError("DLL load failed while importing onnxruntime_pybind11_state")
        return real(name, *given, **options)

    monkeypatch.setattr(builtins, "__import__", load)
    monkeypatch.setattr(engines, "_ENGINES", {})
    monkeypatch.setattr(engines, "_has_cuda_driver", lambda: False)


@pytest.mark.usefixtures("broken_runtime")
@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_pytorch_runs_where_onnx_runtime_cannot_be_loaded(model: ModelFiles, device: str) -> None:
    need_module("torch")
    need_module("safetensors")
    assert open_engine(model, device).description == "CPU (PyTorch)"
    assert open_engine(model, device) is open_engine(model, "torch-cpu")


@pytest.mark.usefixtures("broken_runtime")
@pytest.mark.parametrize("platform", ["win32", "linux"])
def test_without_pytorch_it_says_what_to_install(
    model: ModelFiles, monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *given: None if name == "torch" else find(name, *given)
    )
    monkeypatch.setattr(engines.sys, "platform", platform)
    with pytest.raises(CMROrientError, match="ONNX Runtime cannot be loaded") as told:
        open_engine(model, "cpu")
    assert "DLL load failed" in str(told.value) and "PyTorch" in str(told.value)
    assert ("Visual C++" in str(told.value)) == (platform == "win32")
