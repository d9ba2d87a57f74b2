"""Sweeps: what a small task costs over its own work, beside what is wanted.

    python benchmarks/peers.py sweep

The time that a plain loop takes for the same work is taken off. Every result is written to a store.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

from comparison import Row, installed

import bea

TASKS = 1000
ROUNDS = 5
#: Seconds a task over its own work.
LIMITS = {"threads": 2e-3, "processes": 2e-3, "dask": 6e-3}


def small(i: int) -> dict[str, float]:
    """A task that takes some microseconds."""
    return {"sum": float(sum(k * i for k in range(100)))}


def overhead(executor: Executor | None) -> tuple[float, float]:
    """The median seconds a task over its work, and those of a task that is found in the store."""
    bea.sweep(small, {"i": range(10)}, executor, progress=False)
    begun = time.perf_counter()
    for i in range(TASKS):
        small(i)
    work = time.perf_counter() - begun
    fresh, found = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            for times in (fresh, found):
                begun = time.perf_counter()
                bea.sweep(small, {"i": range(TASKS)}, executor, folder, progress=False)
                times.append((time.perf_counter() - begun - work) / TASKS)
    return statistics.median(fresh), statistics.median(found)


def row(kind: str, executor: Executor | None) -> Row:
    """The row of an executor."""
    fresh, found = overhead(executor)
    remark = f"of {TASKS}; {found * 1e6:.0f} µs where it is in the store"
    return Row(f"a task, {kind}", "what is wanted", fresh, LIMITS[kind], 1.0, remark)


def local() -> Iterator[Row]:
    """Threads and processes of this machine."""
    yield row("threads", None)
    with ProcessPoolExecutor() as pool:
        yield row("processes", pool)


def cluster() -> Iterator[Row]:
    """A cluster of two processes on this machine."""
    if not installed("distributed"):
        return
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as processes,
        Client(processes) as client,
    ):
        yield row("dask", client.get_executor())


SECTION = [local, cluster]
