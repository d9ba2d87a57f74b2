"""What a sweep returns: the results in the order of the tasks, errors, and arrays over the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bea.sweeps.outcome import TaskError

__all__ = ["InterruptedSweep", "SweepResult"]


@dataclass(frozen=True, eq=False, repr=False)
class SweepResult:
    """The results of a sweep, with what is needed to repeat it.

    ``result[name]`` is the masked array of a result over the grid, see `__getitem__`.

    Attributes
    ----------
    parameters : list of dict
        The parameters of the tasks, in the order of the elements of an array over the grid.
    results : list
        What the function returned for each of them, as arrays and NumPy numbers: a dict by name, or one
        value. It is None where there is no result.
    errors : list of TaskError
        The tasks that failed, with their parameters and tracebacks.
    axes : dict from str to list
        The values of each parameter; empty where the tasks were given one by one.
    shape : tuple of int
        The shape of the grid.
    records : list of dict
        The wall time (``"seconds"``) of each task and the versions of what computed it; None where there is
        no result.
    success : bool
        Whether every task has a result.
    message : str
        What happened, in a sentence.
    interrupted : bool
    reused : int
        How many results were found in the store.
    seconds : float
        The wall time of this call.
    function : str
        The qualified name of the function.
    version : str or None
        The version of the function, or the hash of its source; None without a store and without a version.
    seed : int or None
        The seed; None if the function draws nothing.
    store : str or None
        The folder.
    """

    parameters: list[dict[str, Any]]
    results: list[Any]
    errors: list[TaskError]
    axes: dict[str, list[Any]]
    shape: tuple[int, ...]
    records: list[dict[str, Any] | None] = field(repr=False)
    interrupted: bool
    reused: int
    seconds: float
    function: str
    version: str | None
    seed: int | None
    store: str | None

    @property
    def success(self) -> bool:
        """Whether every task has a result."""
        return all(record is not None for record in self.records)

    @property
    def message(self) -> str:
        """What happened, in a sentence."""
        done = sum(record is not None for record in self.records)
        reused = f", {self.reused} of them before" if self.reused else ""
        failed = f"; {len(self.errors)} failed" if self.errors else ""
        start = "interrupted: " if self.interrupted else ""
        return f"{start}{done} of {len(self.records)} tasks are done{reused}{failed}"

    @property
    def names(self) -> list[str]:
        """The names of the results; ``["value"]`` if the function returned one value."""
        return list(dict.fromkeys(name for named in self._named() for name in named))

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.shape))
        return f"SweepResult({self.function}, {shape} tasks, {self.message})"

    def __getitem__(self, name: str) -> np.ma.MaskedArray:
        """One result over the grid.

        Parameters
        ----------
        name : str
            Its name; "value" if the function returned one value.

        Returns
        -------
        masked array of shape (*shape, *shape of one result)
            Masked where a task has failed, was not done, or returned nothing of that name. Beneath the mask
            are NaN, or zeros if the results are no floating-point numbers.

        Raises
        ------
        KeyError
            If no task returned a result of that name.
        ValueError
            If the results of that name have several shapes.
        """
        named = self._named()
        found = {i: np.asarray(results[name]) for i, results in enumerate(named) if name in results}
        if not found:
            called = f"the results are called {', '.join(self.names)}" if self.names else self.message
            raise KeyError(f"no task returned {name!r}; {called}")
        shapes = sorted({array.shape for array in found.values()})
        if len(shapes) > 1:
            raise ValueError(
                f"the results {name!r} have the shapes {', '.join(map(str, shapes))}, so they make no array; "
                "they are in the list 'results'"
            )
        kind = np.result_type(*found.values()) if len(found) > 1 else next(iter(found.values())).dtype
        data = np.full((len(named), *shapes[0]), np.nan if kind.kind in "fc" else np.zeros((), kind), kind)
        mask = np.ones(data.shape, bool)
        for i, array in found.items():
            data[i], mask[i] = array, False
        shape = (*self.shape, *shapes[0])
        return np.ma.MaskedArray(data.reshape(shape), mask.reshape(shape))

    def to_dict(self) -> dict[str, list[Any]]:
        """A table with a row for each task, as a dict of columns, which pandas and others read.

        The columns are the parameters, the results, and "error": what a failed task raised. A cell without a
        value is None.

        Raises
        ------
        ValueError
            If a parameter and a result have the same name, or one is called "error".
        """
        parameters = list(dict.fromkeys(name for task in self.parameters for name in task))
        names = [*parameters, *self.names, "error"]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"a table needs different names, but there are two columns {', '.join(twice)}")
        errors = {error.index: error.error for error in self.errors}
        return {
            **{name: [task.get(name) for task in self.parameters] for name in parameters},
            **{name: [results.get(name) for results in self._named()] for name in self.names},
            "error": [errors.get(i) for i in range(len(self.parameters))],
        }

    def _named(self) -> Sequence[dict[str, Any]]:
        """The results of every task by name."""
        return [
            {} if result is None else result if isinstance(result, dict) else {"value": result}
            for result in self.results
        ]


class InterruptedSweep(KeyboardInterrupt):
    """The interrupt of a sweep from the keyboard; its attribute `result` holds what was done until then."""

    def __init__(self, result: SweepResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        return f"{self.result.message}; what is done is in the attribute 'result' of this exception"
