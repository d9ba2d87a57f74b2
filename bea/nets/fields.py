"""The modified field of a scheme on any loss, for models of any size."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax

from bea.nets.coefficients import Coefficients, field_coefficients
from bea.nets.differentials import differentials, field_value
from bea.nets.pytrees import Loss, Pytree, require_loss, require_params, require_step_size
from bea.schemes import GradientDescent
from bea.schemes.scheme import Scheme

__all__ = ["ModifiedField", "modified_field"]


@dataclass(frozen=True, eq=False)
class ModifiedField:
    """f₀ + h f₁ + … + h^order f_order as a function of the parameters; see `modified_field`.

    Attributes
    ----------
    loss : callable
    scheme : Scheme
    order : int
        The highest power of h.
    coefficients : tuple of tuples of float
        For each power of h the factors of the elementary differentials, in the order of `bea.rooted_trees`.
    """

    loss: Loss
    scheme: Scheme
    order: int
    coefficients: Coefficients

    def __call__(self, params: Pytree, h: Any) -> Pytree:
        """The field at `params` for the step size `h`."""
        require_params(params)
        require_step_size(h)
        return _value(self, params, h)

    def terms(self, params: Pytree) -> list[Pytree]:
        """The coefficients of 1, h, …, h^order at `params`."""
        require_params(params)
        return _terms(self, params)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ModifiedField):
            return NotImplemented
        return self.loss is other.loss and self.coefficients == other.coefficients

    def __hash__(self) -> int:
        return hash((id(self.loss), self.coefficients))


def modified_field(loss: Loss, scheme: Scheme | None = None, order: int = 2) -> ModifiedField:
    r"""The field that a scheme follows on a loss, f₀ + h f₁ + … + h^order f_order, for a model of any size.

    It is the same as that of `bea.modified_equation`, in the arithmetic of the parameters. For gradient
    descent with f = −∇E it is f − (h/2) f'f + h² (f'f'f/3 + f''(f,f)/12) − … [1]_, [2]_.

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can trace and differentiate as often as `order` + 1 times,
        with a scalar as its value.
    scheme : Scheme, optional
        By default gradient descent; or a Runge–Kutta method, heavy ball, Nesterov, or any other scheme that
        has a B-series, with numbers for its constants.
    order : int, optional
        The highest power of h, 0 to 3.

    Returns
    -------
    ModifiedField
        Called as ``field(params, h)`` it returns a pytree as `params`; ``field.terms(params)`` is the list of
        the coefficients of the powers of h. Both can be traced, by `jax.jit` and `jax.vmap` among others.

    Raises
    ------
    TypeError, ValueError
        If the scheme has no B-series or a symbol among its constants, the order is none of 0 to 3; when the
        field is evaluated, if the loss is not a scalar or a parameter no float.

    Notes
    -----
    No Hessian is formed. On perceptrons of 10⁵ and 10⁶ parameters the field through h² took the processor
    time of three to nine gradients (``benchmarks/peers_nets.py``).

    Where a loss is not smooth, as with rectified linear units, derivatives are those that JAX takes almost
    everywhere.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section IX.9.
    .. [2] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Theorem 3.1.

    Examples
    --------
    On E = ‖x‖²/2 gradient descent follows x' = −x − (h/2) x − (h²/3) x − ⋯ :

    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> field = nets.modified_field(lambda x: jnp.sum(x**2) / 2, order=2)
    >>> [term.round(4).tolist() for term in field.terms(jnp.array([3.0, 6.0]))]
    [[-3.0, -6.0], [-1.5, -3.0], [-1.0, -2.0]]
    """
    if not callable(loss):
        raise TypeError(f"the loss must be a function loss(params), not {type(loss).__name__}")
    scheme = GradientDescent() if scheme is None else scheme
    return ModifiedField(loss, scheme, order, field_coefficients(scheme, order))


@partial(jax.jit, static_argnums=0)
def _terms(field: ModifiedField, params: Pytree) -> list[Pytree]:
    require_loss(field.loss, params)
    return differentials(field.loss, params, field.coefficients)


@partial(jax.jit, static_argnums=0)
def _value(field: ModifiedField, params: Pytree, h: Any) -> Pytree:
    require_loss(field.loss, params)
    return field_value(field.loss, params, field.coefficients, h)
