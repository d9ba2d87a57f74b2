"""Quotients of exponentials in a form that floats can hold."""

from __future__ import annotations

import sympy

__all__ = ["logistic_form"]


def logistic_form(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every e^u/(1 + e^u) written as 1/(1 + e^{−u}).

    The first is a quotient of two numbers that may be too large for a float, where the second is small.

    Examples
    --------
    >>> u = sympy.Symbol("u")
    >>> logistic_form(sympy.log(1 + sympy.exp(-u)).diff(u))
    -1/(exp(u) + 1)
    """
    if not expression.has(sympy.exp):
        return expression
    return expression.replace(lambda e: e.is_Mul and e.has(sympy.exp), _rewritten)


def _rewritten(product: sympy.Mul) -> sympy.Expr:
    powers = product.as_powers_dict()
    for base, power in list(powers.items()):
        if not (base.is_Add and len(base.args) == 2 and base.args[0] == 1 and power.is_Integer and power < 0):
            continue
        exponential = base.args[1]
        if isinstance(exponential, sympy.exp) and _exponent(product, exponential) > 0:
            n = min(_exponent(product, exponential), -int(power))
            flipped = 1 + sympy.exp(-exponential.args[0])
            return product / exponential**n * base**n * flipped**-n
    return product


def _exponent(product: sympy.Mul, exponential: sympy.exp) -> int:
    """The n for which e^{nu} is a factor, 0 if there is none."""
    for factor in product.args:
        if isinstance(factor, sympy.exp):
            ratio = sympy.cancel(factor.args[0] / exponential.args[0])
            if ratio.is_Integer and ratio > 0:
                return int(ratio)
    return 0
