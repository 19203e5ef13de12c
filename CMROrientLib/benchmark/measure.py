"""All that is measured, in one call, as one object of figures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import __version__
from ..errors import UsageError
from ..recognition.cards.model_files import find_model
from ..recognition.engines import available_cores
from . import images, machine, networks, runs, stages, starts, warm
from .on_cuda import on_cuda
from .versions import here, others

#: Images whose stages are measured: as many as there are different ones of the synthetic.
_STAGED = 40


@dataclass(frozen=True)
class BenchmarkOptions:
    """What is measured.

    Parameters
    ----------
    volumes:
        How many images whole runs are made over.
    model:
        The network.
    data:
        A folder of images to take instead of synthetic hearts.
    against:
        Interpreters that have other versions, which are measured side by side.
    threads:
        CPU threads of the network for a warm volume.
    starts, rounds:
        How often each start and each run is timed.
    """

    volumes: int = 12
    model: str | Path = "universal"
    data: Path | None = None
    against: Sequence[str] = field(default=())
    threads: int = 1
    starts: int = 15
    rounds: int = 3

    def __post_init__(self) -> None:
        """Raise UsageError for what cannot be measured."""
        if min(self.volumes, self.threads, self.starts, self.rounds) < 1:
            raise UsageError("the numbers of volumes, threads, starts and rounds are 1 or more")


def benchmark(options: BenchmarkOptions, tell: Callable[[str], None] | None = None) -> dict[str, object]:
    """Measure everything.

    Parameters
    ----------
    tell:
        Called with what is measured next.

    Returns
    -------
    Figures by their part: ``machine``, ``images``, ``versions``, ``starts``, ``warm``, ``runs``, ``stages``,
    ``networks``, ``cpu_ms_by_batch``, ``cuda`` and ``ratios``, seconds and milliseconds as the names say.

    Raises
    ------
    UsageError
        Before anything is measured, where an interpreter has no version or a folder no images.
    """
    say = tell or _nobody
    versions = [here(), *others(options.against)]
    model = find_model(options.model)
    # Other folders are where the commands are run.
    name = str(Path(options.model).absolute()) if Path(options.model).exists() else str(options.model)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        say("images to measure on")
        shown = (
            images.synthetic(place, options.volumes)
            if options.data is None
            else images.own(place, options.data, options.volumes)
        )
        found: dict[str, object] = {
            "machine": machine.describe(),
            "images": {"count": shown.count, "words": shown.words},
            "versions": {version.name: version.number for version in versions},
        }
        say("cold starts")
        started = starts.measure(versions, shown.first, options.starts, ["--model", name])
        say(f"runs over {shown.count} images")
        ran = runs.measure(versions, shown, place, options.rounds, ["--model", name])
        say("warm volumes")
        found |= {
            "starts": {name: timing.to_json() for name, timing in started.items()},
            "runs": {name: timing.to_json() for name, timing in ran.items()},
            "warm": warm.measure(versions, shown, options.rounds, options.threads, name),
        }
        say("stages")
        found["stages_ms"] = stages.measure(shown, place, model, min(shown.count, _STAGED))
        say("networks")
        rate = machine.matrix_product_rate()
        found["multiply_adds_per_s"] = round(rate)
        found["networks"] = networks.measure(place, options.model, rate)
        found["cpu_ms_by_batch"] = networks.by_batch(options.model)
        say("CUDA")
        found["cuda"] = on_cuda(options.model)
    found["ratios"] = {
        "start_to_bare_cpu": started["this"].cpu_to(started["bare"]),
        "start_to_bare_wall": round(started["this"].wall / started["bare"].wall, 3),
        "no_network_to_correct_cpu": ran["this: no network"].cpu_to(ran["this: correct"]),
        "no_network_to_correct_wall": round(ran["this: no network"].wall / ran["this: correct"].wall, 3),
    }
    return {**_as_before(found, shown.count), **found}


def _as_before(found: Mapping[str, Any], count: int) -> dict[str, object]:
    """The figures that version 1.0 gave, by its names."""
    warm_ms, correct = found["warm"], found["runs"]["this: correct"]
    return {
        "version": __version__,
        "cores": available_cores(),
        "volumes": count,
        "onnxruntime_cpu_averaged_ms_a_volume": warm_ms["this: all looks"]["wall_ms"],
        "onnxruntime_cpu_one_pass_ms_a_volume": warm_ms["this: one pass"]["wall_ms"],
        "correct_nii_gz_ms_a_volume": round(1000 * correct["wall_s"] / count, 2),
    }


def _nobody(_: str) -> None:
    """Nobody wants to know."""
