"""How much a measure of a model changes when its parameters are perturbed at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from jax.flatten_util import ravel_pytree

from bea.nets.estimates import mean_of
from bea.nets.pytrees import Pytree, require_params

__all__ = ["Robustness", "robustness"]


@dataclass(frozen=True)
class Robustness:
    """Means of a measure over perturbed parameters; see `robustness`.

    Attributes
    ----------
    scales : array, shape (k,)
    values : array, shape (k,)
        The means for these scales.
    errors : array, shape (k,)
        Their standard errors.
    intervals : array, shape (k, 2)
        Their confidence intervals.
    samples : array, shape (k, samples)
        The measure of each perturbed model. The same perturbations are used for all scales.
    """

    scales: np.ndarray
    values: np.ndarray
    errors: np.ndarray
    intervals: np.ndarray
    samples: np.ndarray


def robustness(
    measure: Callable[[Pytree], Any],
    params: Pytree,
    scales: Sequence[float] | npt.NDArray[np.floating],
    samples: int = 20,
    rng: Any = 0,
    relative: bool = True,
    level: float = 0.95,
) -> Robustness:
    """The mean of a measure over random perturbations of the parameters, for several scales s [1]_.

    Parameters
    ----------
    measure : callable
        A function of the parameters that JAX can trace, with one number as its value, such as a test error.
    params : pytree of float arrays
    scales : sequence of k floats
        The standard deviations s of the perturbations.
    samples : int, optional
        How many perturbations, 2 or more.
    rng : seed or numpy.random.Generator, optional
    relative : bool, default True
        Whether perturbations are relative to each parameter, θ(1 + sη) with η standard normal, or absolute,
        θ + sη. Relative ones are the same for networks whose layers are scaled by factors that cancel.
    level : float, optional
        The confidence level of the intervals, by Student's distribution.

    Returns
    -------
    Robustness

    Raises
    ------
    ValueError
        If a scale is negative or not finite, there are fewer than 2 samples, or the measure is not one
        finite number.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Prediction 2.4.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> result = nets.robustness(lambda x: jnp.sum(x), jnp.ones(3), scales=[0.0, 0.1])
    >>> result.values[0].item(), result.errors[0].item()
    (3.0, 0.0)
    """
    require_params(params)
    if isinstance(samples, bool) or not isinstance(samples, int | np.integer) or samples < 2:
        raise ValueError(f"samples must be an integer, 2 or more, not {samples!r}")
    s = np.atleast_1d(np.asarray(scales, dtype=float))
    if s.ndim != 1 or not (np.isfinite(s) & (s >= 0)).all():
        raise ValueError(f"scales must be finite numbers, none negative, not {scales!r}")
    shape = jax.eval_shape(measure, params)
    if getattr(shape, "shape", None) != ():
        raise ValueError(f"the measure must return one number, but it returns {shape}")
    key = jax.random.key(int(np.random.default_rng(rng).integers(2**31)))
    keys = jax.random.split(key, int(samples))
    values = np.asarray(_perturbed(measure, relative, params, s, keys), dtype=float)
    if not np.isfinite(values).all():
        scale = s[~np.isfinite(values).all(axis=1)][0]
        raise ValueError(f"the measure is not finite at parameters perturbed by the scale {scale}")
    means = [mean_of(row, level) for row in values]
    return Robustness(
        s,
        np.array([mean.value for mean in means]),
        np.array([mean.error for mean in means]),
        np.array([mean.interval for mean in means]),
        values,
    )


@partial(jax.jit, static_argnums=(0, 1))
def _perturbed(
    measure: Callable[[Pytree], Any], relative: bool, params: Pytree, scales: jax.Array, keys: jax.Array
) -> jax.Array:
    """The measure for each scale and each key, one after the other."""
    flat, unravel = ravel_pytree(params)

    def at_scale(s: jax.Array) -> jax.Array:
        def at_key(key: jax.Array) -> jax.Array:
            noise = s.astype(flat.dtype) * jax.random.normal(key, flat.shape, flat.dtype)
            return jnp.asarray(measure(unravel(flat + (flat * noise if relative else noise))))

        return jax.lax.map(at_key, keys)

    return jax.lax.map(at_scale, scales)
