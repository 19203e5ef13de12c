"""One pass on CUDA: from voxels to what the network says of each slice, preprocessing on the device included."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ..errors import CMROrientError
from ..orientation import Orientation
from ..phantom.phantom import make_phantom
from ..recognition.cards.model_files import find_model
from ..recognition.engines import CUDA_BATCH, TorchEngine, choose_device, open_engine
from ..recognition.inference import Inference

#: Slices of a pass, how many of them make a stack, and how often each is timed.
_SLICES, _STACK, _ROUNDS = 16 * CUDA_BATCH, 10, 7
#: Hearts that differ; more slices are copies of theirs.
_DIFFERENT = 8


def on_cuda(model: str | Path) -> dict[str, object]:
    """The figures of ``one_pass`` on CUDA; ``left_out`` says why where there is none."""
    if choose_device("auto") != "cuda":
        return {"left_out": "there is no CUDA device that PyTorch can use"}
    return one_pass(model, "cuda")


def one_pass(model: str | Path, device: str, slices: int = _SLICES, rounds: int = _ROUNDS) -> dict[str, object]:
    """How many slices a second a device of PyTorch recognizes, each seen whole and as it is stored.

    Parameters
    ----------
    model:
        The network.
    device:
        ``cuda``, ``cuda:N`` or ``torch-cpu``.
    slices:
        How many a pass has: synthetic hearts, 256 × 208, 16 bits.

    Returns
    -------
    ``slices_per_s``: voxels lie in the host's memory, and are sent and prepared; ``slices_per_s_there``: voxels lie
    on the device, and are prepared; ``slices_per_s_in_stacks``: from the host's memory in stacks of ten, a call each;
    ``inputs_per_s``: the network alone, inputs from the host's memory. And the ``device`` in words.

    Raises
    ------
    CMROrientError
        Where the device is none of PyTorch's.
    """
    files = find_model(model)
    engine = open_engine(files, device)
    if not isinstance(engine, TorchEngine):
        raise CMROrientError(f"{device} is no device of PyTorch; take cuda or torch-cpu")
    from ..recognition.device.slices import DeviceSlices, sent

    preprocessing = files.card.preprocessing
    inference = Inference.of(files, engine, prepares=True)
    hearts = [make_phantom(seed=seed) for seed in range(_DIFFERENT)]
    across, down = hearts[0].grid.spacing[:2]
    spacing = (down, across)
    different = np.concatenate([heart.array for heart in hearts])
    # Memory of their own: copies that lie in the processor's cache would be sent faster.
    images = list(np.take(different, np.arange(slices) % len(different), axis=0))
    there = sent(images, engine.device)
    size = preprocessing.size
    inputs = np.random.default_rng(0).standard_normal((slices, preprocessing.channels, size, size), np.float32)

    def from_host() -> None:
        inference.answers(images, spacing, averaging=False)

    def from_device() -> None:
        DeviceSlices(there, spacing, preprocessing, engine).all_of([Orientation.IDENTITY], None, None)

    def in_stacks() -> None:
        for start in range(0, slices, _STACK):
            inference.answers(images[start : start + _STACK], spacing, averaging=False)

    def network() -> None:
        engine.run(inputs)

    measured: dict[str, Callable[[], None]] = {
        "slices_per_s": from_host,
        "slices_per_s_there": from_device,
        "slices_per_s_in_stacks": in_stacks,
        "inputs_per_s": network,
    }
    times: dict[str, list[float]] = {name: [] for name in measured}
    for number in range(rounds + 1):
        for name, run in measured.items():
            # What a run gives lies in the host's memory at its end: nothing is under way any more.
            start = time.perf_counter()
            run()
            if number:  # the first one warms up
                times[name].append(time.perf_counter() - start)
    rates = {name: round(slices / statistics.median(some)) for name, some in times.items()}
    return {"device": engine.description, "slices": slices, **rates}
