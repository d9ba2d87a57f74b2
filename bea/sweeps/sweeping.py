"""Sweeps over parameters."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any

from bea.sweeps.arguments import read_count, read_executor, read_job
from bea.sweeps.content import hash_of
from bea.sweeps.grid import Grid, read_grid
from bea.sweeps.outcome import Job, Outcome, Task, TaskError
from bea.sweeps.progress import Progress, Reporter, reporter
from bea.sweeps.result import InterruptedSweep, SweepResult
from bea.sweeps.running import run_all
from bea.sweeps.store import Store, UnreadableRecord

__all__ = ["sweep"]


def sweep(
    function: Callable[..., Any],
    grid: Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]],
    executor: Executor | None = None,
    store: str | os.PathLike[str] | None = None,
    *,
    version: str | None = None,
    rng: int = 0,
    workers: int | None = None,
    batch: int | None = None,
    progress: bool | Callable[[Progress], object] = True,
) -> SweepResult:
    """Call a function with many parameters, on any executor, and keep every result on disk.

    Parameters
    ----------
    function : callable
        Called as ``function(**parameters)``. It returns a number, an array, or a mapping from names to these.
        If it has a parameter named ``rng`` that the grid does not set, it gets a `numpy.random.SeedSequence`
        there, for ``numpy.random.default_rng(rng)``.
    grid : mapping from str to values, or sequence of mappings
        The values of each parameter, for all combinations of them: the last parameter runs fastest. Or the
        parameters of each task. A value is a number, text, None, a tuple of these, or an array of numbers.
    executor : concurrent.futures.Executor, optional
        Where to compute; by default on threads of this process, which suits compiled code. Of an executor
        only ``submit`` is used, so ``client.get_executor()`` of `dask.distributed` and
        `mpi4py.futures.MPIPoolExecutor` will do. It is not shut down.
    store : path, optional
        A folder for the results. What is found there is not computed again.
    version : str, optional
        The version of the function. By default it is the hash of its source.
    rng : int, default 0
        The seed.
    workers : int, optional
        How many threads, if no executor is given; by default as many as there are processors.
    batch : int, optional
        How many tasks to send to the executor at a time. By default one, and up to 16 once tasks turn out to
        take less time than sending them.
    progress : bool or callable, default True
        Whether to tell on standard error how far the sweep has come and how long it will take: in a line that
        is kept up to date on a terminal, elsewhere in a line every 30 seconds. A function is called with a
        `Progress` after every task.

    Returns
    -------
    SweepResult

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the function cannot be called with the names in the grid.
    InterruptedSweep
        On an interrupt from the keyboard. It is a `KeyboardInterrupt`, so it ends loops and scripts as
        always, and its attribute ``result`` keeps what was done. Tasks that have not begun are cancelled;
        those that are running end in the background, and their results are in the store for the next time.

    Warns
    -----
    RuntimeWarning
        If tasks have failed, or files of the store were damaged and are computed anew.

    Notes
    -----
    *The same bits.* The random numbers of a task depend on the seed and on the parameters of the task alone,
    not on its place, the executor or the number of workers. Equal parameters are therefore one task; for
    independent repetitions, add a parameter such as ``trial=range(10)``, which the function need not use.

    *What a result is kept under.* The name of its file is a hash of the qualified name of the function, its
    version, the parameters and the seed (if the function takes one). Parameters count by their content; 1,
    1.0 and True are different. If no `version` is given, the text of the function counts, with its defaults
    and the variables around it that it uses, so that a change in any of these computes everything again. What
    it calls is not looked into: when that changes, or to go on in spite of a changed comment, give a version.

    *Resuming.* The process that computes a task writes its result before it goes on, into a file that appears
    whole or not at all. After a kill at any moment, the same call does what is missing. A task that failed is
    tried again; what it raised is in ``<hash>.error`` until then. If the processes of an executor cannot see
    the folder, this process writes the results as they arrive.

    Threads share the precision of `bea.arbitrary`; functions that use it need an executor of processes.

    Examples
    --------
    >>> import bea
    >>> def last_loss(depth, step_size):
    ...     loss = bea.Loss(f"(1 - a**{depth})**2 / 2", variables="a")
    ...     path = bea.iterate(loss, bea.GradientDescent(), [0.5], step_size, steps=100)
    ...     return {"loss": loss(path.x[-1])}
    >>> result = bea.sweep(last_loss, {"depth": [1, 2], "step_size": [0.01, 0.1]})
    >>> result
    SweepResult(bea.sweeps.sweeping.last_loss, 2 × 2 tasks, 4 of 4 tasks are done)
    >>> result["loss"].shape
    (2, 2)
    """
    tasks_of = read_grid(grid)
    job = read_job(function, tasks_of, store, version, rng)
    batch = None if batch is None else read_count(batch, "batch")
    threads = read_count(os.cpu_count() or 1 if workers is None else workers, "workers")
    read_executor(executor, workers)
    run = _Run(job, tasks_of, progress)
    try:
        with run, _threads(threads) if executor is None else _lent(executor) as pool:
            run.reuse()
            run.compute(pool, batch or 1 if executor is None else batch)
    except KeyboardInterrupt:
        raise InterruptedSweep(run.result(interrupted=True)) from None
    run.warn()
    return run.result(interrupted=False)


class _Run:
    """The state of a sweep: what came of each task, by the hash of the task."""

    def __init__(self, job: Job, grid: Grid, progress: bool | Callable[[Progress], object]) -> None:
        self.begun = time.perf_counter()
        self.job, self.grid = job, grid
        common = {"function": job.name, "version": job.version, "seed": job.seed}
        self.keys = [hash_of({**common, "parameters": task}) for task in grid.parameters]
        self.tasks = {key: Task(key, task) for key, task in zip(self.keys, grid.parameters, strict=True)}
        self.outcomes: dict[str, Outcome] = {}
        self.damaged: list[str] = []
        self.store = None if job.folder is None else Store(job.folder)
        self.reporter: Reporter = reporter(progress, len(self.tasks))

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *exception: object) -> None:
        self.reporter.close()

    def reuse(self) -> None:
        """Take what is in the store."""
        if self.store is None:
            return
        self.store.folder.mkdir(parents=True, exist_ok=True)
        for key in self.tasks:
            try:
                record = self.store.read(key)
            except UnreadableRecord as error:
                self.store.path(key).unlink(missing_ok=True)
                self.damaged.append(str(error))
                continue
            if record is not None:
                self.outcomes[key] = Outcome(key, record)
                self.reporter.count(reused=1)

    def compute(self, executor: Executor, batch: int | None) -> None:
        """Do what is left."""
        left = [task for key, task in self.tasks.items() if key not in self.outcomes]
        outcomes = run_all(executor, self.job, left, batch, self.reporter.pause, self.reporter.tell)
        with closing(outcomes):
            for outcome in outcomes:
                self.outcomes[outcome.key] = outcome
                self._keep(outcome)
                self.reporter.count(**{"failed" if outcome.record is None else "computed": 1})

    def _keep(self, outcome: Outcome) -> None:
        if self.store is None:
            return
        if outcome.record is not None:
            self.store.collect(outcome.record)
        else:
            self.store.collect_error(outcome.key, self.tasks[outcome.key].parameters, outcome.traceback)

    def errors(self) -> list[TaskError]:
        """The tasks that failed, in their order."""
        found = [(i, self.outcomes.get(key)) for i, key in enumerate(self.keys)]
        return [
            TaskError(i, self.grid.parameters[i], outcome.error, outcome.traceback)
            for i, outcome in found
            if outcome is not None and outcome.record is None
        ]

    def warn(self) -> None:
        """Say what is not as it should be."""
        if self.damaged:
            warnings.warn(
                f"{len(self.damaged)} results of the store were damaged and were computed again; the first: "
                f"{self.damaged[0]}",
                RuntimeWarning,
                stacklevel=3,
            )
        if errors := self.errors():
            warnings.warn(
                f"{len(errors)} of {len(self.keys)} tasks failed, see the attribute 'errors' of the result; "
                f"the first: {errors[0]}",
                RuntimeWarning,
                stacklevel=3,
            )

    def result(self, interrupted: bool) -> SweepResult:
        """What is done so far."""
        outcomes = [self.outcomes.get(key) for key in self.keys]
        records = [None if outcome is None else outcome.record for outcome in outcomes]
        return SweepResult(
            parameters=self.grid.parameters,
            results=[None if record is None else record.value for record in records],
            errors=self.errors(),
            axes=self.grid.axes,
            shape=self.grid.shape,
            records=[
                None if r is None else {"seconds": r.seconds, "versions": r.about["versions"]}
                for r in records
            ],
            interrupted=interrupted,
            reused=self.reporter.reused,
            seconds=time.perf_counter() - self.begun,
            function=self.job.name,
            version=self.job.version,
            seed=self.job.seed,
            store=self.job.folder,
        )


@contextmanager
def _threads(workers: int) -> Iterator[Executor]:
    """Threads that are waited for, except after an interrupt or an error."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="bea-sweep")
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


@contextmanager
def _lent(executor: Executor) -> Iterator[Executor]:
    """An executor that belongs to the user, who shuts it down."""
    yield executor
