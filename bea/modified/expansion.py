"""The expansion of one step in powers of h: the step itself, run on power series."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from bea.modified.series import Series
from bea.modified.taylor import TaylorField
from bea.schemes.scheme import Field, Scheme

__all__ = ["SeriesArithmetic", "expand_step", "series_field"]


class SeriesArithmetic:
    """The arithmetic of power series in h for `Scheme.step`."""

    def __init__(self, ring: Any, order: int) -> None:
        self.ring = ring
        self.order = order

    def number(self, constant: sympy.Expr) -> Any:
        """An exact constant of the scheme as a ring element."""
        return self.ring.element(sympy.sympify(constant))

    def fixed_point(
        self, function: Callable[[list[list[Any]]], list[list[Any]]], start: list[list[Any]]
    ) -> list[list[Any]]:
        """Every pass of `function`, which multiplies by h, settles one more power of h."""
        value = start
        for _ in range(self.order):
            value = function(value)
        return value


def expand_step(ring: Any, scheme: Scheme, field: Field, order: int) -> list[list[Any]]:
    """The coefficients d₁, …, d_order of the step x + h d₁ + h² d₂ + … along `field`."""
    x = [Series.constant(v, order) for v in ring.variables]
    h = Series.step_size(ring.one, order)
    end = scheme.step(field, x, h, SeriesArithmetic(ring, order))
    return [[ring.normal(component[k]) for component in end] for k in range(1, order + 1)]


def series_field(ring: Any, fields: Sequence[Sequence[Any]], order: int) -> Field:
    """The field f₁ + h f₂ + h² f₃ + … as a function of series."""
    parts = [TaylorField(ring, components, order) for components in fields]

    def value(point: Sequence[Series]) -> list[Series]:
        total = parts[0](point)
        for k, part in enumerate(parts[1:], start=1):
            total = [t + c.shift(k) for t, c in zip(total, part(point), strict=True)]
        return total

    return value
