"""Many images in one run: memory and open files stay flat, and results do not hang on order, jobs or engine.

`make test-long` takes 20,000; how the parent's memory grows with the number of a decided run is `run/test_scale.py`'s.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from parts import need_module, need_path
from sample_study import environment, phantom, put
from undisturbed import LONG

IMAGES = 20_000 if LONG else 200

#: Fewer images are larger: what a run must not hold on to has to be seen beside what comes and goes anyway.
SIZE = (64, 72) if LONG else (384, 512)

#: Megabytes that come and go.
COME_AND_GO = 30

#: Runs a folder, and prints the records with (open files, megabytes) of this process at a quarter and at the end.
SOAK = """
import json, os, sys
from pathlib import Path

blocked, jobs, backwards, source = sys.argv[1:]
if blocked:
    sys.modules[blocked] = None
from CMROrientLib.folders import recognize_folder

seen = []

def state():
    if not Path("/proc/self/fd").is_dir():
        return None
    resident = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return [len(os.listdir("/proc/self/fd")), int(resident.split()[1]) / 1024]

def progress(outcome, done, total):
    if done in (total // 4, total):
        seen.append(state())

if __name__ == "__main__":
    folders = sorted(path for path in Path(source).iterdir())
    inputs = [str(folder) for folder in (reversed(folders) if backwards else folders)]
    # Written as they come: what is measured is the library's memory, not a list of ours.
    for outcome in recognize_folder(inputs, jobs=int(jobs), progress=progress):
        print(json.dumps(outcome.record.to_dict()))
    print(json.dumps(seen))
"""

#: What may differ from run to run, and by a rounding from engine to engine.
_OF_ONE_RUN = ("seconds", "settings")
_ROUNDED = ("confidence", "angle", "margin", "agreement", "slice_order_confidence")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """So many small stacks of sixteen kinds in folders of a hundred."""
    folder = tmp_path_factory.mktemp("soak")
    kinds = [
        put(phantom(kind % 8, seed=kind, slices=1, size=SIZE), folder / "kinds" / f"{kind}.nii").read_bytes()
        for kind in range(16)
    ]
    for number in range(IMAGES):
        path = folder / "in" / f"{number // 100:03}" / f"{number:05}.nii"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kinds[number % 16])
    return folder / "in"


def soak(images: Path, folder: Path, blocked: str = "", jobs: int = 1, backwards: bool = False) -> tuple[Any, Any]:
    """(records by their paths, what was open and in memory) of a run in a process of its own."""
    script = folder / "soak.py"
    script.write_text(SOAK)
    words = [sys.executable, str(script), blocked, str(jobs), "yes" if backwards else "", str(images)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *records, seen = map(json.loads, done.stdout.splitlines())
    for record in records:
        for name in _OF_ONE_RUN:
            record.pop(name)
    return {record["path"]: record for record in records}, seen


@pytest.fixture(scope="module")
def first(images: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    return soak(images, tmp_path_factory.mktemp("first"))


def test_memory_and_open_files_stay_flat(
    first: tuple[Any, Any], images: Path, record_property: Callable[[str, object], None]
) -> None:
    records, seen = first
    record_property("images", len(records))
    assert len(records) == IMAGES
    if sys.platform != "linux":
        pytest.skip("memory and open files are counted in /proc, which only Linux has")
    need_path(Path("/proc/self/fd"), "memory and open files are counted in /proc")
    (files, memory), (files_at_end, memory_at_end) = seen
    # What each volume would add between the two looks, were it held.
    held = (IMAGES - IMAGES // 4) * next(images.rglob("*.nii")).stat().st_size / 2**20
    assert files_at_end <= files and memory_at_end < memory + min(held / 2, COME_AND_GO)


def test_order_and_jobs_change_nothing(first: tuple[Any, Any], images: Path, tmp_path: Path) -> None:
    assert soak(images, tmp_path, jobs=2, backwards=True)[0] == first[0]


def test_the_engine_changes_nothing(first: tuple[Any, Any], images: Path, tmp_path: Path) -> None:
    need_module("torch")
    # PyTorch takes several times as long; there are sixteen kinds of images in any case.
    shown = images if LONG else images.parent / "kinds"
    every = first[0] if LONG else soak(shown, tmp_path)[0]
    found, _seen = soak(shown, tmp_path, blocked="onnxruntime")
    assert found.keys() == every.keys() and len(found) >= 16
    for path, record in found.items():
        expected = every[path]
        for name in _ROUNDED:
            assert record.pop(name) == pytest.approx(expected[name], abs=2e-3), (path, name)
        record.pop("words")
        assert record == {name: expected[name] for name in record}, path
