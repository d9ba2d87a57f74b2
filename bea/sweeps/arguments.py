"""Reading the arguments of a sweep, each mistake answered in a sentence."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bea.sweeps.grid import Grid
from bea.sweeps.identity import code_hash, qualified_name, signature_of, takes_rng
from bea.sweeps.outcome import Job

__all__ = ["read_count", "read_executor", "read_job"]


def read_job(function: Any, grid: Grid, store: Any, version: Any, rng: Any) -> Job:
    """What all tasks have in common."""
    if not callable(function):
        raise TypeError(f"function must be callable, not {function!r}")
    if version is not None and not isinstance(version, str):
        raise TypeError(f"version must be text, such as '1', not {version!r}")
    if store is not None and not isinstance(store, str | os.PathLike):
        raise TypeError(f"store must be the path of a folder, not {store!r}")
    folder = None if store is None else Path(store).absolute()
    if folder is not None and folder.exists() and not folder.is_dir():
        raise ValueError(f"store must be a folder, but {folder} is a file")
    seed = _read_seed(rng)
    draws = takes_rng(function) and not all("rng" in task for task in grid.parameters)
    _require_names(function, grid, draws)
    if version is None and folder is not None:
        version = f"source {code_hash(function)}"
    kept_in = None if folder is None else os.fspath(folder)
    return Job(function, qualified_name(function), version, seed if draws else None, kept_in)


def _require_names(function: Callable[..., Any], grid: Grid, draws: bool) -> None:
    """Refuse a function that cannot be called with the names of the parameters."""
    signature = signature_of(function)
    if signature is None:
        return
    for names in {tuple(task): None for task in grid.parameters}:
        given = dict.fromkeys(names)
        try:
            signature.bind(**given, **({"rng": None} if draws and "rng" not in given else {}))
        except TypeError as error:
            raise TypeError(
                f"{qualified_name(function)}{signature} cannot be called with the parameters of the grid, "
                f"{', '.join(names) or 'none'}: {error}"
            ) from None


def _read_seed(rng: Any) -> int:
    if isinstance(rng, bool) or not hasattr(rng, "__index__") or rng < 0:
        raise TypeError(
            f"rng must be an integer that is not negative, under which the results are kept, not {rng!r}"
        )
    return operator.index(rng)


def read_executor(executor: Any, workers: Any) -> None:
    """Refuse what cannot take tasks, and a number of threads beside an executor."""
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise TypeError(f"executor must have a method submit, as in concurrent.futures, not {executor!r}")
    if executor is not None and workers is not None:
        raise ValueError("workers is the number of threads if no executor is given, so give one of the two")


def read_count(value: Any, name: str) -> int:
    """A positive integer."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return operator.index(value)
