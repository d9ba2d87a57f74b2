"""Whether a function vanishes identically: decided, not guessed."""

from __future__ import annotations

from typing import Any

import sympy
from sympy.core.evalf import PrecisionExhausted

__all__ = ["vanishes"]

#: Where a function that is not known to vanish is evaluated: rationals without simple relations.
_SAMPLES = ((7, 10), (-13, 11), (17, 9), (5, 23))


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
    expression = ring.expression(element)
    if any(_is_certainly_not_zero(expression, shift) for shift in range(len(_SAMPLES))):
        return False
    if sympy.simplify(expression) == 0:
        return True
    raise ValueError(f"it could not be decided whether this vanishes identically: {expression}")


def _is_certainly_not_zero(expression: sympy.Expr, shift: int) -> bool:
    """Whether the value at one rational point has fifteen digits that are certain and is not 0."""
    symbols = sorted(expression.free_symbols, key=lambda s: s.name)
    point = {
        s: sympy.Rational(*_SAMPLES[(i + shift) % len(_SAMPLES)]) + sympy.Rational(i, 29)
        for i, s in enumerate(symbols)
    }
    try:
        value = expression.xreplace(point).evalf(15, maxn=400, strict=True)
    except PrecisionExhausted:
        return False
    return bool(value.is_number and value.is_finite and value != 0)
