"""The command ``benchmark``: how fast this machine recognizes and corrects, measured on phantoms."""

from __future__ import annotations

import argparse
import importlib.util
import json
import statistics
import subprocess  # nosec B404
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import UsageError

_SECONDS_AT_MOST = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Define the arguments of ``benchmark``."""
    parser.add_argument("--model", default="universal", metavar="M", help="a bundled model or a path (universal)")
    parser.add_argument("--volumes", type=int, default=12, metavar="N", help="stacks of ten 256 × 208 slices (12)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (all cores)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")


def run(arguments: argparse.Namespace) -> int:
    """Measure and print; returns the exit status."""
    if arguments.volumes < 1 or (arguments.threads is not None and arguments.threads < 1):
        raise UsageError("the numbers of volumes and of threads are 1 or more")
    results = benchmark(arguments.model, arguments.volumes, arguments.threads)
    if arguments.json:
        print(json.dumps(results))
        return 0
    for name, value in results.items():
        shown = f"{value:.3g}" if isinstance(value, float) else value
        print(f"{name.replace('_', ' '):42} {shown}")
    return 0


def benchmark(model: str | Path = "universal", volumes: int = 12, threads: int | None = None) -> dict[str, Any]:
    """Times of imports, of recognition on every device there is, and of whole runs.

    Parameters
    ----------
    volumes:
        How many phantom stacks of ten slices; each device gets at most a minute.

    Returns
    -------
    Names with their values; times are medians, in seconds or milliseconds as the name says.
    """
    from ..phantom.phantom import make_phantom
    from ..recognition.engines import available_cores, choose_device
    from ..recognition.recognizer import Recognizer

    stacks = [make_phantom(seed=n, orientation=n % 8) for n in range(volumes)]
    results: dict[str, Any] = {"version": __version__, "cores": available_cores(), "volumes": volumes}
    for package in ("onnxruntime", "torch"):
        if importlib.util.find_spec(package) is not None:
            results[f"import_{package}_s"] = _import_seconds(package)
    devices = ["cpu"]
    if importlib.util.find_spec("torch") is not None and importlib.util.find_spec("safetensors") is not None:
        devices.append("torch-cpu")
        if choose_device("auto") == "cuda":
            devices.append("cuda")
    labels = {"cpu": "onnxruntime_cpu", "torch-cpu": "torch_cpu", "cuda": "torch_cuda"}
    for device in devices:
        for averaging in (True, False):
            recognizer = Recognizer(model, device, averaging, threads=threads)
            results[f"{labels[device]}_{'averaged' if averaging else 'one_pass'}_ms_a_volume"] = 1000 * _median(
                recognizer.recognize, stacks
            )
    results["preprocessing_ms_a_slice"] = 1000 * _preprocessing_seconds(model, stacks)
    if "torch-cpu" in devices:
        results["torch_cpu_over_onnxruntime"] = (
            results["torch_cpu_averaged_ms_a_volume"] / results["onnxruntime_cpu_averaged_ms_a_volume"]
        )
    results["correct_nii_gz_ms_a_volume"] = 1000 * _run_seconds(model, stacks) / volumes
    return results


def _median(work: Callable[[Any], Any], items: list[Any]) -> float:
    """Seconds for one item; the first one, which warms up, does not count."""
    work(items[0])
    times: list[float] = []
    for item in items:
        start = time.perf_counter()
        work(item)
        times.append(time.perf_counter() - start)
        if sum(times) > _SECONDS_AT_MOST:
            break
    return statistics.median(times)


def _preprocessing_seconds(model: str | Path, stacks: list[Any]) -> float:
    from ..recognition.model_files import find_model

    preprocessing = find_model(model).card.preprocessing
    return _median(lambda volume: preprocessing(volume.array[0], (1.0, 1.0)), stacks)


def _run_seconds(model: str | Path, stacks: list[Any]) -> float:
    """A whole run over ``.nii.gz`` files: reading, recognizing, correcting, writing, record and report."""
    from ..folders import correct_folder
    from ..io import write

    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        source.mkdir()
        for n, stack in enumerate(stacks):
            write(stack, source / f"{n:04}.nii.gz")
        start = time.perf_counter()
        records = correct_folder(source, Path(folder) / "out", model=model, device="cpu")
        seconds = time.perf_counter() - start
        errors = [record.error for record in records if record.error]
        if errors:
            raise UsageError(f"the benchmark's own images failed: {errors[0]}; try another --model or --device")
        return seconds


def _import_seconds(package: str) -> float:
    """Seconds that a fresh interpreter takes to import a package, less those of its own start; the best of three."""
    code = f"import time; start = time.perf_counter(); import {package}; print(time.perf_counter() - start)"
    # The interpreter may be one that embeds Python (Slicer): then there is none to start.
    times = []
    for _ in range(3):
        # This interpreter, on lines from here.
        done = subprocess.run(  # nosec B603
            [sys.executable, "-c", code], capture_output=True, text=True, check=False
        )
        times.append(float(done.stdout) if done.returncode == 0 else float("nan"))
    return min(times)
