"""What the tests share. Optional parts of a machine are asked for through ``parts``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import parts
import pytest
from hypothesis import settings

# Qt decides on its platform when it is first imported, so this comes before any test module.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
# As the command line does it: threads for small products cost more than they save on a busy machine.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# A busy machine is slow, not wrong.
settings.register_profile("cmrorient", deadline=None)
settings.load_profile("cmrorient")


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Small inputs: threads that wait for each other on a busy machine cost more than they save."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return parts.REPOSITORY


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real images (``index.csv`` in it); skips without it, fails without it in CI."""
    return parts.find_data_root()
