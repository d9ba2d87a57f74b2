r"""How one weight grows while the residual stands still: ẇ = 2N²ηB w^(2−2/N), with the iterate as time.

A step under the constant residual r = −B is u ← u + 2NηB uᴺ⁻¹, hence w = uᴺ changes by N uᴺ⁻¹ · 2NηB uᴺ⁻¹ to
first order in η, and uᴺ⁻¹ = w^(1−1/N). The laws below are the solution of that differential equation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from bea.sparse.network import read_alpha
from bea.sparse.problems import read_nonnegative, read_positive
from bea.systems.catalogue.data import read_count

__all__ = ["exit_time", "growth", "growth_rate", "growth_time", "minimax_rate"]


def growth_rate(w: ArrayLike, *, residual: float, depth: int, step_size: float) -> np.ndarray:
    """The growth 2N²ηB w^(2−2/N) of a weight w > 0 in one iteration.

    Parameters
    ----------
    w : array_like
        Positive weights.
    residual : float
        The size B > 0 of the residual |Xᵀ(Xw − y)/n| in that coordinate, which pulls the weight up.
    depth : int
        N ≥ 1.
    step_size : float
        η > 0.

    Returns
    -------
    array

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> from bea.sparse import growth_rate
    >>> growth_rate([1e-4, 1e-2], residual=1, depth=2, step_size=0.01)
    array([8.e-06, 8.e-04])
    """
    speed, N = _speed(residual, depth, step_size)
    return speed * _positive(w, "w") ** (2 - 2 / N)


def growth_time(
    start: ArrayLike, end: ArrayLike, *, residual: float, depth: int, step_size: float
) -> np.ndarray:
    """How many iterations a weight takes from w₀ to w₁ under a constant residual.

    For N = 2 it is log(w₁/w₀)/(8ηB), else (w₀^(−(N−2)/N) − w₁^(−(N−2)/N))/(2N(N−2)ηB).

    Parameters
    ----------
    start, end : array_like
        The positive weights w₀ and w₁.
    residual, depth, step_size
        As for `growth_rate`.

    Returns
    -------
    array
        A real number; negative if the end is below the start.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> from bea.sparse import growth_time
    >>> growth_time(1e-6, 1, residual=1, depth=3, step_size=0.01).round(1)
    np.float64(1650.0)
    """
    speed, N = _speed(residual, depth, step_size)
    w0, w1 = _positive(start, "start"), _positive(end, "end")
    if N == 2:
        return np.log(w1 / w0) / speed
    q = (N - 2) / N
    return (w0**-q - w1**-q) / (q * speed)


def growth(t: ArrayLike, start: float, *, residual: float, depth: int, step_size: float) -> np.ndarray:
    """The weight after t iterations under a constant residual, from w₀ = `start`.

    Parameters
    ----------
    t : array_like
        Iterations.
    start : float
        The positive weight w₀.
    residual, depth, step_size
        As for `growth_rate`.

    Returns
    -------
    array
        Infinite from the time on at which, for N > 2, the solution has run away.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> from bea.sparse import growth
    >>> growth([0, 1650], 1e-6, residual=1, depth=3, step_size=0.01).round(6)
    array([1.e-06, 1.e+00])
    """
    speed, N = _speed(residual, depth, step_size)
    w0, time = read_positive(start, "start"), np.asarray(t, dtype=float)
    if not np.isfinite(time).all():
        raise ValueError(f"t must be finite, not {t!r}")
    if N == 2:
        return w0 * np.exp(speed * time)
    q = (N - 2) / N
    base = w0**-q - q * speed * time
    return np.where(base > 0, np.abs(np.where(base > 0, base, 1.0)) ** (-1 / q), np.inf if N > 2 else 0.0)


def exit_time(
    *,
    depth: int,
    alpha: float | None = None,
    initial_scale: float | None = None,
    residual: float,
    step_size: float,
) -> float:
    """The growth time from αᴺ, where a weight begins, to α^(N/4), where it counts as large.

    Parameters
    ----------
    depth : int
    alpha, initial_scale : float
        Exactly one of α < 1 and αᴺ < 1.
    residual, step_size
        As for `growth_rate`.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Notes
    -----
    For N > 2 and small α it is about α^(−(N−2))/(2N(N−2)ηB). So a smaller α delays the exit, and so does a
    larger N at fixed α: this is why both widen the early-stopping window.

    Examples
    --------
    >>> from bea.sparse import exit_time
    >>> [round(exit_time(depth=N, alpha=0.005, residual=0.1, step_size=0.01)) for N in (2, 3, 4)]
    [993, 32707, 2499116]
    """
    N = read_count(depth, "depth")
    a = float(read_alpha(alpha, initial_scale, N))
    if a >= 1:
        raise ValueError(f"alpha must be below 1, not {a:g}, for alpha^(depth/4) to be above alpha^depth")
    if a**N == 0:
        raise ValueError(f"alpha = {a:g} is so small that alpha^depth is below the floats")
    return float(growth_time(a**N, a ** (N / 4), residual=residual, depth=N, step_size=step_size))


def minimax_rate(k: int, p: int, n: int, noise: float) -> float:
    """The minimax order kσ² log(p)/n of the squared error ‖w − w*‖² over k-sparse w*, up to a constant.

    Parameters
    ----------
    k, p, n : int
        The numbers of nonzero weights, of weights and of observations.
    noise : float
        The standard deviation σ.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    References
    ----------
    .. [1] G. Raskutti, M. J. Wainwright and B. Yu, "Minimax rates of estimation for high-dimensional linear
       regression over ℓq-balls", IEEE Transactions on Information Theory 57, 2011.

    Examples
    --------
    >>> from bea.sparse import minimax_rate
    >>> round(minimax_rate(5, 3000, 500, 0.5), 5)
    0.02002
    """
    counts = [read_count(value, name) for value, name in ((k, "k"), (p, "p"), (n, "n"))]
    if counts[0] > counts[1]:
        raise ValueError(f"k must be at most p = {counts[1]}, not {counts[0]}")
    return counts[0] * read_nonnegative(noise, "noise") ** 2 * float(np.log(counts[1])) / counts[2]


def _speed(residual: float, depth: int, step_size: float) -> tuple[float, int]:
    N = read_count(depth, "depth")
    return 2 * N**2 * read_positive(step_size, "step_size") * read_positive(residual, "residual"), N


def _positive(values: ArrayLike, name: str) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    if not ((array > 0) & (array < np.inf)).all():
        raise ValueError(f"{name} must be positive and finite, not {values!r}")
    return array
