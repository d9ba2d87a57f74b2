r"""The group of flows and its Lie algebra of fields, on arrays of coefficients in any ring.

Everything follows from one operation, the Lie derivative of a B-series along a field,

    (∂_b c)(τ) = Σ c(root part) b(branch) + c(∅) b(τ),

summed over the |τ| − 1 ways to cut one edge of τ. The flow of the field b carries a function with the series
c to exp(∂_b) c = Σ_j ∂_b^j c / j!, so that the flow itself is exp(∂_b) applied to the identity, and c after
the map a = exp(b) is exp(∂_{log a}) c. All sums are finite: (∂_b^j c)(τ) = 0 for j > |τ|.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section IX.9.1.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import factorial

import sympy

from bea.series.rings import Array, Ring
from bea.series.tables import TreeTables

__all__ = [
    "LieSeries",
    "composition",
    "exponential",
    "lie_derivative",
    "logarithm",
    "order_of_size",
    "orders_of",
    "power",
]


class LieSeries:
    """The sum Σ_{j≥1} w_j (∂_b^j c)(τ), order by order, while b and c are still being found.

    Parameters
    ----------
    ring : Ring
    tables : TreeTables
    order : int
        The highest order.
    field, series : arrays over all trees
        b and c, whose values at orders below n have to be there when order n is asked for. If c has an empty
        tree, so must the value of b at order n.
    empty : int, optional
        c(∅).
    shift : int, optional
        The weights are w_j = 1 / (j + shift)!.
    terms : int, optional
        How many derivatives are taken; by default all that do not vanish.
    """

    def __init__(
        self,
        ring: Ring,
        tables: TreeTables,
        order: int,
        field: Array,
        series: Array,
        *,
        empty: int = 0,
        shift: int = 0,
        terms: int | None = None,
    ) -> None:
        self.ring, self.tables, self.field, self.series, self.empty = ring, tables, field, series, empty
        columns = order if terms is None else terms
        self._weights = ring.constants([sympy.Rational(1, factorial(j + shift)) for j in range(columns + 1)])
        self._powers = ring.zeros(int(tables.start[order]), columns)

    def at(self, n: int) -> Array:
        """The sum at the trees of order n. To be asked for n = 1, 2, 3, … in turn."""
        if n > 1:
            below = self.tables.slice(n - 1)
            self._powers[below, 0] = self.series[below]
        first = int(self.tables.start[n])
        return self.ring.lie_powers(
            self.tables.cuts(n), first, self.field, self._powers, self.empty, self._weights
        )


def orders_of(tables: TreeTables, trees: int) -> Iterator[tuple[int, slice]]:
    """The orders of so many trees, each with the place of its trees."""
    n = 1
    while tables.start[n] < trees:
        yield n, tables.slice(n)
        n += 1


def order_of_size(tables: TreeTables, trees: int) -> int:
    """The order up to which there are so many trees."""
    return int(tables.order_of[trees - 1])


def exponential(ring: Ring, tables: TreeTables, b: Array) -> Array:
    """The flow of the field b, Σ_{j≥1} ∂_b^{j−1} b / j!."""
    a = ring.zeros(len(b))
    further = LieSeries(ring, tables, order_of_size(tables, len(b)), b, b, shift=1)
    for n, trees in orders_of(tables, len(b)):
        a[trees] = ring.add(b[trees], further.at(n))
    return a


def logarithm(ring: Ring, tables: TreeTables, a: Array) -> Array:
    """The field whose flow is a: at each order the flow of what is known is subtracted."""
    b = ring.zeros(len(a))
    further = LieSeries(ring, tables, order_of_size(tables, len(a)), b, b, shift=1)
    for n, trees in orders_of(tables, len(a)):
        b[trees] = ring.subtract(a[trees], further.at(n))
    return b


def carried(ring: Ring, tables: TreeTables, b: Array, c: Array, empty: int) -> Array:
    """The series c carried along the flow of b: exp(∂_b) c."""
    result = ring.zeros(len(c))
    further = LieSeries(ring, tables, order_of_size(tables, len(c)), b, c, empty=empty)
    for n, trees in orders_of(tables, len(c)):
        result[trees] = ring.add(c[trees], further.at(n))
    return result


def composition(ring: Ring, tables: TreeTables, a: Array, c: Array, empty: int) -> Array:
    """The series c after the flow a; `empty` is c(∅)."""
    return carried(ring, tables, logarithm(ring, tables, a), c, empty)


def power(ring: Ring, tables: TreeTables, a: Array, exponent: Array) -> Array:
    """The flow a to a power, an array with one entry."""
    return exponential(ring, tables, ring.multiply(logarithm(ring, tables, a), exponent))


def lie_derivative(ring: Ring, tables: TreeTables, b: Array, c: Array, empty: int) -> Array:
    """The Lie derivative of c along the field b."""
    derivative = ring.zeros(len(c))
    first = LieSeries(ring, tables, order_of_size(tables, len(c)), b, c, empty=empty, terms=1)
    for n, trees in orders_of(tables, len(c)):
        derivative[trees] = first.at(n)
    return derivative
