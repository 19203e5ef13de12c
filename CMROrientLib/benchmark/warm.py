"""A volume in a process that has the network loaded already: this version's and others' times in turn."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from typing import Any

from .images import Images
from .processes import output_of
from .versions import Version

#: Runs in each version; milliseconds of processor and clock for a volume, each the median of the volumes.
_CODE = """
import json, pathlib, statistics, sys, time
import onnxruntime
import CMROrientLib as cmr
# Version 1.0 does not tell how many inputs it shows: they are counted on their way.
shown, run = [0], onnxruntime.InferenceSession.run
def counted(session, names, feed, *more):
    shown[0] += next(iter(feed.values())).shape[0]
    return run(session, names, feed, *more)
onnxruntime.InferenceSession.run = counted
paths, settings = sys.argv[1], json.loads(sys.argv[2])
volumes = [cmr.read(path) for path in sorted(pathlib.Path(paths).iterdir())[:12]]
recognizer = cmr.Recognizer(device="cpu", **settings)
recognizer.recognize(volumes[0])
cpu, wall, inputs = [], [], []
for volume in volumes:
    shown[0] = 0
    before, start = time.process_time(), time.perf_counter()
    found = recognizer.recognize(volume)
    cpu.append(time.process_time() - before)
    wall.append(time.perf_counter() - start)
    inputs.append(getattr(found, "inputs", shown[0]))
checksum = getattr(getattr(recognizer, "model", None), "checksum", "")
medians = [1000 * statistics.median(cpu), 1000 * statistics.median(wall), statistics.median(inputs)]
print(json.dumps([*medians, checksum]))
"""

#: How the network is asked: the arguments of a ``Recognizer`` beside its threads.
KINDS: dict[str, dict[str, object]] = {
    "as it comes": {},
    "all looks": {"looks": "full"},
    "one pass": {"averaging": False},
}


def measure(
    versions: Sequence[Version], images: Images, rounds: int, threads: int, model: str
) -> dict[str, dict[str, float | str]]:
    """Milliseconds of each kind and version, medians over the rounds, how many inputs a volume took, and the network.

    ``checksum`` is that of the network's file, empty where a version does not tell.
    """
    found: dict[str, list[list[Any]]] = {}
    for number in range(rounds):
        asked = [(version, kind) for kind in KINDS for version in versions]
        for version, kind in asked if number % 2 == 0 else asked[::-1]:
            settings = {"model": model, "threads": threads, **KINDS[kind]}
            if not version.looks:
                # All looks are what it has.
                settings.pop("looks", None)
                if kind == "as it comes":
                    continue
            said = output_of(version.bare(_CODE, str(images.folder), json.dumps(settings)))
            found.setdefault(f"{version.name}: {kind}", []).append(json.loads(said))
    return {
        name: {
            "cpu_ms": round(statistics.median(row[0] for row in rows), 2),
            "wall_ms": round(statistics.median(row[1] for row in rows), 2),
            "inputs": statistics.median(row[2] for row in rows),
            "checksum": str(rows[0][3]),
        }
        for name, rows in found.items()
    }
