"""What users pass to a run of many replicas, read and checked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import sympy

from bea import __version__
from bea.numerics.replicas import Progress
from bea.systems.evaluation import read_point
from bea.systems.expressions import read_expression
from bea.systems.traversal import free_symbols

__all__ = [
    "read_count",
    "read_kept",
    "read_progress",
    "read_starts",
    "read_statistics",
    "read_workers",
    "seed_and_versions",
]


def read_count(value: object, name: str, least: int) -> int:
    """An integer of at least so much."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if not least <= value < 2**62:
        raise ValueError(
            f"{name} must be {f'at least {least}' if value < least else 'below 2**62'}, not {value}"
        )
    return int(value)


def read_starts(x0: Sequence[float] | np.ndarray, replicas: int, dimension: int) -> np.ndarray:
    """The starts of all replicas, of shape (replicas, d)."""
    points = np.asarray(x0)
    if points.ndim != 2:
        return np.tile(read_point(x0, dimension, "x0"), (replicas, 1))
    if points.shape != (replicas, dimension):
        raise ValueError(
            f"x0 must have shape ({dimension},) or ({replicas}, {dimension}), not {points.shape}"
        )
    return read_point(points.ravel(), points.size, "x0").reshape(points.shape)


def read_kept(kept: Sequence[int], replicas: int) -> list[int]:
    """The numbers of the replicas whose paths are kept."""
    if not isinstance(kept, Iterable):
        raise TypeError(f"record_replicas must be a sequence of integers, not {kept!r}")
    numbers = [read_count(number, "a number in record_replicas", 0) for number in kept]
    if max(numbers, default=0) >= replicas:
        raise ValueError(
            f"record_replicas must lie below the {replicas} replicas, but {max(numbers)} does not"
        )
    return numbers


def read_statistics(
    statistics: Mapping[str, object] | None, symbols: Sequence[sympy.Symbol]
) -> dict[str, sympy.Expr]:
    """Statistics by name, as expressions in the given symbols."""
    if statistics is None:
        return {}
    if not isinstance(statistics, Mapping):
        raise TypeError(f"statistics are given as a mapping from names to expressions, not as {statistics!r}")
    names = {s.name: s for s in symbols}
    functions = {str(name): read_expression(source, names) for name, source in statistics.items()}
    for name, expression in functions.items():
        unknown = free_symbols([expression]) - set(symbols)
        if unknown:
            raise ValueError(
                f"the statistic {name!r} holds {min(s.name for s in unknown)!r}, "
                "which is neither a variable nor a parameter"
            )
    return functions


def seed_and_versions(rng: object) -> dict[str, Any]:
    """What is kept of a seed and of the packages that shape the numbers, to repeat a run."""
    versions = {"bea": __version__, **{name: version(name) for name in ("numpy", "numba")}}
    return {"seed": int(rng) if isinstance(rng, int | np.integer) else None, "versions": versions}


def read_workers(workers: object) -> int:
    """How many threads to use; by default as many as this process has processors."""
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return read_count(workers, "workers", 1)


def read_progress(progress: bool | Progress) -> Progress | None:
    """What is told of a run: nothing, a line on standard error, or what a function makes of it."""
    if isinstance(progress, bool):
        return _told if progress else None
    if not callable(progress):
        raise TypeError(f"progress must be True, False or a function, not {progress!r}")
    return progress


def _told(made: int, steps: int) -> None:
    end = "\n" if made == steps or not sys.stderr.isatty() else ""
    print(f"\r{made} of {steps} steps ({100 * made // steps}%)", end=end, file=sys.stderr, flush=True)
