"""Iterates of a discrete scheme along a vector field."""

from __future__ import annotations

import operator
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Real
from typing import Any, Literal

import numpy as np
import sympy

from bea import __version__
from bea.numerics.arguments import read_rng
from bea.numerics.codegen import compile_field
from bea.numerics.float_steps import initial_memory
from bea.numerics.iterate_kernels import COMPLETED, DIVERGED, LIMIT, UNSOLVED, explicit_steps, implicit_steps
from bea.numerics.patience import patience
from bea.numerics.stepping import Loop, is_small, step_loop
from bea.schemes.memory import memory_size
from bea.schemes.parametric import values_of
from bea.schemes.rehearsal import explained
from bea.schemes.runge_kutta import RungeKutta
from bea.schemes.scheme import Scheme
from bea.systems.evaluation import read_point
from bea.systems.system import System, as_field
from bea.systems.vector_field import VectorField

__all__ = ["InterruptedIteration", "Path", "iterate"]

#: What the compiled loops can count to.
_LARGEST_INTEGER = 2**63 - 1

#: How many steps are made before the keyboard is first looked at, and how many seconds may pass in between.
_FIRST_CHUNK, _PATIENCE = 128, 0.05


@dataclass(frozen=True, eq=False)
class Path:
    """The iterates of a scheme, as `iterate` returns them, with what is needed to repeat the run.

    Attributes
    ----------
    x : array of shape (n + 1, d)
        The recorded iterates, all of them finite. The first is the start, the last the last one computed.
    t : array of shape (n + 1,)
        The times k·h of the recorded iterates x_k, or k·m·h where a step is a pass over m parts.
    memory : array of shape (r,)
        What the scheme remembers after the last step.
    steps_made : int
        How many steps were made.
    success : bool
        Whether all steps were made.
    message : str
        What happened, in a sentence.
    diverged_at : int or None
        The index k of the first iterate that is not finite or has a component beyond 1e100.
    step_size : float
    steps : int
        The number of steps that were asked for.
    record_every : int
    scheme : str
        The scheme, as text.
    parameters : dict from str to float
        The values of the parameters of the field.
    seed : int or None
        The seed of the passes of a scheme that draws them, where one was given as an integer.
    version : str
        The version of this package.
    """

    x: np.ndarray = field(repr=False)
    memory: np.ndarray = field(repr=False)
    steps_made: int
    success: bool
    message: str
    diverged_at: int | None
    step_size: float
    steps: int
    record_every: int
    scheme: str
    parameters: dict[str, float]
    duration: int = 1
    seed: int | None = None
    version: str = __version__

    @cached_property
    def t(self) -> np.ndarray:
        """The times k·h of the recorded iterates x_k."""
        k = np.arange(len(self.x), dtype=float) * self.record_every
        k[-1] = self.steps_made
        return k * self.duration * self.step_size


class InterruptedIteration(KeyboardInterrupt):
    """The interrupt of a run from the keyboard; its attribute `path` holds the iterates computed so far."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path.message}; the iterates so far are in the attribute 'path' of this exception"


def iterate(
    system: System,
    scheme: Scheme,
    x0: Sequence[float] | np.ndarray,
    step_size: float,
    steps: int,
    parameters: Mapping[Any, object] | None = None,
    record_every: int = 1,
    *,
    memory: Sequence[float] | np.ndarray | Literal["slow"] | None = None,
    rng: int | np.random.Generator | None = 0,
) -> Path:
    """Iterate a scheme from x₀ by compiled code.

    Parameters
    ----------
    system : VectorField (also a SplitField), Loss (also a LossSum) or Game
        What to step along; a loss stands for its gradient flow −∇E, a game for simultaneous play.
    scheme : Scheme
    x0 : array_like of shape (d,)
        The start.
    step_size : float
        The step size h > 0.
    steps : int
        How many steps to make.
    parameters : mapping from name to number, optional
        Values for parameters of the system, which replace those that it has, and for symbols of the scheme.
    record_every : int, optional
        Record only every so many iterates, besides the first and the last.
    memory : array_like of shape (r,), optional
        What the scheme remembers before the first step: its vectors one after the other, then its scalars. By
        default what it begins with, which for momentum and Adam is zero. With ``"slow"`` it is what the
        scheme would remember at x₀ in the long run, up to O(h⁴), so that there is no transient: that of
        ``modified_equation(...).memory(x0, h=...)``.
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy, for schemes that draw the order of their passes.

    Returns
    -------
    Path

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or a parameter of the system or of the scheme has no value.
    InterruptedIteration
        On an interrupt from the keyboard. It is a `KeyboardInterrupt`, so it ends loops and scripts as
        always, and its attribute ``path`` (in a notebook: ``sys.last_value.path``) keeps what was computed.

    Warns
    -----
    RuntimeWarning
        If the iterates diverge, or the stages of an implicit method cannot be solved. The path then ends with
        the last iterate before that, and its message says what happened.

    Notes
    -----
    The stage equations of an implicit method are solved by Newton's method, damped and with the exact
    Jacobian, until the corrections are as small as rounding: from K_i = f(x) and, if it does not converge
    from there, from K_i = 0. Where the equations have several solutions, this chooses one; where it finds
    none, the run stops.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("(y - a*b)**2 / 2", variables="a b", parameters={"y": 0.6})
    >>> path = bea.iterate(loss, bea.GradientDescent(), [2.8, 3.5], step_size=1e-3, steps=100_000)
    >>> path.x[-1].round(5)
    array([0.28361, 2.11562])
    """
    vector_field = as_field(system)
    x = read_point(x0, vector_field.dimension, "x0")
    h = _positive_number(step_size, "step_size")
    steps = _integer(steps, "steps", least=0)
    record_every = _integer(record_every, "record_every", least=1)
    _require_scheme(scheme, vector_field)
    if isinstance(memory, str) and memory != "slow":
        raise ValueError(f"memory must be numbers or the word 'slow', not {memory!r}")
    own, constants = values_of(scheme, parameters, vector_field)
    p = vector_field.parameter_values(own)
    report = np.zeros(2)
    method: Any = scheme.with_parameters(**constants) if constants else scheme  # type: ignore[attr-defined]
    numbers = {s.name: float(v) for s, v in zip(vector_field.parameter_symbols, p, strict=False)}
    by_tableau = isinstance(method, RungeKutta) and not (
        method.is_explicit and not method.is_symbolic and is_small(method, vector_field)
    )
    if by_tableau:
        state, loop = x, _runge_kutta_loop(method, vector_field, p, h, report)
    else:
        start: Any
        if isinstance(memory, str):
            start = _slow_memory(system, method, x, h, own)
        else:
            start = initial_memory(method, vector_field, x, h, numbers) if memory is None else memory
        state = np.concatenate([x, read_point(start, memory_size(method, x.size), "memory")])
        with explained(scheme, len(vector_field.parts)):
            loop = step_loop(method, vector_field, p[: len(numbers)], h, report, read_rng(rng))

    run = _Run(loop, state, x.size, steps, record_every)

    def path() -> Path:
        return Path(
            x=run.recorded(),
            memory=run.state[x.size :].copy(),
            steps_made=run.steps_made,
            success=run.status == COMPLETED,
            message=_message(run, report),
            diverged_at=run.steps_made + 1 if run.status == DIVERGED else None,
            step_size=h,
            steps=steps,
            record_every=record_every,
            scheme=repr(scheme),
            parameters={**numbers, **{name: float(c) for name, c in constants.items()}},
            duration=scheme.duration(len(vector_field.parts)),
            seed=rng if isinstance(rng, int) and hasattr(scheme, "draw") else None,
        )

    try:
        run.advance()
    except KeyboardInterrupt:
        raise InterruptedIteration(path()) from None
    if run.status != COMPLETED:
        warnings.warn(_message(run, report), RuntimeWarning, stacklevel=2)
    return path()


#: The status of a run that was not finished.
_UNFINISHED = -1


class _Run:
    """One run of a loop, chunk by chunk, so that an interrupt is heard between two chunks."""

    def __init__(self, loop: Loop, state: np.ndarray, dimension: int, steps: int, record_every: int) -> None:
        self.loop, self.state, self.steps, self.record_every = loop, state, steps, record_every
        self.rows = np.empty((-(-steps // record_every) + 1, dimension))
        self.rows[0] = state[:dimension]
        self.counts = np.array([0, 1])
        self.status = _UNFINISHED

    @property
    def steps_made(self) -> int:
        return int(self.counts[0])

    def advance(self) -> None:
        """Make all steps, or as many as can be made."""
        status, chunk = COMPLETED, _FIRST_CHUNK
        if self.steps:
            with patience("the loops of iterates"):
                status = self.loop(self.state, self.rows, self.counts, self.record_every, 1)
        while status == COMPLETED and self.steps_made < self.steps:
            start = time.perf_counter()
            last = min(self.steps_made + chunk, self.steps)
            status = self.loop(self.state, self.rows, self.counts, self.record_every, last)
            if time.perf_counter() - start < _PATIENCE:
                chunk *= 2
        self.status = status

    def recorded(self) -> np.ndarray:
        """The iterates that were recorded, and the last one."""
        recorded = int(self.counts[1])
        if self.steps_made % self.record_every:
            self.rows[recorded] = self.state[: self.rows.shape[1]]
            recorded += 1
        return self.rows if recorded == len(self.rows) else self.rows[:recorded].copy()


def _message(run: _Run, report: np.ndarray) -> str:
    """What happened, in a sentence."""
    made = run.steps_made
    if run.status == COMPLETED:
        return f"made {made} steps"
    if run.status == DIVERGED:
        return f"the iterates diverged: iterate {made + 1} is not finite or has a component beyond {LIMIT:g}"
    if run.status == UNSOLVED:
        iterations, residual = report
        state = f"the residual is {residual:.3g}" if np.isfinite(residual) else "the field is not finite"
        return (
            f"the stages of step {made + 1} could not be solved: "
            f"after {iterations:.0f} Newton iterations {state}"
        )
    return f"interrupted after {made} of {run.steps} steps"


def _slow_memory(
    system: System, scheme: Scheme, x: np.ndarray, h: float, parameters: Mapping[Any, Any]
) -> np.ndarray:
    """What a scheme would remember at x in the long run, up to O(h⁴)."""
    from bea.modified import modified_equation

    values = {str(name): value for name, value in parameters.items()}
    return modified_equation(system, scheme, order=3).memory(x, h=h, **values)


def _require_scheme(scheme: Scheme, field: VectorField) -> None:
    if isinstance(scheme, type) and issubclass(scheme, Scheme):
        raise TypeError(f"scheme must be an instance, such as {scheme.__name__}(), not the class")
    if not isinstance(scheme, Scheme):
        raise TypeError(f"scheme must be a bea scheme, such as GradientDescent(), not {scheme!r}")
    if scheme.is_random and not hasattr(scheme, "draw"):
        raise ValueError(
            f"{scheme.name} is built on a scheme that draws its passes at random, which cannot be iterated; "
            "draw outside instead, as RandomShuffling(inner=...) does"
        )
    scheme.require(len(field.parts))


def _runge_kutta_loop(
    scheme: RungeKutta, field: VectorField, p: np.ndarray, h: float, report: np.ndarray
) -> Loop:
    A, b, _ = scheme.as_floats()
    essential = list(scheme.essential_stages)
    hA, hb = h * A[np.ix_(essential, essential)], h * b[essential]
    compiled = compile_field(field)
    if scheme.is_explicit:
        W = np.vstack([hA[1:], hb])
        return lambda *run: explicit_steps(compiled.rhs, p, W, *run)
    return lambda *run: implicit_steps(compiled.rhs, compiled.jacobian, p, hA, hb, *run, report)


def _positive_number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, Real | sympy.Expr):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if isinstance(value, sympy.Expr) and not value.is_real:
        raise TypeError(f"{name} must be a real number, not {value}")
    try:
        number = float(value)
    except OverflowError:
        number = np.inf
    if not 0 < number < np.inf:
        raise ValueError(f"{name} must be positive and finite, not {value!r}")
    return number


def _integer(value: Any, name: str, least: int) -> int:
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None:
        raise TypeError(f"{name} must be an integer, not {value!r}")
    if not least <= number <= _LARGEST_INTEGER:
        bound = f"least {least}" if number < least else f"most {_LARGEST_INTEGER}"
        raise ValueError(f"{name} must be at {bound}, not {number}")
    return number
