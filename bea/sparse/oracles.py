"""The best that ridge regression and the lasso could do if an oracle chose their penalty."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType

import numpy as np
from numpy.typing import ArrayLike

from bea.extras import missing_extra
from bea.sparse.problems import Problem, read_positive
from bea.systems.catalogue.data import read_array

__all__ = ["Oracle", "lasso", "oracle_lasso", "oracle_ridge"]

#: The most sweeps of coordinate descent, beyond which scikit-learn warns.
MOST_SWEEPS = 100_000


@dataclass(frozen=True, eq=False)
class Oracle:
    """The estimate with the least error ‖w − w*‖ among those of a list of penalties.

    Attributes
    ----------
    w : array of shape (p,)
    penalty : float
        The penalty λ that the oracle chose.
    error : float
        ‖w − w*‖₂.
    penalties, errors : arrays
        All penalties and the errors of their estimates.
    """

    w: np.ndarray = field(repr=False)
    penalty: float
    error: float
    penalties: np.ndarray = field(repr=False)
    errors: np.ndarray = field(repr=False)


def oracle_ridge(problem: Problem, penalties: ArrayLike | None = None) -> Oracle:
    """Ridge regression, min (1/n)‖Xw − y‖² + λ‖w‖², with the λ of the least error.

    Parameters
    ----------
    problem : Problem
        With its w_star.
    penalties : array_like, optional
        The positive λ to choose from; by default 200 around the squared singular values of X/√n.

    Returns
    -------
    Oracle

    Raises
    ------
    ValueError, TypeError
        If w* is not known or a penalty is not positive.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, 1, 1], noise=0.5)
    >>> bea.sparse.oracle_ridge(data).error > bea.sparse.oracle_lasso(data).error
    True
    """
    truth = problem.truth
    U, s, Vt = np.linalg.svd(problem.X, full_matrices=False)
    projected, scale = U.T @ problem.y, problem.n
    levels = _penalties(penalties, np.geomspace(1e-6, 1e3, 200) * (s[0] ** 2 / scale or 1.0))
    return _best(truth, levels, lambda level: (s * projected / (s**2 + scale * level)) @ Vt)


def oracle_lasso(problem: Problem, penalties: ArrayLike | None = None) -> Oracle:
    """The lasso, min (1/2n)‖Xw − y‖² + λ‖w‖₁, with the λ of the least error.

    Parameters
    ----------
    problem : Problem
        With its w_star.
    penalties : array_like, optional
        The positive λ to choose from; by default 60, from that above which w = 0 down to a thousandth of it.

    Returns
    -------
    Oracle

    Raises
    ------
    ValueError, TypeError
        If w* is not known or a penalty is not positive.
    ImportError
        If scikit-learn, whose lasso it is, is not installed.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, 1, 1], noise=0.5)
    >>> best = bea.sparse.oracle_lasso(data)
    >>> best.error == best.errors.min()
    np.True_
    """
    truth = problem.truth
    largest = float(abs(problem.X.T @ problem.y).max()) / problem.n
    levels = _penalties(penalties, np.geomspace(1, 1e-3, 60) * (largest or 1.0))
    path = _linear_model().lasso_path(problem.X, problem.y, alphas=levels, tol=1e-6, max_iter=MOST_SWEEPS)[1]
    estimates = dict(zip(levels, path.T, strict=True))
    return _best(truth, levels, estimates.__getitem__)


def lasso(problem: Problem, penalty: float, tolerance: float = 1e-9) -> np.ndarray:
    """The minimum of (1/2n)‖Xw − y‖² + λ‖w‖₁, by scikit-learn's coordinate descent.

    Parameters
    ----------
    problem : Problem
    penalty : float
        λ > 0.
    tolerance : float, optional
        The tolerance of `sklearn.linear_model.Lasso`: the duality gap in units of ‖y‖².

    Returns
    -------
    array of shape (p,)
        The minimum, up to the tolerance.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    ImportError
        If scikit-learn is not installed.

    References
    ----------
    .. [1] J. Friedman, T. Hastie and R. Tibshirani, "Regularization paths for generalized linear models via
       coordinate descent", Journal of Statistical Software 33, 2010.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.Problem([[1, 0], [0, 1]], [2, 0.1])
    >>> bea.sparse.lasso(data, 0.25)
    array([1.5, 0. ])
    """
    model = _linear_model().Lasso(
        alpha=read_positive(penalty, "penalty"),
        fit_intercept=False,
        tol=read_positive(tolerance, "tolerance"),
        max_iter=MOST_SWEEPS,
    )
    return model.fit(problem.X, problem.y).coef_


def _linear_model() -> ModuleType:
    try:
        from sklearn import linear_model
    except ModuleNotFoundError as error:
        raise missing_extra("the lasso", error, "sparse") from error
    return linear_model


def _penalties(given: ArrayLike | None, default: np.ndarray) -> np.ndarray:
    if given is None:
        return default
    levels = read_array(given, 1, "penalties")
    if not (levels > 0).all():
        raise ValueError(f"penalties must be positive, not {levels.tolist()}")
    return np.sort(levels)[::-1]


def _best(truth: np.ndarray, levels: np.ndarray, solve: Callable[[float], np.ndarray]) -> Oracle:
    estimates = [solve(float(level)) for level in levels]
    errors = np.array([np.linalg.norm(w - truth) for w in estimates])
    k = int(errors.argmin())
    return Oracle(estimates[k], float(levels[k]), float(errors[k]), levels, errors)
