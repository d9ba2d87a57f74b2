r"""The principal flow of gradient descent on a loss of any size.

With ∇²E = Σ λ_i u_i u_iᵀ and g = ∇E it is θ' = Σ log(1 − hλ_i)/(hλ_i) (g·u_i) u_i. Leading eigenvectors are
taken one by one. For the rest of g, where hλ is small, −g − (h/2) ∇²E g − (h²/3) (∇²E)² g stands for the sum.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bea.nets.flat import DENSE, FlatLoss, flatten, start
from bea.nets.pytrees import Loss, Pytree, read_positive

__all__ = ["PrincipalPath", "principal_field", "principal_path"]

#: Leading eigenvectors by default, where not all are taken.
COUNT = 4


@dataclass(frozen=True)
class PrincipalPath:
    """A path of the principal flow; see `principal_path`.

    Attributes
    ----------
    params : pytree of complex arrays
        The end of the path; if it stopped being finite, its last finite point.
    t : array of shape (steps + 1,)
    record : pytree of arrays, or None
        What was recorded at these times, along the first axis.
    diverged_at : float or None
        The first time at which the path was not finite.
    """

    params: Pytree
    t: np.ndarray
    record: Pytree | None
    diverged_at: float | None


def principal_field(loss: Loss, params: Pytree, h: float, count: int | None = None) -> Pytree:
    """The principal flow of gradient descent at a point: Σ_i log(1 − hλ_i)/(hλ_i) (g·u_i) u_i [1]_.

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can differentiate twice, with a scalar value.
    params : pytree of float arrays
    h : float
        The step size of descent.
    count : int, optional
        How many eigenvectors are taken one by one, those of the largest eigenvalues. By default all of up to
        32 parameters, and four of more.

    Returns
    -------
    pytree of complex arrays
        Real where hλ_i < 1 for all i.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    References
    ----------
    .. [1] M. Rosca, Y. Wu, C. Qin and B. Dherin (2023), On a continuous time model of gradient descent
           dynamics and instability in deep learning, Transactions on Machine Learning Research.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea.nets.principal_flow import principal_field
    >>> value = principal_field(lambda x: x[0] ** 2 / 2 + 3 * x[1] ** 2 / 2, jnp.ones(2), h=0.5)
    >>> value.round(3).tolist()
    [(-1.386...+0j), (-1.386...+6.283...j)]
    """
    flat, x = flatten(loss, params)
    k = read_count(flat, count)
    vectors = first_vectors(flat, x, k)
    return flat.unravel(_field(flat, k, as_complex(x), vectors, read_positive(h, "h"))[0])


def principal_path(
    loss: Loss,
    params: Pytree,
    h: float,
    time: float,
    steps: int,
    record: Callable[[Pytree], Pytree] | None = None,
    count: int | None = None,
) -> PrincipalPath:
    """Follow the principal flow of gradient descent, in complex variables [1]_.

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can differentiate twice, also at complex parameters: it must
        be analytic, made of sums, products, tanh, exp and the like, without absolute values or maxima.
    params : pytree of float or complex arrays
        The start.
    h : float
        The step size of descent: its iterate n is compared with the flow at the time nh.
    time : float
        How long the flow is followed.
    steps : int
        Steps of the classical Runge–Kutta method.
    record : callable, optional
        What to keep of the complex parameters at the start and after each step, a pytree of arrays.
    count : int, optional
        How many eigenvectors are taken one by one; see `principal_field`.

    Returns
    -------
    PrincipalPath

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described.

    Warns
    -----
    RuntimeWarning
        If the path stopped being finite. It then stays at its last finite point.

    Notes
    -----
    On a quadratic loss the path passes through all iterates, also where they oscillate (1 < hλ < 2) or
    diverge (hλ > 2). On others it misses one step by O(h³). At complex points the leading space is of the
    Hessian at the real part; in it the field is a function of the complex Hessian. The logarithm is cut from
    hλ = 1 to 1 + i∞ and not along hλ > 1, so that it does not jump where an eigenvalue beyond 1/h becomes
    complex. At real points this is the principal branch.

    References
    ----------
    .. [1] M. Rosca, Y. Wu, C. Qin and B. Dherin (2023), On a continuous time model of gradient descent
           dynamics and instability in deep learning, Transactions on Machine Learning Research.

    Examples
    --------
    Descent on x²/2 with the step size 3/2 multiplies x by −1/2 in every step.

    >>> import jax.numpy as jnp
    >>> from bea.nets.principal_flow import principal_path
    >>> path = principal_path(lambda x: x[0] ** 2 / 2, jnp.ones(1), h=1.5, time=4.5, steps=60)
    >>> bool(abs(path.params[0] + 0.125) < 1e-5)
    True
    """
    flat, x = flatten(loss, params)
    k, h = read_count(flat, count), read_positive(h, "h")
    time = read_positive(time, "time")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps must be an integer, 1 or more, not {steps!r}")
    t = np.linspace(0.0, time, int(steps) + 1)
    end, rows, finite = follow(
        flat, k, int(steps), record, as_complex(x), first_vectors(flat, x, k), h, time / steps
    )
    lost = np.flatnonzero(~np.asarray(finite))
    diverged_at = float(t[lost[0] + 1]) if len(lost) else None
    if diverged_at is not None:
        warnings.warn(
            f"the principal flow is not finite at time {diverged_at:.6g}", RuntimeWarning, stacklevel=2
        )
    return PrincipalPath(flat.unravel(end), t, rows, diverged_at)


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def follow(
    flat: FlatLoss, k: int, steps: int, record: Any, z: jax.Array, vectors: jax.Array, h: Any, dt: Any
) -> tuple[jax.Array, Pytree | None, jax.Array]:
    """The end, the records, and whether the path was finite after each step."""

    def stage(state: tuple[jax.Array, ...], node: jax.Array) -> tuple[tuple[jax.Array, ...], jax.Array]:
        z, slope, vectors = state
        slope, vectors = _field(flat, k, z + dt * node * slope, vectors, h)
        return (z, slope, vectors), slope

    def step(state: tuple[jax.Array, ...], _: None) -> tuple[tuple[jax.Array, ...], Any]:
        z, vectors, alive = state
        nodes = jnp.array([0.0, 0.5, 0.5, 1.0], z.real.dtype)
        (*_, near), k = jax.lax.scan(stage, (z, jnp.zeros_like(z), vectors), nodes)
        new = z + dt / 6 * (k[0] + 2 * k[1] + 2 * k[2] + k[3])
        alive = alive & jnp.isfinite(new).all()
        z, vectors = jnp.where(alive, new, z), jnp.where(alive, near, vectors)
        return (z, vectors, alive), (None if record is None else record(flat.unravel(z)), alive)

    (end, _, _), (rows, alive) = jax.lax.scan(step, (z, vectors, jnp.asarray(True)), length=steps)
    if record is not None:
        first = record(flat.unravel(z))
        rows = jax.tree.map(lambda a, b: jnp.concatenate([jnp.asarray(a)[None], b]), first, rows)
    return end, rows, alive


@partial(jax.jit, static_argnums=(0, 1))
def _field(flat: FlatLoss, k: int, z: jax.Array, guess: jax.Array, h: Any) -> tuple[jax.Array, jax.Array]:
    """The field at a complex point, and the leading eigenvectors of the Hessian at its real part."""
    gradient = jax.grad(flat, holomorphic=True)
    g, multiply = jax.linearize(gradient, z)
    if k == flat.size:
        hessian = jax.jacfwd(gradient, holomorphic=True)(z)
        return _function(h * (hessian + hessian.T) / 2, g), guess
    vectors = flat.leading(z.real, guess, k).vectors
    images = jax.vmap(multiply)(vectors.astype(z.dtype))
    inside = vectors @ g
    rest = g - vectors.T @ inside
    once = multiply(rest)
    outside = -rest - h / 2 * once - h**2 / 3 * multiply(once)
    return vectors.T @ _function(h * images @ vectors.T, inside) + outside, vectors


def _function(matrix: jax.Array, vector: jax.Array) -> jax.Array:
    """log(I − A) A⁻¹ v, by the eigenvectors of A."""
    values, vectors = jnp.linalg.eig(matrix)
    small = jnp.abs(values) < jnp.finfo(matrix.dtype).eps
    safe = jnp.where(small, 1, values)
    factors = jnp.where(small, -1, _log_of_rest(safe) / safe)
    return vectors @ (factors * jnp.linalg.solve(vectors, vector))


def _log_of_rest(z: jax.Array) -> jax.Array:
    """log(1 − z), with the imaginary part π for real z > 1, and the cut from 1 straight up."""
    beyond = z.real > 1
    return jnp.where(
        beyond, jnp.log(jnp.where(beyond, z - 1, 1)) + 1j * jnp.pi, jnp.log1p(-jnp.where(beyond, 0, z))
    )


def first_vectors(flat: FlatLoss, x: jax.Array, k: int) -> jax.Array:
    """The leading eigenvectors at the start, as rows; none where the whole Hessian is formed."""
    if k == flat.size:
        return jnp.zeros((0, flat.size), x.real.dtype)
    return start(flat, x.real, k).vectors


def as_complex(x: jax.Array) -> jax.Array:
    """The vector in complex numbers of its precision."""
    return x.astype(jnp.result_type(x.dtype, jnp.complex64))


def read_count(flat: FlatLoss, count: object) -> int:
    """How many eigenvectors to take one by one, or a sentence that says why it is none."""
    if count is None:
        return flat.size if flat.size <= DENSE else COUNT
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or not 1 <= count <= flat.size:
        raise ValueError(f"count must be an integer from 1 to {flat.size}, not {count!r}")
    return int(count)
