"""The iterates of a scheme beside the flow of a field that they may follow."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from flint import arb

from bea.numerics import arbitrary
from bea.numerics.balls import exact_value, magnitude
from bea.schemes.scheme import Scheme
from bea.systems import Loss, VectorField
from bea.systems.expressions import STEP_SIZE

__all__ = ["DOUBLE_BITS", "Comparison"]

#: The bits of a number of double precision; more are worked in arbitrary precision.
DOUBLE_BITS = 53
#: The tolerance of flows in double precision, relative to x0.
TOLERANCE = 1e-13
#: Errors are trusted if they exceed the last bit of x0 by this many bits.
CLEARANCE = 16


@dataclass(frozen=True)
class Comparison:
    """A scheme on a system, and the field whose flow its iterates are compared with.

    Attributes
    ----------
    system : VectorField or Loss
    scheme : Scheme
    target : VectorField
        The field; the step size is its parameter h.
    x0 : tuple of d numbers
    parameters : dict
    bits : int
    end : sympy.Expr or None
        The time at which they are compared, or None after one step.
    """

    system: VectorField | Loss
    scheme: Scheme
    target: VectorField
    x0: tuple[Any, ...]
    parameters: dict[Any, Any]
    bits: int
    end: sympy.Expr | None

    def distance(self, step_size: float) -> tuple[float, Any]:
        """The step size that is used, and the distance of the iterate from the flow, a float or a ball.

        At a fixed time the step size is the nearest to the one asked for that divides the time.
        """
        steps, h = 1, exact_value(float(step_size))
        if self.end is not None:
            steps = max(1, round(float(self.end) / float(step_size)))
            h = self.end / steps
        measure = self._in_doubles if self.bits == DOUBLE_BITS else self._in_balls
        return float(h), measure(h, steps)

    def _in_balls(self, h: sympy.Expr, steps: int) -> arb:
        path = arbitrary.iterate(self.system, self.scheme, self.x0, h, steps, self.parameters, self.bits)
        end = arbitrary.flow(self.target, self.x0, steps * h, self._target_parameters(h), self.bits)
        return sum((a - b) ** 2 for a, b in zip(path[-1], end, strict=True)).sqrt()

    def _in_doubles(self, h: sympy.Expr, steps: int) -> float:
        from bea.numerics.flows import flow
        from bea.numerics.iterates import iterate

        x0, span, values = self.start(), (0.0, float(steps * h)), self._target_parameters(h)
        atol = TOLERANCE * float(np.abs(x0).max())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            path = iterate(self.system, self.scheme, x0, float(h), steps, self.parameters, record_every=steps)
            solution = flow(self.target, x0, span, values, rtol=TOLERANCE, atol=atol)
        for result in (path, solution):
            if not result.success:
                raise ValueError(f"no error can be measured at h = {float(h):g}: {result.message}")
        return float(np.linalg.norm(path.x[-1] - solution.y[:, -1]))

    def _target_parameters(self, h: sympy.Expr) -> dict[str, Any]:
        names = {s.name for s in self.target.parameter_symbols}
        given = {str(name): value for name, value in self.parameters.items()} | {STEP_SIZE.name: h}
        return {name: value for name, value in given.items() if name in names}

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
        series = arbitrary.taylor(self.system, self.x0, 5, self.parameters, bits=64)
        sizes = [math.hypot(*map(float, coefficient)) for coefficient in series]
        if sizes[1] == 0:
            raise ValueError(f"nothing moves from x0 = {list(self.x0)}, so there is no order to measure")
        return max((sizes[k] / sizes[1]) ** (1 / (k - 1)) for k in range(2, 6)) or 1.0

    def rounding(self) -> int:
        """The exponent m for which rounding may show in errors below 2^m."""
        size = magnitude([arb(x) for x in self.start()])
        return (0 if size == -math.inf else int(size)) - self.bits + CLEARANCE
