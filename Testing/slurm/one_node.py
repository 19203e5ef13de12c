"""A SLURM of one node in a folder of its own: its daemons listen on this machine only while the context lasts."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "sinfo", "sbatch", "squeue", "scancel")

CONFIGURATION = """
ClusterName=one
SlurmctldHost={host}
SlurmctldPort={controller}
SlurmdPort={node}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MailProg=/bin/true
NodeName={host} CPUs={cores} RealMemory={memory} State=UNKNOWN
PartitionName=batch Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def find_program(name: str) -> str | None:
    """A program, also from where Debian puts daemons."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def one_node(folder: Path, cores: int, memory: int) -> Iterator[dict[str, str]]:
    """Start the daemons; what the environment of SLURM's commands needs.

    Parameters
    ----------
    folder:
        For configuration, state and logs; made here.
    cores, memory:
        What the node says it has; megabytes.

    Raises
    ------
    RuntimeError
        If the node does not come up; the message has the end of the daemons' logs.
    """
    for name in ("", "state", "spool"):
        (folder / name).mkdir(parents=True)
    host = socket.gethostname().partition(".")[0]
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder, host=host, controller=free_port(), node=free_port(), cores=cores, memory=memory
        )
    )
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    # munge refuses sockets and keys below folders that everybody may write to, as a temporary folder's parent is.
    munge = [f"--{what}={folder}/munge.{what.partition('-')[0]}" for what in ("socket", "key-file", "pid-file")]
    try:
        _start("mungekey", f"--keyfile={folder}/munge.key")
        _start("munged", "--force", *munge, f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed")
        _start("slurmctld", "-f", str(configuration), environment=environment)
        _start("slurmd", "-f", str(configuration), environment=environment)
        _wait_until_idle(environment, folder)
        yield environment
    finally:
        for name in ("slurmd", "slurmctld", "munge"):
            with suppress(OSError, ValueError):
                os.kill(int((folder / f"{name}.pid").read_text()), signal.SIGTERM)


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _start(name: str, *arguments: str, environment: dict[str, str] | None = None) -> None:
    subprocess.run([find_program(name) or name, *arguments], env=environment, check=True)


def _wait_until_idle(environment: dict[str, str], folder: Path) -> None:
    for _ in range(60):
        told = subprocess.run(
            ["sinfo", "--noheader", "--format=%t"], env=environment, capture_output=True, text=True, check=False
        )
        if told.stdout.strip() == "idle":
            return
        time.sleep(0.5)
    logs = "".join(path.read_text()[-1000:] for path in sorted(folder.glob("*.log")))
    raise RuntimeError(f"the node did not come up:\n{told.stdout}{told.stderr}{logs}")
