"""The zeros of a loss that is written as a sum of squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy

from bea.systems.traversal import free_symbols
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["zeros_of_squares"]


def zeros_of_squares(
    expression: sympy.Expr,
    variables: Sequence[sympy.Symbol],
    parameters: Mapping[str, sympy.Expr],
) -> ZeroLossSet | None:
    """The set on which a sum of positive multiples of squares vanishes; None for any other expression.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> zeros_of_squares((x*y - 1)**2/4 + (x - y)**2/2, [x, y], {}).residuals
    (x - y, x*y - 1)
    >>> zeros_of_squares(x**4 - y, [x, y], {}) is None
    True
    """
    distributed = expression
    number, rest = expression.as_coeff_Mul()
    if rest.is_Add:
        distributed = sympy.Add(*(number * term for term in rest.args))
    residuals = [_root(term) for term in sympy.Add.make_args(distributed)]
    squares = [residual for residual in residuals if residual is not None]
    if len(squares) < len(residuals) or len(squares) > len(variables):
        return None
    names = {s.name for s in free_symbols(squares)}
    known = {name: value for name, value in parameters.items() if name in names}
    return ZeroLossSet(squares, variables, known)


def _root(term: sympy.Expr) -> sympy.Expr | None:
    """r, where the term is a positive number times the square of r."""
    number, rest = term.as_coeff_Mul()
    if not (number.is_positive and rest.is_Pow and rest.exp == 2 and rest.base.free_symbols):
        return None
    return rest.base
