"""Steps of schemes in double precision, one at a time: for those that ask for exact flows, and for starts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy

from bea.numerics.flows import flow
from bea.numerics.iterate_kernels import COMPLETED, DIVERGED, LIMIT
from bea.schemes.memory import flattened, shaped
from bea.schemes.scheme import Scheme
from bea.systems.vector_field import VectorField

__all__ = ["float_loop", "initial_memory"]

#: The tolerance of exact flows, relative to the state.
TOLERANCE = 1e-13


class FloatField:
    """A field on floats, as schemes use it: its values, its flow, and the parts of which it is made."""

    def __init__(self, field: VectorField, values: dict[str, float]) -> None:
        names = {s.name for s in field.parameter_symbols}
        self._field = field
        self._values: dict[Any, Any] = {name: value for name, value in values.items() if name in names}
        self.parts = [FloatField(part, values) for part in field.parts]

    def __call__(self, x: Sequence[float]) -> list[float]:
        return list(self._field(np.array(x), **self._values))

    def flow(self, x: Sequence[float], t: float) -> list[float]:
        """The solution at time t, by DOP853; what is not finite where there is none."""
        size = max(map(abs, x), default=0.0)
        solution = flow(
            self._field, x, (0.0, t), self._values, rtol=TOLERANCE, atol=TOLERANCE * max(size, abs(t))
        )
        return list(solution.y[:, -1]) if solution.success else [np.nan] * len(x)


class FloatArithmetic:
    """Floats, for steps without fixed points."""

    def number(self, constant: sympy.Expr) -> float:
        return float(constant)

    def power(self, base: float, exponent: sympy.Rational) -> float:
        return base ** float(exponent)

    def fixed_point(self, function: Callable[[list[Any]], list[Any]], start: list[Any]) -> list[Any]:
        raise ValueError("a scheme with both exact flows and implicit stages cannot be iterated")


def initial_memory(
    scheme: Scheme, field: VectorField, x: np.ndarray, h: float, values: dict[str, float]
) -> np.ndarray:
    """What a scheme remembers before the first step, of shape (r,)."""
    memory = scheme.start(FloatField(field, values), list(x), h, FloatArithmetic())
    return np.array(flattened(memory, scheme), dtype=float)


def float_loop(scheme: Scheme, field: VectorField, values: dict[str, float], h: float) -> Callable[..., int]:
    """The loop (state, rows, counts, record_every, last) ↦ status of a scheme without free symbols."""
    floats, arithmetic = FloatField(field, values), FloatArithmetic()

    def loop(z: np.ndarray, rows: np.ndarray, counts: np.ndarray, record_every: int, last: int) -> int:
        d = rows.shape[1]
        while counts[0] < last:
            before = shaped(list(z[d:]), d, scheme)
            x, memory = scheme.update(floats, list(z[:d]), before, h, arithmetic)
            after = np.array([*x, *flattened(memory, scheme)])
            if not np.all(np.abs(after) <= LIMIT):
                return DIVERGED
            z[:] = after
            counts[0] += 1
            if counts[0] % record_every == 0:
                rows[counts[1]] = z[:d]
                counts[1] += 1
        return COMPLETED

    return loop
