r"""What a field series preserves: whether it is a gradient, symplectic or energy-preserving for every system.

All three are questions about free trees. Moving the root of u ∘ v along the edge between u and v gives v ∘ u,
and such moves join all rootings of a free tree. A field with coefficients b is

* for every gradient system f = −∇E again a gradient if and only if b(u ∘ v) = b(v ∘ u);
* for every Hamiltonian system f = J⁻¹∇H again Hamiltonian, so that its flow is symplectic, if and only if
  b(u ∘ v) + b(v ∘ u) = 0 [1]_;
* for every Hamiltonian system one that keeps H if and only if, for every free tree φ of one vertex more,
  Σ ± b(τ)/σ(τ) = 0 over the trees τ that φ becomes when a leaf is taken away and its neighbour made the
  root. The sign is that of the distance of this root from any fixed vertex; free trees with an edge about
  which they are symmetric are left out [2]_.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Theorem IX.9.3.
.. [2] E. Celledoni, R. I. McLachlan, B. Owren and G. R. W. Quispel (2010), Energy-preserving integrators
       and the structure of B-series, Foundations of Computational Mathematics 10, 673–693.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import sympy

from bea.series.free_trees import FreeTree

if TYPE_CHECKING:
    from bea.series.field_series import FieldSeries
    from bea.series.tables import TreeTables

__all__ = ["STRUCTURES", "conditions", "free_tree_coefficients", "holds", "holds_through"]

#: What a field can be for every system, and the sign in b(u ∘ v) = ± b(v ∘ u) where that decides it.
STRUCTURES = {"gradient": 1, "symplectic": -1, "energy-preserving": 0}


def holds_through(series: FieldSeries, structure: str) -> int:
    """The highest order p such that the trees up to order p all satisfy the conditions of a structure."""
    orders = range(1, series.order + 1)
    return next((n - 1 for n in orders if not holds(series, structure, n)), series.order)


def holds(series: FieldSeries, structure: str, n: int) -> bool:
    """Whether the trees of order n satisfy the conditions of a structure.

    For the first two it is enough to look at the edge from the root to its largest child: of the two rootings
    at the ends of an edge one has the other end as its largest child.
    """
    tables, sign = series.tables, _sign(series, structure)
    if n == 1:
        return True
    if not sign:
        return all(condition == 0 for condition in conditions(series, structure, n))
    trees = np.arange(tables.start[n], tables.start[n + 1])
    return bool(np.all(series.coefficients.equal(trees, tables.reroot(n), sign)))


def conditions(series: FieldSeries, structure: str, n: int) -> list[Any]:
    """The expressions in the coefficients of order n that vanish if and only if the structure is there.

    Parameters
    ----------
    series : FieldSeries
    structure : {"gradient", "symplectic", "energy-preserving"}
    n : int
        The order of the trees.

    Examples
    --------
    >>> from bea.schemes import SecondOrder
    >>> from bea.series import bseries
    >>> conditions(bseries(SecondOrder(), order=3).log(), "gradient", 3)
    [alpha/2 - 1/6]
    """
    tables, sign = series.tables, _sign(series, structure)
    if n == 1:
        return []
    first = int(tables.start[n])
    values = series.coefficients.values(first, int(tables.start[n + 1]))
    found = (
        [values[i] - sign * values[j - first] for i, j in enumerate(tables.reroot(n))]
        if sign
        else _energy_sums(tables, values, n)
    )
    simplified = {sympy.simplify(value) for value in found} - {0}
    return sorted(
        {value for value in simplified if not (value.could_extract_minus_sign() and -value in simplified)},
        key=sympy.default_sort_key,
    )


def _energy_sums(tables: TreeTables, values: list[Any], n: int) -> list[Any]:
    """For every free tree of order n + 1 the signed sum over the trees that it is without a leaf."""
    numbers = np.array(tables.numbers(n))
    grown = tables.product(numbers, np.zeros_like(numbers)) - tables.numbers(n + 1).start
    class_of, sign = _free_classes(tables, n + 1)
    sums: dict[int, Any] = defaultdict(lambda: sympy.Integer(0))
    for value, tree, t in zip(values, tables.trees(n), grown, strict=True):
        if sign[t]:
            sums[int(class_of[t])] += int(sign[t]) * value / tree.symmetry
    return list(sums.values())


def _free_classes(tables: TreeTables, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The free tree of each rooted tree of order n, as the number of a rooting at its middle, and a sign.

    From every vertex the moves to the largest branch lead to one and the same edge. The sign is that of the
    number of moves to a fixed end of it, and 0 for free trees that are symmetric about this edge.
    """
    move = tables.reroot(n) - tables.numbers(n).start
    at = np.arange(len(move))
    parity = np.zeros(len(move), dtype=np.int64)
    for _ in range(n):
        arrived = move[move[at]] == at
        parity = np.where(arrived, parity, 1 - parity)
        at = np.where(arrived, at, move[at])
    other_end = move[at]
    parity = np.where(other_end < at, 1 - parity, parity)
    return np.minimum(at, other_end), np.where(other_end == at, 0, 1 - 2 * parity)


def _sign(series: FieldSeries, structure: str) -> int:
    if structure not in STRUCTURES:
        raise ValueError(f"a structure is one of {', '.join(STRUCTURES)}, not {structure!r}")
    if series.colours > 1:
        raise ValueError(f"structure is decided for B-series, not for P-series of {series.colours} colours")
    return STRUCTURES[structure]


def free_tree_coefficients(series: Mapping[Any, Any], n: int) -> dict[FreeTree, Any]:
    """The common coefficient of all rootings of each free tree of order n, where it is not 0.

    Raises
    ------
    ValueError
        If two rootings of a free tree have different coefficients.
    """
    found: dict[FreeTree, Any] = {}
    for tree, value in series.items():
        if tree.order != n:
            continue
        free = tree.free_tree
        if sympy.simplify(found.setdefault(free, value) - value) != 0:
            raise ValueError(
                f"the rootings of {free!r} have different coefficients, so the field of order {n} is "
                "not a gradient for every loss"
            )
    return {free: value for free, value in found.items() if value != 0}
