"""Whether a function vanishes identically: decided, not guessed."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.evalf import PrecisionExhausted
from sympy.core.function import AppliedUndef

__all__ = ["vanishes"]

#: Where a function that is not known to vanish is evaluated: rationals without simple relations.
_SAMPLES = ((7, 10), (13, 11), (17, 9), (5, 23), (-13, 11), (-7, 10), (29, 7), (-5, 23))


def vanishes(ring: Any, element: Any) -> bool:
    """Whether `element` of `ring` is 0 as a function of the variables and the parameters.

    A normal form of 0 proves that it is. Where the normal form is canonical, any other proves that it is
    not; elsewhere a value that stays away from 0, with its digits certified, does.

    Raises
    ------
    ValueError
        If none of these decides.
    """
    element = ring.normal(element)
    if element == 0:
        return True
    if ring.is_canonical:
        return False
    expression = _with_free_derivatives(ring.expression(element))
    if any(_is_certainly_not_zero(expression, shift) for shift in range(len(_SAMPLES))):
        return False
    if sympy.simplify(_of_positive_symbols(expression)) == 0:
        return True
    raise ValueError(f"it could not be decided whether this vanishes identically: {expression}")


def _with_free_derivatives(expression: sympy.Expr) -> sympy.Expr:
    """The expression with a symbol for every value of an undefined function and of its derivatives.

    An undefined function stands for all functions, whose values and derivatives at different points may be
    any numbers.
    """
    for kind in (sympy.Subs, sympy.Derivative, AppliedUndef):
        expression = expression.xreplace({e: sympy.Dummy() for e in expression.atoms(kind)})
    return expression


def _of_positive_symbols(expression: sympy.Expr) -> sympy.Expr:
    """The expression for positive arguments; where it is real and vanishes there, it does on its domain."""
    return expression.xreplace({s: sympy.Dummy(s.name, positive=True) for s in expression.free_symbols})


def _is_certainly_not_zero(expression: sympy.Expr, shift: int) -> bool:
    """Whether the value at one rational point, in the real domain, has fifteen sure digits and is not 0."""
    symbols = sorted(expression.free_symbols, key=lambda s: s.sort_key())
    point = {
        s: sympy.Rational(*_SAMPLES[(i + shift) % len(_SAMPLES)]) + sympy.Rational(i, 29)
        for i, s in enumerate(symbols)
    }
    roots = [p.base for p in expression.atoms(sympy.Pow) if not p.exp.is_Integer and p.base.free_symbols]
    logarithms = [f.args[0] for f in expression.atoms(sympy.log) if f.args[0].free_symbols]
    if not all(u.xreplace(point).evalf() > 0 for u in (*roots, *logarithms)):
        return False
    try:
        value = expression.xreplace(point).evalf(15, maxn=400, strict=True)
    except PrecisionExhausted:
        return False
    return bool(value.is_number and value.is_finite and value != 0)
