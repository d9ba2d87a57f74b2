"""The diagonal linear network, in which gradient descent from a small start prefers sparse solutions."""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bea.systems.catalogue.data import exact, numbered, read_array, read_count, require_solvable
from bea.systems.loss import Loss

__all__ = ["diagonal_network"]


def diagonal_network(
    X: ArrayLike = ((1, 1, 1), (1, -1, 1)), y: ArrayLike = (1, 1), depth: int = 2, signed: bool = True
) -> Loss:
    r"""The loss L = (1/n) ‖X w − y‖² of a linear model whose weights are powers, w = uᴺ − vᴺ entry by entry.

    Parameters
    ----------
    X : array_like, shape (n, p), optional
        Inputs, one a row, read exactly as their decimals spell them.
    y : array_like, shape (n,), optional
        Outputs.
    depth : int, optional
        The depth N ≥ 1 of the network.
    signed : bool, optional
        If false, w = uᴺ, without v.

    Returns
    -------
    Loss
        In the variables u1, …, up, v1, …, vp, or u1, …, up. There is no factor ½. Its zero-loss set has the
        codimension rank X.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not match, a number is not finite, or the network cannot fit y exactly.

    References
    ----------
    .. [1] J. Li, T. V. Nguyen, C. Hegde and R. K. W. Wong, "Implicit sparse regularization: the impact of
       depth and early stopping", Advances in Neural Information Processing Systems, 2021.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.diagonal_network(X=[[1, 2]], y=[3], depth=2)
    >>> loss.expression
    (u1**2 + 2*u2**2 - v1**2 - 2*v2**2 - 3)**2
    >>> loss.zero_loss_set.dimension
    3
    """
    inputs, outputs = read_array(X, 2, "X"), read_array(y, 1, "y")
    n, p = inputs.shape
    N = read_count(depth, "depth")
    rank = require_solvable(inputs, outputs)
    if not signed and N % 2 == 0:
        _require_nonnegative_solution(inputs, outputs)
    u, v = numbered("u", p), numbered("v", p) if signed else []
    w = [u_j**N - v_j**N for u_j, v_j in zip(u, v, strict=True)] if signed else [u_j**N for u_j in u]
    residuals = [
        sympy.Add(*[x * w_j for x, w_j in zip(row, w, strict=True)], -target)
        for row, target in zip(exact(inputs), exact(outputs), strict=True)
    ]
    return Loss.from_residuals(
        residuals,
        u + v,
        scale=sympy.Rational(1, n),
        codimension=rank,
        description="the networks with X w = y",
        native_source=_gradient_flow_source(n, p, N, signed),
        native_data=np.concatenate([inputs.ravel(), outputs]),
    )


def _gradient_flow_source(n: int, p: int, N: int, signed: bool) -> str:
    """−∇L with two matrix-vector products, for ``data`` that holds X, row by row, and then y."""
    weights = f"u**{N} - v**{N}" if signed else f"u**{N}"
    lines = [
        f"u, v = x[:{p}], x[{p}:]",
        f"X = data[:{n * p}].reshape(({n}, {p}))",
        f"r = np.dot(X, {weights}) - data[{n * p}:]",
        f"s = np.dot(r, X) * {2 * N / n!r}",
        f"out[:{p}] = -s * u**{N - 1}",
    ]
    return "\n".join([*lines, f"out[{p}:] = s * v**{N - 1}"] if signed else lines)


def _require_nonnegative_solution(X: np.ndarray, y: np.ndarray) -> None:
    from scipy.optimize import nnls

    w, distance = nnls(X, y)
    if distance > 1e-8 * (np.linalg.norm(y) + np.linalg.norm(X) * np.linalg.norm(w)):
        raise ValueError(
            "the loss has no zero: no w ≥ 0 solves X w = y, and an even power without sign is nonnegative"
        )
