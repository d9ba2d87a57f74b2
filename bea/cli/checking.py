"""Checking several theorems, one after the other or several at a time."""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bea.cli.progress import Progress
from bea.reports import Section
from bea.theorems import THEOREMS, Claim, Verdict, get_theorem, verify
from bea.theorems.claims import Run

__all__ = ["Settings", "check_all"]


@dataclass(frozen=True)
class Settings:
    """How to check: a reduced check or a full one, the seed, whether to draw, and how many at a time."""

    quick: bool
    seed: int
    figures: bool
    jobs: int


def check_all(names: Sequence[str], settings: Settings, progress: Progress) -> list[Section]:
    """The sections of the theorems that were begun, in the order of the names.

    After an interruption from the keyboard, a theorem whose check was not done has a section of the claims
    that were measured until then.
    """
    check = _check_at_once if settings.jobs > 1 else _check_in_turn
    return check(names, settings, progress)


def _check_in_turn(names: Sequence[str], settings: Settings, progress: Progress) -> list[Section]:
    sections: list[Section] = []
    for name in names:
        progress.start(name)
        tell = partial(progress.claim, name)
        verdict = verify(name, quick=settings.quick, rng=settings.seed, progress=tell)
        try:
            section = Section.from_verdict(verdict, settings.figures)
        except KeyboardInterrupt:  # while its figure was drawn: the claims are kept without it
            verdict.interrupted = True
            section = Section.from_verdict(verdict, figure=False)
        sections.append(section)
        progress.finish(section)
        if verdict.interrupted:
            break
    return sections


def _check_at_once(names: Sequence[str], settings: Settings, progress: Progress) -> list[Section]:
    """One process a theorem. Flint's precision belongs to a process, so threads would disturb each other."""
    context = multiprocessing.get_context("spawn")
    news = context.SimpleQueue()
    listener = _Listener(news, progress)
    listener.start()
    pool = ProcessPoolExecutor(settings.jobs, context, _begin_worker, (news, dict(THEOREMS)))
    checks = [pool.submit(_check_one, name, settings) for name in names]
    try:
        for check in checks:
            check.result()
        news.put(None)
        listener.join()
    except KeyboardInterrupt:
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in multiprocessing.active_children():
            worker.terminate()
        for name in listener.unfinished():
            listener.finish(_interrupted(name, listener, settings))
    return [listener.sections[name] for name in names if name in listener.sections]


class _Listener(threading.Thread):
    """What the processes tell: that a check has begun, its claims, and at last its section."""

    def __init__(self, news: Any, progress: Progress) -> None:
        super().__init__(daemon=True)
        self._news = news
        self._progress = progress
        self.begun: dict[str, float] = {}
        self.claims: dict[str, list[Claim]] = {}
        self.sections: dict[str, Section] = {}

    def run(self) -> None:
        while (item := self._news.get()) is not None:
            name, told = item
            if isinstance(told, Section):
                self.finish(told)
            elif isinstance(told, Claim):
                self.claims[name].append(told)
                self._progress.claim(name, told)
            else:
                self.begun[name], self.claims[name] = time.perf_counter(), []
                self._progress.start(name)

    def finish(self, section: Section) -> None:
        """Keep a section."""
        self.sections[section.result["name"]] = section
        self._progress.finish(section)

    def unfinished(self) -> list[str]:
        """The theorems whose checks have begun and are not done."""
        return [name for name in self.claims if name not in self.sections]


def _interrupted(name: str, listener: _Listener, settings: Settings) -> Section:
    """The section of a check that was stopped, from the claims that have arrived."""
    run = Run(settings.quick, np.random.default_rng(settings.seed))
    seconds = time.perf_counter() - listener.begun[name]
    theorem, claims = get_theorem(name), listener.claims[name]
    return Section.from_verdict(Verdict(theorem, claims, run, settings.seed, seconds, interrupted=True))


_news: Any = None


def _begin_worker(news: Any, theorems: dict[str, str]) -> None:
    """Make a new process know the theorems of its parent, and leave interruptions to that."""
    global _news
    _news = news
    THEOREMS.update(theorems)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _check_one(name: str, settings: Settings) -> None:
    import matplotlib

    matplotlib.use("Agg")
    _tell(name, None)
    tell = partial(_tell, name)
    verdict = verify(name, quick=settings.quick, rng=settings.seed, progress=tell)
    tell(Section.from_verdict(verdict, settings.figures))


def _tell(name: str, news: Claim | Section | None) -> None:
    """Tell the parent process that a check has begun (None), a claim, or the section of the whole check."""
    _news.put((name, news))
