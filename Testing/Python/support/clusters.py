"""A Dask cluster of processes on this machine, reached on the loopback interface only."""

from __future__ import annotations

from typing import Any

from parts import need_module


def local_cluster(workers: int = 2) -> Any:
    """A running ``distributed.LocalCluster``, itself a context; it has no dashboard, so takes no port for one."""
    distributed = need_module("distributed")
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    )
