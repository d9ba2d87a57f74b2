"""Walking through expressions that share parts, each part visited once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sympy

__all__ = ["READABLE", "free_symbols", "leaves", "replace_symbols", "written_size"]

#: What a walk goes through. Sums with limits, integrals and the like bind symbols, so that it stops there.
BRANCHES = (sympy.Add, sympy.Mul, sympy.Pow, sympy.Function)

#: Expressions of more symbols, numbers and operations than these are worked on but not written out.
READABLE = 20_000


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


def written_size(expressions: Iterable[sympy.Expr]) -> int:
    """How many symbols, numbers and operations the expressions have, each counted as often as it occurs.

    Examples
    --------
    >>> from sympy.abc import x
    >>> part = x
    >>> for _ in range(60):
    ...     part = part * (part + 1)
    >>> written_size([x + 1]), written_size([part]) > 2**60
    (3, True)
    """
    sizes: dict[sympy.Basic, int] = {}

    def size(part: sympy.Basic) -> int:
        if part not in sizes:
            sizes[part] = 1 + sum(map(size, part.args))
        return sizes[part]

    return sum(map(size, expressions))


def replace_symbols(
    expressions: Iterable[sympy.Expr], values: Mapping[sympy.Symbol, sympy.Expr]
) -> list[sympy.Expr]:
    """The expressions with symbols replaced; what they shared, the new ones share.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> replace_symbols([x + 2*y, (x + 2*y)**2], {y: x})
    [3*x, 9*x**2]
    """
    known: dict[sympy.Expr, sympy.Expr] = {}

    def replaced(part: sympy.Expr) -> sympy.Expr:
        if part not in known:
            branch = isinstance(part, BRANCHES) and part.args
            known[part] = part.func(*map(replaced, part.args)) if branch else part.xreplace(values)
        return known[part]

    return [replaced(expression) for expression in expressions]
