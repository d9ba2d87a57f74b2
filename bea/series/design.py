"""Schemes designed to order: parameters of a tableau that give its modified field a structure."""

from __future__ import annotations

from collections.abc import Sequence

import sympy

from bea.schemes.runge_kutta import RungeKutta
from bea.series.methods import bseries
from bea.series.structure import conditions

__all__ = ["design"]


def design(scheme: RungeKutta, structure: str, order: int, accuracy: int | None = None) -> list[RungeKutta]:
    """All members of a family of Runge–Kutta methods whose modified field has a structure through an order.

    Parameters
    ----------
    scheme : RungeKutta
        With symbols in its tableau.
    structure : {"gradient", "symplectic", "energy-preserving"}
        What the field is to be for every system; see `bea.series.structure`.
    order : int
        Through which order of trees; those of order n carry the coefficient of h^{n−1}.
    accuracy : int, optional
        Also ask for this order of accuracy.

    Returns
    -------
    list of RungeKutta
        With solutions in the place of symbols; a symbol that may have any value stays. Empty if there is
        none.

    Raises
    ------
    ValueError
        If the tableau has no symbols, or the structure is unknown.

    Examples
    --------
    Of all explicit methods of two stages and order 2, one follows a gradient field through h²:

    >>> from bea.schemes import SecondOrder
    >>> from bea.series.design import design
    >>> [method] = design(SecondOrder(), "gradient", order=3)
    >>> method.A[1, 0], list(method.b)
    (1/3, [-1/2, 3/2])
    """
    if not scheme.parameter_symbols:
        raise ValueError(f"{scheme.name} has no symbols in its tableau, so there is nothing to choose")
    flow = bseries(scheme, order=max(order, accuracy or 1))
    modified = flow.log()
    equations = [c for n in range(2, order + 1) for c in conditions(modified, structure, n)]
    for n in range(2, (accuracy or 1) + 1):
        equations += list(modified.terms(n).values())
    numerators = [sympy.numer(sympy.together(e)) for e in equations]
    wanted = [n for n in map(sympy.expand, numerators) if n != 0]
    if any(n.is_number for n in wanted):
        return []
    if not wanted:
        return [scheme]
    found = sympy.solve(wanted, scheme.parameter_symbols, dict=True)
    return [method for solution in found if (method := _member(scheme, solution, equations)) is not None]


def _member(
    scheme: RungeKutta, solution: dict[sympy.Symbol, sympy.Expr], equations: Sequence[sympy.Expr]
) -> RungeKutta | None:
    """The method at a solution; None where the tableau or a condition is infinite there."""
    entries = [entry.subs(solution) for entry in (*scheme.constants, *equations)]
    if any(entry.has(sympy.zoo, sympy.nan, sympy.oo) for entry in entries):
        return None
    return scheme.with_parameters(**{symbol.name: value for symbol, value in solution.items()})
