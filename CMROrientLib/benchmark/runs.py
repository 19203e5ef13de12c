"""Whole runs over many images, beside runs without any network and beside a bare pass of gzip over the same files."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from .images import Images
from .processes import Call, Timing, in_turn
from .versions import Version

#: Unpack and pack each file, and nothing else.
_GZIP = """
import gzip, pathlib, sys
source, target, level = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
target.mkdir()
for path in sorted(source.iterdir()):
    data = path.read_bytes()
    data = gzip.decompress(data) if path.suffix == ".gz" else data
    (target / path.name).write_bytes(gzip.compress(data, level, mtime=0))
"""


def measure(
    versions: Sequence[Version], images: Images, place: Path, rounds: int, network: Sequence[str] = ()
) -> dict[str, Timing]:
    """Times of each kind of run, all of them in each round, each into a fresh folder."""
    commands: dict[str, Call] = {}
    target = {}
    for version in versions:
        kinds: dict[str, list[str]] = {
            "correct": [],
            "no network": ["--decisions", str(images.decisions)],
            "one pass": ["--no-averaging"],
        }
        if version.looks:
            kinds["all looks"] = ["--looks", "full"]
        for kind, words in kinds.items():
            name = f"{version.name}: {kind}"
            target[name] = place / name.replace(":", "").replace(" ", "-")
            commands[name] = version.command("correct", str(images.folder), "-o", str(target[name]), *words, *network)
    for level in (1, 6):
        name = f"gzip -{level}"
        target[name] = place / f"gzip-{level}"
        commands[name] = Call([sys.executable, "-c", _GZIP, str(images.folder), str(target[name]), str(level)])
    times = in_turn(commands, rounds, lambda name: shutil.rmtree(target[name], ignore_errors=True))
    for folder in target.values():
        shutil.rmtree(folder, ignore_errors=True)
    return times
