"""Times of child processes, of several commands in turn: load on the machine then bears on all of them alike."""

from __future__ import annotations

import os
import statistics
import subprocess  # nosec B404
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import CMROrientError

#: What processes do not inherit: places to look for packages, and to compile a package's modules anew at each
#: start, which an installed one does not do.
_LEFT_OUT = ("PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")


@dataclass(frozen=True)
class Timing:
    """Medians over the rounds, in seconds.

    Parameters
    ----------
    wall, cpu:
        By the clock, and of the processor (of all threads and child processes); ``cpu`` is None where a system
        does not tell.
    rounds:
        How many.
    spread:
        Half the distance of the quartiles of ``cpu``, as a share of the median.
    """

    wall: float
    cpu: float | None
    rounds: int
    spread: float = 0.0

    def cpu_to(self, other: Timing) -> float | None:
        """Its time of the processor as a multiple of another's; None where the system does not tell."""
        return None if self.cpu is None or not other.cpu else round(self.cpu / other.cpu, 3)

    def to_json(self) -> dict[str, float | int | None]:
        """As the results keep it."""
        return {
            "wall_s": round(self.wall, 4),
            "cpu_s": None if self.cpu is None else round(self.cpu, 4),
            "rounds": self.rounds,
            "spread": round(self.spread, 3),
        }


@dataclass(frozen=True)
class Call:
    """A command.

    Parameters
    ----------
    words:
        The interpreter first.
    path:
        Where the interpreter looks for packages beside its own; nowhere else, and not in the folder that this
        process stands in.
    """

    words: Sequence[str]
    path: str = ""

    def run(self, output: int) -> subprocess.CompletedProcess[str]:
        """Run it to its end; what it prints goes to ``output``."""
        environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
        if self.path:
            environment["PYTHONPATH"] = self.path
        # An interpreter, and words from this room.
        return subprocess.run(  # nosec B603
            self.words,
            stdout=output,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            errors="replace",
            check=False,
            env=environment,
            cwd=tempfile.gettempdir(),
        )


def in_turn(
    commands: Mapping[str, Call], rounds: int, before: Callable[[str], object] | None = None
) -> dict[str, Timing]:
    """Run commands one after the other, all of them in each round, and the other way round in every second one.

    Parameters
    ----------
    before:
        Called with a command's name before it is run; its time does not count.

    Raises
    ------
    CMROrientError
        Where one fails: a figure of a run that failed says nothing.
    """
    times: dict[str, list[tuple[float, float | None]]] = {name: [] for name in commands}
    for number in range(rounds):
        names = list(commands)
        for name in names if number % 2 == 0 else names[::-1]:
            if before is not None:
                before(name)
            times[name].append(_once(name, commands[name]))
    return {name: _summed_up(some) for name, some in times.items()}


def output_of(call: Call) -> str:
    """What a command prints. Raises CMROrientError where it fails."""
    done = call.run(subprocess.PIPE)
    if done.returncode:
        raise CMROrientError(f"the benchmark's own command failed: {_last_line(done.stderr)}")
    return done.stdout


def _once(name: str, call: Call) -> tuple[float, float | None]:
    before, start = _children(), time.perf_counter()
    done = call.run(subprocess.DEVNULL)
    wall = time.perf_counter() - start
    if done.returncode:
        raise CMROrientError(f"the benchmark's own command '{name}' failed: {_last_line(done.stderr)}")
    after = _children()
    return wall, None if before is None or after is None else after - before


def _summed_up(times: Sequence[tuple[float, float | None]]) -> Timing:
    clock = statistics.median(wall for wall, _ in times)
    cpu = sorted(seconds for _, seconds in times if seconds is not None)
    if not cpu:
        return Timing(clock, None, len(times))
    middle = statistics.median(cpu)
    quartiles = statistics.quantiles(cpu, n=4) if len(cpu) > 1 else [middle] * 3
    spread = (quartiles[2] - quartiles[0]) / 2 / middle if middle else 0.0
    return Timing(clock, middle, len(times), spread)


def _children() -> float | None:
    """Seconds of the processor that ended child processes took; None where the system does not tell."""
    if sys.platform == "win32":
        return None
    import resource

    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1]
