"""Networks beside each other: the bundled ones, the paper's, and the two that it compared with, in one harness.

What a network takes for an input says nothing of what it knows: the two last ones are not trained here.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..recognition.cards.architecture import Architecture
from ..recognition.cards.model_files import find_model
from ..recognition.engines import Engine, OnnxEngine
from ..recognition.preprocessing import Preprocessing

#: Inputs that are run at once, and how often each network's turn comes.
_BATCH, _ROUNDS = 8, 7

#: Inputs at once: one slice, a stack of ten, and more than a stack.
_BATCHES = (1, 10, 20, 40)

#: The networks that the paper compared its own with, MONAI's, on the paper's inputs.
BASELINES = ("resnet18", "densenet121")


@dataclass(frozen=True)
class _Network:
    name: str
    architecture: Architecture
    preprocessing: Preprocessing
    engine: Engine

    def inputs(self, count: int) -> NDArray[np.float32]:
        """Noise of the network's size."""
        size = self.preprocessing.size
        return np.random.default_rng(0).standard_normal((count, self.preprocessing.channels, size, size), np.float32)


def measure(place: Path, model: str | Path, rate: float) -> dict[str, object]:
    """CPU milliseconds for an input on one thread, networks in turn, beside the floor of their matrix products.

    Parameters
    ----------
    place:
        A folder for files in between.
    model:
        What is measured besides the paper's network.
    rate:
        Multiply-adds a second of this machine.

    Returns
    -------
    A row for each network, and ``left_out``: why others are not there.
    """
    networks = [_bundled(name) for name in dict.fromkeys([str(model), "cine"])]
    left_out = _why_no_baselines()
    if not left_out:
        networks += [_baseline(name, place) for name in BASELINES]
    times: dict[str, list[float]] = {network.name: [] for network in networks}
    for number in range(_ROUNDS + 1):
        for network in networks:
            inputs = network.inputs(_BATCH)
            start = time.process_time()
            network.engine.run(inputs)
            if number:  # the first one warms up
                times[network.name].append((time.process_time() - start) / _BATCH)
    found: dict[str, object] = {}
    for network in networks:
        seconds = statistics.median(times[network.name])
        row: dict[str, object] = {
            "architecture": network.architecture.name,
            "input": f"{network.preprocessing.channels} × {network.preprocessing.size}²",
            "cpu_ms": round(1000 * seconds, 3),
        }
        work = _multiply_adds(network)
        if work is not None:
            row |= {"multiply_adds": work, "floor_ms": round(1000 * work / rate, 3)}
            row["times_the_floor"] = round(seconds * rate / work, 2)
        found[network.name] = row
    return {"rows": found, "left_out": left_out}


def by_batch(model: str | Path) -> dict[str, float]:
    """CPU milliseconds for an input on one thread by how many are run at once: what slices of several volumes gain."""
    network = _bundled(str(model))
    assert isinstance(network.engine, OnnxEngine)
    # Else it would cut them into batches of its own.
    network.engine.batch = max(_BATCHES)
    times: dict[int, list[float]] = {size: [] for size in _BATCHES}
    for number in range(_ROUNDS + 1):
        for size, some in times.items():
            inputs = network.inputs(size)
            start = time.process_time()
            network.engine.run(inputs)
            if number:
                some.append((time.process_time() - start) / size)
    return {str(size): round(1000 * statistics.median(some), 3) for size, some in times.items()}


def _bundled(name: str) -> _Network:
    files = find_model(name)
    return _Network(files.name, files.card.architecture, files.card.preprocessing, OnnxEngine(files.onnx, 1))


def _baseline(name: str, place: Path) -> _Network:
    from ..recognition.networks import build
    from ..training.export import onnx_of

    preprocessing = Preprocessing.paper()
    architecture = Architecture(name, outputs=8, in_channels=preprocessing.channels)
    path = place / f"{name}.onnx"
    path.write_bytes(onnx_of(build(name, **architecture.settings).eval(), preprocessing.channels, preprocessing.size))
    return _Network(name, architecture, preprocessing, OnnxEngine(path, 1))


def _why_no_baselines() -> str:
    missing = [package for package in ("torch", "onnx", "monai") if importlib.util.find_spec(package) is None]
    return f"{' and '.join(BASELINES)} need {', '.join(missing)}: pip install cmrorient[train]" if missing else ""


def _multiply_adds(network: _Network) -> int | None:
    """What one input takes; None without PyTorch, which counts it."""
    if importlib.util.find_spec("torch") is None:
        return None
    from ..recognition.networks import build, multiply_adds

    count: Callable[..., int] = multiply_adds
    built = build(network.architecture.name, **network.architecture.settings)
    return count(built, network.preprocessing.channels, network.preprocessing.size)
