"""The zeros of a loss that is written as a sum of squares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
from sympy.polys.matrices import DomainMatrix

from bea.systems.traversal import free_symbols
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["independent", "weighted_squares", "zeros_of_squares"]


def zeros_of_squares(
    expression: sympy.Expr,
    variables: Sequence[sympy.Symbol],
    parameters: Mapping[str, sympy.Expr],
) -> ZeroLossSet | None:
    """The set on which a sum of positive multiples of squares vanishes; None for any other expression.

    Of residuals that are linear combinations of others the set keeps none.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> zeros_of_squares((x*y - 1)**2/4 + (x - y)**2/2, [x, y], {}).residuals
    (x - y, x*y - 1)
    >>> zeros_of_squares((x*y - 1)**2 + (2*x*y - 2)**2, [x, y], {}).residuals
    (x*y - 1,)
    >>> zeros_of_squares(x**4 - y, [x, y], {}) is None
    True
    """
    squares = weighted_squares(expression)
    if squares is None:
        return None
    residuals = independent([residual for _, residual in squares])
    if len(residuals) > len(variables):
        return None
    names = {s.name for s in free_symbols(residuals)}
    known = {name: value for name, value in parameters.items() if name in names}
    return ZeroLossSet(residuals, variables, known)


def independent(residuals: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """The residuals but for those that are linear combinations, with numbers, of ones before them.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> independent([x*y - 1, x + y, 2*x*y + x + y - 2])
    [x*y - 1, x + y]
    """
    terms = [sympy.expand(residual).as_coefficients_dict() for residual in residuals]
    kinds = list(dict.fromkeys(kind for term in terms for kind in term))
    table = DomainMatrix.from_Matrix(sympy.Matrix([[term[kind] for term in terms] for kind in kinds]))
    _, pivots = table.to_field().rref()
    return [residuals[i] for i in pivots]


def weighted_squares(expression: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Expr]] | None:
    """The pairs (c, r) of an expression that is written as a sum of c r² with numbers c > 0, or None.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> weighted_squares((x*y - 1)**2/4)
    [(1/4, x*y - 1)]
    """
    number, rest = expression.as_coeff_Mul()
    terms = [number * term for term in sympy.Add.make_args(rest)]
    pairs = [_weighted_square(term) for term in terms]
    found = [pair for pair in pairs if pair is not None]
    return found if len(found) == len(terms) else None


def _weighted_square(term: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """(c, r), where the term is c r² with a number c > 0."""
    number, rest = term.as_coeff_Mul()
    if number.is_positive and rest.is_Pow and rest.exp == 2 and rest.base.free_symbols:
        return number, rest.base
    return None
