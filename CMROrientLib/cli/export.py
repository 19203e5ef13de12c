"""``cmrorient export``: a model's files from the last checkpoint of a run."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..errors import UsageError
from .extra import extra_packages


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run", type=Path, help="folder of a run of train or transfer")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for .onnx, .safetensors and .json")
    parser.add_argument("--name", help="of the model (default: that of the recipe)")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked; the exit status."""
    with extra_packages():
        from ..training.export import export_run

    if not (arguments.run / "checkpoint.pt").is_file():
        raise UsageError(
            "this is not the folder of a run: it holds no checkpoint.pt; give the one that 'cmrorient train' wrote",
            arguments.run,
        )
    model = export_run(arguments.run, arguments.output, arguments.name)
    print(model.onnx)
    return 0
