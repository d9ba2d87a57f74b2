"""Any differentiable functions of x, undefined ones included, as expanded SymPy expressions.

Slower by orders of magnitude than `FlintRing`, and the only way for a field such as −∇E with an abstract
function E(a, b), whose modified equation then reads as a formula in E and its derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy

from bea.modified.flint_ring import ZeroPowerError

__all__ = ["SympyRing"]


class SympyRing:
    """The same operations as `FlintRing`, on SymPy expressions."""

    one = sympy.Integer(1)
    zero = sympy.Integer(0)
    is_canonical = False

    def __init__(self, variables: Sequence[sympy.Symbol], expressions: Iterable[sympy.Expr]) -> None:
        self.dimension = len(variables)
        self.variables = list(variables)

    def rational(self, numerator: int, denominator: int = 1) -> sympy.Rational:
        """A rational number that multiplies elements."""
        return sympy.Rational(numerator, denominator)

    def element(self, expression: sympy.Expr) -> sympy.Expr:
        """A SymPy expression as an element of the ring."""
        return sympy.expand(expression)

    def expression(self, element: sympy.Expr) -> sympy.Expr:
        """An element as a SymPy expression."""
        return element

    def power(self, u: sympy.Expr, exponent: sympy.Rational) -> tuple[sympy.Expr, sympy.Expr]:
        """u^exponent and 1/u."""
        if u == 0:
            raise ZeroPowerError(f"the power {exponent} of zero has no derivatives")
        return u**exponent, 1 / u

    def partial(self, element: sympy.Expr, i: int) -> sympy.Expr:
        """∂/∂x_i."""
        return element.diff(self.variables[i])

    def derivation(self, components: Sequence[sympy.Expr]) -> list[tuple[sympy.Symbol, sympy.Expr]]:
        """The field `components` as a derivation."""
        return list(zip(self.variables, components, strict=True))

    def lie(self, derivation: list[tuple[sympy.Symbol, sympy.Expr]], element: sympy.Expr) -> sympy.Expr:
        """The Lie derivative of a function along a field."""
        return sympy.expand(sympy.Add(*(element.diff(x) * speed for x, speed in derivation)))

    def normal(self, element: sympy.Expr) -> sympy.Expr:
        """The expanded expression."""
        return sympy.expand(element)
