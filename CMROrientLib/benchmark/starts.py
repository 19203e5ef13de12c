"""A cold start: one file in a process of its own, beside what interpreters take that do nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .processes import Timing, in_turn
from .versions import Version

#: What a start is held against.
BARE = "import SimpleITK"


def measure(versions: Sequence[Version], image: Path, rounds: int, network: Sequence[str] = ()) -> dict[str, Timing]:
    """Times of ``recognize`` of one file by each version, of SimpleITK's import and of the interpreter alone.

    Each is run once before, untimed: pip compiles a package's modules when it installs it, and a checkout's are
    compiled at their first import.
    """
    commands = {"interpreter": versions[0].bare("pass"), "bare": versions[0].bare(BARE)}
    for version in versions:
        commands[version.name] = version.command("recognize", str(image), *network)
        commands[f"{version.name} --help"] = version.command("--help")
    in_turn(commands, 1)
    return in_turn(commands, rounds)
