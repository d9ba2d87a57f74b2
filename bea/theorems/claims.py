"""What a check of a theorem returns: claims, each a prediction beside its measurement."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from bea.extras import MissingExtraError, missing_packages
from bea.sweeps import Progress as SweepProgress
from bea.sweeps import SweepResult, sweep
from bea.sweeps.identity import code_hash, package_hash, takes_rng

__all__ = ["Claim", "Run", "Theorem", "Verdict", "versions"]


@dataclass(frozen=True)
class Claim:
    """One prediction of a theorem and its measurement.

    Attributes
    ----------
    name : str
        What is claimed, in a few words; negative controls start with "control:".
    predicted, measured : float or str
    interval : (float, float) or None
        The confidence interval of the measurement, where it has one.
    passed : bool
    detail : str
        How it was measured: losses, step sizes, precision, sample size.
    """

    name: str
    predicted: float | str
    measured: float | str
    passed: bool
    interval: tuple[float, float] | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "passed", bool(self.passed))


@dataclass
class Run:
    """The settings of one check, and what it keeps for its figure.

    Attributes
    ----------
    quick : bool
        Whether the check is a reduced one.
    rng : numpy.random.Generator
    data : dict
        What the figure needs.
    store : Path or None
        The folder in which the sweeps of the check keep their results; None to keep nothing.
    tell : callable or None
        Called with the `bea.sweeps.Progress` of a sweep after each of its tasks.
    """

    quick: bool
    rng: np.random.Generator
    data: dict[str, Any] = field(default_factory=dict)
    store: Path | None = None
    tell: Callable[[SweepProgress], object] | None = None

    def sweep(
        self,
        function: Callable[..., Any],
        grid: Mapping[str, Iterable[Any]] | Sequence[Mapping[str, Any]],
        *,
        executor: Executor | None = None,
        **options: Any,
    ) -> SweepResult:
        """`bea.sweep` with the store and the progress of the check, and a seed from its random numbers.

        A check that was killed and is started again with the same settings finds there what was done.

        Parameters
        ----------
        function, grid, executor
            As for `bea.sweep`.
        **options
            The others of its arguments, before those of the check.

        Returns
        -------
        SweepResult

        Raises
        ------
        TypeError, ValueError, InterruptedSweep
            As `bea.sweep` does; also a check with a store needs a function whose source can be read.

        Notes
        -----
        Unless a `version` is given, a stored result counts only for the same source of the function and of
        the whole package, with the same versions of what it needs: a check must not believe what other code
        has computed.

        Examples
        --------
        >>> run = Run(quick=True, rng=np.random.default_rng(0))
        >>> run.sweep(lambda depth: depth**2, {"depth": [2, 3]})["value"].tolist()
        [4, 9]
        """
        if self.store is not None and options.get("version") is None:
            options["version"] = f"package {package_hash()}, source {code_hash(function)}"
        if takes_rng(function) and "rng" not in options:
            options["rng"] = int(self.rng.integers(2**63))
        settings: dict[str, Any] = {"store": self.store, "progress": self.tell or False}
        return sweep(function, grid, executor, **{**settings, **options})


class Theorem:
    """A published result: its statement, its references, how to check it and how to draw it.

    A theorem is one file with a subclass of this class and one line in the list of theorems.
    """

    #: The name by which `bea.verify` and the command line know the theorem.
    name: ClassVar[str]
    title: ClassVar[str]
    #: One paragraph of plain text with LaTeX between dollar signs.
    statement: ClassVar[str]
    references: ClassVar[tuple[str, ...]]
    #: The extra whose packages the check needs, if any.
    extra: ClassVar[str | None] = None

    def missing(self) -> MissingExtraError | None:
        """The error that tells which package the check needs and does not find, or None."""
        return None if self.extra is None else missing_packages(f"the theorem {self.name}", self.extra)

    def check(self, run: Run) -> Iterator[Claim]:
        """Measure the claims one after the other."""
        raise NotImplementedError

    def figure(self, run: Run) -> Any:
        """A Matplotlib figure of what `check` measured."""
        raise NotImplementedError


@dataclass
class Verdict:
    """The outcome of `bea.verify`: all claims, and enough to repeat them.

    Attributes
    ----------
    claims : list of Claim
    passed : bool
        Whether every claim holds, the negative controls included.
    seed : int or None
        The seed, where one was given as an integer.
    seconds : float
        How long the check took.
    """

    theorem: Theorem
    claims: list[Claim]
    run: Run
    seed: int | None
    seconds: float
    interrupted: bool = False

    @property
    def name(self) -> str:
        """The theorem's name."""
        return self.theorem.name

    @property
    def passed(self) -> bool:
        """Whether the check came to its end and every claim holds."""
        return bool(self.claims) and not self.interrupted and all(c.passed for c in self.claims)

    def figure(self) -> Any:
        """A Matplotlib figure of what was measured."""
        return self.theorem.figure(self.run)

    def to_dict(self) -> dict[str, Any]:
        """The verdict in plain types, for JSON."""
        return {
            "name": self.name,
            "title": self.theorem.title,
            "references": list(self.theorem.references),
            "passed": self.passed,
            "interrupted": self.interrupted,
            "quick": self.run.quick,
            "seed": self.seed,
            "seconds": round(self.seconds, 2),
            "versions": versions(),
            "claims": [asdict(c) for c in self.claims],
        }

    def __repr__(self) -> str:
        width = max((len(c.name) for c in self.claims), default=0)
        rows = [
            f"  {'holds' if c.passed else 'FAILS'}  {c.name:<{width}}  predicted {show(c.predicted)}, "
            f"measured {show(c.measured, c.interval)}{show_interval(c.interval)}"
            for c in self.claims
        ]
        state = "interrupted" if self.interrupted else "holds" if self.passed else "FAILS"
        return "\n".join([f"{self.theorem.title}: {state}", *rows])

    def _repr_html_(self) -> str:
        state = "interrupted" if self.interrupted else "holds" if self.passed else "fails"
        rows = "".join(
            f"<tr><td style='text-align:left'>{escape(c.name)}</td><td>{escape(show(c.predicted))}</td>"
            f"<td>{escape(show(c.measured, c.interval) + show_interval(c.interval))}</td>"
            f"<td>{'holds' if c.passed else '<b>fails</b>'}</td></tr>"
            for c in self.claims
        )
        head = "<tr><th style='text-align:left'>claim</th><th>predicted</th><th>measured</th><th></th></tr>"
        return f"<b>{escape(self.theorem.title)}: {state}</b><table>{head}{rows}</table>"


def show(value: float | str, interval: Sequence[float] | None = None) -> str:
    """A value of a claim as short text, with the digits that its interval leaves uncertain."""
    if isinstance(value, str):
        return value
    return f"{value:.6g}" if interval is None else f"{value:.{_decimals(interval)}f}"


def show_interval(interval: Sequence[float] | None) -> str:
    """An interval as text in brackets after a blank, or nothing."""
    if interval is None:
        return ""
    low, high = (f"{end:.{_decimals(interval)}f}" for end in interval)
    return f" [{low}, {high}]"


def _decimals(interval: Sequence[float]) -> int:
    """Decimals that show two digits of the width of an interval: from 2 to 12."""
    width = interval[1] - interval[0]
    return min(max(1 - math.floor(math.log10(width)), 2), 12) if width > 0 else 12


def versions() -> dict[str, str]:
    """The versions on which a result depends."""
    packages = ("bea", "numpy", "scipy", "sympy", "numba", "python-flint")
    return {"python": platform.python_version(), **{p: version(p) for p in packages}}


Progress = Callable[[Claim], None]
