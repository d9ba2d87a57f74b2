"""The field that an optimizer follows on a model of any size, observed from its steps alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache, partial
from math import comb, isfinite
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from bea.nets.pytrees import Loss, Pytree, add, gradient, is_finite, norm, precision, require_params, scale

__all__ = ["observed_field"]

#: How many roundings a component of an update is taken to have suffered.
ROUNDINGS = 8

#: Of so many entries of each array the differences are looked at, to see whether they drown in rounding.
WATCHED = 1000


def observed_field(
    optimizer: Callable[[float], optax.GradientTransformation],
    loss: Loss,
    params: Pytree,
    h: float,
    order: int,
    warm_up: int = 0,
    return_point: bool = False,
) -> Any:
    r"""Estimate the field of which a step of an optimizer is the flow for time h, from `order` steps.

    With the steps u_k = x_{k+1} − x_k the estimate of `bea.observed_field` reads

    .. math:: \tilde f(x_0) = \frac1h \sum_{j=1}^{\text{order}} \frac{(-1)^{j+1}}{j} Δ^{j-1} u_0
              + O(h^{\text{order}}).

    It takes as many gradients as steps, and no other derivative. The u_k are those that the optimizer
    returns, so nothing is lost by taking differences of parameters.

    Parameters
    ----------
    optimizer : callable
        For a step size h it returns a transformation of Optax: `optax.sgd`, or ``lambda h: optax.adam(h)``.
    loss : callable
        A function of the parameters that JAX can trace, with a scalar as its value.
    params : pytree of float arrays
    h : float
        The step size.
    order : int
        The number of terms and of steps, 1 or more.
    warm_up : int, optional
        How many steps are taken before, so that the memory of an optimizer, such as its momentum, forgets
        its start: its transient is no flow. The field is then that at the point which they reach.
    return_point : bool, default False
        Whether to return that point too.

    Returns
    -------
    field : pytree as `params`
    point : pytree as `params`
        Only if `return_point`: where the field is estimated.

    Raises
    ------
    ValueError
        If `h` is zero or not finite, `order` or `warm_up` does not fit, the loss is no scalar, or the steps
        leave the finite numbers.
    TypeError
        If `optimizer` returns no transformation of Optax, or `params` are no floats.

    Warns
    -----
    RuntimeWarning
        If the highest difference is lost in the rounding of the steps. Double precision
        (``jax.enable_x64``), a larger h or a lower order helps.

    References
    ----------
    .. [1] V. Gelfreich and A. Vieiro (2024), "On exponentially accurate approximation of a near the identity
           map by an autonomous flow", arXiv:2411.03188.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> import optax
    >>> from bea import nets
    >>> field = nets.observed_field(optax.sgd, lambda x: jnp.sum(x**2) / 2, jnp.array([1.0]), h=0.1, order=3)
    >>> round(field.item(), 3)
    -1.053
    """
    require_params(params)
    if isinstance(order, bool) or not isinstance(order, int | np.integer) or order < 1:
        raise ValueError(f"order must be an integer, 1 or more, not {order!r}")
    if isinstance(warm_up, bool) or not isinstance(warm_up, int | np.integer) or warm_up < 0:
        raise ValueError(f"warm_up must be an integer, 0 or more, not {warm_up!r}")
    if isinstance(h, str) or not isfinite(h) or h == 0:
        raise ValueError(f"h must be finite and not zero, not {h!r}")
    if not callable(optimizer):
        given = "an optimizer made already" if hasattr(optimizer, "update") else repr(optimizer)
        raise TypeError(
            "the optimizer must be a function of h that returns a transformation of Optax, such as "
            f"optax.sgd, not {given}"
        )
    transformation = _transformation(optimizer, float(h))
    params = jax.tree.map(jnp.asarray, params)
    point, field, last, longest, finite = _observe(
        loss, transformation, int(order), int(warm_up), params, float(h)
    )
    if not finite:
        raise ValueError(f"the steps of the optimizer with h = {h} leave the finite numbers")
    rounding = ROUNDINGS * 2 ** (order - 1) * precision(params) * float(longest)
    if order > 1 and float(last) < rounding:
        warnings.warn(
            f"difference {order} of the parameters, of size {float(last):.2g}, is lost in the rounding of "
            f"the steps, up to {rounding:.2g}: compute in double precision, raise h or lower the order",
            RuntimeWarning,
            stacklevel=2,
        )
    return (field, point) if return_point else field


@lru_cache(maxsize=32)
def _transformation(optimizer: Callable[[float], Any], h: float) -> Any:
    """The transformation for a step size, the same one each time, so that what was compiled is used again."""
    transformation = optimizer(h)
    if not hasattr(transformation, "init") or not hasattr(transformation, "update"):
        raise TypeError(
            "the optimizer must be a function of h that returns a transformation of Optax, such as "
            f"optax.sgd, but it returned {type(transformation).__name__}"
        )
    return transformation


def _weights(order: int) -> list[float]:
    """w_k with Σ_j (−1)^{j+1}/j Δ^{j−1} u_0 = Σ_k w_k u_k."""
    return [
        float(sum(Fraction((-1) ** k * comb(j - 1, k), j) for j in range(k + 1, order + 1)))
        for k in range(order)
    ]


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _observe(
    loss: Loss, transformation: Any, order: int, warm_up: int, params: Pytree, h: Any
) -> tuple[Pytree, Pytree, jax.Array, jax.Array, jax.Array]:
    """Point and field, the sizes of the highest difference and of the longest step, whether all is finite."""
    g = gradient(loss)

    def step(x: Pytree, state: Any) -> tuple[Pytree, Any, Pytree]:
        updates, state = transformation.update(g(x), state, x)
        return optax.apply_updates(x, updates), state, updates

    def forget(carry: tuple[Pytree, Any], _: None) -> tuple[tuple[Pytree, Any], None]:
        x, state, _ = step(*carry)
        return (x, state), None

    def accumulate(carry: Any, weights: jax.Array) -> tuple[Any, jax.Array]:
        x, state, total, highest = carry
        x, state, u = step(x, state)
        watched = jax.tree.map(_some_entries, u)
        total = add(total, scale(weights[0], u))
        highest = add(highest, scale(weights[1], watched))
        return (x, state, total, highest), norm(watched)

    start, _ = jax.lax.scan(forget, (params, transformation.init(params)), length=warm_up)
    zero = jax.tree.map(jnp.zeros_like, params)
    binomials = [float((-1) ** (order - 1 - k) * comb(order - 1, k)) for k in range(order)]
    weights = jnp.array([_weights(order), binomials]).T
    (end, _, total, highest), lengths = jax.lax.scan(
        accumulate, (*start, zero, jax.tree.map(_some_entries, zero)), weights, unroll=True
    )
    return start[0], scale(1 / h, total), norm(highest), lengths.max(), is_finite(end)


def _some_entries(leaf: jax.Array) -> jax.Array:
    """About `WATCHED` entries of an array, evenly spaced."""
    return leaf.ravel()[:: max(1, leaf.size // WATCHED)]
