"""Polynomials on a hypersurface: they vanish there if its equation divides them."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from bea.systems.traversal import free_symbols, written_size

__all__ = ["vanish_on_hypersurface"]

#: Larger polynomials than this, written out, are left to others.
LARGEST = 3000


def vanish_on_hypersurface(
    expressions: Sequence[sympy.Expr], equation: sympy.Expr, variables: Sequence[sympy.Symbol]
) -> bool | None:
    """Whether rational expressions vanish on the real hypersurface of a polynomial that has regular zeros.

    Returns
    -------
    bool or None
        None where that stays open: for other functions, and where some factor of the equation does not divide
        the expressions, which may have no real zeros.

    Notes
    -----
    Where an irreducible polynomial has a regular real zero, its real zeros are dense among all around it, so
    that a polynomial vanishes on them only if it is a multiple.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> circle = x**2 + y**2 - 1
    >>> vanish_on_hypersurface([x**4 - (1 - y**2)**2], circle, [x, y])
    True
    >>> vanish_on_hypersurface([x**4 - y**4], circle, [x, y])
    False
    """
    if written_size([equation, *expressions]) > LARGEST:
        return None
    numerators = [sympy.fraction(sympy.together(e))[0] for e in expressions]
    symbols = sorted(free_symbols([equation, *numerators]) | set(variables), key=lambda s: s.name)
    if not all(_is_polynomial(e, symbols) for e in [equation, *numerators]):
        return None
    factors = [factor for factor, _ in sympy.factor_list(equation, *symbols)[1]]
    square_free = sympy.Poly(sympy.Mul(*factors), *symbols, domain="QQ")
    if all(sympy.reduced(e, [square_free], *symbols, domain="QQ")[1] == 0 for e in numerators):
        return True
    return False if len(factors) == 1 else None


def _is_polynomial(expression: sympy.Expr, symbols: Sequence[sympy.Symbol]) -> bool:
    """Whether this is a polynomial with rational coefficients."""
    numbers = expression.atoms(sympy.Number, sympy.NumberSymbol)
    return bool(expression.is_polynomial(*symbols)) and all(n.is_Rational for n in numbers)
