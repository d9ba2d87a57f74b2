"""One task: calling the function, and what comes of it."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

import numpy as np

from bea.sweeps.content import hash_of, is_plain_array, plain
from bea.sweeps.store import Record, Store, versions

__all__ = ["Job", "Outcome", "Task", "TaskError", "run_tasks", "seed_sequence"]


@dataclass(frozen=True)
class Job:
    """What all tasks of a sweep have in common; `seed` is None for a function that draws nothing."""

    function: Callable[..., Any] = field(repr=False)
    name: str
    version: str | None
    seed: int | None
    folder: str | None


@dataclass(frozen=True)
class Task:
    """One call of the function; `key` is the hash under which its result is kept."""

    key: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What came of a task: a record, or the error and its traceback as text."""

    key: str
    record: Record | None
    error: str = ""
    traceback: str = ""


@dataclass(frozen=True)
class TaskError:
    """A task that has failed.

    Attributes
    ----------
    index : int
        Its place in the list of parameters.
    parameters : dict
    error : str
        The kind of the exception and what it says.
    traceback : str
    """

    index: int
    parameters: dict[str, Any]
    error: str
    traceback: str = field(repr=False)

    def __str__(self) -> str:
        return f"task {self.index}, {self.parameters}: {self.error}"


def seed_sequence(seed: int, parameters: Mapping[str, Any]) -> np.random.SeedSequence:
    """The random numbers of a task, which depend on the seed of the sweep and on its parameters alone.

    Examples
    --------
    >>> a, b = (seed_sequence(0, {"h": h}).generate_state(1) for h in (0.1, 0.2))
    >>> bool(a == b)
    False
    """
    digits = hash_of(parameters)
    return np.random.SeedSequence(seed, spawn_key=[int(digits[i : i + 8], 16) for i in range(0, 40, 8)])


def run_tasks(job: Job, tasks: Sequence[Task]) -> list[Outcome]:
    """Do some tasks one after the other; each result is in the store before the next task begins.

    Where the folder of the store is not to be seen, or cannot be written, the process that collects the
    outcomes puts them there.
    """
    outcomes = []
    for task in tasks:
        outcomes.append(outcome := _run(job, task))
        if job.folder is not None and outcome.record is not None and os.path.isdir(job.folder):
            with suppress(OSError):
                Store(job.folder).write(outcome.record)
    return outcomes


def _run(job: Job, task: Task) -> Outcome:
    # An executor may send copies, whose arrays could be written to.
    arguments = {name: plain(value, name) for name, value in task.parameters.items()}
    if job.seed is not None and "rng" not in arguments:
        arguments["rng"] = seed_sequence(job.seed, task.parameters)
    begun = time.perf_counter()
    with _Caught() as caught:
        result, single = _read_result(job.function(**arguments))
    if (error := caught.error) is not None:
        # The first frame is the call above.
        return failed(task.key, error.with_traceback(error.__traceback__ and error.__traceback__.tb_next))
    seconds = time.perf_counter() - begun
    about = {"function": job.name, "version": job.version, "seed": job.seed, "versions": versions()}
    return Outcome(task.key, Record(task.key, task.parameters, result, single, seconds, about))


class _Caught:
    """Keeps what a task raises, also `SystemExit`, but lets an interrupt from the keyboard through."""

    error: BaseException | None = None

    def __enter__(self) -> _Caught:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.error = error
        return not isinstance(error, KeyboardInterrupt)


def failed(key: str, error: BaseException) -> Outcome:
    """The outcome of a task that has raised an exception."""
    text = "".join(traceback.format_exception(error))
    return Outcome(key, None, traceback.format_exception_only(error)[-1].strip(), text)


def _read_result(result: Any) -> tuple[dict[str, np.ndarray], bool]:
    """The arrays that a function returned by name, and whether it was a single one."""
    if not isinstance(result, Mapping):
        return {"value": _array(result, "it")}, True
    for name in result:
        if type(name) is not str or not name.isprintable():
            raise TypeError(f"the function must name its results by printable text, not by {name!r}")
    return {name: _array(value, f"{name!r}") for name, value in result.items()}, False


def _array(value: Any, name: str) -> np.ndarray:
    """A copy of a result, which the function cannot change later."""
    array = np.array(value)
    if not is_plain_array(array):
        raise TypeError(
            "the function must return a number, an array of numbers, or a mapping from names to these, but "
            f"{name} is {value!r} of type {type(value).__name__}"
        )
    return array
