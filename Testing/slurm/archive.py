"""The SLURM commands of ``Documentation/archives.md``, as they stand there: ``make test-slurm``.

On a SLURM of one node (``one_node.py``) the page's script starts the cluster, with the sizes of a small machine in
place of the page's, and ``cmrorient correct --dask`` works over made stacks on it. Half-way one of its jobs is
cancelled. Files and records have to be those of a run without a cluster.

Needs Linux, the superuser (SLURM's daemons change users), SLURM and munge (Debian: ``slurm-wlm``), and
``dask-jobqueue``. Exit status: 0 all is as without a cluster, 1 something is not, 2 a part is missing.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from one_node import PROGRAMS, find_program, free_port, one_node

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "Documentation" / "archives.md"
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "Testing" / "Python" / "support")]

STACKS = 80
#: What the page says, and what one small node can give.
SIZES = (
    ("cores=16, processes=16", "cores=1, processes=1"),
    ('memory="48GB"', 'memory="3GB"'),
    ("jobs=16", "jobs=2"),
)
PORT = '{"port": 8786}'
SECONDS = 400.0


def main() -> int:
    """Run the page's commands; the exit status."""
    missing = [name for name in PROGRAMS if find_program(name) is None]
    if importlib.util.find_spec("dask_jobqueue") is None:
        missing.append("dask-jobqueue")
    if os.geteuid() != 0:
        missing.append("the superuser")
    if missing:
        print(f"test-slurm needs {', '.join(missing)} (Debian: slurm-wlm)", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        return run(Path(name))


def run(folder: Path) -> int:
    """Correct the same stacks with and without the cluster; prints what it sees."""
    from differences import compare_folders

    make_stacks(folder / "in")
    status = correct(folder, "alone").wait(SECONDS)
    with one_node(folder / "slurm", cores=2, memory=6000) as environment, cluster(folder, environment) as address:
        begun = time.monotonic()
        running = correct(folder, "cluster", "--dask", address)
        cancelled = cancel_one(running, folder / "cluster", environment)
        status = running.wait(SECONDS) or status
        seconds = time.monotonic() - begun
    told = compare_folders(folder / "alone", folder / "cluster")
    # The page names the command that made it.
    found = [line for line in told.found if not line.startswith("cmrorient.html: the text")]
    print("\n".join(found), end="")
    print(
        f"{STACKS} stacks on two SLURM jobs in {seconds:.0f} s, one job cancelled after {cancelled} images: "
        f"exit status {status}, {told.files} files and {told.records} records held against a run without a cluster, "
        f"{len(found)} differ"
    )
    return 1 if status or found or told.files < STACKS or not 0 < cancelled < STACKS else 0


def make_stacks(folder: Path) -> None:
    """Made hearts in all eight orientations."""
    from CMROrientLib.io import write
    from CMROrientLib.orientation import Orientation
    from CMROrientLib.phantom.phantom import make_phantom

    folder.mkdir()
    for number in range(STACKS):
        stack = make_phantom(size=(160, 140), slices=8, orientation=Orientation(number % 8), seed=number)
        write(stack, folder / f"{number:04}.nii.gz")


def correct(folder: Path, output: str, *options: str) -> subprocess.Popen[bytes]:
    """Start the command line."""
    words = [sys.executable, "-m", "CMROrientLib", "correct", str(folder / "in"), "-o", str(folder / output), *options]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)


def page_script(port: int) -> str:
    """The script that the page gives to Python, with sizes that fit here."""
    found = re.search(r"^python - <<'END' &\n(.*?)^END$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    if found is None:
        raise RuntimeError(f"{PAGE.name} has no script for SLURM any more")
    script = found[1]
    for said, fits in (*SIZES, (PORT, f'{{"port": {port}, "dashboard_address": None}}')):
        if said not in script:
            raise RuntimeError(f"the script of {PAGE.name} does not say {said} any more")
        script = script.replace(said, fits)
    return script


@contextmanager
def cluster(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """The page's script in a process of its own; the address of its scheduler once both jobs run."""
    port = free_port()
    own = {**environment, "PYTHONPATH": os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))}
    process = subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, env=own, cwd=folder)
    assert process.stdin is not None
    process.stdin.write(page_script(port).encode())
    process.stdin.close()
    try:
        for _ in range(240):
            if len(jobs(environment)) == 2:
                break
            time.sleep(0.5)
        yield f"tcp://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)
        subprocess.run(["scancel", *jobs(environment)], env=environment, check=False)


def jobs(environment: dict[str, str]) -> list[str]:
    """The numbers of the jobs that run."""
    told = subprocess.run(
        ["squeue", "--noheader", "--states=running", "--format=%i"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.split()


def cancel_one(running: subprocess.Popen[bytes], output: Path, environment: dict[str, str]) -> int:
    """Cancel a job as soon as a third of the images is there; how many there were."""
    while running.poll() is None:
        there = len(list(output.glob("*.nii.gz")))
        if there >= STACKS // 3:
            subprocess.run(["scancel", jobs(environment)[0]], env=environment, check=True)
            return there
        time.sleep(0.05)
    return STACKS


if __name__ == "__main__":
    raise SystemExit(main())
