"""The expansion of one step in powers of h: the step itself, run on power series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import mul
from typing import Any

import sympy

from bea.modified.series import Series
from bea.modified.taylor import TaylorField
from bea.schemes.scheme import Scheme
from bea.systems.expressions import read_expression

__all__ = ["SeriesArithmetic", "SeriesField", "expand_step"]


class SeriesArithmetic:
    """The arithmetic of power series in h for the steps of schemes."""

    def __init__(self, ring: Any, order: int) -> None:
        self.ring = ring
        self.order = order

    def number(self, constant: sympy.Expr) -> Any:
        """An exact constant of the scheme as a ring element."""
        return self.ring.element(read_expression(constant))

    def power(self, base: Any, exponent: sympy.Rational) -> Any:
        """w = u^p from the recurrence n u₀ w_n = Σ_k (pk − n + k) u_k w_{n−k}, which is u w' = p u' w."""
        exponent = sympy.Rational(exponent)
        if not isinstance(base, Series):
            return self.ring.power(base, exponent)[0]
        if exponent.is_Integer and exponent >= 0:
            return reduce(mul, [base] * int(exponent), Series.constant(self.ring.one, base.order))
        u = base.coefficients
        first, inverse = self.ring.power(u[0], exponent)
        w = [first]
        for n in range(1, len(u)):
            total = self.ring.zero
            for k in range(1, n + 1):
                weight = exponent * k - n + k
                if weight != 0 and u[k] != 0:
                    factor = self.ring.rational(int(weight.p), int(weight.q) * n)
                    total = total + u[k] * w[n - k] * factor
            w.append(self.ring.normal(total * inverse))
        return Series(w)

    def fixed_point(
        self, function: Callable[[list[list[Any]]], list[list[Any]]], start: list[list[Any]]
    ) -> list[list[Any]]:
        """Every pass of `function`, which multiplies by h, settles one more power of h."""
        value = start
        for _ in range(max(self.order, 1)):
            value = function(value)
        return value


class SeriesField:
    """The field f₁ + h f₂ + h² f₃ + … as a function of series, with the parts of which it is made.

    Parameters
    ----------
    ring : FlintRing or SympyRing
    fields : sequence of lists of d ring elements
        f₁, f₂, …
    parts : sequence of lists of d ring elements
        The fields whose sum this one is, where a scheme uses them one at a time.
    """

    def __init__(
        self, ring: Any, fields: Sequence[Sequence[Any]], parts: Sequence[Sequence[Any]] = ()
    ) -> None:
        self.ring = ring
        self.parts = [SeriesField(ring, [part]) for part in parts]
        self._first = fields[0]
        self._fields = [TaylorField(ring, components) for components in fields]
        self._derivatives = [TaylorField(ring, list(ring.variables))]

    def __call__(self, point: Sequence[Series]) -> list[Series]:
        total = self._fields[0](point)
        for k, part in enumerate(self._fields[1:], start=1):
            total = [t + c.shift(k) for t, c in zip(total, part(point), strict=True)]
        return total

    def flow(self, point: Sequence[Series], t: Series) -> list[Series]:
        """The exact flow Σ_k t^k/k! (D^k x) over a time t = O(h), D the derivative along the field."""
        total, power = list(point), t
        for k in range(1, point[0].order + 1):
            term = self._derivative(k)(point)
            total = [x + power * c for x, c in zip(total, term, strict=True)]
            power = power * t * self.ring.rational(1, k + 1)
        return total

    def _derivative(self, k: int) -> TaylorField:
        """D^k x as a function of series."""
        while len(self._derivatives) <= k:
            derivation = self.ring.derivation(self._first)
            latest = self._derivatives[-1].components
            self._derivatives.append(
                TaylorField(self.ring, [self.ring.normal(self.ring.lie(derivation, c)) for c in latest])
            )
        return self._derivatives[k]


def expand_step(ring: Any, scheme: Scheme, field: SeriesField, order: int) -> list[list[Any]]:
    """The coefficients d₁, …, d_order of the step x + h d₁ + h² d₂ + … of a scheme without memory."""
    x = [Series.constant(v, order) for v in ring.variables]
    h = Series.step_size(ring.one, order)
    end = scheme.step(field, x, h, SeriesArithmetic(ring, order))
    return [[ring.normal(component[k]) for component in end] for k in range(1, order + 1)]
