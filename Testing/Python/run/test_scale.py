"""Many images: the parent's memory stays where it is, and a second run is quick. ``make test-long`` has the numbers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from parts import REPOSITORY

LONG = "CMRORIENT_LONG" in os.environ


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_memory_and_a_second_run() -> None:
    """From 200 to 20,000 images 30 MB, and 10 s of the processor, in the long form; here a share of it."""
    images = ["200", "20000"] if LONG else ["50", "500"]
    limits = ["--growth", "30", "--again", "10"] if LONG else ["--growth", "15"]
    done = subprocess.run(
        [sys.executable, REPOSITORY / "Testing" / "scale" / "measure.py", *images, *limits],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not LONG, reason="the short form is in audit/test_audit_kept.py; CMRORIENT_LONG=1 for this one")
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_memory_of_an_audit() -> None:
    """From 200 to 20,000 images 30 MB."""
    measure = [sys.executable, REPOSITORY / "Testing" / "scale" / "measure.py", "--command", "audit"]
    done = subprocess.run([*measure, "200", "20000", "--growth", "30"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
