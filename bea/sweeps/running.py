"""Sending tasks to an executor and collecting what comes of them."""

from __future__ import annotations

import queue
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future

from bea.sweeps.outcome import Job, Outcome, Task, failed, run_tasks

__all__ = ["run_all"]

#: A batch whose size nobody has set has at most so many tasks, and so many seconds of work.
LARGEST_BATCH, BATCH_SECONDS = 16, 0.05


def run_all(
    executor: Executor,
    job: Job,
    tasks: Sequence[Task],
    batch: int | None,
    pause: float | None,
    tell: Callable[[], None],
) -> Generator[Outcome, None, None]:
    """The outcomes of tasks as they come; when the iterator is closed, what has not begun is cancelled.

    Parameters
    ----------
    executor : Executor
        Only its method `submit` is used, and the callbacks of its futures.
    job : Job
    tasks : sequence of Task
    batch : int or None
        How many tasks are sent at a time. None begins with one, and sends more when tasks turn out short.
    pause : float or None
        Call `tell` every so many seconds in which nothing comes.
    tell : callable

    Raises
    ------
    KeyboardInterrupt
        Also if the interrupt has met a process of the executor and not this one.
    """
    finished: queue.SimpleQueue[Future[list[Outcome]]] = queue.SimpleQueue()
    sent: dict[Future[list[Outcome]], Sequence[Task]] = {}
    size = _BatchSize(batch)
    try:
        for some in size.batches(tasks):
            try:
                future = executor.submit(run_tasks, job, some)
            except BrokenExecutor as error:
                yield from (failed(task.key, error) for task in some)
                continue
            sent[future] = some
            future.add_done_callback(finished.put)
            while not finished.empty():
                done = finished.get()
                yield from size.learn(_outcomes(sent.pop(done), done))
        while sent:
            try:
                done = finished.get(timeout=pause)
            except queue.Empty:
                tell()
            else:
                yield from _outcomes(sent.pop(done), done)
    finally:
        for future in sent:
            future.cancel()


class _BatchSize:
    """How many tasks to send at a time: as many as take little time, by the longest of those that are done.

    Every result is written before the next task of a batch begins, so that a batch risks nothing.
    """

    def __init__(self, fixed: int | None) -> None:
        self.fixed = fixed
        self.longest = 0.0

    def batches(self, tasks: Sequence[Task]) -> Iterator[Sequence[Task]]:
        """The tasks in their order, in batches of the size that is right when each is asked for."""
        start = 0
        while start < len(tasks):
            size = self.fixed or self.learnt()
            yield tasks[start : start + size]
            start += size

    def learnt(self) -> int:
        """One task until the time of some is known."""
        return min(LARGEST_BATCH, 1 + int(BATCH_SECONDS / self.longest)) if self.longest else 1

    def learn(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Look at the times of tasks that are done."""
        seconds = [outcome.record.seconds for outcome in outcomes if outcome.record is not None]
        self.longest = max([self.longest, *seconds])
        return outcomes


def _outcomes(tasks: Sequence[Task], future: Future[list[Outcome]]) -> list[Outcome]:
    """What came of some tasks, also if their process died or they could not be sent to it."""
    error = CancelledError("cancelled by the executor") if future.cancelled() else future.exception()
    if error is None:
        return future.result()
    if isinstance(error, KeyboardInterrupt):
        raise error
    return [failed(task.key, error) for task in tasks]
