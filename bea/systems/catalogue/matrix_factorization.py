"""Matrix factorization, whose zeros fall into pieces of different dimensions when rank is to spare."""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bea.systems.catalogue.data import exact, read_array, read_count
from bea.systems.loss import Loss

__all__ = ["matrix_factorization"]


def matrix_factorization(M: ArrayLike = ((1, 2), (2, 4)), rank: int = 1) -> Loss:
    r"""The loss E(U, V) = ‖U Vᵀ − M‖² in the Frobenius norm, without a factor ½.

    Parameters
    ----------
    M : array_like, shape (m, n), optional
        The matrix to factorize, its entries read exactly as their decimals spell them.
    rank : int, optional
        The number r of columns of U and V.

    Returns
    -------
    Loss
        In the entries u11, u12, … of U, of shape (m, r), row by row, and then the entries v11, … of V, of
        shape (n, r).

    Raises
    ------
    ValueError, TypeError
        If M is no matrix of finite numbers, or its rank exceeds r: then no factorization is exact.

    Notes
    -----
    The differential of the residual, (dU, dV) ↦ dU Vᵀ + U dVᵀ, has the rank mn − (m − a)(n − b), where
    a and b are the ranks of U and V. On the zero-loss set a and b are at least ρ = rank M, and a + b ≤ r + ρ
    by Sylvester's inequality. The factorizations with given a, and b = min(n, r + ρ − a) as large as that
    allows, form a manifold of the same codimension. For r = ρ there is only a = b = r and the zero-loss set
    is one orbit of GL(r), of dimension r². For r > ρ several pieces meet, in general of different dimensions;
    `dimension` is that of the largest, and `sample` takes its points from there.

    References
    ----------
    .. [1] S. Gunasekar, B. Woodworth, S. Bhojanapalli, B. Neyshabur and N. Srebro, "Implicit regularization
       in matrix factorization", Advances in Neural Information Processing Systems, 2017.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.matrix_factorization([[1, 2], [2, 4]], rank=1)
    >>> loss.zero_loss_set.residuals
    (u11*v11 - 1, u11*v21 - 2, u21*v11 - 2, u21*v21 - 4)
    >>> loss.zero_loss_set.dimension
    1
    """
    matrix, r = read_array(M, 2, "M"), read_count(rank, "rank")
    rho = int(np.linalg.matrix_rank(matrix))
    if rho > r:
        raise ValueError(f"the loss has no zero: U Vᵀ has at most rank {r}, but M has rank {rho}")
    m, n = matrix.shape
    U, V = _symbols("u", m, r), _symbols("v", n, r)
    residuals = list(U * V.T - sympy.Matrix(exact(matrix)))
    return Loss.from_residuals(
        residuals,
        [*U, *V],
        scale=1,
        codimension=_codimension(m, n, r, rho),
        description="the factorizations U Vᵀ = M",
    )


def _codimension(m: int, n: int, r: int, rho: int) -> int:
    """The least rank of the differential over the pieces of the zero-loss set, one for each rank a of U."""
    pieces = ((a, min(n, r + rho - a)) for a in range(rho, min(m, r) + 1))
    return min(m * n - (m - a) * (n - b) for a, b in pieces)


def _symbols(letter: str, rows: int, columns: int) -> sympy.Matrix:
    """A matrix of symbols u11, u12, …, with u1_10 and the like as soon as an index has two digits."""
    between = "" if max(rows, columns) < 10 else "_"
    return sympy.Matrix(rows, columns, lambda i, j: sympy.Symbol(f"{letter}{i + 1}{between}{j + 1}"))
