"""Walking through expressions that share parts, each part visited once."""

from __future__ import annotations

from collections.abc import Iterable

import sympy

__all__ = ["free_symbols", "leaves"]

#: What a walk goes through. Sums with limits, integrals and the like bind symbols, so that it stops there.
BRANCHES = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Function)


def leaves(expressions: Iterable[sympy.Expr]) -> set[sympy.Expr]:
    """The parts of the expressions that are no sum, product, power or function of others.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> sorted(leaves([x + 2*y, (x + 2*y)**2]), key=str)
    [2, x, y]
    """
    found = set(expressions)
    waiting = list(found)
    while waiting:
        part = waiting.pop()
        if isinstance(part, BRANCHES):
            new = set(part.args) - found
            found |= new
            waiting += new
    return {part for part in found if not isinstance(part, BRANCHES)}


def free_symbols(expressions: Iterable[sympy.Expr]) -> set[sympy.Symbol]:
    """The free symbols of all the expressions together."""
    return set().union(*(leaf.free_symbols for leaf in leaves(expressions)))
