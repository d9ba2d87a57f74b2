"""Explicit Runge–Kutta methods as arrays of floats, in the one form that the integrator takes."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from bea.schemes.runge_kutta import RungeKutta

__all__ = ["ADAPTIVE_METHODS", "FloatTableau", "adaptive_tableau", "float_tableau"]

#: The adaptive methods known by name, which is the name of their class in `scipy.integrate`.
ADAPTIVE_METHODS = ("DOP853", "RK45", "RK23")


class FloatTableau(NamedTuple):
    """An explicit Runge–Kutta method of s stages, numbered from 0; the end of the step counts as stage s.

    Attributes
    ----------
    A : array of shape (s + 1 + m, s + 1 + m)
        Weights of the stages, strictly lower triangular. Row s holds the weights b of the method; the m rows
        below it are further stages, for dense output.
    E : array of shape (2, s + 1)
        Weights of two error estimates e₅ and e₃; the norm that is controlled is ‖e₅‖²/√(‖e₅‖² + 0.01‖e₃‖²),
        which is ‖e₅‖ where e₃ = 0.
    D : array of shape (q, s + 1 + m)
        Weights of the coefficients of dense output beyond the cubic Hermite polynomial.
    estimator_order : int
        The order of the solution that the error estimate compares with.
    """

    A: np.ndarray
    E: np.ndarray
    D: np.ndarray
    estimator_order: int


@cache
def adaptive_tableau(name: str) -> FloatTableau:
    """The coefficients of one of `ADAPTIVE_METHODS`, read from SciPy.

    References
    ----------
    .. [1] E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer,
           1993, Sections II.5 (RK45: Dormand and Prince) and II.10 (DOP853).
    .. [2] P. Bogacki, L. F. Shampine, A 3(2) pair of Runge–Kutta formulas, Applied Mathematics
           Letters 2 (1989) 321–325.
    """
    import scipy.integrate

    method = getattr(scipy.integrate, name)
    s = method.n_stages
    A = bordered(method.A, method.B)
    if name == "DOP853":
        m = len(method.A_EXTRA)
        A = np.block([[A, np.zeros((s + 1, m))], [method.A_EXTRA]])
        E, D = np.array([method.E5, method.E3]), np.array(method.D)
    else:
        E, D = np.array([method.E, np.zeros(s + 1)]), method.P[:, 3:].T.copy()  # θ⁴ in SciPy's interpolant
    return FloatTableau(A, E, D, method.error_estimator_order)


@cache
def float_tableau(scheme: RungeKutta) -> FloatTableau:
    """The tableau of an explicit Runge–Kutta scheme in floats; dense output is cubic.

    A last stage that is the end of the step ("first same as last") is left out, since that is stage s anyway.

    Raises
    ------
    ValueError
        If the scheme is implicit, or its tableau holds a symbol.
    """
    A, b, _ = scheme.as_floats()
    b_hat = b if scheme.b_hat is None else np.array([float(w) for w in scheme.b_hat])
    if not scheme.is_explicit:
        raise ValueError(f"{scheme.name} is implicit; bea.flow runs explicit schemes, bea.iterate runs both")
    error = b - b_hat
    if len(b) > 1 and b[-1] == 0 and np.array_equal(A[-1], b):
        A, b = A[:-1, :-1], b[:-1]
    else:
        error = np.append(error, 0.0)
    s = len(b)
    E, D = np.array([error, np.zeros(s + 1)]), np.zeros((0, s + 1))
    return FloatTableau(bordered(A, b), E, D, (scheme.order or 1) - 1)


def bordered(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The tableau with its weights as one more row: the end of the step as stage s."""
    s = len(b)
    table = np.zeros((s + 1, s + 1))
    table[: len(A), : A.shape[1]] = A
    table[s, :s] = b
    return table
