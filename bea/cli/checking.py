"""Checking several theorems, one after the other or several at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bea.cli.progress import Progress
from bea.reports import Section
from bea.sweeps import Progress as SweepProgress
from bea.sweeps import TaskError, sweep
from bea.theorems import THEOREMS, Claim, Verdict, get_theorem, verify
from bea.theorems.claims import Run

__all__ = ["Settings", "check_all"]

T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """The exception of a check, in one line, and its traceback."""

    error: str
    traceback: str


#: What is told of a check: that it begins (None), a claim, the tasks of an experiment, the whole section, or
#: the exception in its place.
News = Claim | Section | SweepProgress | Failure | None
Tell = Callable[[str, News], None]

#: Seconds between two words of a process on the tasks of an experiment.
PAUSE = 0.2


@dataclass(frozen=True)
class Settings:
    """How to check.

    Attributes
    ----------
    quick : bool
        A reduced check, or a full one.
    seed : int
    figures : bool
        Whether to draw.
    jobs : int
        How many theorems at a time.
    runs : Path or None
        Where experiments keep their results, in a folder for each theorem.
    """

    quick: bool
    seed: int
    figures: bool
    jobs: int
    runs: Path | None = None


def check_all(names: Sequence[str], settings: Settings, progress: Progress) -> list[Section]:
    """The sections of the theorems that were begun, in the order of the names.

    After an interruption from the keyboard, a theorem whose check was not done has a section of the claims
    that were measured until then. So has one whose check has raised an exception, with a claim that fails and
    says so; the others are checked all the same.
    """
    for name in names:
        if settings.runs is not None and any((settings.runs / name).glob("*.npz")):
            progress.note(f"{name}: goes on from the results in {settings.runs / name}")
    ledger = _Ledger(settings, progress)
    check = _check_at_once if settings.jobs > 1 else _check_in_turn
    try:
        for error in check(names, settings, ledger):
            ledger.fail(error.parameters["name"], Failure(error.error, error.traceback))
    except KeyboardInterrupt:
        ledger.interrupt()
    return [ledger.sections[name] for name in names if name in ledger.sections]


def _check_in_turn(names: Sequence[str], settings: Settings, ledger: _Ledger) -> list[TaskError]:
    return _sweep(partial(_check, settings=settings, tell=ledger.hear), names, _AtOnce())


def _check_at_once(names: Sequence[str], settings: Settings, ledger: _Ledger) -> list[TaskError]:
    """One process a theorem. Flint's precision belongs to a process, so threads would disturb each other."""
    context = multiprocessing.get_context("spawn")
    news = context.SimpleQueue()
    listener = threading.Thread(target=_listen, args=(news, ledger), daemon=True)
    listener.start()
    pool = ProcessPoolExecutor(settings.jobs, context, _begin_worker, (news, dict(THEOREMS)))
    try:
        errors = _sweep(partial(_check_there, settings=settings), names, pool)
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    pool.shutdown()
    news.put(None)
    listener.join()
    return errors


def _sweep(check: Callable[..., bool], names: Sequence[str], executor: Executor) -> list[TaskError]:
    """Check the theorems on an executor; the errors are those of the checks that have raised an exception."""
    with warnings.catch_warnings():
        # The sweep warns of them, and the ledger tells them better.
        warnings.filterwarnings("ignore", r"\d+ of \d+ tasks failed", RuntimeWarning, __name__)
        return sweep(check, {"name": names}, executor, batch=1, progress=False).errors


class _AtOnce(Executor):
    """Computes in this process when a task is given, so that an interrupt meets the task."""

    def submit(self, function: Callable[..., T], /, *arguments: Any, **options: Any) -> Future[T]:
        future: Future[T] = Future()
        future.set_result(function(*arguments, **options))
        return future


def _check(name: str, settings: Settings, tell: Tell) -> bool:
    """Check a theorem and tell all there is to tell; an interruption goes on to the other checks."""
    tell(name, None)
    try:
        section = _section(name, settings, tell)
    except Exception as error:
        tell(name, Failure(traceback.format_exception_only(error)[-1].strip(), traceback.format_exc()))
        raise
    tell(name, section)
    if section.result["interrupted"]:
        raise KeyboardInterrupt
    return bool(section.result["passed"])


def _section(name: str, settings: Settings, tell: Tell) -> Section:
    verdict = verify(
        name,
        quick=settings.quick,
        rng=settings.seed,
        progress=partial(tell, name),
        store=None if settings.runs is None else settings.runs / name,
        sweep_progress=partial(tell, name),
    )
    try:
        return Section.from_verdict(verdict, settings.figures)
    except KeyboardInterrupt:  # while its figure was drawn: the claims are kept without it
        verdict.interrupted = True
        return Section.from_verdict(verdict, figure=False)


class _Ledger:
    """What is known of each check. It hears of it in this process or from another one, and passes it on."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self.begun: dict[str, float] = {}
        self.claims: dict[str, list[Claim]] = {}
        self.sections: dict[str, Section] = {}

    def hear(self, name: str, news: News) -> None:
        """Take in what is told of a check."""
        if isinstance(news, Section):
            self.sections[name] = news
            self._progress.finish(news)
        elif isinstance(news, Claim):
            self.claims[name].append(news)
            self._progress.claim(name, news)
        elif isinstance(news, SweepProgress):
            self._progress.tasks(name, news)
        elif isinstance(news, Failure):
            self.fail(name, news)
        else:
            self.begun[name], self.claims[name] = time.perf_counter(), []
            self._progress.start(name)

    def interrupt(self) -> None:
        """Make a section of each check that has begun and is not done."""
        for name in [name for name in self.claims if name not in self.sections]:
            self._close(name, interrupted=True)

    def fail(self, name: str, failure: Failure) -> None:
        """Make a section of a check that has failed by an exception, unless there is one already."""
        if name in self.sections:
            return
        if name not in self.begun:
            self.hear(name, None)
        self._progress.note(failure.traceback.rstrip())
        lines = map(str.strip, failure.traceback.splitlines())
        *_, place = "", *(line for line in lines if line.startswith("File "))
        self.hear(name, Claim("the check comes to its end", "no error", failure.error, False, detail=place))
        self._close(name, interrupted=False)

    def _close(self, name: str, interrupted: bool) -> None:
        run = Run(self._settings.quick, np.random.default_rng(self._settings.seed))
        seconds = time.perf_counter() - self.begun[name]
        theorem, claims = get_theorem(name), self.claims[name]
        verdict = Verdict(theorem, claims, run, self._settings.seed, seconds, interrupted)
        self.hear(name, Section.from_verdict(verdict, figure=False))


def _listen(news: Any, ledger: _Ledger) -> None:
    """Let the ledger hear what other processes tell, until one says no more."""
    while (item := news.get()) is not None:
        ledger.hear(*item)


_news: Any = None
_told: dict[str, float] = {}


def _begin_worker(news: Any, theorems: dict[str, str]) -> None:
    """Make a new process know the theorems of its parent, leave interruptions to that, and end with it."""
    global _news
    _news = news
    THEOREMS.update(theorems)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _check_there(name: str, settings: Settings) -> bool:
    """Check a theorem in another process; its section goes the way of its claims."""
    import matplotlib

    matplotlib.use("Agg")
    return _check(name, settings, _tell_parent)


def _tell_parent(name: str, news: News) -> None:
    """Tell the parent process, but not more often of tasks than anyone can read."""
    if isinstance(news, SweepProgress) and news.done < news.total:
        if time.perf_counter() - _told.get(name, -PAUSE) < PAUSE:
            return
        _told[name] = time.perf_counter()
    _news.put((name, news))
