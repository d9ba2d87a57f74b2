"""What a scheme minimises: the modified loss, its regularizer, and explicit gradient regularization."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax

from bea.nets.coefficients import field_coefficients
from bea.nets.pytrees import Loss, Pytree, dot, gradient, norm, require_params, require_step_size, size
from bea.schemes import GradientDescent
from bea.schemes.scheme import Scheme

__all__ = ["ModifiedLoss", "explicit_regularization", "modified_loss", "regularizer", "slope"]


@dataclass(frozen=True)
class ModifiedLoss:
    """factor · E + h · weight · ‖∇E‖² as a function of the parameters and h; see `modified_loss`.

    Attributes
    ----------
    loss : callable
    factor, weight : float
        1 and 1/4 for gradient descent.
    """

    loss: Loss
    factor: float
    weight: float

    def __call__(self, params: Pytree, h: Any) -> jax.Array:
        """The modified loss at `params` for the step size `h`."""
        require_step_size(h)
        g = gradient(self.loss)(params)
        return self.factor * self.loss(params) + h * self.weight * dot(g, g)


def modified_loss(loss: Loss, scheme: Scheme | None = None) -> ModifiedLoss:
    r"""The loss whose gradient flow a scheme follows up to O(h²).

    It is E + (h/4)‖∇E‖² for gradient descent [1]_ and E/(1−β) + h(1+β)/(4(1−β)³)‖∇E‖² for the heavy ball
    [2]_; at the order of h it exists for every scheme that has a B-series.

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can trace, with a scalar as its value.
    scheme : Scheme, optional
        By default gradient descent; see `modified_field`.

    Returns
    -------
    ModifiedLoss
        Called as ``modified(params, h)``; its gradient can be taken.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Theorem 3.1.
    .. [2] A. Ghosh, H. Lyu, X. Zhang and R. Wang (2023), Implicit regularization in heavy-ball momentum
           accelerated stochastic gradient descent, International Conference on Learning Representations.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> modified = nets.modified_loss(lambda x: jnp.sum(x**2) / 2)
    >>> float(modified(jnp.array([2.0, 0.0]), h=0.5))
    2.5
    """
    _require_function(loss)
    (factor,), (tall,) = field_coefficients(GradientDescent() if scheme is None else scheme, 1)
    return ModifiedLoss(loss, factor, -tall / 2)


def regularizer(loss: Loss, params: Pytree) -> jax.Array:
    r"""R_IG = ‖∇E‖²/m, m the number of parameters: what gradient descent adds to E with the factor hm/4 [1]_.

    Parameters
    ----------
    loss : callable
        A function of the parameters that JAX can trace, with a scalar as its value.
    params : pytree of float arrays

    Returns
    -------
    jax.Array
        A scalar.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Equation (3).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> float(nets.regularizer(lambda x: jnp.sum(x**2) / 2, jnp.array([3.0, 4.0])))
    12.5
    """
    _require_function(loss)
    require_params(params)
    g = _gradient(loss, params)
    return dot(g, g) / size(params)


def slope(loss: Loss, params: Pytree) -> jax.Array:
    """‖∇E‖, the tangent of the angle between the loss surface and the plane of the parameters [1]_.

    Parameters
    ----------
    loss : callable
        A function of the parameters that JAX can trace, with a scalar as its value.
    params : pytree of float arrays

    Returns
    -------
    jax.Array
        A scalar.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Section 3.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> float(nets.slope(lambda x: jnp.sum(x**2) / 2, jnp.array([3.0, 4.0])))
    5.0
    """
    _require_function(loss)
    require_params(params)
    return norm(_gradient(loss, params))


def explicit_regularization(loss: Loss, mu: Any) -> Loss:
    r"""The loss E + μ‖∇E‖², so that any optimizer descends it: explicit gradient regularization [1]_.

    With μ = h/4 its gradient flow is what gradient descent with the step size h follows on E up to O(h²).

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can trace; further arguments, such as a batch, are passed on.
    mu : float
        μ; it can be traced.

    Returns
    -------
    callable
        A function of the same arguments as `loss`.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Section 4 (explicit gradient regularization).

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> regularized = nets.explicit_regularization(lambda x: jnp.sum(x**2) / 2, mu=0.25)
    >>> float(regularized(jnp.array([2.0, 0.0])))
    3.0
    """
    _require_function(loss)

    def regularized(params: Pytree, *args: Any, **kwargs: Any) -> jax.Array:
        g = gradient(lambda p: loss(p, *args, **kwargs))(params)
        return loss(params, *args, **kwargs) + mu * dot(g, g)

    return regularized


def _require_function(loss: object) -> None:
    if not callable(loss):
        raise TypeError(f"the loss must be a function loss(params), not {type(loss).__name__}")


@partial(jax.jit, static_argnums=0)
def _gradient(loss: Loss, params: Pytree) -> Pytree:
    return gradient(loss)(params)
