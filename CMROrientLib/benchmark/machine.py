"""The machine that figures were measured on: what it can do, and nothing that tells whose it is."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path

import numpy as np

from .. import __version__
from ..recognition.engines import available_cores

#: Packages whose versions bear on the figures.
PACKAGES = ("numpy", "onnxruntime", "SimpleITK", "isal", "torch", "monai")

_SIDE = 1024
_REPEATS = 5


def describe() -> dict[str, str | int | float]:
    """Processor, cores, system and versions."""
    found: dict[str, str | int | float] = {
        "cpu": _processor(),
        "cores": available_cores(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cmrorient": __version__,
    }
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    if hasattr(os, "getloadavg"):
        # Other work on the machine stretches wall time; ratios of CPU time of interleaved runs stand it best.
        found["load"] = round(os.getloadavg()[0], 1)
    return found


def matrix_product_rate() -> float:
    """Multiply-adds in a second of CPU time, in a product of two float32 matrices; the best of five.

    Everything that a network of convolutions does is such products: this is the floor of its time.
    """
    rng = np.random.default_rng(0)
    first, second = (rng.standard_normal((_SIDE, _SIDE), np.float32) for _ in range(2))
    first @ second
    # CPU time of all threads: right also where numpy's library uses several.
    times = []
    for _ in range(_REPEATS):
        start = time.process_time()
        first @ second
        times.append(time.process_time() - start)
    return _SIDE**3 / min(times)


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
