"""How far a sweep has come, told on standard error or to a function."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "Reporter", "reporter"]

_CLEAR_LINE = "\r\x1b[K"
#: Seconds between two lines on a terminal, where one line is kept up to date, and elsewhere.
_LIVE, _PLAIN = 0.2, 30.0


@dataclass(frozen=True)
class Progress:
    """How far a sweep has come.

    Attributes
    ----------
    done : int
        How many tasks are done; the failed ones and those found in the store count.
    total : int
    failed : int
    reused : int
        How many results were found in the store.
    seconds : float
        The time since the sweep began.
    left : float or None
        The seconds that the rest will take at the pace so far; None before the first task is done.
    """

    done: int
    total: int
    failed: int
    reused: int
    seconds: float

    @property
    def left(self) -> float | None:
        """The seconds that the rest will take at the pace so far."""
        if self.done == self.total:
            return 0.0
        computed = self.done - self.reused
        return self.seconds / computed * (self.total - self.done) if computed else None

    def __str__(self) -> str:
        """A line for people.

        Examples
        --------
        >>> print(Progress(done=40, total=100, failed=1, reused=20, seconds=60.0))
        40 of 100 tasks (40%), 1 failed, 1:00 gone, 3:00 left
        """
        failed = f", {self.failed} failed" if self.failed else ""
        left = "" if self.left is None else f", {_clock(self.left)} left"
        share = 100 * self.done // self.total
        return f"{self.done} of {self.total} tasks ({share}%){failed}, {_clock(self.seconds)} gone{left}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Reporter:
    """Counts tasks and tells of them; this one keeps quiet."""

    #: How often the time is to be told where no task is done, in seconds.
    pause: float | None = None

    def __init__(self, total: int) -> None:
        self.begun = time.perf_counter()
        self.total, self.done, self.failed, self.reused = total, 0, 0, 0

    def count(self, *, failed: int = 0, reused: int = 0, computed: int = 0) -> None:
        """Some tasks are done."""
        self.done += failed + reused + computed
        self.failed += failed
        self.reused += reused
        self.tell()

    def now(self) -> Progress:
        """How far the sweep has come."""
        seconds = time.perf_counter() - self.begun
        return Progress(self.done, self.total, self.failed, self.reused, seconds)

    def tell(self) -> None:
        """Tell how far the sweep has come, if it is time."""

    def close(self) -> None:
        """The sweep is over, in whatever way."""


class _ToFunction(Reporter):
    def __init__(self, total: int, function: Callable[[Progress], object]) -> None:
        super().__init__(total)
        self.function = function

    def tell(self) -> None:
        self.function(self.now())


class _ToStandardError(Reporter):
    """One line that is kept up to date on a terminal; elsewhere a line from time to time."""

    def __init__(self, total: int) -> None:
        super().__init__(total)
        self.live = sys.stderr.isatty()
        self.pause = _LIVE if self.live else _PLAIN
        self.last = self.begun

    def tell(self) -> None:
        if time.perf_counter() - self.last >= (_LIVE if self.live else _PLAIN):
            self.last = time.perf_counter()
            before, after = (_CLEAR_LINE, "") if self.live else ("", "\n")
            print(f"{before}{self.now()}", end=after, file=sys.stderr, flush=True)

    def close(self) -> None:
        if self.live:
            print(_CLEAR_LINE, end="", file=sys.stderr, flush=True)


def reporter(progress: bool | Callable[[Progress], object], total: int) -> Reporter:
    """What tells of a sweep with so many tasks.

    Raises
    ------
    TypeError
        If `progress` is neither a boolean nor callable.
    """
    if isinstance(progress, bool):
        return _ToStandardError(total) if progress else Reporter(total)
    if not callable(progress):
        raise TypeError(f"progress must be True, False or a function, not {progress!r}")
    return _ToFunction(total, progress)
