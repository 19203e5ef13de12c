"""Run a network: ONNX Runtime on the CPU, PyTorch on CUDA when available.

Both run the same weights. A plain install needs no torch: ``auto`` looks for a CUDA driver
before it imports torch, which takes seconds.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import CMROrientError, UsageError
from ..i18n import _
from .cuda import has_driver as _has_cuda_driver
from .cuda import has_safetensors, has_torch, why_torch_cannot

if TYPE_CHECKING:
    from torch import Tensor

    from .cards.architecture import Architecture
    from .cards.model_files import ModelFiles

#: Slices run at once on the CPU. Larger batches gain nothing there and cost page faults.
CPU_BATCH = 16
#: Slices run at once on CUDA.
CUDA_BATCH = 128

#: Loaded networks stay: a run asks for the same one again and again.
_ENGINES: dict[tuple[Path, str, str, int | None], Engine] = {}
_LOCK = threading.Lock()

#: Sessions of the process that this one was forked from. Their threads are not here, and a lock that one of
#: them held stays held: to run or to free them may wait for ever.
_OF_THE_PARENT: list[object] = []


def _renew_lock() -> None:
    """A thread that held it when the process was forked is not here to let go of it."""
    global _LOCK
    _LOCK = threading.Lock()


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_renew_lock)


class Engine(Protocol):
    """A loaded network."""

    @property
    def description(self) -> str:
        """The device in words."""

    @property
    def batch(self) -> int:
        """How many inputs are run at once."""

    def run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """Logits (N, outputs) of inputs (N, channels, rows, columns), both float32.

        A network that draws gives the place of the heart behind them, see ``inference``.
        """


def open_engine(model: ModelFiles, device: str = "auto", threads: int | None = None) -> Engine:
    """Load a model once for each device and number of threads.

    Parameters
    ----------
    model:
        What ``find_model`` returned.
    device:
        ``auto`` (CUDA when there is a driver, a torch that can use it and weights for it, else the CPU), ``cpu``
        (ONNX Runtime; PyTorch where that cannot be loaded), ``cuda`` or ``cuda:N`` (PyTorch),
        ``torch-cpu`` (PyTorch on the CPU, to compare with).
    threads:
        CPU threads; all cores where None.

    Raises
    ------
    UsageError
        Where the device is unknown, or is CUDA and there is none.
    CMROrientError
        Where the weights, or ONNX Runtime with no PyTorch in its place, cannot be loaded.
    """
    chosen = choose_device("cpu" if device == "auto" and not model.safetensors.is_file() else device)
    if chosen == "cpu":
        chosen = _engine_of_the_cpu()
    key = (model.onnx, model.checksum, chosen, threads)
    with _LOCK:
        if key not in _ENGINES:
            _ENGINES[key] = (
                OnnxEngine(model.onnx, threads or 0)
                if chosen == "cpu"
                else TorchEngine(model.safetensors, model.card.architecture, chosen, threads)
            )
        return _ENGINES[key]


def choose_device(device: str = "auto") -> str:
    """The device that a name stands for: ``cpu``, ``cuda``, ``cuda:N`` or ``torch-cpu``.

    Raises ``UsageError`` for names that stand for none, and for CUDA where it cannot be used.
    """
    if device in ("cpu", "torch-cpu"):
        if device == "torch-cpu" and not has_torch():
            raise UsageError(_("PyTorch is not installed; use the device 'cpu'"))
        return device
    if device == "auto":
        return "cuda" if _has_cuda_driver() and why_torch_cannot() is None else "cpu"
    if device == "cuda" or (device.startswith("cuda:") and device[5:].isdigit()):
        reason = why_torch_cannot()
        if reason is not None:
            raise UsageError(_("CUDA cannot be used: {reason}; use the device 'cpu' or 'auto'").format(reason=reason))
        return device
    raise UsageError(_("there is no device {name!r}; devices are auto, cpu, cuda and cuda:N").format(name=device))


def _engine_of_the_cpu() -> str:
    """``cpu``, or ``torch-cpu`` where ONNX Runtime is broken and PyTorch can stand in for it."""
    try:
        import onnxruntime  # noqa: F401
    except Exception as error:  # a broken install raises what it likes: OSError, ImportError, RuntimeError
        if has_torch() and has_safetensors():
            return "torch-cpu"
        said = [_("ONNX Runtime cannot be loaded ({error}).").format(error=_first_line(error))]
        if sys.platform == "win32":
            said.append(_("Install the newest “Microsoft Visual C++ Redistributable” and start again."))
        said.append(_("Or install PyTorch and safetensors, which are used in its place then."))
        raise CMROrientError(" ".join(said)) from error
    return "cpu"


class OnnxEngine:
    """ONNX Runtime on the CPU."""

    description = "CPU"
    batch = CPU_BATCH

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Load ``path``; 0 threads means one for each core."""
        self._path, self._threads = path, threads
        self._load()

    def _load(self) -> None:
        import onnxruntime

        path, threads = self._path, self._threads
        self._process = os.getpid()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or available_cores()
        options.inter_op_num_threads = 1
        # Waiting threads that spin take the cores from the other workers of a run.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            # Bytes, not the path: the runtime does not take every Windows path.
            self._session = onnxruntime.InferenceSession(
                path.read_bytes(), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except OSError as error:
            said = _("the model cannot be read ({error}); check its permissions").format(error=error.strerror or error)
            raise CMROrientError(said, path) from error
        except Exception as error:  # the runtime's own classes derive from Exception only
            said = _("ONNX Runtime cannot load this model ({error}); copy or export it anew").format(
                error=_first_line(error)
            )
            raise CMROrientError(said, path) from error
        self._input = self._session.get_inputs()[0].name
        self._output = self._session.get_outputs()[0].name

    def run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """See ``Engine.run``."""
        if self._process != os.getpid():
            _OF_THE_PARENT.append(self._session)
            self._load()
        parts = [
            self._session.run([self._output], {self._input: np.ascontiguousarray(inputs[start : start + self.batch])})[
                0
            ]
            for start in range(0, len(inputs), self.batch)
        ]
        return np.concatenate(parts)


class TorchEngine:
    """PyTorch, on CUDA or on the CPU, with the weights of the ``.safetensors`` file."""

    def __init__(self, weights: Path, architecture: Architecture, device: str, threads: int | None = None) -> None:
        """Build ``architecture`` and load ``weights``."""
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load

        from .networks import build

        self.device = torch.device("cpu" if device == "torch-cpu" else device)
        if self.device.type == "cpu":
            self.batch = CPU_BATCH
            if threads:
                torch.set_num_threads(threads)
        else:
            self.batch = CUDA_BATCH
        try:
            network = build(architecture.name, **architecture.settings)
            network.load_state_dict(load(weights.read_bytes()))
        except OSError as error:
            said = _("the weights cannot be read ({error}); check its permissions").format(
                error=error.strerror or error
            )
            raise CMROrientError(said, weights) from error
        except (KeyError, RuntimeError, TypeError, ValueError, CMROrientError, SafetensorError) as error:
            said = _("the weights do not fit the network of their card ({error}); export the model anew").format(
                error=_first_line(error)
            )
            raise CMROrientError(said, weights) from error
        self._network = network.eval().to(self.device)
        # What cuDNN is told below holds for all threads: one at a time.
        self._alone = threading.Lock()
        self.description = (
            "CPU (PyTorch)" if self.device.type == "cpu" else f"CUDA: {torch.cuda.get_device_name(self.device)}"
        )

    @property
    def is_cuda(self) -> bool:
        """Whether it is not the CPU."""
        return self.device.type != "cpu"

    def run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """See ``Engine.run``."""
        import torch

        with torch.inference_mode():
            parts = [
                self.run_there(torch.from_numpy(np.ascontiguousarray(inputs[start : start + self.batch])))
                for start in range(0, len(inputs), self.batch)
            ]
            return np.concatenate([part.cpu().numpy() for part in parts])

    def run_there(self, inputs: Tensor) -> Tensor:
        """Logits as of ``run`` for one batch of inputs, which may lie on the device already; they are left there."""
        import torch

        # TF32 would cost three digits; the two engines agree to 1e-4 without it.
        with self._alone, torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            logits: Tensor = self._network(inputs.to(self.device)).float()
        return logits


def available_cores() -> int:
    """The cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Windows and macOS
        return os.cpu_count() or 1


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
