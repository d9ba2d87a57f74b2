"""The tasks of a sweep: the product of named values, or a sequence of parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from bea.sweeps.content import plain

__all__ = ["Grid", "read_grid"]


@dataclass(frozen=True)
class Grid:
    """Where the tasks of a sweep lie.

    Attributes
    ----------
    axes : dict from str to list
        The values of each parameter; empty where the tasks were given one by one.
    shape : tuple of int
        How many values each axis has, or how many tasks there are.
    parameters : list of dict
        The parameters of the tasks, in the order of the elements of an array of that shape: the last axis
        runs fastest.
    """

    axes: dict[str, list[Any]]
    shape: tuple[int, ...]
    parameters: list[dict[str, Any]]


def read_grid(grid: Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]]) -> Grid:
    """The tasks, from the values of each parameter or from the parameters of each task.

    Raises
    ------
    TypeError, ValueError
        If it is neither, is empty, or a value is of a kind that has no content hash.

    Examples
    --------
    >>> read_grid({"depth": [1, 2], "h": [0.1, 0.2]}).parameters
    [{'depth': 1, 'h': 0.1}, {'depth': 1, 'h': 0.2}, {'depth': 2, 'h': 0.1}, {'depth': 2, 'h': 0.2}]
    """
    if isinstance(grid, Mapping):
        axes = {_name(name): _values(values, name) for name, values in grid.items()}
        shape = tuple(map(len, axes.values()))
        tasks = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    elif isinstance(grid, Sequence) and not isinstance(grid, str | bytes):
        axes, shape, tasks = {}, (len(grid),), [_task(task, i) for i, task in enumerate(grid)]
    else:
        raise TypeError(
            "grid must be a mapping from names to values, or a sequence of mappings from names to one value "
            f"each, not {grid!r}"
        )
    if not shape or not prod(shape):
        raise ValueError("the grid must have at least one task, but it is empty")
    return Grid(axes, shape, tasks)


def _values(values: Any, name: str) -> list[Any]:
    several = isinstance(values, Iterable) and not isinstance(values, str | bytes | Mapping | AbstractSet)
    if not several or (isinstance(values, np.ndarray) and not values.ndim):
        raise TypeError(f"the values of {name!r} must be in a sequence, such as [0.1, 0.2], not {values!r}")
    kept = [plain(value, f"a value of {name!r}") for value in values]
    if not kept:
        raise ValueError(f"the grid must have at least one value of {name!r}")
    return kept


def _task(task: Any, index: int) -> dict[str, Any]:
    if not isinstance(task, Mapping):
        raise TypeError(f"task {index} of the grid must be a mapping from names to values, not {task!r}")
    return {_name(name): plain(value, f"the value of {name!r}") for name, value in task.items()}


def _name(name: Any) -> str:
    if type(name) is not str:
        raise TypeError(f"the names of parameters must be text, not {name!r}")
    return name
