r"""The substitution law: a B-series in which another field takes the place of f.

If h f̃ = B(b, ·) is a field, then the series with the coefficients a, made with the elementary differentials
of f̃, is a B-series for f again, with the coefficients [1]_

    (b ⋆ a)(τ) = Σ b(τ₁) ⋯ b(τ_m) a(τ / {τ₁, …, τ_m}),

summed over all ways to cut τ into subtrees τ₁, …, τ_m; the quotient τ/{…} has each of them shrunk to one
vertex. There are 2^{|τ|−1} such ways. They are grouped by the subtree at the root and the quotient, which
for τ = r ∘ c follow from those for r and c, according to whether the edge between them is cut.

For a Runge–Kutta method there is a shorter way, at the cost of a few compositions. Its stages are B-series
for f, g_i = y + Σ_j a_ij K_j, and K_j = h f̃(g_j) is the field after the map g_j, which the Lie derivative
yields, order by order.

References
----------
.. [1] P. Chartier, E. Hairer and G. Vilmart (2010), Algebraic structures of B-series, Foundations of
       Computational Mathematics 10, 407–427.
"""

from __future__ import annotations

import numpy as np

from bea.series.group import LieSeries, order_of_size, orders_of
from bea.series.rings import Array, Ring
from bea.series.tables import TreeTables

__all__ = ["solved_for_field", "stage_substitution", "stages_solved_for_field", "substitution"]


def substitution(ring: Ring, tables: TreeTables, b: Array, a: Array) -> Array:
    """The coefficients b ⋆ a."""
    partitions = Partitions(ring, tables)
    result = ring.zeros(len(a))
    for t in range(len(a)):
        blocks, quotients, weights = partitions.of(t)
        products = ring.multiply(weights, b[blocks])
        result[t] = ring.sums(ring.multiply(products, a[quotients]), [0])[0]
        partitions.finish(t, products)
    return result


def solved_for_field(ring: Ring, tables: TreeTables, a: Array, target: Array) -> Array:
    """The field b with b ⋆ a = target, where a is 1 at the single vertex."""
    partitions = Partitions(ring, tables)
    b = ring.zeros(len(a))
    for t in range(len(a)):
        blocks, quotients, weights = partitions.of(t)
        products = ring.multiply(weights, b[blocks])  # where the block is all of τ, b(τ) still is 0
        known = ring.sums(ring.multiply(products, a[quotients]), [0])
        b[t] = ring.subtract(target[t : t + 1], known)[0]
        partitions.finish(t, ring.multiply(weights, b[blocks]))
    return b


class Partitions:
    """The ways to cut trees of one colour into subtrees, grouped; trees are to be asked for in turn."""

    def __init__(self, ring: Ring, tables: TreeTables) -> None:
        self.ring, self.tables = ring, tables
        #: For each tree the subtrees at its root, the quotients, the sums of products of the other b(τ_i).
        self._open: list[tuple[Array, Array, Array]] = []
        #: For each tree the quotients, and the sums of the products of all b(τ_i).
        self._closed: list[tuple[Array, Array]] = []

    def of(self, t: int) -> tuple[Array, Array, Array]:
        """The subtrees at the root of tree t, the quotients, and what the other subtrees contribute."""
        r, c = int(self.tables.rest[t]), int(self.tables.child[t])
        if c < 0:
            vertex = np.zeros(1, dtype=np.int64)
            self._open.append((vertex, vertex, self.ring.constants([1])))
        else:
            self._open.append(self._joined(self._open[r], self._open[c], self._closed[c]))
        return self._open[t]

    def finish(self, t: int, products: Array) -> None:
        """Take note of the products of all b(τ_i) of tree number t."""
        _, quotients, _ = self._open[t]
        distinct, order, starts = _groups(quotients)
        self._closed.append((distinct, self.ring.sums(products[order], starts)))

    def _joined(
        self, rest: tuple[Array, Array, Array], child: tuple[Array, Array, Array], cut: tuple[Array, Array]
    ) -> tuple[Array, Array, Array]:
        multiply, product = self.ring.multiply, self.tables.product
        blocks, quotients, weights = (column[:, None] for column in rest)
        cut_blocks = np.broadcast_to(blocks, (len(blocks), len(cut[0])))
        cut_quotients = product(quotients, cut[0][None, :])
        cut_weights = multiply(weights, cut[1][None, :])
        kept_blocks = product(blocks, child[0][None, :])
        kept_quotients = self._merged(quotients, child[1][None, :])
        kept_weights = multiply(weights, child[2][None, :])

        all_blocks = np.concatenate([cut_blocks.ravel(), kept_blocks.ravel()]).astype(np.int64)
        all_quotients = np.concatenate([cut_quotients.ravel(), kept_quotients.ravel()]).astype(np.int64)
        all_weights = np.concatenate([cut_weights.ravel(), kept_weights.ravel()])
        trees = len(self.tables.rest)
        distinct, order, starts = _groups(all_blocks * trees + all_quotients)
        return distinct // trees, distinct % trees, self.ring.sums(all_weights[order], starts)

    def _merged(self, u: Array, v: Array) -> Array:
        """The trees in which the roots of u and v are one vertex."""
        merged, left = (array.copy() for array in np.broadcast_arrays(u, v))
        while (more := self.tables.child[left] >= 0).any():
            merged[more] = self.tables.product(merged[more], self.tables.child[left[more]])
            left[more] = self.tables.rest[left[more]]
        return merged


def _groups(keys: Array) -> tuple[Array, Array, Array]:
    """The distinct keys, an order that sorts them, and where in it each begins."""
    order = np.argsort(keys, kind="stable")
    distinct, starts = np.unique(keys[order], return_index=True)
    return distinct, order, starts


class _Stages:
    """The stages of a Runge–Kutta method for a field that becomes known order by order."""

    def __init__(self, ring: Ring, tables: TreeTables, A: Array, b: Array, field: Array) -> None:
        order = order_of_size(tables, len(field))
        self.ring, self.A, self.b, self.field = ring, A, b, field
        #: The logarithms ℓ_i of the maps g_i.
        self.logarithms = [ring.zeros(len(field)) for _ in range(len(b))]
        self._further = [LieSeries(ring, tables, order, ell, ell, shift=1) for ell in self.logarithms]
        self._carried = [LieSeries(ring, tables, order, ell, field) for ell in self.logarithms]

    def without_field(self, n: int) -> list[Array]:
        """For each stage K_i at the trees of order n, less the field itself there."""
        return [carried.at(n) for carried in self._carried]

    def combined(self, weights: Array, terms: list[Array]) -> Array:
        """Σ_i w_i K_i."""
        total = self.ring.multiply(terms[0], weights[:1])
        for i in range(1, len(terms)):
            total = self.ring.add(total, self.ring.multiply(terms[i], weights[i : i + 1]))
        return total

    def finish(self, n: int, trees: slice, K: list[Array]) -> None:
        """Take note of the K_i at the trees of order n."""
        for i, (logarithm, further) in enumerate(zip(self.logarithms, self._further, strict=True)):
            logarithm[trees] = self.ring.subtract(self.combined(self.A[i], K), further.at(n))


def stage_substitution(ring: Ring, tables: TreeTables, field: Array, A: Array, b: Array) -> Array:
    """The coefficients b ⋆ a for the field and the Runge–Kutta method (A, b)."""
    stages = _Stages(ring, tables, A, b, field)
    result = ring.zeros(len(field))
    for n, trees in orders_of(tables, len(field)):
        K = [ring.add(field[trees], rest) for rest in stages.without_field(n)]
        result[trees] = stages.combined(b, K)
        stages.finish(n, trees, K)
    return result


def stages_solved_for_field(ring: Ring, tables: TreeTables, target: Array, A: Array, b: Array) -> Array:
    """The field for which the consistent Runge–Kutta method (A, b) has the coefficients of the target."""
    field = ring.zeros(len(target))
    stages = _Stages(ring, tables, A, b, field)
    for n, trees in orders_of(tables, len(target)):
        known = stages.without_field(n)
        field[trees] = ring.subtract(target[trees], stages.combined(b, known))
        stages.finish(n, trees, [ring.add(field[trees], rest) for rest in known])
    return field
