"""Timing contestants side by side, and the rows of the table that compares them."""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Row:
    """Ours beside one peer: seconds of each, the ratio that is wanted, and what else is worth knowing."""

    ours: str
    peer: str
    our_seconds: float
    peer_seconds: float
    wanted: float
    remark: str = ""

    def __str__(self) -> str:
        ratio = self.peer_seconds / self.our_seconds
        mark = "ok  " if ratio >= self.wanted else "SLOW"
        times = f"{self.our_seconds * 1e6:10.1f} µs {self.peer_seconds * 1e6:10.1f} µs"
        names = f"{self.ours:26} {self.peer:18}"
        return f"{mark} {names} {times} {ratio:8.2f}× (wanted {self.wanted:.2g}×) {self.remark}"


def medians(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The median seconds of each contestant, after one call that does not count."""
    for run in contestants.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in seconds.items()}


def installed(module: str) -> bool:
    """Whether a peer can be imported; says so if not."""
    found = importlib.util.find_spec(module) is not None
    if not found:
        print(f"skipped: {module} is not installed")
    return found
