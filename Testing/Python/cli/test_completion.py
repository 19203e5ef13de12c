"""Shells complete the command line: the protocol that bash and zsh speak, with the process they start."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from sample_study import command, environment

from CMROrientLib.cli.main import COMMANDS

_SEPARATOR = "\013"


def completed(line: str, place: Path) -> set[str]:
    """What a shell is offered at the end of a line."""
    answer = place / "answer"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": _SEPARATOR,
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    done = subprocess.run(command(), env={**environment(), **asked}, cwd=place, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {word.strip() for word in answer.read_text(encoding="utf-8").split(_SEPARATOR)}


def test_commands_options_and_choices_are_completed(tmp_path: Path) -> None:
    pytest.importorskip("argcomplete", reason="argcomplete is not installed (extra 'completion')")
    assert set(COMMANDS) <= completed("cmrorient ", tmp_path)
    assert completed("cmrorient rec", tmp_path) == {"recognize"}
    assert {"--geometry", "--slice-order", "--masks"} <= completed("cmrorient correct --", tmp_path)
    assert completed("cmrorient correct study --geom", tmp_path) == {"--geometry"}
    assert completed("cmrorient correct study --geometry ", tmp_path) == {"auto", "follow", "keep"}
    assert "--suffix" not in completed("cmrorient correct --", tmp_path)


def test_nothing_is_imported_for_it_otherwise() -> None:
    code = (
        "import sys; from CMROrientLib.cli.main import main\n"
        "try: main(['--version'])\n"
        "finally: print('argcomplete' in sys.modules)"
    )
    given = {name: value for name, value in environment().items() if name != "_ARGCOMPLETE"}
    done = subprocess.run([command()[0], "-c", code], env=given, capture_output=True, encoding="utf-8", timeout=60)
    assert done.stdout.splitlines()[-1] == "False", done.stderr
