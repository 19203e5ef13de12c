"""The versions that are measured side by side: this one, and those of other interpreters."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import __version__
from ..errors import CMROrientError, UsageError
from .processes import Call, output_of

_ASK = "import CMROrientLib, json; print(json.dumps(CMROrientLib.__version__))"


@dataclass(frozen=True)
class Version:
    """One installed version.

    Parameters
    ----------
    name:
        What it is called in the results.
    python:
        The interpreter that has it.
    number:
        What it says it is.
    looks:
        Whether it can end its looks early.
    path:
        Where it is, if its interpreter does not know.
    """

    name: str
    python: str
    number: str
    looks: bool
    path: str = ""

    def command(self, *words: str) -> Call:
        """A call of its command line."""
        return Call([self.python, "-m", "CMROrientLib", *words], self.path)

    def bare(self, code: str, *words: str) -> Call:
        """A call of its interpreter."""
        return Call([self.python, "-c", code, *words], self.path)


def here() -> Version:
    """This one."""
    return Version("this", sys.executable, __version__, True, str(Path(__file__).parents[2]))


def others(pythons: Sequence[str]) -> list[Version]:
    """Those of other interpreters. Raises ``UsageError`` where one has none."""
    found = []
    for number, python in enumerate(pythons, start=1):
        # Commands run in another folder. What a link leads to would be another interpreter: that of an environment.
        found_at = shutil.which(python)
        if found_at is None:
            raise UsageError("there is no such interpreter; give the path of one that has CMROrient", python)
        python = os.path.abspath(found_at)  # noqa: PTH100
        try:
            version = json.loads(output_of(Call([python, "-c", _ASK])))
            options = output_of(Call([python, "-m", "CMROrientLib", "correct", "--help"]))
        except (OSError, CMROrientError) as error:
            raise UsageError(
                f"this is no Python interpreter that has CMROrient ({error}); give one that has it", python
            ) from error
        name = "other" if len(pythons) == 1 else f"other {number}"
        found.append(Version(name, python, version, "--looks" in options))
    return found
