"""Parts that a test needs and a machine may lack: skipped where they are missing, failed in CI.

A fresh checkout runs what it can. Where the environment variable ``CI``, or ``CMRORIENT_TEST_REQUIRE_ALL``, is
set everything has to be there, so that a skipped test cannot pass for a tested one.
"""

from __future__ import annotations

import importlib
import os
import shutil
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

#: Either of them asks for everything.
ASKED_FOR = ("CI", "CMRORIENT_TEST_REQUIRE_ALL")

REPOSITORY = Path(__file__).resolve().parents[3]


def in_ci() -> bool:
    """Whether a missing part is a failure."""
    return any(os.environ.get(name, "").lower() not in ("", "0", "false") for name in ASKED_FOR)


def missing(reason: str) -> NoReturn:
    """Skip the running test or module; fail it in CI."""
    if in_ci():
        pytest.fail(f"{reason} ({' or '.join(ASKED_FOR)} is set, so nothing may be missing)", pytrace=False)
    pytest.skip(reason, allow_module_level=True)


def need_module(name: str) -> ModuleType:
    """The module ``name``; the running test is skipped, or failed in CI, where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        missing(f"needs the Python package {name}: {error}")


def need_package(name: str, requirement: str) -> None:
    """The package of module ``name`` in the version of ``requirement``; skipped, or failed in CI, where it is older."""
    from CMROrientLib.mrml.requirements import states

    (state,) = states({name: requirement})
    if state.problem:
        missing(f"needs {requirement}: {state}")


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
