"""What the validator of BIDS says of a folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import parts

#: The package brings the program, and with it the schema of BIDS: nothing is fetched.
PROGRAM = "bids-validator-deno"


def errors(data_set: Path, *, derivatives: bool = False) -> list[str]:
    """The errors, a line each; the running test is skipped, or failed in CI, where there is no validator.

    Parameters
    ----------
    derivatives:
        Whether the data sets below ``derivatives`` are looked at too.
    """
    beside_python = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    program = shutil.which(PROGRAM, path=beside_python) or parts.missing(f"needs the program {PROGRAM}")
    words = [program, "--format", "json", *(["--recursive"] if derivatives else []), str(data_set)]
    environment = {**os.environ, "PATH": beside_python}
    done = subprocess.run(words, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300)
    return _errors(json.loads(done.stdout))


def _errors(told: dict[str, object]) -> list[str]:
    issues = told["issues"]["issues"]
    found = [
        " ".join(str(issue[key]) for key in ("code", "subCode", "location", "issueMessage") if issue.get(key))
        for issue in issues
        if issue["severity"] == "error"
    ]
    below = told.get("derivativesSummary") or {}
    return sorted(found + [error for summary in below.values() for error in _errors(summary)])
