"""The compiled loops over cuts and vertices, for residues modulo a prime and for floats alike.

Residues are uint32 numbers below a prime p < 2²⁹, so 64 products of them can be added in uint64 before one
division by p brings the sum back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload

__all__ = ["lie_powers", "stage_weights"]

_compile = njit(cache=True, nogil=True, error_model="numpy")


def reduced(value: Any, modulus: Any) -> Any:
    """A sum of residues brought back below the prime; a float stays as it is."""
    return value % modulus if modulus else value


@overload(reduced)
def _compiled_reduced(value, modulus):
    if isinstance(modulus, types.Float):
        return lambda value, modulus: value
    return lambda value, modulus: value % modulus


@_compile
def lie_powers(root_part, branch, first, field, powers, empty, weights, modulus, sums, total):
    r"""The iterated Lie derivatives of a series c along a field b, for all trees of one order.

    The Lie derivative is a sum over the cuts of single edges of τ and, if c has an empty tree, of the root's
    own:

        (∂_b c)(τ) = Σ_{(x, y)} c(x) b(y) + c(∅) b(τ).

    Parameters
    ----------
    root_part, branch : int32 arrays, shape (T_n, n − 1)
        The cuts (x, y).
    first : int
        The number of the first tree of order n.
    field : array over all trees
        b; its values at order n are used only where `empty` is not 0.
    powers : array over trees of smaller order than the last, shape (trees, columns)
        Column j holds ∂_b^j c. Where it has room for the trees of order n, columns 1 to min(n, columns − 1)
        of them are filled; column 0 is left to the caller.
    empty : number
        c(∅).
    weights : array, shape (columns + 1,) or longer
        The weight w_j of the j-th derivative.
    modulus : number
        The prime p; floats do not look at it.
    sums : array, shape (columns,)
        Room for sums of products, uint64 or float64.
    total : array, shape (T_n,)
        Filled with Σ_{j≥1} w_j (∂_b^j c)(τ).
    """
    trees, edges = root_part.shape
    columns = min(powers.shape[1], edges + 1 if empty else max(edges, 1))
    stored = first < powers.shape[0]
    for t in range(trees):
        sums[:columns] = 0
        sums[0] = empty * field[first + t]
        for e in range(edges):
            x, y = root_part[t, e], field[branch[t, e]]
            for j in range(columns):
                sums[j] += powers[x, j] * y
        weighted = modulus - modulus
        for j in range(columns):
            derivative = reduced(sums[j], modulus)
            weighted += derivative * weights[j + 1]
            if stored and j + 1 < powers.shape[1]:
                powers[first + t, j + 1] = derivative
        total[t] = reduced(weighted, modulus)


@_compile
def stage_weights(rest, child, colour, A, B, b, modulus, product, inner, outer, weights):
    r"""The weights Σ_i b_i Φ_i(τ) of a method with s stages, for all trees.

    With the vectors of stages G(•) = 1 and G(r ∘ c) = G(r) · A Φ(c), entry by entry,

        Φ(τ) = B Φ(c) for a root with the single child c,  Φ(τ) = G(τ) otherwise.

    Runge–Kutta methods have B = A, so that Φ = G throughout; Rosenbrock methods do not.

    Parameters
    ----------
    rest, child : int32 arrays over all trees
    colour : uint8 array over all trees
        The colour of each root.
    A, B : arrays, shape (colours, s, s)
        By the colour of the child.
    b : array, shape (colours, s)
        By the colour of the root.
    modulus : number
    product, inner, outer : arrays over trees of smaller order than the last, shape (trees, s)
        Room for G(τ), A Φ(τ) and B Φ(τ); the last two may be one array if A and B are.
    weights : array over all trees
        Filled.
    """
    stages = b.shape[1]
    G, phi = np.empty(stages, product.dtype), np.empty(stages, product.dtype)
    for t in range(len(rest)):
        r, c = rest[t], child[t]
        for i in range(stages):
            G[i] = 1 if c < 0 else reduced(product[r, i] * inner[c, i], modulus)
            phi[i] = outer[c, i] if c >= 0 and child[r] < 0 else G[i]
        weights[t] = _dot(b[colour[t]], phi, modulus)
        if t < len(product):
            product[t] = G
            for i in range(stages):
                inner[t, i] = _dot(A[colour[t], i], phi, modulus)
                outer[t, i] = _dot(B[colour[t], i], phi, modulus)


@_compile
def _dot(u, v, modulus):
    total = modulus - modulus
    for i in range(len(u)):
        total += reduced(u[i] * v[i], modulus)
    return reduced(total, modulus)
