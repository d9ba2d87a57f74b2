"""Gradients of expressions with many shared parts, each part differentiated once."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from bea.systems.traversal import free_symbols

__all__ = ["jacobian", "partial_derivatives"]


def partial_derivatives(expression: sympy.Expr, variables: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    """The derivatives of `expression` with respect to each of the `variables`, unexpanded.

    Every subexpression carries a sparse gradient, which holds an entry only for the variables that occur in
    it. A sum of squares of long sums, the shape of most losses, so costs one pass over its terms rather than
    one for each variable.

    Examples
    --------
    >>> from sympy.abc import a, b, y
    >>> partial_derivatives((y - a*b)**2 / 2, [a, b])
    [-b*(-a*b + y), -a*(-a*b + y)]
    """
    (row,) = jacobian([expression], variables)
    return row


def jacobian(expressions: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]) -> list[list[sympy.Expr]]:
    """`partial_derivatives` of each expression, where parts that several of them share are treated once."""
    known: dict[sympy.Expr, dict[sympy.Symbol, sympy.Expr]] = {}
    gradients = [_gradient(e, frozenset(variables), known) for e in expressions]
    return [[gradient.get(v, sympy.S.Zero) for v in variables] for gradient in gradients]


def _gradient(
    expression: sympy.Expr,
    variables: frozenset[sympy.Symbol],
    known: dict[sympy.Expr, dict[sympy.Symbol, sympy.Expr]],
) -> dict[sympy.Symbol, sympy.Expr]:
    """The nonzero derivatives of `expression`; `known` holds those of the subexpressions met so far."""
    if expression not in known:
        parts: dict[sympy.Symbol, list[sympy.Expr]] = {}
        for factors, inner in _chain_rule(expression, variables):
            for variable, derivative in _gradient(inner, variables, known).items():
                parts.setdefault(variable, []).append(sympy.Mul(*factors, derivative))
        if not parts:
            occurring = free_symbols([expression]) & variables
            parts = {v: [expression.diff(v)] for v in occurring}
        known[expression] = {v: sympy.Add(*terms) for v, terms in parts.items()}
    return known[expression]


def _chain_rule(
    expression: sympy.Expr, variables: frozenset[sympy.Symbol]
) -> list[tuple[tuple[sympy.Expr, ...], sympy.Expr]]:
    """The pairs (∂e/∂u, u) over the arguments u of a sum, a product or a constant power e, else nothing.

    Each ∂e/∂u is a tuple of factors, since SymPy would multiply a number into a sum that it meets alone.
    """
    if expression.is_Add:
        return [((), term) for term in expression.args]
    if expression.is_Mul:
        number, rest = expression.as_coeff_Mul()
        if number != 1:
            return [((number, *factors), u) for factors, u in _chain_rule(rest, variables)] or [
                ((number,), rest)
            ]
        return [(expression.args[:i] + expression.args[i + 1 :], u) for i, u in enumerate(expression.args)]
    if expression.is_Pow and expression.exp.free_symbols.isdisjoint(variables):
        return [((expression.exp, expression.base ** (expression.exp - 1)), expression.base)]
    return []
