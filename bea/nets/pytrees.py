"""Parameters as pytrees of float arrays: checks, and the algebra of a vector space."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Real
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

__all__ = [
    "Loss",
    "Pytree",
    "add",
    "dot",
    "gradient",
    "is_finite",
    "norm",
    "precision",
    "read_positive",
    "require_loss",
    "require_number",
    "require_params",
    "require_step_size",
    "scale",
    "size",
]

#: A pytree of float arrays.
Pytree: TypeAlias = Any

#: A function of the parameters that JAX can trace, with a scalar value.
Loss: TypeAlias = Callable[[Pytree], jax.Array]


def require_params(params: Pytree, what: str = "params") -> None:
    """Refuse what is no pytree of real float arrays, or holds no array at all."""
    leaves = jax.tree_util.tree_leaves_with_path(params)
    if not leaves:
        raise TypeError(f"{what} must be a pytree of float arrays, and this one holds none")
    for path, leaf in leaves:
        dtype = getattr(leaf, "dtype", type(leaf))
        if not isinstance(leaf, float) and not (
            hasattr(leaf, "dtype") and jnp.issubdtype(leaf.dtype, jnp.floating)
        ):
            place = f" at {jax.tree_util.keystr(path)}" if path else ""
            name = getattr(dtype, "name", getattr(dtype, "__name__", dtype))
            raise TypeError(f"{what} must be a pytree of float arrays, but the leaf{place} is {name}")
    if not any(jnp.size(leaf) for _, leaf in leaves):
        raise TypeError(f"{what} must be a pytree of float arrays, and those of this one are empty")


def require_loss(loss: Loss, params: Pytree) -> None:
    """Refuse a loss that is no function of the parameters with a float scalar as its value."""
    if not callable(loss):
        raise TypeError(f"the loss must be a function loss(params), not {type(loss).__name__}")
    require_params(params)
    require_number(loss, params)


def require_number(loss: Callable[..., Any], *args: Any) -> None:
    """Refuse a loss that JAX cannot trace, or whose value is not one float."""
    try:
        value = jax.eval_shape(loss, *args)
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise TypeError(
            "the loss must be a function that JAX can trace, written with jax.numpy: this one turns its "
            "arguments into numbers of Python or NumPy"
        ) from error
    shape, dtype = getattr(value, "shape", None), getattr(value, "dtype", None)
    if shape != () or not jnp.issubdtype(dtype, jnp.floating):
        given = type(value).__name__ if shape is None else f"an array of shape {shape} and type {dtype}"
        raise ValueError(f"the loss must return one float, a scalar, but it returns {given}")


def read_positive(value: object, name: str) -> float:
    """A positive number as a float, or a sentence that says that it is none."""
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 < float(value) < math.inf:
        raise ValueError(f"{name} must be a positive number, not {value!r}")
    return float(value)


def require_step_size(h: Any) -> None:
    """Refuse what is not one number, traced or not."""
    if isinstance(h, float | int | np.number) and not isinstance(h, bool):
        return
    dtype = getattr(h, "dtype", None)
    if dtype is None or not jnp.issubdtype(dtype, jnp.number):
        raise TypeError(f"h must be a number, not {h!r}")
    if jnp.ndim(h):
        raise ValueError(
            f"h must be one number, not an array of shape {jnp.shape(h)}: for several use jax.vmap"
        )


def gradient(loss: Loss) -> Callable[[Pytree], Pytree]:
    """∇E, after a check of the loss while it is traced."""

    def g(params: Pytree) -> Pytree:
        require_loss(loss, params)
        return jax.grad(loss)(params)

    return g


def add(u: Pytree, v: Pytree) -> Pytree:
    """u + v."""
    return jax.tree.map(jnp.add, u, v)


def scale(c: Any, u: Pytree) -> Pytree:
    """c u, in the precision of u."""
    return jax.tree.map(lambda leaf: jnp.asarray(c, leaf.dtype) * leaf, u)


def dot(u: Pytree, v: Pytree) -> jax.Array:
    """Σ_i u_i v_i."""
    return sum(jax.tree.leaves(jax.tree.map(lambda a, b: jnp.vdot(a, b), u, v)), jnp.zeros(()))


def norm(u: Pytree) -> jax.Array:
    """‖u‖."""
    return jnp.sqrt(dot(u, u))


def size(u: Pytree) -> int:
    """The number of parameters."""
    return sum(int(jnp.size(leaf)) for leaf in jax.tree.leaves(u))


def is_finite(u: Pytree) -> jax.Array:
    """Whether all entries are finite."""
    return jnp.all(jnp.stack([jnp.all(jnp.isfinite(leaf)) for leaf in jax.tree.leaves(u)]))


def precision(u: Pytree) -> float:
    """The largest relative rounding error of the arrays, such as 1.2e-7 for float32."""
    return max(float(jnp.finfo(jnp.asarray(leaf).dtype).eps) for leaf in jax.tree.leaves(u))
