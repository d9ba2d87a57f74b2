"""Explicit gradient regularization as a part of an optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import optax

from bea.nets.pytrees import Pytree, add, gradient, scale

__all__ = ["add_gradient_regularization"]


def add_gradient_regularization(
    loss: Callable[..., jax.Array], mu: float
) -> optax.GradientTransformationExtraArgs:
    r"""Add the gradient of μ‖∇E‖², which is 2μ∇²E ∇E, to the gradient, by one Hessian–vector product [1]_.

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can trace, with a scalar as its value. If ``update`` is given
        a keyword ``batch``, E is called as ``loss(params, batch)``.
    mu : float
        μ; with h/4 an optimizer adds once more what gradient descent adds of itself.

    Returns
    -------
    optax.GradientTransformationExtraArgs
        It stands first in `optax.chain`: what it is given must be the gradient of the same loss, of the same
        batch.

    Raises
    ------
    ValueError
        From ``update``, if it is given no parameters.

    See Also
    --------
    explicit_regularization : The loss itself, where it need not be E that is differentiated outside.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Section 4 (explicit gradient regularization).

    Examples
    --------
    >>> import jax
    >>> import jax.numpy as jnp
    >>> import optax
    >>> from bea import nets
    >>> def loss(x):
    ...     return jnp.sum(x**2) / 2
    >>> optimizer = optax.chain(nets.add_gradient_regularization(loss, mu=0.25), optax.sgd(0.5))
    >>> x = jnp.array([2.0])
    >>> updates, _ = optimizer.update(jax.grad(loss)(x), optimizer.init(x), x)
    >>> updates.tolist()
    [-1.5]
    """
    if not callable(loss):
        raise TypeError(f"the loss must be a function loss(params), not {type(loss).__name__}")

    def update(
        updates: Pytree, state: optax.EmptyState, params: Pytree | None = None, **extra: Any
    ) -> tuple[Pytree, optax.EmptyState]:
        if params is None:
            raise ValueError("gradient regularization needs the parameters: update(gradient, state, params)")
        arguments = (extra["batch"],) if "batch" in extra else ()
        g = gradient(lambda p: loss(p, *arguments))
        _, product = jax.jvp(g, (params,), (updates,))
        return add(updates, scale(2 * mu, product)), state

    return optax.GradientTransformationExtraArgs(lambda params: optax.EmptyState(), update)
