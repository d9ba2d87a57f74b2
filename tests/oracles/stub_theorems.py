"""Theorems that are checked in no time: some that hold, one that fails, five that do not come to an end."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import Any

from sweep_functions import logged

from bea.theorems.claims import Claim, Run, Theorem

STUBS = {
    "holding": "stub_theorems:Holding",
    "failing": "stub_theorems:Failing",
    "stopped": "stub_theorems:Stopped",
    "endless": "stub_theorems:Endless",
    "undrawn": "stub_theorems:Undrawn",
    "raising": "stub_theorems:Raising",
    "sweeping": "stub_theorems:Sweeping",
    "dying": "stub_theorems:Dying",
    "unequipped": "stub_theorems:Unequipped",
}


class Holding(Theorem):
    name = "holding"
    title = "Squares & sums"
    statement = r"For $x > 0$ and $y < 1$ the sum is $\sqrt{x^2} + y$, and 1 < 2."
    references = ("A. Author (1900), On <sums>, Journal of Sums 1, 1–2.",)

    def check(self, run: Run) -> Iterator[Claim]:
        noise = float(run.rng.normal()) if not run.quick else 0.0
        yield Claim("the slope", 2, 2.001, True, (1.9, 2.1), "ten step sizes, $h < 1$")
        yield Claim("the noise", "any", noise, True)
        yield Claim("control: the wrong sign", "no slope 2", 1.0, True, detail="must <fail>")

    def figure(self, run: Run) -> Any:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(2, 1))
        figure.subplots().plot([1, 2, 4])
        return figure


class Unequipped(Holding):
    name = "unequipped"
    extra = "nothing"


class Failing(Holding):
    name = "failing"
    title = "What is not so"

    def check(self, run: Run) -> Iterator[Claim]:
        yield Claim("a number", 1.0, float("nan"), False)


class Stopped(Holding):
    """Its reader presses Ctrl-C after the first claim."""

    name = "stopped"

    def check(self, run: Run) -> Iterator[Claim]:
        yield Claim("measured before", 1.0, 1.0, True)
        raise KeyboardInterrupt

    def figure(self, run: Run) -> Any:
        raise RuntimeError("what was not measured cannot be drawn")


class Undrawn(Holding):
    """Its reader presses Ctrl-C while its figure is drawn."""

    name = "undrawn"

    def figure(self, run: Run) -> Any:
        raise KeyboardInterrupt


class Endless(Stopped):
    name = "endless"

    def check(self, run: Run) -> Iterator[Claim]:
        yield Claim("measured before", 1.0, 1.0, True)
        time.sleep(600)


class Raising(Holding):
    """Its data are not to be found after the first claim."""

    name = "raising"

    def check(self, run: Run) -> Iterator[Claim]:
        yield Claim("measured before", 1.0, 1.0, True)
        raise LookupError("the data are missing")


class AtOnce(Executor):
    """Computes when a task is given, one after the other."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(function(*arguments, **options))
        return future


class Sweeping(Holding):
    """Twenty tasks, which write a log; from 12 on they wait while a gate is closed."""

    name = "sweeping"

    def check(self, run: Run) -> Iterator[Claim]:
        log = os.environ["STUB_LOG"]
        version = os.environ.get("STUB_VERSION")
        grid = {"i": range(20), "log": [log]}
        found = run.sweep(logged, grid, executor=AtOnce(), batch=1, version=version)
        yield Claim("sum of squares", 2470.0, float(found["square"].sum()), found["square"].sum() == 2470)


class Dying(Holding):
    """Ends its process, as a fault in compiled code would, unless that is the one of the command."""

    name = "dying"

    def check(self, run: Run) -> Iterator[Claim]:
        if multiprocessing.parent_process() is not None:
            os._exit(1)
        yield Claim("still here", 1.0, 1.0, True)
