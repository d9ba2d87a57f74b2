"""The kernel regime: from a large start a diagonal network is trained as a linear model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bea.sparse.network import read_alpha, read_signed
from bea.sparse.problems import Problem, read_positive
from bea.systems.catalogue.data import read_count

__all__ = ["linear_path", "linear_step_size", "minimum_change"]


def linear_step_size(
    *,
    depth: int,
    alpha: float | None = None,
    initial_scale: float | None = None,
    step_size: float,
    signed: bool = True,
) -> float:
    """The step size 4N²ηα^(2N−2) of the linear descent that the network follows in the kernel regime.

    Parameters
    ----------
    depth, alpha, initial_scale, step_size, signed
        As for `descend`. Without v it is half of that.

    Returns
    -------
    float
        γ in w ← w − γ Xᵀ(Xw − y)/n.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    While u and v stay near α, δu = −2Nη r α^(N−1) = −δv and δw = N α^(N−1) (δu − δv).

    A large α keeps u and v near it if both are there: w begins at 0, and small relative changes of u and v
    make any w. Without v, w begins at αᴺ, and u stays near α only if the outputs are near those at the start.

    Examples
    --------
    >>> from bea.sparse import linear_step_size
    >>> linear_step_size(depth=2, alpha=10, step_size=1e-5)
    0.016
    """
    N = read_count(depth, "depth")
    a = float(read_alpha(alpha, initial_scale, N))
    return (4 if read_signed(signed) else 2) * N**2 * read_positive(step_size, "step_size") * a ** (2 * N - 2)


def linear_path(
    problem: Problem,
    t: ArrayLike,
    *,
    depth: int,
    alpha: float | None = None,
    initial_scale: float | None = None,
    step_size: float,
    signed: bool = True,
) -> np.ndarray:
    """The iterates of that linear gradient descent, in closed form by a singular value decomposition.

    Parameters
    ----------
    problem : Problem
    t : array_like of r int
        Which iterates.
    depth, alpha, initial_scale, step_size, signed
        As for `descend`.

    Returns
    -------
    array of shape (r, p)
        w_t, from w₀ = 0, or w₀ = αᴺ without v.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or if the linear descent diverges: γ‖X‖²/n > 2.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 30, signal=[1, 1, 1], noise=0.5)
    >>> setting = dict(depth=2, initial_scale=1e3, step_size=1e-6)
    >>> run = bea.sparse.descend(data, steps=500, **setting)
    >>> w = bea.sparse.linear_path(data, run.t, **setting)
    >>> float(abs(w[-1] - run.w).max()) < 1e-4
    True
    """
    gamma = linear_step_size(
        depth=depth, alpha=alpha, initial_scale=initial_scale, step_size=step_size, signed=signed
    )
    times = np.asarray(t)
    if times.ndim != 1 or times.dtype.kind not in "iu" or (times < 0).any():
        raise ValueError(f"t must be a sequence of integers that are not negative, not {t!r}")
    w0 = _start(problem, depth, alpha, initial_scale, signed)
    U, s, Vt = np.linalg.svd(problem.X, full_matrices=False)
    factors = 1 - gamma * s**2 / problem.n
    if (factors < -1).any():
        raise ValueError(
            f"the linear descent diverges: its step size {gamma:g} times |X|²/n = {s[0] ** 2 / problem.n:g} "
            "is above 2"
        )
    misfit = U.T @ (problem.y - problem.X @ w0)
    kept = s > s[0] * max(problem.X.shape) * np.finfo(float).eps
    inverse = np.where(kept, 1 / np.where(kept, s, 1.0), 0.0)
    return w0 + ((1 - factors ** times[:, None]) * (inverse * misfit)) @ Vt


def minimum_change(
    problem: Problem,
    *,
    depth: int,
    alpha: float | None = None,
    initial_scale: float | None = None,
    signed: bool = True,
) -> np.ndarray:
    """The limit of the linear descent: of all least-squares solutions the nearest to its start.

    Parameters
    ----------
    problem : Problem
    depth, alpha, initial_scale, signed
        As for `descend`.

    Returns
    -------
    array of shape (p,)

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.Problem([[1, 1]], [2])
    >>> bea.sparse.minimum_change(data, depth=2, alpha=10)
    array([1., 1.])
    """
    w0 = _start(problem, depth, alpha, initial_scale, signed)
    return w0 + np.linalg.lstsq(problem.X, problem.y - problem.X @ w0, rcond=None)[0]


def _start(
    problem: Problem, depth: int, alpha: float | None, initial_scale: float | None, signed: bool
) -> np.ndarray:
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, such as Problem(X, y), not {type(problem).__name__}")
    N = read_count(depth, "depth")
    start = float(read_alpha(alpha, initial_scale, N))
    return np.full(problem.p, 0.0 if read_signed(signed) else start**N)
