r"""The slow manifold of a map with memory, and the map on it.

A scheme with memory m is a map (x, m) ↦ (X_h(x, m), M_h(x, m)) with X_0(x, m) = x. Where the memory
contracts, it forgets its start, and follows x: m = S_h(x), where the slow manifold S_h = S_0 + h S_1 + … is
invariant,

    S_h(X_h(x, S_h(x))) = M_h(x, S_h(x)).

At h^k this reads S_k − B S_k = what S_0, …, S_{k−1} determine, with the matrix B = ∂M_0/∂m of constants: for
the heavy ball, B is the momentum β. What remains is the slow map x ↦ X_h(x, S_h(x)), whose logarithm is the
modified field. The memory is carried along that field by Lie series, so slow manifold, slow map and logarithm
grow together, one power of h at a time.

References
----------
.. [1] N. Fenichel (1979), Geometric singular perturbation theory for ordinary differential equations, Journal
   of Differential Equations 31, 53–98, for the existence of such manifolds.
.. [2] U. Kirchgraber (1986), Multi-step methods are essentially one-step methods, Numerische Mathematik 48,
   85–90, for those of multistep methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from bea.modified.expansion import SeriesArithmetic, SeriesField
from bea.modified.logarithm import LieSeries
from bea.modified.series import Series
from bea.schemes.memory import flattened, shaped
from bea.schemes.scheme import Scheme
from bea.systems.expressions import read_expression

__all__ = ["Response", "SlowManifold", "memory_response", "slow_manifold"]

#: A sparse matrix as its rows, each a list of (column, entry).
Response = list[list[tuple[int, sympy.Expr]]]

#: A memory whose eigenvalues reach this modulus is taken not to contract.
LARGEST_EIGENVALUE = 1 - 1e-9


@dataclass(frozen=True)
class SlowManifold:
    """The expansions of a map with memory, as lists of ring elements.

    Attributes
    ----------
    fields : list of n lists of d ring elements
        The modified field f₁ + h f₂ + ….
    memory : list of n lists of r ring elements
        The slow manifold S₀ + h S₁ + …: its vectors one after the other, then its scalars.
    """

    fields: list[list[Any]]
    memory: list[list[Any]]


def slow_manifold(
    ring: Any, scheme: Scheme, field: SeriesField, order: int, response: Response
) -> SlowManifold:
    """Expand the slow manifold and the field on it, `order` terms of each.

    Parameters
    ----------
    ring : FlintRing or SympyRing
    scheme : Scheme
    field : SeriesField
    order : int
    response : list of rows
        (I − B)⁻¹, from `memory_response`.
    """
    inverse = [[(j, ring.element(c)) for j, c in row] for row in response]
    flow = LieSeries(ring)
    memory = _Carried(ring, flow, len(inverse))
    for k in range(order + 1):
        x, m = _update(ring, scheme, field, memory.rows, k)
        if k:
            flow.append([ring.normal(x_i[k] - c) for x_i, c in zip(x, flow.contribution(), strict=True)])
        if k < order:
            rest = [ring.normal(m_i[k] - c) for m_i, c in zip(m, memory.contribution(), strict=True)]
            memory.append([ring.normal(_dot(row, rest, ring.zero)) for row in inverse])
    return SlowManifold([row[0] for row in flow.rows], [row[0] for row in memory.rows])


def _update(
    ring: Any, scheme: Scheme, field: SeriesField, known: list[Any], order: int
) -> tuple[list[Series], list[Series]]:
    """The scheme's step from x and the known terms of the slow manifold, through h^order."""
    d = ring.dimension
    x = [Series.constant(v, order) for v in ring.variables]
    size = scheme.vectors * d + scheme.scalars
    flat = [Series([*(row[0][i] for row in known), ring.zero][: order + 1]) for i in range(size)]
    h = Series.step_size(ring.one, order)
    x, m = scheme.update(field, x, shaped(flat, d, scheme), h, SeriesArithmetic(ring, order))
    return x, flattened(m, scheme)


def _dot(row: list[tuple[int, Any]], vector: list[Any], zero: Any) -> Any:
    total = zero
    for j, c in row:
        total = total + c * vector[j]
    return total


class _Carried:
    """The memory along the flow of the field that is known so far.

    `rows[k]` holds S_k and then, for i = 1, 2, …, the coefficients of h^k in (hD)^i S_h; these are
    Σ_j D_j of the coefficients of h^{k−j} in (hD)^{i−1} S_h.
    """

    def __init__(self, ring: Any, flow: LieSeries, size: int) -> None:
        self.ring = ring
        self.size = size
        self.flow = flow
        self.rows: list[list[list[Any]]] = []
        self._next: list[list[Any]] = []

    def contribution(self) -> list[Any]:
        """The coefficient of h^k in S_h along the flow, less S_k itself."""
        k = len(self.rows)
        self._next = [self._entry(i, k) for i in range(1, k + 1)]
        total = [self.ring.zero] * self.size
        factorial = 1
        for i, entry in enumerate(self._next, start=1):
            factorial *= i
            weight = self.ring.rational(1, factorial)
            total = [t + e * weight for t, e in zip(total, entry, strict=True)]
        return total

    def append(self, values: list[Any]) -> None:
        """Fix S_k."""
        self.rows.append([values, *self._next])

    def _entry(self, i: int, k: int) -> list[Any]:
        total = [self.ring.zero] * self.size
        for j in range(1, k - i + 2):
            derivation = self.flow.derivations[j - 1]
            earlier = self.rows[k - j][i - 1]
            total = [t + self.ring.lie(derivation, e) for t, e in zip(total, earlier, strict=True)]
        return total


# -- how the memory contracts ----------------------------------------------------------------------------


def memory_response(scheme: Scheme, dimension: int, parts: int) -> Response:
    """(I − B)⁻¹, where B = ∂M_0/∂m is the matrix by which the memory contracts for h = 0.

    The scheme's own rule is run on symbols. B falls into blocks, one for each component of x in most schemes,
    which are inverted one at a time.

    Raises
    ------
    ValueError
        If the scheme moves x, or asks for the field elsewhere than at x, for h = 0; if B is not constant; or
        if the memory does not contract, because B has an eigenvalue of modulus 1 or more.
    """
    rows = _memory_matrix(scheme, dimension, parts)
    response: Response = [[] for _ in rows]
    known: dict[sympy.ImmutableMatrix, sympy.ImmutableMatrix] = {}
    for block in _blocks(rows):
        B = sympy.ImmutableMatrix([[rows[i].get(j, 0) for j in block] for i in block])
        if B not in known:
            _require_contraction(B, scheme)
            known[B] = (sympy.eye(B.rows) - B).inv().applyfunc(sympy.cancel)
        for i, row in zip(block, known[B].tolist(), strict=True):
            response[i] = [(j, c) for j, c in zip(block, row, strict=True) if c != 0]
    return response


def _memory_matrix(scheme: Scheme, dimension: int, parts: int) -> list[dict[int, sympy.Expr]]:
    """The rows of B, each a mapping from column to entry."""
    x = list(sympy.symbols(f"x:{dimension}", cls=sympy.Dummy))
    flat = list(sympy.symbols(f"m:{scheme.vectors * dimension + scheme.scalars}", cls=sympy.Dummy))
    column = {m: j for j, m in enumerate(flat)}
    field = _FrozenField(scheme, x, parts)
    end, memory = scheme.update(
        field, list(x), shaped(flat, dimension, scheme), sympy.S.Zero, _SymbolicArithmetic()
    )
    if [sympy.expand(e) for e in end] != x:
        raise ValueError(f"one step of {scheme.name} with step size 0 must leave x where it is")
    rows = []
    for value in flattened(memory, scheme):
        entries = {column[m]: sympy.expand(value.diff(m)) for m in value.free_symbols & set(flat)}
        if set().union(*(e.free_symbols for e in entries.values())) & {*flat, *x, *field.values}:
            raise ValueError(
                f"for step size 0 the memory of {scheme.name} must change by a constant matrix, "
                "or it has no slow manifold that is known in advance"
            )
        rows.append({j: e for j, e in entries.items() if e != 0})
    return rows


def _blocks(rows: list[dict[int, sympy.Expr]]) -> list[list[int]]:
    """The indices that B connects, directly or through others, as lists."""
    block = list(range(len(rows)))
    for i, row in enumerate(rows):
        for j in row:
            a, b = block[i], block[j]
            block = [min(a, b) if c in (a, b) else c for c in block]
    return [[i for i, c in enumerate(block) if c == name] for name in dict.fromkeys(block)]


def _require_contraction(B: sympy.ImmutableMatrix, scheme: Scheme) -> None:
    if B.free_symbols:
        if sympy.expand((sympy.eye(B.rows) - B).det()) == 0:
            raise ValueError(f"the memory of {scheme.name} does not contract: B has the eigenvalue 1")
        return
    eigenvalues = np.linalg.eigvals(np.array(B.evalf(30).tolist(), dtype=float))
    largest = max(eigenvalues, key=abs)
    if abs(largest) > LARGEST_EIGENVALUE:
        raise ValueError(
            f"the memory of {scheme.name} does not contract, so its iterates follow no differential equation "
            f"in x alone: for h = 0 a step multiplies it by a matrix with the eigenvalue {largest:.6g}"
        )


class _FrozenField:
    """A field that is known at x alone, where its values are symbols."""

    def __init__(self, scheme: Scheme, x: list[sympy.Dummy], parts: int) -> None:
        self._scheme, self._x = scheme, x
        self._values = [sympy.Dummy(f"f{i}") for i in range(len(x))]
        self.parts = [_FrozenField(scheme, x, 0) for _ in range(parts)]

    @property
    def values(self) -> list[sympy.Dummy]:
        """The symbols for the values of the field and of its parts."""
        return [*self._values, *(v for part in self.parts for v in part.values)]

    def __call__(self, point: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        if [sympy.expand(p) for p in point] != self._x:
            raise ValueError(f"for step size 0, {self._scheme.name} must ask for the field at x alone")
        return list(self._values)

    def flow(self, point: Sequence[sympy.Expr], t: sympy.Expr) -> list[sympy.Expr]:
        """The flow over time 0."""
        return list(point)


class _SymbolicArithmetic:
    """SymPy expressions, for h = 0."""

    def number(self, constant: sympy.Expr) -> sympy.Expr:
        return read_expression(constant)

    def power(self, base: sympy.Expr, exponent: sympy.Rational) -> sympy.Expr:
        return base**exponent

    def fixed_point(self, function: Callable[[list[Any]], list[Any]], start: list[Any]) -> list[Any]:
        return function(start)
