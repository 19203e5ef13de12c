"""The figures of the code can be counted on this tree."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_every_figure_is_there(repository: Path) -> None:
    command = [sys.executable, "Testing/count.py", "."]
    done = subprocess.run(command, cwd=repository, capture_output=True, encoding="utf-8")
    assert done.returncode == 0 and done.stderr == ""
    figures = dict(line.rsplit(maxsplit=1) for line in done.stdout.splitlines() if " in " not in line)
    assert "failed" not in figures.values()
    (passed,) = (int(value) for name, value in figures.items() if name.startswith("modules that 'correct' imports"))
    assert 10 < passed < 100
