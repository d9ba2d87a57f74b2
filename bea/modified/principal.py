"""The principal flow: what descent on the quadratic model of a loss at every point follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from numbers import Real
from typing import Any

import numpy as np
import sympy

from bea.modified.workspace import check_names
from bea.systems.evaluation import parameter_numbers
from bea.systems.expressions import STEP_SIZE
from bea.systems.loss import Loss
from bea.systems.vector_field import VectorField

__all__ = ["PrincipalFlow", "principal_expansion", "principal_flow"]

#: 1 − hλ below so many roundings of hλ is taken for zero.
ROUNDINGS = 8


def principal_flow(
    loss: Loss, x: Sequence[complex] | np.ndarray, h: float, parameters: Mapping[Any, object] | None = None
) -> np.ndarray:
    r"""The principal flow of gradient descent at a point: Σ_i log(1 − hλ_i)/(hλ_i) (g·u_i) u_i.

    Here λ_i and u_i are the eigenvalues and eigenvectors of the Hessian H at x, and g is the gradient.

    Parameters
    ----------
    loss : Loss
    x : array_like of shape (d,)
        Real or complex.
    h : float
        The step size of descent.
    parameters : mapping from name to number, optional
        Values for parameters of the loss, which replace those that it has.

    Returns
    -------
    complex array of shape (d,)
        Real where x is real and hλ_i < 1 for all i. Logarithms are principal, so that those of negative
        numbers have the imaginary part π; at λ_i = 0 the factor is its limit −1.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, the loss has a symbol named ``h``, h times the Hessian is not
        finite, or hλ_i = 1 for some i, where the field is singular.

    Notes
    -----
    Descent on the quadratic model of E at x is the affine map δ ↦ (I − hH) δ − hg. The principal flow is the
    value at δ = 0 of the linear field whose flow for the time h is this map. At complex points, where H is no
    longer Hermitian, it is read off the matrix logarithm of the affine map.

    References
    ----------
    .. [1] M. Rosca, Y. Wu, C. Qin and B. Dherin (2023), On a continuous time model of gradient descent
           dynamics and instability in deep learning, Transactions on Machine Learning Research.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2/2 + 3*y**2/2", variables="x y")
    >>> bea.principal_flow(loss, [1.0, 0.0], h=0.5).round(6)
    array([-1.386294+0.j,  0.      +0.j])
    >>> bea.principal_flow(loss, [0.0, 1.0], h=0.5).round(6)
    array([ 0.      +0.j      , -1.386294+6.283185j])
    """
    return PrincipalFlow(loss, h, parameters)(x)


def principal_expansion(loss: Loss, order: int) -> VectorField:
    """The expansion −g − (h/2) Hg − … − (h^order/(order + 1)) H^order g of the principal flow.

    Parameters
    ----------
    loss : Loss
    order : int
        The highest power of h that is kept.

    Returns
    -------
    VectorField
        With the parameter ``"h"``.

    Raises
    ------
    ValueError, TypeError
        If `loss` is no loss or has a symbol named ``h``, or `order` is not as described.

    Notes
    -----
    These are the terms of the modified equation of gradient descent without derivatives of H. The series
    converges to the principal flow where h |λ| < 1 for all eigenvalues λ of H.

    Examples
    --------
    >>> import bea
    >>> bea.principal_expansion(bea.Loss("x**4/4", variables="x"), order=2)
    VectorField([-3*h**2*x**7 - 3*h*x**5/2 - x**3], variables='x')
    """
    _require_loss(loss)
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ValueError(f"order must be an integer, 0 or more, not {order!r}")
    total, vector = sympy.zeros(loss.dimension, 1), loss.gradient
    for k in range(order + 1):
        total -= STEP_SIZE**k * vector / (k + 1)
        vector = (loss.hessian * vector).expand()
    names = [STEP_SIZE.name, *(s.name for s in loss.parameter_symbols)]
    return VectorField(list(total.expand()), loss.variables, loss.parameters, absent=names)


class PrincipalFlow:
    """The principal flow of a loss for one step size, compiled for real and complex points."""

    def __init__(self, loss: Loss, h: float, parameters: Mapping[Any, object] | None = None) -> None:
        _require_loss(loss)
        self.h = _read_step_size(h)
        self.dimension = loss.dimension
        self._parameters = parameter_numbers(loss.parameter_symbols, loss.parameters, parameters)
        self._model = sympy.lambdify(
            [list(loss.variables), list(loss.parameter_symbols)],
            [*loss.gradient, *loss.hessian],
            "numpy",
            cse=True,
        )

    def __call__(self, x: Sequence[complex] | np.ndarray) -> np.ndarray:
        """The value of the field at a real or complex point."""
        return self.value(self.point(x))

    def point(self, x: Sequence[complex] | np.ndarray, name: str = "x") -> np.ndarray:
        """`x` as an array of d finite complex numbers, or a sentence that says why it is none."""
        array = np.asarray(x)
        if array.dtype.kind not in "iufc":
            raise TypeError(f"{name} must hold numbers, not {array.dtype}")
        if array.shape != (self.dimension,):
            raise ValueError(f"{name} must have shape ({self.dimension},), not {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite, not {array.tolist()}")
        return array.astype(complex)

    def value(self, x: np.ndarray) -> np.ndarray:
        """The value at a complex array of shape (d,), which is taken as it is."""
        d = self.dimension
        numbers: np.ndarray = np.array(self._model(x, self._parameters), dtype=np.complex128)
        if not np.isfinite(numbers).all():
            raise ValueError(f"the gradient or the Hessian is not finite at {x.tolist()}")
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
            gradient, scaled = numbers[:d], self.h * numbers[d:].reshape(d, d)
        if not np.isfinite(scaled).all():
            raise ValueError(
                f"h times the Hessian is not finite at {x.tolist()}: h = {self.h:g} is too large"
            )
        if scaled.imag.any():
            return _by_matrix_logarithm(scaled, gradient, x)
        return _by_eigenvectors(scaled.real, gradient, x)


def _by_eigenvectors(scaled: np.ndarray, gradient: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The sum over the eigenvectors of hH, which is real and symmetric."""
    values, vectors = np.linalg.eigh(scaled)
    _require_regular(values, x)
    beyond = values > 1
    logarithms = np.log1p(np.where(beyond, values - 2, -values)) + 1j * np.pi * beyond
    factors = np.divide(logarithms, values, out=np.full_like(logarithms, -1), where=values != 0)
    return vectors @ (factors * (vectors.T @ gradient))


def _by_matrix_logarithm(scaled: np.ndarray, gradient: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The translation in the logarithm of the affine map δ ↦ (I − hH) δ − g."""
    _require_regular(np.linalg.eigvals(scaled), x)
    d = len(gradient)
    affine = np.eye(d + 1, dtype=complex)
    affine[:d, :d] -= scaled
    affine[:d, d] = -gradient
    from scipy.linalg import logm

    return logm(affine)[:d, d]


def _require_regular(values: np.ndarray, x: np.ndarray) -> None:
    """Refuse points where an eigenvalue of hH is 1."""
    if np.abs(1 - values).min() <= ROUNDINGS * np.finfo(float).eps * max(1.0, np.abs(values).max()):
        where = (x if x.imag.any() else x.real).tolist()
        raise ValueError(
            f"the principal flow is singular at {where}, where h times an eigenvalue of the Hessian is 1"
        )


def _read_step_size(h: object) -> float:
    if not isinstance(h, Real) or isinstance(h, bool) or not 0 < float(h) < inf:
        raise ValueError(f"h must be a positive number, not {h!r}")
    return float(h)


def _require_loss(loss: object) -> None:
    if not isinstance(loss, Loss):
        raise TypeError(f"the principal flow is one of a Loss, not of {type(loss).__name__}")
    check_names(loss.variables, [loss.expression], [])
