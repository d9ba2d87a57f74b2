"""Sparse regression problems y = X w* + noise: their designs, signals and noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bea.systems.catalogue.data import read_array, read_count

__all__ = ["DESIGNS", "Problem", "correlated", "gaussian", "problem", "rademacher"]


@dataclass(frozen=True, eq=False)
class Problem:
    """The data of a linear regression, read as arrays of floating-point numbers.

    Attributes
    ----------
    X : array of shape (n, p)
        Inputs, one a row.
    y : array of shape (n,)
        Outputs.
    w_star : array of shape (p,) or None
        The weights behind the outputs, where they are known. Its nonzero entries are the support.
    noise : float or None
        The standard deviation σ of the noise in the outputs, where it is known.
    seed : int or None
        What the data were drawn from, where that was an integer.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not match or an entry is no finite real number.

    Examples
    --------
    >>> from bea.sparse import Problem
    >>> data = Problem([[1, 2], [3, 4]], [1, 3], w_star=[1, 0])
    >>> data.support
    array([ True, False])
    """

    X: np.ndarray = field(repr=False)
    y: np.ndarray = field(repr=False)
    w_star: np.ndarray | None = field(default=None, repr=False)
    noise: float | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        X, y = _read_data(self.X, 2, "X"), _read_data(self.y, 1, "y")
        if len(X) != len(y):
            raise ValueError(f"X has {len(X)} rows but y has {len(y)} entries")
        object.__setattr__(self, "X", np.ascontiguousarray(X))
        object.__setattr__(self, "y", y)
        if self.w_star is not None:
            w_star = _read_data(self.w_star, 1, "w_star")
            if len(w_star) != X.shape[1]:
                raise ValueError(f"X has {X.shape[1]} columns but w_star has {len(w_star)} entries")
            object.__setattr__(self, "w_star", w_star)
        if self.noise is not None:
            object.__setattr__(self, "noise", read_nonnegative(self.noise, "noise"))

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.X)

    @property
    def p(self) -> int:
        """The number of weights."""
        return self.X.shape[1]

    @property
    def support(self) -> np.ndarray:
        """Where w* is not zero, as p truth values."""
        return self.truth != 0

    @property
    def truth(self) -> np.ndarray:
        """w*, or a sentence if it is not known."""
        if self.w_star is None:
            raise ValueError("the problem has no w_star to compare with; give it as Problem(X, y, w_star)")
        return self.w_star

    def __repr__(self) -> str:
        known = "" if self.w_star is None else f", k={int(self.support.sum())}"
        return f"Problem(n={self.n}, p={self.p}{known}, noise={self.noise}, seed={self.seed})"


def rademacher(n: int, p: int, rng: int | np.random.Generator | None = 0) -> np.ndarray:
    """A matrix of independent signs ±1.

    Parameters
    ----------
    n, p : int
        Its shape.
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy.

    Returns
    -------
    array of shape (n, p)

    Examples
    --------
    >>> from bea.sparse import rademacher
    >>> abs(rademacher(3, 2)).min()
    np.float64(1.0)
    """
    shape = read_count(n, "n"), read_count(p, "p")
    return 2.0 * np.random.default_rng(rng).integers(0, 2, shape) - 1.0


def gaussian(n: int, p: int, rng: int | np.random.Generator | None = 0) -> np.ndarray:
    """A matrix of independent standard normal numbers.

    Parameters
    ----------
    n, p, rng
        As for `rademacher`.

    Returns
    -------
    array of shape (n, p)

    Examples
    --------
    >>> from bea.sparse import gaussian
    >>> gaussian(3, 2).shape
    (3, 2)
    """
    return np.random.default_rng(rng).standard_normal((read_count(n, "n"), read_count(p, "p")))


def correlated(
    n: int,
    p: int,
    rng: int | np.random.Generator | None = 0,
    correlation: float = 0.5,
    kind: str = "autoregressive",
) -> np.ndarray:
    """A normal matrix with independent rows and correlated columns of variance 1.

    Parameters
    ----------
    n, p, rng
        As for `rademacher`.
    correlation : float, optional
        The correlation ρ of neighbouring columns.
    kind : {"autoregressive", "equicorrelated"}, optional
        Columns i and j have the correlation ρ^|i − j|, with −1 < ρ < 1, or ρ for all i ≠ j, with 0 ≤ ρ < 1.

    Returns
    -------
    array of shape (n, p)

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> import numpy as np
    >>> from bea.sparse import correlated
    >>> np.corrcoef(correlated(100_000, 3, correlation=0.6), rowvar=False).round(2)
    array([[1.  , 0.6 , 0.36],
           [0.6 , 1.  , 0.6 ],
           [0.36, 0.6 , 1.  ]])
    """
    least = {"autoregressive": -1.0, "equicorrelated": 0.0}
    if kind not in least:
        raise ValueError(f"kind must be one of {', '.join(least)}, not {kind!r}")
    rho, lowest = read_number(correlation, "correlation"), least[kind]
    if not (lowest < rho < 1 or rho == lowest == 0):
        raise ValueError(f"correlation must be {'in [0, 1)' if lowest == 0 else 'in (-1, 1)'}, not {rho}")
    generator = np.random.default_rng(rng)
    X = gaussian(n, p, generator)
    if kind == "equicorrelated":
        return np.sqrt(1 - rho) * X + np.sqrt(rho) * generator.standard_normal((n, 1))
    for j in range(1, p):
        X[:, j] = rho * X[:, j - 1] + np.sqrt(1 - rho**2) * X[:, j]
    return X


#: The designs that `problem` knows by name.
DESIGNS: dict[str, Callable[..., np.ndarray]] = {
    "rademacher": rademacher,
    "gaussian": gaussian,
    "correlated": correlated,
}


def problem(
    n: int,
    p: int,
    signal: ArrayLike = (1.0, 1.0, 1.0, 1.0, 1.0),
    *,
    support: Sequence[int] | None = None,
    design: str = "rademacher",
    noise: float = 0.0,
    rng: int | np.random.Generator | None = 0,
    **options: Any,
) -> Problem:
    """Draw a regression y = X w* + σξ with a sparse w* and standard normal ξ.

    Parameters
    ----------
    n, p : int
        The numbers of observations and of weights.
    signal : array_like of shape (k,), optional
        The nonzero entries of w*.
    support : sequence of k int, optional
        Where they stand; by default in front.
    design : {"rademacher", "gaussian", "correlated"}, optional
    noise : float, optional
        The standard deviation σ.
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy: first the design is drawn, then the noise.
    **options
        Further arguments of the design, such as ``correlation``.

    Returns
    -------
    Problem

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> from bea.sparse import problem
    >>> problem(100, 200, signal=[1, -2, 3], noise=0.5, rng=7)
    Problem(n=100, p=200, k=3, noise=0.5, seed=7)
    """
    if design not in DESIGNS:
        raise ValueError(f"design must be one of {', '.join(DESIGNS)}, not {design!r}")
    if options and design != "correlated":
        raise TypeError(f"the design {design!r} takes no {', '.join(options)}")
    values, sigma = read_array(signal, 1, "signal"), read_nonnegative(noise, "noise")
    columns = read_count(p, "p")
    places = np.arange(len(values)) if support is None else read_indices(support, columns, "support")
    if len(values) > columns:
        raise ValueError(f"signal has {len(values)} entries, more than the p = {columns} weights")
    if len(places) != len(values) or len(set(places.tolist())) != len(places):
        raise ValueError(f"support must name {len(values)} different weights, one for each entry of signal")
    w_star = np.zeros(columns)
    w_star[places] = values
    generator = np.random.default_rng(rng)
    X = DESIGNS[design](n, columns, generator, **options)
    y = X @ w_star + sigma * generator.standard_normal(len(X))
    return Problem(X, y, w_star, sigma, rng if isinstance(rng, int) else None)


def _read_data(values: ArrayLike, ndim: int, name: str) -> np.ndarray:
    """`values` as an array with `ndim` axes; of many entries, the sentence names the first bad one."""
    array = np.asarray(values)
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        place = tuple(np.argwhere(~finite)[0].tolist())
        where = ", ".join(map(str, place))
        raise ValueError(f"{name} must be finite, but {name}[{where}] is {array[place]}")
    return read_array(array, ndim, name)


def read_number(value: Any, name: str) -> float:
    """`value` as a finite real number."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not np.isfinite(value):
        raise ValueError(f"{name} must be finite, not {value!r}")
    return float(value)


def read_nonnegative(value: Any, name: str) -> float:
    """`value` as a number that is not negative."""
    number = read_number(value, name)
    if number < 0:
        raise ValueError(f"{name} must not be negative, not {value!r}")
    return number


def read_positive(value: Any, name: str) -> float:
    """`value` as a positive number."""
    number = read_number(value, name)
    if number <= 0:
        raise ValueError(f"{name} must be positive, not {value!r}")
    return number


def read_indices(values: Any, size: int, name: str) -> np.ndarray:
    """`values` as indices below `size`."""
    indices = np.asarray(values)
    if indices.ndim != 1 or (indices.size and indices.dtype.kind not in "iu"):
        raise TypeError(f"{name} must be a sequence of integers, not {values!r}")
    if indices.size and not (indices.min() >= 0 and indices.max() < size):
        raise ValueError(f"{name} must hold indices from 0 to {size - 1}, not {indices.tolist()}")
    return indices.astype(np.int64)
