"""Sharpness and trace of the Hessian, from Hessian–vector products alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from bea.nets.estimates import Mean, mean_of
from bea.nets.pytrees import Loss, Pytree, gradient, require_loss

__all__ = ["Sharpness", "hessian_trace", "sharpness"]

#: Up to so many parameters the Hessian is assembled after all, from its products with unit vectors.
SMALL = 32


@dataclass(frozen=True)
class Sharpness:
    """The largest eigenvalues of a Hessian; see `sharpness`.

    Attributes
    ----------
    values : array, shape (count,)
        From the largest on.
    vectors : list of pytrees
        Eigenvectors of norm 1, as pytrees like the parameters.
    residuals : array, shape (count,)
        ‖Hv − λv‖; within this distance of λ there is an eigenvalue of H.
    products : int
        The number of Hessian–vector products taken.
    """

    values: np.ndarray
    vectors: list[Pytree]
    residuals: np.ndarray
    products: int


def sharpness(
    loss: Loss,
    params: Pytree,
    count: int = 1,
    rng: Any = 0,
    tolerance: float | None = None,
    max_iterations: int | None = None,
) -> Sharpness:
    """The largest eigenvalues of the Hessian, by Lanczos iterations of Hessian–vector products [1]_.

    Parameters
    ----------
    loss : callable
        A function of the parameters that JAX can trace, with a scalar as its value.
    params : pytree of float arrays
    count : int, optional
        How many eigenvalues.
    rng : seed or numpy.random.Generator, optional
        What the start of the iteration is drawn with.
    tolerance : float, optional
        The largest residual ‖Hv − λv‖ that is accepted, relative to the largest |λ| found; by default √ε of
        the arithmetic, 3e-4 in single precision. The error of λ is of the order of the square of the residual
        where λ is well apart from the others.
    max_iterations : int, optional
        The largest number of restarts, by default that of `scipy.sparse.linalg.eigsh`.

    Returns
    -------
    Sharpness

    Raises
    ------
    ValueError
        If `count` is not between 1 and the number of parameters, the loss is no scalar, or a product with the
        Hessian is not finite.
    ArithmeticError
        If the iteration does not converge to the tolerance.

    References
    ----------
    .. [1] R. B. Lehoucq, D. C. Sorensen and C. Yang (1998), ARPACK Users' Guide: Solution of Large-Scale
           Eigenvalue Problems with Implicitly Restarted Arnoldi Methods, SIAM.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> curvatures = jnp.array([1.0, 2.0, 5.0])
    >>> top = nets.sharpness(lambda x: jnp.sum(curvatures * x**2) / 2, jnp.zeros(3), count=2)
    >>> top.values.round(4).tolist()
    [5.0, 2.0]
    """
    require_loss(loss, params)
    flat, unravel = ravel_pytree(params)
    m = flat.size
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= m:
        raise ValueError(f"count must be an integer from 1 to the number of parameters, {m}, not {count!r}")
    tolerance = float(np.sqrt(jnp.finfo(flat.dtype).eps)) if tolerance is None else float(tolerance)
    if not tolerance > 0:
        raise ValueError(f"tolerance must be a positive number, not {tolerance}")
    hessian = _Hessian(loss, params)
    start = np.random.default_rng(rng).standard_normal(m).astype(hessian.dtype)
    if m <= max(SMALL, count + 1):
        values, vectors = _dense(hessian, count)
    else:
        values, vectors = _lanczos(hessian, count, start, tolerance, max_iterations)
    order = np.argsort(values)[::-1]
    values, vectors = values[order], vectors[:, order]
    residuals = np.array([np.linalg.norm(hessian(v) - c * v) for c, v in zip(values, vectors.T, strict=True)])
    size = max(abs(values).max(), np.linalg.norm(hessian(start)) / np.linalg.norm(start))
    if (residuals > tolerance * size).any():
        raise ArithmeticError(
            f"the largest eigenvalues are known up to residuals of {residuals.max() / size:.2g} relative to "
            f"the largest, and {tolerance:.2g} is asked for: ask for less, or compute in double precision"
        )
    trees = [unravel(jnp.asarray(v, flat.dtype)) for v in vectors.T]
    return Sharpness(values, trees, residuals, hessian.products)


class _Hessian:
    """The Hessian as a function of NumPy vectors, which counts its calls."""

    def __init__(self, loss: Loss, params: Pytree) -> None:
        self.loss, self.params = loss, params
        self.size = ravel_pytree(params)[0].size
        double = ravel_pytree(params)[0].dtype == np.float64
        self.dtype: Any = np.float64 if double else np.float32
        self.products = 0

    def __call__(self, v: np.ndarray) -> np.ndarray:
        self.products += 1
        product = np.asarray(_product(self.loss, self.params, np.ravel(v).astype(self.dtype)), self.dtype)
        if not np.isfinite(product).all():
            raise ValueError("a product with the Hessian is not finite at these parameters")
        return product


def _dense(hessian: _Hessian, count: int) -> tuple[np.ndarray, np.ndarray]:
    columns = np.stack([hessian(unit) for unit in np.eye(hessian.size)], axis=1)
    values, vectors = np.linalg.eigh((columns + columns.T) / 2)
    return values[-count:], vectors[:, -count:]


def _lanczos(
    hessian: _Hessian, count: int, start: np.ndarray, tolerance: float, max_iterations: int | None
) -> tuple[np.ndarray, np.ndarray]:
    operator = LinearOperator((hessian.size, hessian.size), matvec=hessian, dtype=hessian.dtype)
    if not hessian(start).any():
        return np.zeros(count), np.eye(hessian.size, count, dtype=hessian.dtype)
    try:
        return eigsh(operator, count, which="LA", v0=start, tol=tolerance / 4, maxiter=max_iterations)
    except ArpackError as error:
        raise ArithmeticError(
            f"the Lanczos iteration for {count} eigenvalue(s) did not converge after {hessian.products} "
            "products: raise tolerance or max_iterations"
        ) from error


def hessian_trace(loss: Loss, params: Pytree, samples: int = 64, rng: Any = 0, level: float = 0.95) -> Mean:
    """The trace of the Hessian by Hutchinson's estimate, the mean of vᵀHv over random signs v [1]_.

    Parameters
    ----------
    loss : callable
        A function of the parameters that JAX can trace, with a scalar as its value.
    params : pytree of float arrays
    samples : int, optional
        How many v are drawn, 2 or more. Each costs one Hessian–vector product.
    rng : seed or numpy.random.Generator, optional
    level : float, optional
        The confidence level of the interval, by Student's distribution.

    Returns
    -------
    Mean
        ``value``, its standard error ``error``, and ``interval``.

    Raises
    ------
    ValueError
        If there are fewer than 2 samples, the level is not between 0 and 1, the loss is no scalar, or a
        product with the Hessian is not finite.

    Notes
    -----
    The variance of vᵀHv is 2 Σ_{i≠j} H_ij²: there is no error at all where H is diagonal.

    References
    ----------
    .. [1] M. F. Hutchinson (1990), A stochastic estimator of the trace of the influence matrix for Laplacian
           smoothing splines, Communications in Statistics – Simulation and Computation 19(2), 433–450.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> curvatures = jnp.array([1.0, 2.0, 5.0])
    >>> trace = nets.hessian_trace(lambda x: jnp.sum(curvatures * x**2) / 2, jnp.zeros(3))
    >>> trace.value, trace.error
    (8.0, 0.0)
    """
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 2:
        raise ValueError(f"samples must be an integer, 2 or more, not {samples!r}")
    require_loss(loss, params)
    key = jax.random.key(int(np.random.default_rng(rng).integers(2**31)))
    values = np.asarray(_quadratic_forms(loss, params, jax.random.split(key, int(samples))), dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("a product with the Hessian is not finite at these parameters")
    return mean_of(values, level)


@partial(jax.jit, static_argnums=0)
def _product(loss: Loss, params: Pytree, v: jax.Array) -> jax.Array:
    """H v, with v as a flat vector."""
    return _hessian_product(loss, params, v)


@partial(jax.jit, static_argnums=0)
def _quadratic_forms(loss: Loss, params: Pytree, keys: jax.Array) -> jax.Array:
    """vᵀHv for random signs v, one after the other."""
    flat, _ = ravel_pytree(params)

    def form(key: jax.Array) -> jax.Array:
        v = jax.random.rademacher(key, flat.shape, flat.dtype)
        return v @ _hessian_product(loss, params, v)

    return jax.lax.map(form, keys)


def _hessian_product(loss: Loss, params: Pytree, v: jax.Array) -> jax.Array:
    flat, unravel = ravel_pytree(params)

    def g(x: jax.Array) -> jax.Array:
        return ravel_pytree(gradient(loss)(unravel(x)))[0]

    return jax.jvp(g, (flat,), (v.astype(flat.dtype),))[1]
