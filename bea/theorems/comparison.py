"""The iterates of a scheme beside the flow of a field that they may follow."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from flint import arb

from bea.modified.memory import MemorySeries
from bea.numerics import arbitrary
from bea.numerics.balls import exact_value, magnitude
from bea.schemes.scheme import Scheme
from bea.systems.expressions import STEP_SIZE
from bea.systems.system import System, as_field
from bea.systems.vector_field import VectorField

__all__ = ["DOUBLE_BITS", "Comparison"]

#: The bits of a number of double precision; more are worked in arbitrary precision.
DOUBLE_BITS = 53
#: The tolerance of flows in double precision, relative to x0 or, where that is less, to the way from it.
TOLERANCE = 1e-13
#: Errors are trusted if they exceed the last bit of the states by this many bits.
CLEARANCE = 16
#: The leading power of an error is read off at this power of 2 of the time scale, and half of it.
TINY = -40
#: The leading power is sought so far beyond the least that it can be.
POWERS_BEYOND = 12


@dataclass(frozen=True)
class Comparison:
    """A scheme on a system, and the field whose flow its iterates are compared with.

    Attributes
    ----------
    system : VectorField, Loss or Game
    scheme : Scheme
    target : VectorField
        The field; the step size is its parameter h.
    x0 : tuple of d numbers
    parameters : dict
    bits : int
    end : sympy.Expr or None
        The time at which they are compared, or None after one step.
    memory : MemorySeries or None
        What the scheme remembers at x0, where it has a memory.
    leading : VectorField, Loss or Game, optional
        What the scheme follows for small steps, by default the system.
    delay : float, default 1
        How many steps the memory lasts.
    """

    system: System
    scheme: Scheme
    target: VectorField
    x0: tuple[Any, ...]
    parameters: dict[Any, Any]
    bits: int
    end: sympy.Expr | None
    memory: MemorySeries | None = None
    leading: Any = None
    delay: float = 1.0

    def __post_init__(self) -> None:
        if self.leading is None:
            object.__setattr__(self, "leading", self.system)

    def distance(self, step_size: float) -> tuple[float, Any]:
        """The step size that is used, and the distance of the iterate from the flow, a float or a ball.

        At a fixed time the step size is the nearest to the one asked for that divides the time.
        """
        steps, h = 1, exact_value(float(step_size))
        if self.end is not None:
            steps = max(1, round(float(self.end) / (float(step_size) * self.duration)))
            h = self.end / (steps * self.duration)
        drawn = hasattr(self.scheme, "draw")
        measure = self._in_doubles if self.bits == DOUBLE_BITS and not drawn else self._in_balls
        return float(h), measure(h, steps)

    @property
    def duration(self) -> int:
        """How many step sizes of time one step takes."""
        return self.scheme.duration(len(as_field(self.system).parts))

    def _in_balls(self, h: sympy.Expr, steps: int) -> arb:
        given = {str(name): value for name, value in self.parameters.items()}
        known = {**self.system.parameters, **given, STEP_SIZE.name: h}
        memory = None
        if self.memory is not None:
            expressions, variables = self.memory.expressions(), self.system.variables
            memory = arbitrary.evaluate(expressions, variables, self.x0, known, 2 * self.bits)
        path = arbitrary.iterate(
            self.system, self.scheme, self.x0, h, steps, self.parameters, self.bits, memory
        )
        time = steps * self.duration * h
        end = arbitrary.flow(self.target, self.x0, time, self._target_parameters(h), self.bits)
        return sum((a - b) ** 2 for a, b in zip(path[-1], end, strict=True)).sqrt()

    def _in_doubles(self, h: sympy.Expr, steps: int) -> float:
        from bea.numerics.flows import flow
        from bea.numerics.iterates import iterate

        x0, values = self.start(), self._target_parameters(h)
        span = (0.0, float(steps * self.duration * h))
        own = {str(name): value for name, value in self.parameters.items()}
        memory = None if self.memory is None else self.memory(x0, h=float(h), **own)
        atol = TOLERANCE * self._scale(span[1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            path = iterate(
                self.system, self.scheme, x0, float(h), steps, self.parameters, steps, memory=memory
            )
            solution = flow(self.target, x0, span, values, rtol=TOLERANCE, atol=atol)
        for result in (path, solution):
            if not result.success:
                raise ValueError(f"no error can be measured at h = {float(h):g}: {result.message}")
        return math.hypot(*(path.x[-1] - solution.y[:, -1]))

    def _target_parameters(self, h: sympy.Expr) -> dict[str, Any]:
        names = {s.name for s in self.target.parameter_symbols}
        given = {str(name): value for name, value in self.parameters.items()} | {STEP_SIZE.name: h}
        return {name: value for name, value in given.items() if name in names}

    @property
    def _own_parameters(self) -> dict[str, Any]:
        """Those of the parameters that are not the scheme's."""
        symbols = {s.name for s in self.scheme.parameter_symbols}
        return {str(n): v for n, v in self.parameters.items() if str(n) not in symbols}

    def start(self) -> np.ndarray:
        """The start as floats, of shape (d,)."""
        return np.array([float(x) if isinstance(x, arb) else float(exact_value(x)) for x in self.x0])

    def rate(self) -> float:
        """1/(the time scale of the solution at x0): the largest (‖x_k‖/‖x_1‖)^{1/(k−1)} of its Taylor series.

        Raises
        ------
        ValueError
            If nothing moves.
        """
        field, parameters = self.leading, self._own_parameters
        if self.leading is not self.system:
            parameters = {**self.parameters}
        series = arbitrary.taylor(field, self.x0, 5, parameters, bits=64)
        sizes = [math.hypot(*map(float, coefficient)) for coefficient in series]
        if sizes[1] == 0:
            raise ValueError(f"nothing moves from x0 = {list(self.x0)}, so there is no order to measure")
        rate = max((sizes[k] / sizes[1]) ** (1 / (k - 1)) for k in range(2, 6)) or 1.0
        return rate * self.delay

    def _scale(self, span: float) -> float:
        """The size of the states on the way: that of x0 or, if it is more, of f(x0) times the time."""
        return max(float(np.abs(self.start()).max()), span * self._speed) or 1.0

    @cached_property
    def _speed(self) -> float:
        parameters = {
            name: float(value) if isinstance(value, arb) else value
            for name, value in self._own_parameters.items()
        }
        return float(np.abs(as_field(self.system)(self.start(), parameters)).max())

    def rounding(self, step_size: float) -> int:
        """The exponent m for which rounding may show in errors below 2^m."""
        size = magnitude([arb(self._scale(step_size if self.end is None else float(self.end)))])
        return int(size) - self.bits + CLEARANCE

    def leading_power(self, least: int) -> int:
        """The power of h that leads the error of one step from x0, if it is at least `least`; else `least`.

        It is the logarithm of the ratio of the errors at two step sizes so small that nothing else shows. An
        error that vanishes to many powers more than `least` counts as no error.
        """
        largest = sympy.Rational(2) ** (TINY - math.ceil(math.log2(self.rate())))
        for beyond in (2, POWERS_BEYOND):
            bits = 2 * CLEARANCE + (1 - TINY) * (least + beyond)
            precise = replace(self, bits=bits, end=None)
            errors = [precise._in_balls(h, 1) for h in (largest, largest / 2)]
            if all(magnitude([error]) > precise.rounding(float(largest)) for error in errors):
                return max(least, round(float((errors[0] / errors[1]).log()) / math.log(2)))
        return least

    def moved(self) -> Comparison:
        """The same from another point of the solution, where nothing vanishes that does so only at x0."""
        time = 0.05 / self.rate()
        x = arbitrary.flow(self.system, self.x0, time, self._own_parameters, bits=200)
        return replace(self, x0=tuple(x))
