r"""Effective order: the order of accuracy that a method has after a change of variables.

A method s is conjugate to c s c⁻¹, and n steps of that method are c sⁿ c⁻¹: n steps of s between two changes
of variables. The highest order of accuracy of all its conjugates is the effective order of s.

Let m = log s be a field that agrees with f up to order n − 1. Conjugation by the flow of a field x_{n−1} of
order n − 1 adds the bracket [f, x_{n−1}] to m at order n, up to sign, and nothing below. So at each order a
linear system decides, and its solution is unique for n > 2, because f alone commutes with f.
"""

from __future__ import annotations

from typing import NamedTuple

import sympy

from bea.series.exact import Exact
from bea.series.field_series import FieldSeries
from bea.series.flow_series import FlowSeries
from bea.series.number_fields import RATIONALS

__all__ = ["EffectiveOrder", "effective_order"]


class EffectiveOrder(NamedTuple):
    """The effective order of a method, and a change of variables that shows it.

    Attributes
    ----------
    order : int
        The effective order p.
    processor : FlowSeries
        The map c; ``c @ s @ c.inverse()`` is of order p.
    """

    order: int
    processor: FlowSeries


def effective_order(method: FlowSeries) -> EffectiveOrder:
    """The effective order of a method [1]_, [2]_.

    Parameters
    ----------
    method : FlowSeries
        With rational coefficients, on trees of one colour.

    Returns
    -------
    EffectiveOrder
        The order, which is that of the series if conjugates of still higher order may exist, and the
        processor.

    Raises
    ------
    TypeError
        If `method` is no `FlowSeries`.
    ValueError
        If its coefficients are not rational, its trees are coloured, or it is not consistent.

    References
    ----------
    .. [1] J. C. Butcher (1969), The effective order of Runge–Kutta methods, in: Conference on the Numerical
           Solution of Differential Equations, Lecture Notes in Mathematics 109, Springer, 133–139.
    .. [2] J. C. Butcher and J. M. Sanz-Serna (1996), The number of conditions for a Runge–Kutta method to
           have effective order p, Applied Numerical Mathematics 22, 103–111.

    Examples
    --------
    Between a step of implicit Euler and its inverse a method of order 4 is of order 2 only, and yet of
    effective order 4.

    >>> from bea.schemes import RK4, ImplicitEuler
    >>> from bea.series import bseries, effective_order
    >>> change = bseries(ImplicitEuler(), order=5)
    >>> spoilt = change @ bseries(RK4(), order=5) @ change.inverse()
    >>> spoilt.order_of_accuracy(), effective_order(spoilt).order
    (2, 4)
    """
    if not isinstance(method, FlowSeries):
        raise TypeError(f"the effective order of a FlowSeries is defined, not of {type(method).__name__}")
    if not isinstance(method.coefficients, Exact) or method.coefficients.field != RATIONALS:
        raise ValueError("the effective order is found for series with rational coefficients only")
    if method.colours > 1:
        raise ValueError("the effective order is found for series on trees of one colour only")
    f = FieldSeries.original(method.order)
    processor = FlowSeries.identity(method.order)
    conjugate = method
    if conjugate.order_of_accuracy() == 0:
        raise ValueError("the method is not consistent, so neither is any of its conjugates")
    while (p := conjugate.order_of_accuracy()) < method.order:
        change = _solve(f, conjugate.log(), p)
        if change is None:
            break
        factor = change.exp()
        conjugate = factor @ conjugate @ factor.inverse()
        processor = factor @ processor
    return EffectiveOrder(p, processor)


def _solve(f: FieldSeries, modified: FieldSeries, p: int) -> FieldSeries | None:
    """The field x of order p, if there is one, such that exp(x) exp(m) exp(−x) is f at order p + 1."""
    from flint import fmpq, fmpq_mat

    unknowns = list(f.terms(p))
    columns = [f.bracket(FieldSeries({tree: 1}, order=f.order)).terms(p + 1) for tree in unknowns]
    wanted = modified.terms(p + 1)
    rows = [[*(column[tree] for column in columns), value] for tree, value in wanted.items()]
    system = fmpq_mat([[fmpq(int(entry.p), int(entry.q)) for entry in row] for row in rows])
    reduced, rank = system.rref()
    solution: dict = {}
    for i in range(rank):
        pivot = next(j for j in range(len(unknowns) + 1) if reduced[i, j] != 0)
        if pivot == len(unknowns):
            return None
        value = reduced[i, len(unknowns)]
        solution[unknowns[pivot]] = sympy.Rational(int(value.p), int(value.q))
    return FieldSeries(solution, order=f.order)
