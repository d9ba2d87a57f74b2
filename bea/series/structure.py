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

A P-series in two colours acts on ṗ = −∂H/∂q (colour 0) and q̇ = ∂H/∂p (colour 1). Its field is Hamiltonian
for every H(p, q) if and only if b(u ∘ v) + b(v ∘ u) = 0 where the roots of u and v have different colours,
and b(τ) does not depend on the colour of the root [3]_. For every separable H = T(p) + U(q) all elementary
differentials vanish but those of trees in which neighbours have different colours, and the first condition
for these is necessary and sufficient.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Theorem IX.9.3.
.. [2] E. Celledoni, R. I. McLachlan, B. Owren and G. R. W. Quispel (2010), Energy-preserving integrators
       and the structure of B-series, Foundations of Computational Mathematics 10, 673–693.
.. [3] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Theorem IX.10.4.
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

__all__ = [
    "STRUCTURES",
    "alternating",
    "conditions",
    "free_tree_coefficients",
    "hamiltonian_dimension",
    "holds",
    "holds_through",
]

#: What a field can be for every system, and the sign in b(u ∘ v) = ± b(v ∘ u) where that decides it.
STRUCTURES = {"gradient": 1, "symplectic": -1, "energy-preserving": 0}


def holds_through(series: FieldSeries, structure: str, separable: bool = False) -> int:
    """The highest order p such that the trees up to order p all satisfy the conditions of a structure."""
    orders = range(1, series.order + 1)
    return next((n - 1 for n in orders if not holds(series, structure, n, separable)), series.order)


def holds(series: FieldSeries, structure: str, n: int, separable: bool = False) -> bool:
    """Whether the trees of order n satisfy the conditions of a structure."""
    if structure == "energy-preserving":
        return all(condition == 0 for condition in conditions(series, structure, n))
    return all(
        bool(np.all(series.coefficients.equal(trees, others, sign)))
        for trees, others, sign in _relations(series, structure, n, separable)
    )


def conditions(series: FieldSeries, structure: str, n: int, separable: bool = False) -> list[Any]:
    """The expressions in the coefficients of order n that vanish if and only if the structure is there.

    Parameters
    ----------
    series : FieldSeries
    structure : {"gradient", "symplectic", "energy-preserving"}
    n : int
        The order of the trees.
    separable : bool, optional
        For a P-series, ask for symplecticity for Hamiltonians T(p) + U(q) alone.

    Examples
    --------
    >>> from bea.schemes import SecondOrder
    >>> from bea.series import bseries
    >>> conditions(bseries(SecondOrder(), order=3).log(), "gradient", 3)
    [alpha/2 - 1/6]
    """
    relations = _relations(series, structure, n, separable)
    first = int(series.tables.start[n])
    values = series.coefficients.values(first, int(series.tables.start[n + 1]))
    found = [
        values[i - first] - sign * values[j - first]
        for trees, others, sign in relations
        for i, j in zip(trees, others, strict=True)
    ]
    if structure == "energy-preserving" and n > 1:
        found = _energy_sums(series.tables, values, n)
    simplified = {sympy.simplify(value) for value in found} - {0}
    return sorted(
        {value for value in simplified if not (value.could_extract_minus_sign() and -value in simplified)},
        key=sympy.default_sort_key,
    )


def _relations(
    series: FieldSeries, structure: str, n: int, separable: bool
) -> list[tuple[np.ndarray, np.ndarray, int]]:
    """The pairs of trees of order n with b(τ) = ± b(θ), in groups (τ, θ, sign) of one sign.

    It is enough to look at the edge from the root to its largest child: of the two rootings at the ends of an
    edge one has the other end as its largest child.
    """
    tables, sign = series.tables, _sign(series, structure, separable)
    trees = np.arange(tables.start[n], tables.start[n + 1])
    others = tables.reroot(n)
    if series.colours == 1:
        return [(trees, others, sign)] if sign and n > 1 else []
    across = tables.root_colours[trees] != tables.root_colours[others]
    if separable:
        across &= alternating(tables, n)
    edges = [(trees[across], others[across], sign)] if n > 1 else []
    return edges if separable else [*edges, (trees, _recoloured(tables, n), 1)]


def _recoloured(tables: TreeTables, n: int) -> np.ndarray:
    """For each tree in two colours of order n the number of the tree with the other colour at its root."""
    if n == 1:
        return np.array([1, 0])
    part = tables.slice(n)
    other = np.empty(tables.start[n], dtype=np.int64)
    for m in range(1, n):
        other[tables.slice(m)] = (
            [1, 0]
            if m == 1
            else tables.product(other[tables.rest[tables.slice(m)]], tables.child[tables.slice(m)])
        )
    return tables.product(other[tables.rest[part]], tables.child[part])


def alternating(tables: TreeTables, n: int) -> np.ndarray:
    """Whether any two neighbours in each tree of order n have different colours."""
    found = np.ones(tables.start[n + 1], dtype=bool)
    for m in range(2, n + 1):
        rest, child = tables.rest[tables.slice(m)], tables.child[tables.slice(m)]
        differ = tables.root_colours[rest] != tables.root_colours[child]
        found[tables.slice(m)] = found[rest] & found[child] & differ
    return found[tables.slice(n)]


def hamiltonian_dimension(tables: TreeTables, n: int) -> int:
    """The number of free trees of order n > 1 that are not symmetric about an edge."""
    class_of, sign = _free_classes(tables, n)
    return len(np.unique(class_of[sign != 0]))


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


def _sign(series: FieldSeries, structure: str, separable: bool) -> int:
    if structure not in STRUCTURES:
        raise ValueError(f"a structure is one of {', '.join(STRUCTURES)}, not {structure!r}")
    if separable and (structure != "symplectic" or series.colours != 2):
        raise ValueError("separable Hamiltonians matter to the symplecticity of P-series of two colours only")
    if series.colours > 2 or (series.colours == 2 and structure != "symplectic"):
        raise ValueError(
            f"a P-series of {series.colours} colours is not decided to be {structure}; "
            "one of two colours, for p and q, may be symplectic"
        )
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
