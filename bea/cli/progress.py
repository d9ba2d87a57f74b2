"""What ``bea verify`` tells while it works: the claims as they come, and the time that has gone by."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Sequence
from typing import TextIO

from bea.reports import Section
from bea.sweeps import Progress as SweepProgress
from bea.theorems.claims import Claim, show, show_interval

__all__ = ["Progress"]

_CLEAR_LINE = "\r\x1b[K"
#: Seconds between two lines on the tasks of experiments, where no line is kept up to date.
_PAUSE = 30.0


class Progress:
    """Claims on one stream, progress on standard error.

    On a terminal the progress is one line that is kept up to date; elsewhere it is a plain line when a
    theorem is begun and one when it is done. The methods may be called from any thread.

    Parameters
    ----------
    names : sequence of str
        The theorems to be checked.
    claims_to : text stream
        Where the claims are printed.
    """

    def __init__(self, names: Sequence[str], claims_to: TextIO) -> None:
        self._several = len(names) > 1
        self._claims_to = claims_to
        self._live = sys.stderr.isatty()
        self._lock = threading.Lock()
        self._begun = time.perf_counter()
        self._running: dict[str, int] = {}
        self._tasks: dict[str, str] = {}
        self._last_tasks = self._begun
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Progress:
        if self._live:
            self._clock.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        if self._live:
            self._clock.join()
            self._print("", sys.stderr, end="")

    def start(self, name: str) -> None:
        """A check begins."""
        self._running[name] = 0
        if not self._live:
            self._print(f"{name}: checking", sys.stderr)

    def note(self, text: str) -> None:
        """Say something about the checks."""
        self._print(text, sys.stderr)

    def tasks(self, name: str, progress: SweepProgress) -> None:
        """A task of an experiment is done."""
        self._tasks[name] = f", {progress}" if progress.done < progress.total else ""
        if not self._live and time.perf_counter() - self._last_tasks >= _PAUSE:
            self._last_tasks = time.perf_counter()
            self._print(f"{name}: {progress}", sys.stderr)

    def claim(self, name: str, claim: Claim) -> None:
        """A claim has been measured."""
        self._running[name] += 1
        verdict = "holds" if claim.passed else "FAILS"
        theorem = f"{name}: " if self._several else ""
        self._print(
            f"{verdict}  {theorem}{claim.name}: predicted {show(claim.predicted)}, "
            f"measured {show(claim.measured, claim.interval)}{show_interval(claim.interval)}",
            self._claims_to,
        )

    def finish(self, section: Section) -> None:
        """A check has come to its end."""
        result = section.result
        self._running.pop(result["name"], None)
        state = "interrupted" if result["interrupted"] else "holds" if result["passed"] else "FAILS"
        met = f"{sum(claim['passed'] for claim in result['claims'])} of {len(result['claims'])} claims"
        self._print(f"{result['name']}: {state}, {met} in {result['seconds']:.1f} s", sys.stderr)

    def _tick(self) -> None:
        while not self._over.wait(0.2):
            claims = "; ".join(
                f"{name}: {n} claims{self._tasks.get(name, '')}" for name, n in list(self._running.items())
            )
            line = f"{time.perf_counter() - self._begun:.0f} s  {claims}"
            with self._lock:
                sys.stderr.write(f"{_CLEAR_LINE}{line[: shutil.get_terminal_size().columns - 1]}")
                sys.stderr.flush()

    def _print(self, line: str, stream: TextIO, end: str = "\n") -> None:
        with self._lock:
            if self._live:
                sys.stderr.write(_CLEAR_LINE)
                sys.stderr.flush()
            print(line, file=stream, end=end, flush=True)
