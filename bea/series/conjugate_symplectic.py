r"""Conjugate symplecticity: symplectic after a change of variables.

A method s is conjugate symplectic to order r if some B-series c makes c s c⁻¹ symplectic through order r.
Then n steps of s are n steps of a method that is symplectic to that order, between two changes of variables,
and over long times it behaves like one [1]_, [2]_.

The field m = log s is Hamiltonian through an order where, as in `bea.series.structure`, all

    S(m)(u ∘ v) = m(u ∘ v) + m(v ∘ u)

of that order vanish. Suppose it is so through order n. Conjugation by the flow of a field x of order n
subtracts m(•) [f, x] from m at order n + 1, and changes nothing below, so that x has to solve

    m(•) S([f, x]) = S(m)     at all trees of order n + 1.

What symplectic maps do to m is of no consequence, so c is a product of such flows, x being wanted modulo
Hamiltonian fields only. Modulo these, x ↦ [f, x] was injective at every order n from 2 to 9 at which the
exact rank of S([f, ·]) was computed: 1, 1, 3, 6, 16, 37, 96, 239. So x is unique at each order, what is found
at one order is no choice that could spoil the next, and the answer is a theorem. The rank is computed anew
for each series, and one for which it were less would be refused.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section VI.8.
.. [2] E. Hairer and C. J. Zbinden (2013), On conjugate symplecticity of B-series integrators, IMA Journal of
       Numerical Analysis 33, 57–79.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import sympy

from bea.series.exact import Exact
from bea.series.field_series import FieldSeries
from bea.series.flow_series import FlowSeries
from bea.series.number_fields import RATIONALS
from bea.series.structure import hamiltonian_dimension, holds
from bea.series.tables import tree_tables

__all__ = ["SymplecticConjugate", "symplectic_conjugate"]


class SymplecticConjugate(NamedTuple):
    """How far a method is conjugate symplectic, and a change of variables that shows it.

    Attributes
    ----------
    order : int
        The highest order r to which the method is conjugate symplectic.
    processor : FlowSeries
        The map c; ``c @ s @ c.inverse()`` is symplectic through order r.
    """

    order: int
    processor: FlowSeries


def symplectic_conjugate(modified: FieldSeries) -> SymplecticConjugate:
    """The conjugate of a method that is symplectic to the highest order.

    Parameters
    ----------
    modified : FieldSeries
        The modified equation ``s.log()`` of the method s, with rational coefficients on trees of one colour.

    Returns
    -------
    SymplecticConjugate
        The order, which is that of the series if it may be higher still, and the processor.

    Raises
    ------
    TypeError
        If `modified` is no `FieldSeries`.
    ValueError
        If the coefficients are not rational, the trees are coloured, or the single vertex has the
        coefficient 0.

    See Also
    --------
    FieldSeries.is_conjugate_symplectic : The answer alone.

    Examples
    --------
    The trapezoidal rule is no symplectic method, but half a step of Euler's method turns it into the
    implicit midpoint rule, which is.

    >>> from bea.schemes import Trapezoidal
    >>> from bea.series import bseries
    >>> from bea.series.conjugate_symplectic import symplectic_conjugate
    >>> rule = bseries(Trapezoidal(), order=6)
    >>> rule.log().structure_order("symplectic")
    2
    >>> order, c = symplectic_conjugate(rule.log())
    >>> order, (c @ rule @ c.inverse()).log().is_symplectic()
    (6, True)
    """
    _require_rational(modified)
    flow, processor = modified.exp(), FlowSeries.identity(modified.order)
    for n in range(1, modified.order):
        if holds(modified, "symplectic", n + 1):
            continue
        change = _solve(modified, n)
        if change is None:
            return SymplecticConjugate(n, processor)
        factor = change.exp()
        flow, processor = factor @ flow @ factor.inverse(), factor @ processor
        modified = flow.log()
    return SymplecticConjugate(modified.order, processor)


def _solve(modified: FieldSeries, n: int) -> FieldSeries | None:
    """The field x of order n, if there is one, with m(•) S([f, x]) = S(m) at all trees of order n + 1."""
    from flint import fmpq, fmpq_mat

    tables, coefficients = modified.tables, modified.coefficients
    first = int(tables.start[n + 1])
    values, speed = coefficients.values(first, int(tables.start[n + 2])), coefficients.at(0)
    wanted = [
        (value + values[j - first]) / speed for value, j in zip(values, tables.reroot(n + 1), strict=True)
    ]
    unknowns, matrix = _bracket_with_f(n)
    rows = [
        [*map(fmpq, left), fmpq(int(right.p), int(right.q))]
        for left, right in zip(matrix.tolist(), wanted, strict=True)
    ]
    reduced, rank = fmpq_mat(rows).rref()
    if rank > len(unknowns):
        return None
    found = [reduced[i, len(unknowns)] for i in range(len(unknowns))]
    return FieldSeries(
        {tables.tree(t): sympy.Rational(int(x.p), int(x.q)) for t, x in zip(unknowns, found, strict=True)},
        order=modified.order,
    )


@cache
def _bracket_with_f(n: int) -> tuple[list[int], np.ndarray]:
    """S([f, x]) at the trees of order n + 1, as a matrix, and the trees of order n by which x is given.

    These trees span the fields of order n modulo Hamiltonian ones, and the matrix has full rank.
    """
    from flint import fmpz_mat

    tables = tree_tables(n + 1)
    if n == 1:
        return [], np.zeros((1, 0), dtype=np.int64)
    trees = tables.numbers(n)
    bracket = np.zeros((len(tables.numbers(n + 1)), len(trees)), dtype=np.int64)
    root_part, branch = tables.cuts(n + 1)
    for whole, sign in ((root_part, 1), (branch, -1)):
        single = branch if sign > 0 else root_part
        row, cut = np.nonzero(single == 0)
        np.add.at(bracket, (row, whole[row, cut] - trees.start), sign)
    matrix = bracket + bracket[tables.reroot(n + 1) - tables.numbers(n + 1).start]
    reduced, _, rank = fmpz_mat(matrix.tolist()).rref()
    if rank < len(trees) - hamiltonian_dimension(tables, n):
        raise ValueError(
            f"conjugate symplecticity is not decided beyond order {n}: the changes of variables of order {n} "
            "that matter at the next order are not unique"
        )
    pivots = [next(j for j in range(len(trees)) if reduced[i, j] != 0) for i in range(rank)]
    return [trees[j] for j in pivots], matrix[:, pivots]


def _require_rational(modified: object) -> None:
    if not isinstance(modified, FieldSeries):
        hint = ": take its log()" if isinstance(modified, FlowSeries) else ""
        raise TypeError(
            f"conjugate symplecticity belongs to a FieldSeries, not to a {type(modified).__name__}{hint}"
        )
    if modified.colours > 1:
        raise ValueError(
            f"conjugate symplecticity is decided for B-series, not for P-series of {modified.colours} colours"
        )
    if not isinstance(modified.coefficients, Exact) or modified.coefficients.field != RATIONALS:
        raise ValueError("conjugate symplecticity is decided for series with rational coefficients only")
    if modified.coefficients.at(0) == 0:
        raise ValueError(
            "conjugate symplecticity is decided for fields that begin with f, "
            "but the coefficient of the single vertex is 0"
        )
