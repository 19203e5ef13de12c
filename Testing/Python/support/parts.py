"""Parts that a test needs and a machine may lack: skipped where they are missing, failed in CI.

A fresh checkout runs what it can. Where the environment variable ``CI`` is set everything has to
be there, so that a skipped test cannot pass for a tested one.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


def in_ci() -> bool:
    """Whether a missing part is a failure."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def missing(reason: str) -> NoReturn:
    """Skip the running test or module; fail it in CI."""
    if in_ci():
        pytest.fail(f"{reason} (CI is set, so nothing may be missing)", pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def need_module(name: str) -> ModuleType:
    """The module ``name``; the running test is skipped, or failed in CI, where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing(f"needs the Python package {name}: {error}")


def need_program(name: str) -> str:
    """The path of the program ``name``; the running test is skipped, or failed in CI, without it."""
    return shutil.which(name) or missing(f"needs the program {name}")


def need_path(path: Path, reason: str) -> Path:
    """``path`` where it exists; the running test is skipped, or failed in CI, where it does not."""
    return path if path.exists() else missing(f"{reason}: {path} is missing")


def find_data_root() -> Path:
    """The real images: ``CMRORIENT_TEST_DATA``, or ``shared/data`` beside the checkout."""
    given = os.environ.get("CMRORIENT_TEST_DATA")
    root = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    return need_path(root / "index.csv", "needs the real test images (set CMRORIENT_TEST_DATA)").parent
