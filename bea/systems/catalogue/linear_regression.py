"""Linear regression with more weights than data, whose zero-loss set is flat."""

from __future__ import annotations

import sympy
from numpy.typing import ArrayLike

from bea.systems.catalogue.data import exact, numbered, read_array, require_solvable
from bea.systems.loss import Loss

__all__ = ["linear_regression"]


def linear_regression(X: ArrayLike = ((1, 2, 0), (0, 1, 1)), y: ArrayLike = (1, 1)) -> Loss:
    r"""The loss E(w) = (1/2n) ‖X w − y‖² of least squares that fits its data exactly.

    Parameters
    ----------
    X : array_like, shape (n, p), optional
        Inputs, one a row, read exactly as their decimals spell them.
    y : array_like, shape (n,), optional
        Outputs.

    Returns
    -------
    Loss
        In the variables w1, …, wp. Its zero-loss set is the affine subspace {w : X w = y} of dimension p −
        rank X.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not match, a number is not finite, no w solves X w = y, or only one does.

    Notes
    -----
    Gradient flow leaves the part of w in the kernel of X alone: it ends at the zero nearest to its start.

    References
    ----------
    .. [1] A. Ali, J. Z. Kolter and R. J. Tibshirani, "A continuous-time view of early stopping for least
       squares regression", Artificial Intelligence and Statistics, 2019.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.linear_regression(X=[[1, 2]], y=[3])
    >>> loss.expression
    (w1 + 2*w2 - 3)**2/2
    >>> loss.zero_loss_set.contains([1.0, 1.0])
    True
    """
    inputs, outputs = read_array(X, 2, "X"), read_array(y, 1, "y")
    n, p = inputs.shape
    rank = require_solvable(inputs, outputs)
    if rank == p:
        raise ValueError(f"only one w solves X w = y: X must have a rank below its {p} columns, not {rank}")
    w = sympy.Matrix(numbered("w", p))
    residuals = list(sympy.Matrix(exact(inputs)) * w - sympy.Matrix(exact(outputs)))
    return Loss.from_residuals(
        residuals,
        list(w),
        scale=sympy.Rational(1, 2 * n),
        codimension=rank,
        description="the affine subspace X w = y",
    )
